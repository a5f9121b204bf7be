-- People, their sessions, and the two small tables that guard the front door.

CREATE TABLE users (
    id            uuid PRIMARY KEY,
    email         text NOT NULL UNIQUE CHECK (email = lower(email)),
    display_name  text NOT NULL,
    -- Argon2id in PHC form; absent for people who come through an external identity provider.
    password_hash text,
    role          text NOT NULL CHECK (role IN ('student', 'teacher', 'admin')),
    created_at    timestamptz NOT NULL
);

-- One row for each refresh token ever issued; only a hash is kept, so a leaked table opens nothing.
CREATE TABLE refresh_tokens (
    token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
    family_id  uuid NOT NULL,
    user_id    uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    issued_at  timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    -- Set when the token was exchanged for its successor: a second use means theft.
    used_at    timestamptz,
    revoked_at timestamptz
);
CREATE INDEX refresh_tokens_by_family ON refresh_tokens (family_id);
CREATE INDEX refresh_tokens_by_user ON refresh_tokens (user_id);

-- What a repeated POST with the same Idempotency-Key made the first time.
CREATE TABLE idempotency_keys (
    operation    text NOT NULL,
    -- The user's id, or the client's address where there is no user yet.
    owner        text NOT NULL,
    key          text NOT NULL CHECK (length(key) <= 200),
    request_hash bytea NOT NULL CHECK (length(request_hash) = 32),
    resource_id  uuid NOT NULL,
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (operation, owner, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

-- Fixed-window counters. Unlogged: after a crash everyone starts a new window, which harms nobody.
CREATE UNLOGGED TABLE rate_limits (
    bucket       text PRIMARY KEY,
    window_start timestamptz NOT NULL,
    hits         integer NOT NULL
);
