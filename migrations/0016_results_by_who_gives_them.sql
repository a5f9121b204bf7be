-- Answers and results of runs are stored by the function that gives them, no longer by the gateway. What functions of
-- the version before this one have told and its gateway has not stored is stored here, from the trail of events, in
-- case that gateway has ended. `->` alone, since `->>` fails at a text that holds NUL.
UPDATE queries
SET agent = btrim((told.data -> 'agent')::text, '"'),
    answered_by = btrim((told.data -> 'answered_by')::text, '"'),
    answer = json_build_object('answer', told.data -> 'answer', 'routing', told.data -> 'routing'),
    answered_at = told.occurred_at
FROM queries AS unanswered
CROSS JOIN LATERAL (
    SELECT data, occurred_at FROM events
    WHERE correlation_id = unanswered.id AND type = 'question.answered.v1' AND data -> 'answer' IS NOT NULL
    ORDER BY occurred_at LIMIT 1
) AS told
WHERE queries.id = unanswered.id AND unanswered.answered_at IS NULL;

UPDATE executions
SET verdict = btrim((told.result -> 'verdict')::text, '"'),
    error_type = btrim((told.result -> 'error' -> 'type')::text, '"'),
    result = told.result,
    duration_ms = (told.result -> 'duration_ms')::text::integer,
    finished_at = told.occurred_at
FROM executions AS unfinished
CROSS JOIN LATERAL (
    SELECT data -> 'result' AS result, occurred_at FROM events
    WHERE correlation_id = unfinished.id AND type = 'execution.finished.v1' AND data -> 'result' IS NOT NULL
    ORDER BY occurred_at LIMIT 1
) AS told
WHERE executions.id = unfinished.id AND unfinished.finished_at IS NULL;
