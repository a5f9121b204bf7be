-- For operators: where a function read an event, how long that had waited and how long the function worked on it
-- (`learnflow trace`), and which lanes are paused (`learnflow lanes`).

-- Absent if the trigger does not tell, and in rows of a version before this one. In the order in which they take the
-- least space: 18 bytes in a row that is written anyway.
ALTER TABLE inbox
    ADD COLUMN record_offset    bigint,
    -- From the record's time on the broker to the beginning of the attempt that succeeded.
    ADD COLUMN waited_ms        integer,
    -- From then until its effects were stored.
    ADD COLUMN worked_us        integer,
    ADD COLUMN record_partition smallint;

-- At most one row for each function and partition of a topic.
CREATE TABLE paused_lanes (
    function  text NOT NULL,
    topic     text NOT NULL,
    partition smallint NOT NULL,
    -- Events from this offset on are not handled: 0 holds all, each step lets one more pass.
    stops_at  bigint NOT NULL,
    paused_at timestamptz NOT NULL,
    PRIMARY KEY (function, topic, partition)
);
