-- Questions and answers, conversations, and what the model path needs.

CREATE TABLE conversations (
    id         uuid PRIMARY KEY,
    student_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX conversations_by_student ON conversations (student_id, updated_at DESC);

CREATE TABLE messages (
    id              uuid PRIMARY KEY,
    conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
    author          text NOT NULL,
    content         text NOT NULL,
    created_at      timestamptz NOT NULL
);
CREATE INDEX messages_by_conversation ON messages (conversation_id, created_at);

-- A question, and its answer once there is one. The four answer columns are filled together, once.
CREATE TABLE queries (
    id          uuid PRIMARY KEY,
    student_id  uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    question    jsonb NOT NULL,
    asked_at    timestamptz NOT NULL,
    agent       text,
    answered_by text,
    answer      jsonb,
    answered_at timestamptz,
    CHECK (num_nulls(agent, answered_by, answer, answered_at) IN (0, 4))
);
CREATE INDEX queries_by_student ON queries (student_id, asked_at DESC);

-- An answer that waits for its code blocks to be run before the student sees it.
CREATE TABLE drafts (
    id          uuid PRIMARY KEY,
    query_id    uuid NOT NULL REFERENCES queries ON DELETE CASCADE,
    agent       text NOT NULL,
    body        jsonb NOT NULL,
    deadline_at timestamptz NOT NULL,
    created_at  timestamptz NOT NULL
);
CREATE INDEX drafts_by_query ON drafts (query_id);
CREATE INDEX drafts_by_deadline ON drafts (deadline_at);

CREATE TABLE model_usage (
    id             uuid PRIMARY KEY,
    -- The ledger outlives the account: what was spent stays counted.
    student_id     uuid REFERENCES users ON DELETE SET NULL,
    agent          text NOT NULL,
    model          text NOT NULL,
    tokens_in      integer NOT NULL CHECK (tokens_in >= 0),
    tokens_out     integer NOT NULL CHECK (tokens_out >= 0),
    cost_micro_usd bigint NOT NULL CHECK (cost_micro_usd >= 0),
    latency_ms     integer NOT NULL CHECK (latency_ms >= 0),
    cached         boolean NOT NULL,
    created_at     timestamptz NOT NULL
);
CREATE INDEX model_usage_by_student ON model_usage (student_id, created_at);
CREATE INDEX model_usage_by_age ON model_usage (created_at);
