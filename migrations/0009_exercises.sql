-- Every exercise that can be set is a row: the course's own, variations of them, and those of a model.
ALTER TABLE exercises
    ADD COLUMN source   text NOT NULL DEFAULT 'course' CHECK (source IN ('course', 'variation', 'model')),
    -- The place in the course; whatever was made later comes after it.
    ADD COLUMN position integer NOT NULL DEFAULT 1000000,
    -- Why it was rejected.
    ADD COLUMN faults   text;
CREATE INDEX exercises_in_order ON exercises (position, id) WHERE status = 'verified';

-- What a student was given, and whether they were shown the solution in pieces.
CREATE TABLE exercise_sets (
    student_id  uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    exercise_id uuid NOT NULL REFERENCES exercises ON DELETE CASCADE,
    set_at      timestamptz NOT NULL,
    parsons_at  timestamptz,
    PRIMARY KEY (student_id, exercise_id)
);

ALTER TABLE submissions
    ADD COLUMN passed    boolean,
    ADD COLUMN graded_at timestamptz,
    ALTER COLUMN feedback TYPE json USING feedback::json;

-- What students think of an answer.
ALTER TABLE queries ADD COLUMN helpful boolean;
