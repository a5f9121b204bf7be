-- An event is left to a relay if an earlier one of its student on its topic is, or if nobody publishes for its writer.
-- Of a request that was erased only the fact is kept, and nothing is sent.
WITH writer AS (
    SELECT $12::bigint IS NULL
           OR EXISTS (SELECT FROM writers WHERE id = $12 AND taken_over_at IS NULL) AS is_alive
), kept AS (
    INSERT INTO events (id, topic, partition_key, type, source, correlation_id, causation_id, subject, traceparent,
                        data, occurred_at, lease_until, published_at, writer)
    SELECT new.id, new.topic, new.partition_key, new.type, new.source, new.correlation_id, new.causation_id,
           new.subject, new.traceparent,
           CASE WHEN erased.id IS NULL THEN new.data::json ELSE '{"erased": true}' END,
           new.occurred_at, new.occurred_at, new.occurred_at,
           CASE WHEN erased.id IS NULL THEN $12::bigint END
    FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::uuid[], $8::uuid[],
                $9::text[], $10::text[], $11::timestamptz[])
         WITH ORDINALITY AS new (id, topic, partition_key, type, source, subject, correlation_id, causation_id,
                                 traceparent, data, occurred_at, position)
    LEFT JOIN erased_requests erased ON erased.id = new.correlation_id
    -- Not ON CONFLICT, which writes each row twice to the log. Two transactions never keep the same event: the inbox,
    -- or the request's own row, lets only one of them come so far.
    WHERE (SELECT is_alive FROM writer) AND NOT EXISTS (SELECT FROM events WHERE events.id = new.id)
    ORDER BY new.position
    RETURNING id, sequence, topic, partition_key, correlation_id
), sendable AS (
    SELECT kept.*, $12::bigint IS NULL
           OR EXISTS (SELECT FROM delayed_events earlier
                      WHERE earlier.topic = kept.topic AND earlier.partition_key = kept.partition_key
                        AND earlier.parked_at IS NULL) AS waits
    FROM kept
    WHERE NOT EXISTS (SELECT FROM erased_requests WHERE erased_requests.id = kept.correlation_id)
), delayed AS (
    INSERT INTO delayed_events (event_id, sequence, topic, partition_key, attempts, retry_at)
    SELECT id, sequence, topic, partition_key, 0, $13 FROM sendable WHERE waits
)
SELECT is_alive AS "is_alive!", kept.id AS "id?", kept.sequence AS "sequence?",
       coalesce(NOT sendable.waits, false) AS "is_sent!"
FROM writer LEFT JOIN kept ON true LEFT JOIN sendable ON sendable.id = kept.id
