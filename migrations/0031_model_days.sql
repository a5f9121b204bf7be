-- What models were used for by the day, so that a report of a month reads a row for each day, agent and model, and not
-- every call.

-- Ten minutes after ten minutes, when they have been over for a while (`sum-up-usage`). Later calls are counted from
-- model_usage.
CREATE TABLE model_days (
    -- Its beginning, in UTC.
    day            timestamptz NOT NULL,
    agent          text NOT NULL,
    model          text NOT NULL,
    calls          bigint NOT NULL,
    saved          bigint NOT NULL,
    failed         bigint NOT NULL,
    tokens_in      bigint NOT NULL,
    tokens_out     bigint NOT NULL,
    cost_micro_usd bigint NOT NULL,
    -- Calls before this are in it. The latest of all rows is how far everything is summed up.
    summed_until   timestamptz NOT NULL,
    PRIMARY KEY (day, agent, model)
);
CREATE INDEX model_days_by_end ON model_days (summed_until);
