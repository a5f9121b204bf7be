-- What websocket needs: an order for each person's messages that never changes, so that a client can say what it has;
-- and tickets that open a socket.

-- An event's sequence is taken before its transaction commits, so a later event can become visible first. A message's
-- position is given when the message is first looked for, under a lock on its person's counter: what has been given
-- out never gets a predecessor.
CREATE TABLE socket_positions (
    user_id uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    last    bigint NOT NULL
);
CREATE TABLE socket_messages (
    user_id  uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    position bigint NOT NULL,
    event_id uuid NOT NULL,
    found_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, position),
    UNIQUE (user_id, event_id)
);
CREATE INDEX socket_messages_by_age ON socket_messages (found_at);
-- A person's latest events that are delivered; the statements that use it name the same topics.
CREATE INDEX events_to_deliver ON events (subject, occurred_at)
    WHERE topic IN ('code.results', 'learning.responses', 'notifications.made');

-- Each opens one socket, within seconds, for a client that can only send a URL.
CREATE TABLE socket_tickets (
    ticket_hash bytea PRIMARY KEY,
    user_id     uuid NOT NULL,
    role        text NOT NULL,
    -- Whether an external identity provider knows the person.
    external    boolean NOT NULL,
    -- When the access token expires that the ticket was given for: the socket's end.
    ends_at     timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL
);
CREATE INDEX socket_tickets_by_age ON socket_tickets (expires_at);
