-- One row for each exchange, at least one. What is the same in all of them is worked out once.
SELECT (SELECT round(avg(score))::smallint FROM progress WHERE student_id = $1) AS score,
       ARRAY(SELECT error_type FROM executions WHERE student_id = $1 AND error_type IS NOT NULL
             ORDER BY created_at DESC LIMIT $4) AS "recent_errors!",
       earlier.question::text AS "question?", earlier.agent AS "agent?", earlier.answer::text AS "answer?"
FROM (SELECT) AS student
LEFT JOIN LATERAL (
    SELECT id, question, agent, answer, asked_at FROM queries
    -- Scalar subqueries, so that the index gives the last ones without a sort.
    WHERE conversation_id = (SELECT conversation_id FROM queries WHERE id = $2)
      AND asked_at <= (SELECT asked_at FROM queries WHERE id = $2)
      AND asked_at > $3 AND id <> $2 AND answered_at IS NOT NULL
    ORDER BY asked_at DESC, id DESC LIMIT $5
) AS earlier ON true
ORDER BY earlier.asked_at DESC, earlier.id DESC
