-- What people are still writing, so that a second device goes on where the first one was left. The name tells them from
-- `drafts`, the waiting work of agents.

CREATE TABLE editor_drafts (
    user_id    uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    -- `workspace`, or `exercise:` and an id.
    key        text NOT NULL CHECK (length(key) <= 100),
    text       text NOT NULL,
    -- A new one for each text, also after the draft was deleted: whoever names it knows what they replace.
    version    uuid NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, key)
);
-- Those that nobody goes on with are deleted.
CREATE INDEX editor_drafts_by_age ON editor_drafts (updated_at);
