WITH due AS (
    SELECT id, sequence, sum(octet_length(data::text)) OVER (ORDER BY sequence) AS bytes
    FROM (SELECT id, sequence, data FROM events waiting
          WHERE published_at IS NULL AND parked_at IS NULL AND lease_until <= $1
            AND NOT EXISTS (SELECT 1 FROM events earlier
                            WHERE earlier.published_at IS NULL AND earlier.parked_at IS NULL
                              AND earlier.lease_until > $1
                              AND earlier.topic = waiting.topic
                              AND earlier.partition_key = waiting.partition_key
                              AND earlier.sequence < waiting.sequence)
          ORDER BY sequence
          LIMIT $3) AS oldest
), taken AS (
    UPDATE events SET lease_until = $2
    -- The first is taken however large it is.
    WHERE id IN (SELECT id FROM due WHERE bytes <= $4 OR sequence = (SELECT min(sequence) FROM due))
      AND published_at IS NULL
    RETURNING *
)
SELECT id, topic, partition_key, type AS event_type, source, subject, correlation_id, causation_id, traceparent,
       data, occurred_at, publish_attempts
FROM taken ORDER BY sequence
