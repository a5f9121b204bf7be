-- What is looked up for each event is a scalar subquery, which the server never turns into a join of all with all.
WITH due AS (
    SELECT event_id, sequence, sum(bytes) OVER (ORDER BY sequence) AS bytes
    FROM (SELECT event_id, sequence,
                 (SELECT octet_length(data::text) FROM events WHERE id = event_id) AS bytes
          FROM delayed_events waiting
          WHERE parked_at IS NULL AND retry_at <= $1
            AND (SELECT true FROM delayed_events earlier
                 WHERE earlier.parked_at IS NULL AND earlier.retry_at > $1
                   AND earlier.topic = waiting.topic AND earlier.partition_key = waiting.partition_key
                   AND earlier.sequence < waiting.sequence LIMIT 1) IS NULL
          ORDER BY sequence
          LIMIT $3) AS oldest
), taken AS (
    UPDATE delayed_events SET retry_at = $2
    -- The first is taken however large it is.
    WHERE event_id IN (SELECT event_id FROM due
                       WHERE bytes <= $4 OR sequence = (SELECT min(sequence) FROM due))
    RETURNING event_id, attempts
)
SELECT id, events.topic, events.partition_key, type AS event_type, source, subject, correlation_id, causation_id,
       traceparent, data::text AS "data!", occurred_at, taken.attempts
FROM taken JOIN events ON events.id = event_id ORDER BY events.sequence
