-- Programs may print the character NUL, which jsonb cannot hold and json can.
ALTER TABLE events ALTER COLUMN data TYPE json USING data::json;
ALTER TABLE executions ALTER COLUMN request TYPE json USING request::json;
ALTER TABLE executions ALTER COLUMN result TYPE json USING result::json;
