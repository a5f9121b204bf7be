-- What students did, from which their progress is worked out, and alerts about those who struggle.

-- The days of a streak are those of the student's time zone (an IANA name).
ALTER TABLE users ADD COLUMN time_zone text NOT NULL DEFAULT 'UTC';

-- One row for each activity that an event reports; a quiz of several topics has several.
CREATE TABLE activities (
    event_id    uuid NOT NULL,
    position    smallint NOT NULL,
    student_id  uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    done_at     timestamptz NOT NULL,
    topic_slug  text REFERENCES topics,
    exercise_id uuid,
    source_id   uuid,
    -- Whether it counts towards mastery.
    counts      boolean NOT NULL,
    kind        json NOT NULL,
    PRIMARY KEY (event_id, position)
);
CREATE INDEX activities_by_student ON activities (student_id, done_at DESC);
CREATE INDEX activities_of_mastery ON activities (student_id, done_at DESC) WHERE counts;

-- As of the student's last activity that counts; `updated_at` is the last one in the topic.
ALTER TABLE progress
    -- The probability that the student knows the topic, in thousandths.
    ADD COLUMN known  smallint NOT NULL DEFAULT 0 CHECK (known BETWEEN 0 AND 1000),
    -- When the topic is to be reviewed.
    ADD COLUMN due_on date;

ALTER TABLE alerts
    ADD COLUMN severity    text NOT NULL DEFAULT 'low' CHECK (severity IN ('low', 'medium', 'high')),
    ADD COLUMN summary     text NOT NULL DEFAULT '',
    ADD COLUMN exercise_id uuid,
    ADD COLUMN updated_at  timestamptz NOT NULL DEFAULT now(),
    -- What shows that the student has recovered.
    ADD COLUMN resolution  text;
CREATE INDEX alerts_by_age ON alerts (opened_at);
