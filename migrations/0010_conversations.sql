-- A conversation is its questions and their answers, which are kept already.
DROP TABLE messages;
ALTER TABLE queries ADD COLUMN conversation_id uuid REFERENCES conversations ON DELETE CASCADE;
CREATE INDEX queries_by_conversation ON queries (conversation_id, asked_at);
