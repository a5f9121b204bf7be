-- Attempts at quizzes, and reports on bad answers. The tables of quizzes that were there were never used: their
-- questions were shared, while each student gets a choice of their own now.
DROP TABLE quiz_attempts;
DROP TABLE quizzes;

-- Kept, like everything that a student made, until the account goes: results are evidence of progress, and a few
-- kilobytes each.
CREATE TABLE quiz_attempts (
    id           uuid PRIMARY KEY,
    student_id   uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    -- None: a mixed quiz.
    topic_slug   text REFERENCES topics,
    -- By which the questions were chosen and their options shuffled.
    seed         bigint NOT NULL,
    -- The questions as they were asked, so that a later version of the course changes no attempt. With the right
    -- answers: never leaves the server before it is submitted.
    questions    json NOT NULL,
    question_count smallint NOT NULL CHECK (question_count BETWEEN 1 AND 100),
    started_at   timestamptz NOT NULL,
    ends_at      timestamptz,
    submitted_at timestamptz,
    score        smallint CHECK (score BETWEEN 0 AND 100),
    CHECK (num_nulls(submitted_at, score) IN (0, 2))
);
CREATE UNIQUE INDEX quiz_attempts_one_open ON quiz_attempts (student_id, topic_slug)
    NULLS NOT DISTINCT WHERE submitted_at IS NULL;
CREATE INDEX quiz_attempts_by_student ON quiz_attempts (student_id, started_at DESC, id DESC);

-- The latest answer to each question, one row each, so that answers to different questions do not meet.
CREATE TABLE quiz_answers (
    attempt_id  uuid NOT NULL REFERENCES quiz_attempts ON DELETE CASCADE,
    number      smallint NOT NULL,
    choice      smallint NOT NULL,
    answered_at timestamptz NOT NULL,
    PRIMARY KEY (attempt_id, number)
);

-- What students say is wrong with an answer; goes with its question.
CREATE TABLE answer_reports (
    query_id    uuid PRIMARY KEY REFERENCES queries ON DELETE CASCADE,
    student_id  uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    reason      text NOT NULL,
    comment     text,
    reported_at timestamptz NOT NULL
);
CREATE INDEX answer_reports_by_student ON answer_reports (student_id, reported_at DESC, query_id DESC);
CREATE INDEX answer_reports_by_age ON answer_reports (reported_at DESC, query_id DESC);
