-- Sessions as their owner sees them, and erasure that leaves no personal data: what events say about a person is
-- encrypted with a key of their own, which is destroyed with the account.
--
-- Functions of a version before this one cannot read encrypted events: stop them before migrating.

-- What the client called itself at the login or the last refresh.
ALTER TABLE refresh_tokens ADD COLUMN user_agent text;

ALTER TABLE users
    -- 244 random bits, from the server's strong source; the rest are fixed bits of the two ids.
    ADD COLUMN data_key bytea DEFAULT uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())
        CHECK (length(data_key) = 32),
    -- When the owner erased the account. From then on the row only says that this id is nobody's any more.
    ADD COLUMN erased_at timestamptz,
    -- When periodic work looks next for what is left of it.
    ADD COLUMN erase_next_at timestamptz,
    ADD CHECK ((erased_at IS NULL) = (data_key IS NOT NULL)),
    ADD CHECK ((erased_at IS NULL) = (erase_next_at IS NULL));
CREATE INDEX users_to_erase ON users (erase_next_at) WHERE erase_next_at IS NOT NULL;

-- What erasure finds by its owner.
CREATE INDEX socket_tickets_by_user ON socket_tickets (user_id);
CREATE INDEX idempotency_keys_of_registrations ON idempotency_keys (resource_id) WHERE operation = 'register';

-- Everything that is stored of a person, packed for them.
CREATE TABLE exports (
    id           uuid PRIMARY KEY,
    user_id      uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    requested_at timestamptz NOT NULL,
    finished_at  timestamptz,
    -- A ZIP file, or why there is none.
    archive      bytea,
    failure      text,
    CHECK (num_nulls(finished_at, archive, failure) IN (3, 1))
);
CREATE UNIQUE INDEX exports_one_unfinished ON exports (user_id) WHERE finished_at IS NULL;
CREATE INDEX exports_waiting ON exports (requested_at) WHERE finished_at IS NULL;
CREATE INDEX exports_by_age ON exports (requested_at);
CREATE INDEX exports_by_user ON exports (user_id);
