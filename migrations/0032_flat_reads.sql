-- Reads that had grown with the number of events and notifications.

-- Finding the events after a number reads all of this index: 18 ms of it with 10 million events. With eight times as many
-- pages in a range it is an eighth, and still small to keep. Events wait while it is made: seconds for 10 million.
CREATE INDEX events_by_position ON events USING brin (sequence) WITH (pages_per_range = 128, autosummarize = on);

-- Room in each page for rows that change: a notification that is read changes no index then.
ALTER TABLE notifications SET (fillfactor = 70);
