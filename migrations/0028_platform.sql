-- What a person has sent with keys is found when their account is erased. The owner of a registration is an address.
CREATE INDEX idempotency_keys_by_owner ON idempotency_keys (owner);

-- Quizzes whose time is over are submitted for their students, the one that has waited longest first.
CREATE INDEX quiz_attempts_to_end ON quiz_attempts (ends_at) WHERE submitted_at IS NULL;
