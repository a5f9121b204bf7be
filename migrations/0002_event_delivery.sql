-- The audit trail, which is the outbox too, and the inbox: what makes effects happen exactly once.

CREATE TABLE events (
    id             uuid PRIMARY KEY,
    topic          text NOT NULL,
    partition_key  text NOT NULL,
    type           text NOT NULL,
    source         text NOT NULL,
    subject        uuid,
    correlation_id uuid NOT NULL,
    causation_id   uuid,
    traceparent    text,
    data           jsonb NOT NULL,
    occurred_at    timestamptz NOT NULL,
    published_at   timestamptz,
    -- Until then the process that wrote the row publishes it; afterwards any relay may.
    lease_until    timestamptz NOT NULL
);
-- The relay's question: what was left behind, oldest first?
CREATE INDEX events_unpublished ON events (occurred_at, id) WHERE published_at IS NULL;
CREATE INDEX events_by_topic ON events (topic, occurred_at DESC);
CREATE INDEX events_by_correlation ON events (correlation_id, occurred_at);
CREATE INDEX events_by_subject ON events (subject, occurred_at) WHERE subject IS NOT NULL;

CREATE TABLE inbox (
    function    text NOT NULL,
    event_id    uuid NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (function, event_id)
);
CREATE INDEX inbox_by_age ON inbox (received_at);

