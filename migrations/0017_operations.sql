-- What operators and schedules do: dead letters that were sent again, and when periodic work was last begun.

-- A dead letter is an event; what is sent again is another one with an id of its own.
CREATE TABLE dead_letter_replays (
    dead_letter_id uuid NOT NULL,
    event_id       uuid NOT NULL,
    replayed_at    timestamptz NOT NULL,
    PRIMARY KEY (dead_letter_id, event_id)
);
CREATE INDEX dead_letter_replays_by_age ON dead_letter_replays (replayed_at);

-- One row for each kind of periodic work, so that of several instances one does it in each interval.
CREATE TABLE periodic_runs (
    name     text PRIMARY KEY,
    begun_at timestamptz NOT NULL
);
