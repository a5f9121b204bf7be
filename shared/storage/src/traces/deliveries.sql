-- Both tables have the function first in their key, so the names of all functions that ever handled or failed at an
-- event are found first, one step of the index for each of them.
WITH RECURSIVE handling AS (
    SELECT min(function) AS function FROM inbox
    UNION ALL
    SELECT (SELECT min(inbox.function) FROM inbox WHERE inbox.function > handling.function)
    FROM handling WHERE handling.function IS NOT NULL
), failing AS (
    SELECT min(function) AS function FROM delivery_attempts
    UNION ALL
    SELECT (SELECT min(attempts.function) FROM delivery_attempts attempts WHERE attempts.function > failing.function)
    FROM failing WHERE failing.function IS NOT NULL
), functions AS (
    SELECT function FROM handling WHERE function IS NOT NULL
    UNION
    SELECT function FROM failing WHERE function IS NOT NULL
)
SELECT event.id AS "event_id!", functions.function AS "function!", inbox.received_at AS "received_at?",
       inbox.record_partition AS "record_partition?", inbox.record_offset AS "record_offset?",
       inbox.waited_ms AS "waited_ms?", inbox.worked_us AS "worked_us?", coalesce(failed.attempts, 0) AS "failed!"
FROM functions CROSS JOIN UNNEST($1::uuid[]) AS event (id)
LEFT JOIN inbox ON inbox.function = functions.function AND inbox.event_id = event.id
LEFT JOIN delivery_attempts failed ON failed.function = functions.function AND failed.event_id = event.id
WHERE inbox.event_id IS NOT NULL OR failed.event_id IS NOT NULL
ORDER BY inbox.received_at, functions.function
