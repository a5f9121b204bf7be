-- Sockets that API Gateway holds for websocket under AWS Lambda, where nothing stays in memory. The table that was there
-- was never used: it knew neither what a client has nor when its token expires.
DROP TABLE connections;
CREATE TABLE connections (
    -- API Gateway's name for it.
    id               text PRIMARY KEY,
    user_id          uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    role             text NOT NULL,
    -- Whether an external identity provider knows the person.
    external         boolean NOT NULL,
    channel          text NOT NULL CHECK (channel IN ('chat', 'alerts')),
    -- The last of the person's messages that was sent, and when it was last looked for new ones.
    position         bigint NOT NULL,
    looked_at        timestamptz NOT NULL,
    -- Whether the client has still to be told that its `after` is unknown.
    is_place_unknown boolean NOT NULL,
    opened_at        timestamptz NOT NULL,
    -- When the token expires, and when the client is asked to connect again.
    ends_at          timestamptz NOT NULL,
    closes_at        timestamptz NOT NULL,
    -- When something was last sent, in either direction.
    active_at        timestamptz NOT NULL,
    -- When it is looked at although no event comes: after a failure, for its end, or whether it is still there.
    due_at           timestamptz NOT NULL,
    -- Counts the occasions to look for messages, so that whoever has the claim notices the others.
    wakes            bigint NOT NULL DEFAULT 0,
    -- Whoever sends on this connection, and until when: the order of messages needs one at a time, and nothing is sent
    -- while a transaction is open.
    claim            uuid,
    claimed_until    timestamptz,
    CHECK (num_nulls(claim, claimed_until) IN (0, 2))
);
CREATE INDEX connections_by_user ON connections (user_id);
CREATE INDEX connections_due ON connections (due_at);
CREATE INDEX connections_by_age ON connections (opened_at);
