-- For administrators: accounts that are disabled, who changed an account and when, and finding accounts by the
-- beginning of their address or name.

-- Since when nobody can log in with it; what belongs to it stays. Not `disabled_at`, which statements of the version
-- before this one mean of a subscription when they join both tables.
ALTER TABLE users ADD COLUMN account_disabled_at timestamptz;

-- Pages of a list are found by one key each. The name is followed by the id, since many people may have one name; a
-- character that is in no name separates them.
CREATE INDEX users_by_role ON users (role, id);
CREATE INDEX users_by_email_start ON users (role, email text_pattern_ops);
CREATE INDEX users_by_name_start ON users (role, (lower(display_name) || E'\x1f' || id::text) text_pattern_ops);

CREATE TABLE account_changes (
    id         uuid PRIMARY KEY,
    user_id    uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    -- Absent if it was done by a command, or by somebody whose account is gone.
    changed_by uuid REFERENCES users ON DELETE SET NULL,
    -- The role that the account got, or that it was disabled or enabled.
    change     text NOT NULL CHECK (change IN ('student', 'teacher', 'admin', 'disabled', 'enabled')),
    changed_at timestamptz NOT NULL
);
CREATE INDEX account_changes_by_user ON account_changes (user_id, changed_at);
CREATE INDEX account_changes_by_author ON account_changes (changed_by);
CREATE INDEX account_changes_by_age ON account_changes (changed_at);

-- Topics of SNS that are published to, so that an operator can check that they exist.
CREATE INDEX subscriptions_of_sns ON subscriptions (target) WHERE channel = 'sns';
