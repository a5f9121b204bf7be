-- The curriculum's catalogue (its text is data in the repository) and what students do with it.

CREATE TABLE modules (
    slug     text PRIMARY KEY,
    position smallint NOT NULL,
    title    text NOT NULL
);

CREATE TABLE topics (
    slug        text PRIMARY KEY,
    module_slug text NOT NULL REFERENCES modules,
    position    smallint NOT NULL,
    title       text NOT NULL
);
CREATE INDEX topics_by_module ON topics (module_slug, position);

CREATE TABLE exercises (
    id           uuid PRIMARY KEY,
    topic_slug   text NOT NULL REFERENCES topics,
    difficulty   text NOT NULL CHECK (difficulty IN ('easy', 'medium', 'hard')),
    title        text NOT NULL,
    statement    text NOT NULL,
    starter      text NOT NULL,
    -- Reference solution, visible and hidden tests: never leaves the server.
    solution     jsonb NOT NULL,
    status       text NOT NULL CHECK (status IN ('draft', 'verified', 'rejected')),
    variation_of uuid REFERENCES exercises,
    created_at   timestamptz NOT NULL
);
CREATE INDEX exercises_by_topic ON exercises (topic_slug, difficulty, id) WHERE status = 'verified';

CREATE TABLE quizzes (
    id         uuid PRIMARY KEY,
    topic_slug text NOT NULL REFERENCES topics,
    questions  jsonb NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX quizzes_by_topic ON quizzes (topic_slug);

CREATE TABLE quiz_attempts (
    id           uuid PRIMARY KEY,
    quiz_id      uuid NOT NULL REFERENCES quizzes,
    student_id   uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    answers      jsonb NOT NULL,
    score        smallint NOT NULL CHECK (score BETWEEN 0 AND 100),
    submitted_at timestamptz NOT NULL
);
CREATE INDEX quiz_attempts_by_student ON quiz_attempts (student_id, submitted_at DESC);

CREATE TABLE submissions (
    id           uuid PRIMARY KEY,
    student_id   uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    exercise_id  uuid NOT NULL REFERENCES exercises,
    code         text NOT NULL,
    score        smallint CHECK (score BETWEEN 0 AND 100),
    quality      smallint CHECK (quality BETWEEN 0 AND 100),
    feedback     jsonb,
    submitted_at timestamptz NOT NULL
);
CREATE INDEX submissions_by_student ON submissions (student_id, exercise_id, submitted_at DESC);

CREATE TABLE executions (
    id          uuid PRIMARY KEY,
    student_id  uuid REFERENCES users ON DELETE CASCADE,
    request     jsonb NOT NULL,
    verdict     text,
    error_type  text,
    result      jsonb,
    duration_ms integer CHECK (duration_ms >= 0),
    created_at  timestamptz NOT NULL,
    finished_at timestamptz
);
CREATE INDEX executions_by_student ON executions (student_id, created_at DESC);

-- One row for each student and topic; a missing component is unknown, not zero.
CREATE TABLE progress (
    student_id  uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    topic_slug  text NOT NULL REFERENCES topics,
    exercises   smallint CHECK (exercises BETWEEN 0 AND 100),
    quizzes     smallint CHECK (quizzes BETWEEN 0 AND 100),
    quality     smallint CHECK (quality BETWEEN 0 AND 100),
    consistency smallint CHECK (consistency BETWEEN 0 AND 100),
    score       smallint CHECK (score BETWEEN 0 AND 100),
    evidence    integer NOT NULL CHECK (evidence >= 0),
    updated_at  timestamptz NOT NULL,
    PRIMARY KEY (student_id, topic_slug)
);
