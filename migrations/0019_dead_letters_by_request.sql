-- Whether a request has failed for good is asked with every look at it.
CREATE INDEX dead_letters_by_request ON events (correlation_id) WHERE topic = 'dead.letters';
