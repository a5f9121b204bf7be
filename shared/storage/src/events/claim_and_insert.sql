-- Claims come first: the primary key of the inbox refuses all of it if one of them is there already.
--
-- An event is left to a relay if an earlier one of its student on its topic is, or if nobody publishes for its writer.
-- Of a request that was erased only the fact is kept, and nothing is sent. What is looked up for each event is a scalar
-- subquery, which the server never turns into a join that reads a whole table.
WITH writer AS (
    SELECT $12::bigint IS NULL
           OR EXISTS (SELECT FROM writers WHERE id = $12 AND taken_over_at IS NULL) AS is_alive
), claimed AS (
    -- In their order, so that of two instances that claim the same events one waits for the other.
    INSERT INTO inbox (function, event_id, received_at, record_partition, record_offset, waited_ms, worked_us)
    SELECT $14, claim.*
    FROM UNNEST($15::uuid[], $16::timestamptz[], $17::smallint[], $18::bigint[], $19::integer[], $20::integer[])
         AS claim (event_id, received_at, record_partition, record_offset, waited_ms, worked_us)
    ORDER BY event_id
), new AS (
    SELECT *, (SELECT id FROM erased_requests WHERE erased_requests.id = correlation_id) IS NOT NULL AS is_erased
    FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::uuid[], $8::uuid[],
                $9::text[], $10::text[], $11::timestamptz[])
         WITH ORDINALITY AS new (id, topic, partition_key, type, source, subject, correlation_id, causation_id,
                                 traceparent, data, occurred_at, position)
    -- Not ON CONFLICT, which writes each row twice to the log. Two transactions never keep the same event: the inbox,
    -- or the request's own row, lets only one of them come so far.
    WHERE (SELECT is_alive FROM writer) AND (SELECT id FROM events WHERE events.id = new.id) IS NULL
), kept AS (
    INSERT INTO events (id, topic, partition_key, type, source, correlation_id, causation_id, subject, traceparent,
                        data, occurred_at, lease_until, published_at, writer)
    SELECT id, topic, partition_key, type, source, correlation_id, causation_id, subject, traceparent,
           CASE WHEN is_erased THEN '{"erased": true}' ELSE data::json END, occurred_at, occurred_at, occurred_at,
           CASE WHEN is_erased THEN NULL ELSE $12::bigint END
    FROM new ORDER BY position
    RETURNING id, sequence, topic, partition_key, correlation_id
), sendable AS (
    SELECT *, $12::bigint IS NULL
           OR (SELECT event_id FROM delayed_events earlier
               WHERE earlier.topic = kept.topic AND earlier.partition_key = kept.partition_key
                 AND earlier.parked_at IS NULL LIMIT 1) IS NOT NULL AS waits
    FROM kept
    WHERE (SELECT id FROM erased_requests WHERE erased_requests.id = kept.correlation_id) IS NULL
), delayed AS (
    INSERT INTO delayed_events (event_id, sequence, topic, partition_key, attempts, retry_at)
    SELECT id, sequence, topic, partition_key, 0, $13 FROM sendable WHERE waits
)
SELECT is_alive AS "is_alive!", kept.id AS "id?", kept.sequence AS "sequence?",
       coalesce(NOT sendable.waits, false) AS "is_sent!"
FROM writer LEFT JOIN kept ON true LEFT JOIN sendable ON sendable.id = kept.id
