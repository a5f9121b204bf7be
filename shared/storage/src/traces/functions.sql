-- Both tables have the function first in their key, so each name is found by one step of the index.
WITH RECURSIVE handling AS (
    SELECT min(function) AS function FROM inbox
    UNION ALL
    SELECT (SELECT min(inbox.function) FROM inbox WHERE inbox.function > handling.function)
    FROM handling WHERE handling.function IS NOT NULL
), failing AS (
    (SELECT function FROM delivery_attempts ORDER BY function LIMIT 1)
    UNION ALL
    SELECT (SELECT min(attempts.function) FROM delivery_attempts attempts WHERE attempts.function > failing.function)
    FROM failing WHERE failing.function IS NOT NULL
)
SELECT function AS "function!" FROM handling WHERE function IS NOT NULL
UNION
SELECT function FROM failing WHERE function IS NOT NULL
