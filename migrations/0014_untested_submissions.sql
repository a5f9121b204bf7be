-- Whether the tests of a solution could begin. One that asks for input while it is loaded, say, is no attempt that has
-- failed: it brings nobody closer to being shown the solution.
ALTER TABLE submissions ADD COLUMN tested boolean NOT NULL DEFAULT true;
