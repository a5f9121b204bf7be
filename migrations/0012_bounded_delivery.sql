-- Delivery that no single event can hold up: an order and a limit for what is published, attempts that outlive the
-- process that made them, and text that may hold the character NUL.

-- The order in which events were kept, which is the order in which a relay sends them. The table is rewritten once.
ALTER TABLE events
    ADD COLUMN sequence         bigint GENERATED ALWAYS AS IDENTITY,
    -- How often the broker did not take it.
    ADD COLUMN publish_attempts smallint NOT NULL DEFAULT 0,
    -- Given up: no relay takes it any more, an operator looks into it.
    ADD COLUMN parked_at        timestamptz,
    ADD COLUMN parked_reason    text;
DROP INDEX events_unpublished;
CREATE INDEX events_unpublished ON events (sequence) WHERE published_at IS NULL AND parked_at IS NULL;
-- The writer's question: is an earlier event of this student still to be sent by a relay? Nearly always empty.
CREATE INDEX events_failed ON events (topic, partition_key)
    WHERE published_at IS NULL AND parked_at IS NULL AND publish_attempts > 0;
CREATE INDEX events_parked ON events (parked_at) WHERE parked_at IS NOT NULL;
-- For retention; events are found by topic and time.
CREATE INDEX executions_by_age ON executions (created_at);
CREATE INDEX hint_ladders_by_age ON hint_ladders (given_at);
CREATE INDEX model_answers_by_age ON model_answers (valid_until);
CREATE INDEX refresh_tokens_by_age ON refresh_tokens (expires_at);

-- How often a function has failed at an event that may still succeed, whichever instance tried.
CREATE TABLE delivery_attempts (
    function  text NOT NULL,
    event_id  uuid NOT NULL,
    attempts  integer NOT NULL,
    failed_at timestamptz NOT NULL,
    PRIMARY KEY (function, event_id)
);
CREATE INDEX delivery_attempts_by_age ON delivery_attempts (failed_at);

-- What a program prints and what a model says may hold NUL, which jsonb cannot keep and json can.
ALTER TABLE queries
    ALTER COLUMN question TYPE json USING question::json,
    ALTER COLUMN answer TYPE json USING answer::json;
ALTER TABLE exercises ALTER COLUMN solution TYPE json USING solution::json;
ALTER TABLE drafts ALTER COLUMN body TYPE json USING body::json;
ALTER TABLE model_answers ALTER COLUMN body TYPE json USING body::json;

-- What all models have cost by the hour, so that the limit of a day is 25 hours to add up and not every call of it.
-- In shards, since all calls of an hour would wait for one row.
CREATE TABLE model_spend (
    hour           timestamptz NOT NULL,
    shard          smallint NOT NULL,
    cost_micro_usd bigint NOT NULL,
    PRIMARY KEY (hour, shard)
);
INSERT INTO model_spend (hour, shard, cost_micro_usd)
    SELECT date_trunc('hour', created_at), 0, sum(cost_micro_usd)
    FROM model_usage WHERE created_at > now() - interval '2 days' GROUP BY 1;

-- Requests whose text their student has deleted: what still arrives of them is kept without it, and not sent on.
CREATE TABLE erased_requests (
    id        uuid PRIMARY KEY,
    erased_at timestamptz NOT NULL
);
CREATE INDEX erased_requests_by_age ON erased_requests (erased_at);
