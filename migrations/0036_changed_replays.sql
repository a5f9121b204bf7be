-- Who sent a dead letter again, and what of its event was changed before that, as account_changes says of accounts.

ALTER TABLE dead_letter_replays
    -- Absent if it was done by a command, or by somebody whose account is gone.
    ADD COLUMN replayed_by uuid REFERENCES users ON DELETE SET NULL,
    -- Names of the members of the event's data that were changed. What they are now is in the event, sealed.
    ADD COLUMN changed     text[] NOT NULL DEFAULT '{}';
CREATE INDEX dead_letter_replays_by_author ON dead_letter_replays (replayed_by);
