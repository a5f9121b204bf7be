-- An access token is refused as soon as its session has ended.

-- Whether a session has ended is asked once a minute for each that is in use.
CREATE INDEX refresh_tokens_revoked ON refresh_tokens (family_id) WHERE revoked_at IS NOT NULL;

-- The session of the token that a ticket was given for, and that opened a connection; absent for people of an external
-- identity provider.
ALTER TABLE socket_tickets ADD COLUMN session_id uuid;
ALTER TABLE connections ADD COLUMN session_id uuid;
