-- When something was said last in a conversation is told by its last question, so that a question writes no second row.
-- Versions before this one still write `updated_at`, and do without it for the conversations that this one makes.
ALTER TABLE conversations ALTER COLUMN updated_at SET DEFAULT now();

-- Questions from before there were conversations get one each: from now on all have one.
INSERT INTO conversations (id, student_id, created_at, updated_at)
SELECT id, student_id, asked_at, asked_at FROM queries WHERE conversation_id IS NULL;
UPDATE queries SET conversation_id = id WHERE conversation_id IS NULL;
ALTER TABLE queries ALTER COLUMN conversation_id SET NOT NULL;

-- A question goes with its conversation, and that with its student: a second lock and check for each would tell nothing.
ALTER TABLE queries DROP CONSTRAINT queries_student_id_fkey;
