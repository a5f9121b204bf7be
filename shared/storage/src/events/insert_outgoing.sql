-- An event waits for a relay at once if an earlier one of its student on its topic does, and so do those behind it. Of
-- a request that was erased only the fact is kept, and nothing is sent.
INSERT INTO events (id, topic, partition_key, type, source, subject, correlation_id, causation_id, traceparent,
                    data, occurred_at, lease_until, publish_attempts, published_at)
SELECT new.id, new.topic, new.partition_key, new.type, new.source, new.subject, new.correlation_id,
       new.causation_id, new.traceparent,
       CASE WHEN erased.id IS NULL THEN new.data::json ELSE '{"erased": true}' END,
       new.occurred_at,
       CASE WHEN gate.is_closed THEN $12::timestamptz ELSE $13::timestamptz END,
       gate.is_closed::int,
       CASE WHEN erased.id IS NOT NULL THEN $12::timestamptz END
FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::uuid[], $8::uuid[],
            $9::text[], $10::text[], $11::timestamptz[])
     WITH ORDINALITY AS new (id, topic, partition_key, type, source, subject, correlation_id, causation_id,
                             traceparent, data, occurred_at, position)
LEFT JOIN erased_requests erased ON erased.id = new.correlation_id
CROSS JOIN LATERAL (
    SELECT EXISTS (SELECT 1 FROM events failed
                   WHERE failed.topic = new.topic AND failed.partition_key = new.partition_key
                     AND failed.published_at IS NULL AND failed.parked_at IS NULL
                     AND failed.publish_attempts > 0) AS is_closed) AS gate
ORDER BY new.position
ON CONFLICT (id) DO NOTHING
RETURNING id, lease_until > $12::timestamptz AND published_at IS NULL AS "is_leased!"
