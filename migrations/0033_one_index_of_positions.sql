-- What events_by_position has replaced. In a transaction of its own, so that no lock has to be strengthened.
DROP INDEX events_by_sequence;
