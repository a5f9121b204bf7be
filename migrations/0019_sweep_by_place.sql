-- Old events and inbox rows are found by passing through their tables a part at a time (`storage/src/retention.rs`), so
-- no index on their time is needed.
DROP INDEX IF EXISTS events_by_time;
DROP INDEX IF EXISTS inbox_by_time;
