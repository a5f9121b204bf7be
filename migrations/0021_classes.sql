-- Classes as teachers use them: several teachers, students who were invited before they have an account, assignments.
-- No version before this one uses these tables, so nothing that still runs misses the column that goes.

-- A class has no single owner: whoever made it may leave it to others.
CREATE TABLE class_teachers (
    class_id   uuid NOT NULL REFERENCES classes ON DELETE CASCADE,
    teacher_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    added_at   timestamptz NOT NULL,
    PRIMARY KEY (class_id, teacher_id)
);
CREATE INDEX class_teachers_by_teacher ON class_teachers (teacher_id, class_id);
INSERT INTO class_teachers (class_id, teacher_id, added_at) SELECT id, teacher_id, created_at FROM classes;
ALTER TABLE classes DROP COLUMN teacher_id;

-- An address that a teacher has put on the roster and that nobody has registered yet. Registering or logging in with
-- the address turns it into an enrollment.
CREATE TABLE class_invitations (
    id         uuid PRIMARY KEY,
    class_id   uuid NOT NULL REFERENCES classes ON DELETE CASCADE,
    email      text NOT NULL CHECK (email = lower(email)),
    name       text NOT NULL,
    invited_at timestamptz NOT NULL,
    UNIQUE (class_id, email)
);
CREATE INDEX class_invitations_by_email ON class_invitations (email);
CREATE INDEX class_invitations_by_age ON class_invitations (invited_at);

-- What a class is to do: one exercise, or a topic.
CREATE TABLE assignments (
    id          uuid PRIMARY KEY,
    class_id    uuid NOT NULL REFERENCES classes ON DELETE CASCADE,
    exercise_id uuid REFERENCES exercises ON DELETE CASCADE,
    topic_slug  text REFERENCES topics ON DELETE CASCADE,
    due_at      timestamptz,
    created_at  timestamptz NOT NULL,
    CHECK (num_nonnulls(exercise_id, topic_slug) = 1)
);
CREATE INDEX assignments_by_class ON assignments (class_id, id);

-- A student's timeline takes the latest solutions of all exercises.
CREATE INDEX submissions_by_time ON submissions (student_id, submitted_at DESC);
