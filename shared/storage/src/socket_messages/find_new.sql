WITH missing AS (
    SELECT id, row_number() OVER (ORDER BY sequence) AS number
    FROM events
    WHERE subject = $1 AND occurred_at > $2
      AND topic IN ('code.results', 'learning.responses', 'notifications.made')
      -- A foreign event may be about nobody.
      AND EXISTS (SELECT FROM users WHERE id = $1)
      -- A scalar subquery, which the server never turns into a join that compares each row with each other.
      AND (SELECT position FROM socket_messages WHERE user_id = $1 AND event_id = events.id) IS NULL
),
-- Waits for whoever else does the same for this person. What they have found meanwhile is not visible here, and
-- leaves a gap in the positions.
counter AS (
    INSERT INTO socket_positions AS its (user_id, last)
    SELECT $1, count(*) FROM missing HAVING count(*) > 0
    ON CONFLICT (user_id) DO UPDATE SET last = its.last + excluded.last
    RETURNING last - (SELECT count(*) FROM missing) AS before
)
INSERT INTO socket_messages (user_id, position, event_id, found_at)
SELECT $1, before + number, id, $3 FROM missing CROSS JOIN counter
ON CONFLICT (user_id, event_id) DO NOTHING
