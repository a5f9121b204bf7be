-- Quizzes whose time is over are submitted for their students, the one that has waited longest first.
CREATE INDEX quiz_attempts_to_end ON quiz_attempts (ends_at) WHERE submitted_at IS NULL;
