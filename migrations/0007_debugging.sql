-- A draft may belong to a request that came to the function itself, of which there is no query; and
-- whose student has no account here.
ALTER TABLE drafts DROP CONSTRAINT drafts_query_id_fkey;
ALTER TABLE drafts ADD COLUMN student_id uuid REFERENCES users ON DELETE CASCADE;

-- How far a student has climbed on the hints to one problem: an error at a line of an exercise, or of a
-- program of their own.
CREATE TABLE hint_ladders (
    student_id   uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    problem      bytea NOT NULL,
    rung         smallint NOT NULL CHECK (rung BETWEEN 1 AND 3),
    attempt      bytea NOT NULL,
    given_at     timestamptz NOT NULL,
    day_began_at timestamptz NOT NULL,
    given        integer NOT NULL CHECK (given > 0),
    PRIMARY KEY (student_id, problem)
);
