-- When a solution was found to wait for a run that is lost; it must be handed in again.
ALTER TABLE submissions ADD COLUMN lost_at timestamptz;
