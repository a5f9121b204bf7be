-- What models were used for by the hour, so that a report of a month reads thousands of rows and not every call.

-- Written once, when an hour has been over for a while (`sum-up-usage`). Later hours are counted from model_usage.
CREATE TABLE model_hours (
    hour           timestamptz NOT NULL,
    agent          text NOT NULL,
    model          text NOT NULL,
    calls          bigint NOT NULL,
    saved          bigint NOT NULL,
    failed         bigint NOT NULL,
    tokens_in      bigint NOT NULL,
    tokens_out     bigint NOT NULL,
    cost_micro_usd bigint NOT NULL,
    PRIMARY KEY (hour, agent, model)
);
