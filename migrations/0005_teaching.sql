-- Classes, alerts to their teachers, and open WebSocket connections.

CREATE TABLE classes (
    id          uuid PRIMARY KEY,
    teacher_id  uuid NOT NULL REFERENCES users,
    name        text NOT NULL,
    invite_code text NOT NULL UNIQUE,
    created_at  timestamptz NOT NULL,
    archived_at timestamptz
);
CREATE INDEX classes_by_teacher ON classes (teacher_id);

CREATE TABLE enrollments (
    class_id   uuid NOT NULL REFERENCES classes ON DELETE CASCADE,
    student_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    joined_at  timestamptz NOT NULL,
    PRIMARY KEY (class_id, student_id)
);
CREATE INDEX enrollments_by_student ON enrollments (student_id);

CREATE TABLE alerts (
    id              uuid PRIMARY KEY,
    student_id      uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    topic_slug      text REFERENCES topics,
    trigger         text NOT NULL,
    status          text NOT NULL CHECK (status IN ('open', 'acknowledged', 'resolved')),
    evidence        jsonb NOT NULL,
    opened_at       timestamptz NOT NULL,
    acknowledged_at timestamptz,
    resolved_at     timestamptz
);
-- One open alert for each student, topic and trigger, whatever is delivered twice.
CREATE UNIQUE INDEX alerts_one_open ON alerts (student_id, topic_slug, trigger)
    NULLS NOT DISTINCT WHERE status <> 'resolved';
CREATE INDEX alerts_by_student ON alerts (student_id, opened_at DESC);

CREATE TABLE connections (
    id           text PRIMARY KEY,
    user_id      uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    connected_at timestamptz NOT NULL
);
CREATE INDEX connections_by_user ON connections (user_id);
