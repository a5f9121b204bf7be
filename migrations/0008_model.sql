-- Explanations of a model that hold for everybody of a level, so that they are asked for once.
CREATE TABLE model_answers (
    key         bytea PRIMARY KEY,
    -- Absent while somebody asks for it.
    body        jsonb,
    -- Until when nobody else needs to ask: the claim of whoever asks, or the life of the answer.
    valid_until timestamptz NOT NULL
);

-- A draft may also wait for an answer that another student's question has asked for.
ALTER TABLE drafts ADD COLUMN waits_for bytea;
CREATE INDEX drafts_by_wait ON drafts (waits_for) WHERE waits_for IS NOT NULL;
