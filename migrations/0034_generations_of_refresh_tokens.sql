-- Which tokens of a login succeed which, so that a token whose answer was lost can be told from a stolen one, also when
-- the clocks of two instances differ.

-- How many times the login was continued before. Tokens of earlier versions are all of generation 0; so are those that
-- such a version still issues, and a copy of one that it has exchanged is believed for the leeway at most.
ALTER TABLE refresh_tokens ADD COLUMN generation integer NOT NULL DEFAULT 0;
