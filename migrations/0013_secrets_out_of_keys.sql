-- A registration's request hash covered its password, by SHA-256 without a salt, so that a leaked table let
-- passwords be guessed by the billion a second. What is remembered of registrations is forgotten: whoever repeats
-- one from before gets «taken» instead of the first answer.
DELETE FROM idempotency_keys WHERE operation = 'register';

-- Counters of past windows are removed as new ones are made, oldest first. Still under the code that
-- runs: within a window the indexed column stays the same, so updates stay as cheap as they are.
CREATE INDEX rate_limits_by_window ON rate_limits (window_start);
