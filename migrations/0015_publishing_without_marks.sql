-- Events are published without a mark on each: a process notes only how far it has come, and what could not be sent is
-- kept by itself. With that, and with fewer indexes, an event costs three rows and index entries where it cost eleven.

-- The processes that publish what they commit.
CREATE TABLE writers (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Of its events, those up to here are on the broker or among the delayed ones.
    floor         bigint NOT NULL,
    -- When it was last heard of. Ten seconds later a relay takes over what it may have left behind.
    seen_at       timestamptz NOT NULL,
    taken_over_at timestamptz
);
ALTER TABLE events ADD COLUMN writer bigint;
-- What a writer may have left behind is at the table's end.
CREATE INDEX events_by_sequence ON events USING brin (sequence) WITH (pages_per_range = 16, autosummarize = on);

-- Events that are to be sent by a relay.
CREATE TABLE delayed_events (
    event_id      uuid PRIMARY KEY REFERENCES events ON DELETE CASCADE,
    -- The event's own, as are topic and key: the order in which a student's events on a topic are sent.
    sequence      bigint NOT NULL,
    topic         text NOT NULL,
    partition_key text NOT NULL,
    -- How often the broker did not take it.
    attempts      smallint NOT NULL,
    -- When a relay may try; until then it is somebody's who tries.
    retry_at      timestamptz NOT NULL,
    -- Given up: no relay takes it any more, an operator looks into it.
    parked_at     timestamptz,
    parked_reason text
);
CREATE INDEX delayed_events_by_sequence ON delayed_events (sequence) WHERE parked_at IS NULL;
CREATE INDEX delayed_events_by_lane ON delayed_events (topic, partition_key, sequence) WHERE parked_at IS NULL;

-- What an earlier version has parked. What it has not sent yet, also in the time in which it runs beside this one, is
-- found by events_unpublished and taken over by a relay; `published_at`, `lease_until`, `publish_attempts` and
-- `parked_at` of events are that version's, and go when it does.
INSERT INTO delayed_events
    SELECT id, sequence, topic, partition_key, publish_attempts, parked_at, parked_at, parked_reason
    FROM events WHERE parked_at IS NOT NULL AND published_at IS NULL;
UPDATE events SET published_at = parked_at WHERE parked_at IS NOT NULL AND published_at IS NULL;

-- Old rows are found by passing through the tables a part at a time (`storage/src/retention.rs`), so no index on time.
DROP INDEX inbox_by_age;
DROP INDEX events_by_topic;
DROP INDEX events_by_subject;
CREATE INDEX dead_letters ON events (occurred_at DESC) WHERE topic = 'dead.letters';

-- A conversation's time is that of its last question, so it must not be in an index.
DROP INDEX conversations_by_student;
CREATE INDEX conversations_by_student ON conversations (student_id);
-- The newest of a conversation, in one step however long it is.
DROP INDEX queries_by_conversation;
CREATE INDEX queries_by_conversation ON queries (conversation_id, asked_at DESC, id DESC);
-- Room for the answer beside the question.
ALTER TABLE queries SET (fillfactor = 40);
ALTER TABLE conversations SET (fillfactor = 80);
-- A student's latest errors, however many runs had none.
CREATE INDEX executions_with_error ON executions (student_id, created_at DESC) WHERE error_type IS NOT NULL;
