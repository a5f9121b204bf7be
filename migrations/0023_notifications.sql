-- What people are told, where they want to be told, and what was sent to the outside for that.

-- When a person wants to be told; those who have not said so have no row. Their time zone is in `users`.
CREATE TABLE notification_settings (
    user_id    uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    -- Minutes after midnight, in the account's time zone.
    quiet_from smallint CHECK (quiet_from BETWEEN 0 AND 1439),
    quiet_to   smallint CHECK (quiet_to BETWEEN 0 AND 1439),
    digest_at  smallint NOT NULL CHECK (digest_at BETWEEN 0 AND 1439),
    CHECK (num_nulls(quiet_from, quiet_to) IN (0, 2))
);

CREATE TABLE notifications (
    id          uuid PRIMARY KEY,
    user_id     uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    alert_id    uuid,
    student_id  uuid REFERENCES users ON DELETE CASCADE,
    -- The recipient's classes that the student is in, for filters.
    classes     uuid[] NOT NULL,
    -- What has happened to the alert, if it is about one.
    change      text,
    title       text NOT NULL,
    text        text NOT NULL,
    severity    text NOT NULL CHECK (severity IN ('low', 'medium', 'high')),
    -- Whether the recipient wants it in the front end; otherwise it was sent elsewhere, or is part of a digest.
    is_shown    boolean NOT NULL,
    -- Whether it sums up others.
    is_digest   boolean NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    read_at     timestamptz,
    resolved_at timestamptz
);
-- One for each alert and recipient: it is updated, not repeated.
CREATE UNIQUE INDEX notifications_by_alert ON notifications (alert_id, user_id) WHERE alert_id IS NOT NULL;
CREATE INDEX notifications_by_user ON notifications (user_id, updated_at DESC, id DESC);
CREATE INDEX notifications_by_student ON notifications (student_id);
CREATE INDEX notifications_by_age ON notifications (updated_at);

CREATE TABLE subscriptions (
    id               uuid PRIMARY KEY,
    user_id          uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    channel          text NOT NULL CHECK (channel IN ('in_app', 'digest', 'webhook', 'sns', 'email', 'email_digest')),
    target           text,
    classes          uuid[] NOT NULL,
    min_severity     text NOT NULL CHECK (min_severity IN ('low', 'medium', 'high')),
    -- Signs what a webhook gets; in e-mails, allows to end the subscription. Not a hash, since it must be used.
    secret           text,
    -- Signs beside the new one until then.
    old_secret       text,
    old_secret_until timestamptz,
    -- Failed attempts since the last success; nothing is tried before `retry_at`.
    failures         integer NOT NULL DEFAULT 0,
    retry_at         timestamptz,
    -- Of a daily channel: what came before is summed up, and when it is done again.
    digested_until   timestamptz,
    digest_due_at    timestamptz,
    created_at       timestamptz NOT NULL,
    disabled_at      timestamptz,
    disabled_reason  text
);
CREATE INDEX subscriptions_by_user ON subscriptions (user_id, created_at);
CREATE INDEX subscriptions_by_digest ON subscriptions (digest_due_at) WHERE digest_due_at IS NOT NULL;

-- One notification, sent to the outside by one subscription, with its words at that time.
CREATE TABLE notification_deliveries (
    id              uuid PRIMARY KEY,
    subscription_id uuid NOT NULL REFERENCES subscriptions ON DELETE CASCADE,
    notification_id uuid NOT NULL REFERENCES notifications ON DELETE CASCADE,
    change          text,
    title           text NOT NULL,
    text            text NOT NULL,
    severity        text NOT NULL,
    status          text NOT NULL CHECK (status IN ('waiting', 'delivered', 'failed')),
    attempts        smallint NOT NULL,
    -- While it waits: when an event for its next attempt is emitted, if none was or it was lost.
    next_attempt_at timestamptz,
    attempted_at    timestamptz,
    -- What the target answered last, and why that counts as a failure.
    response_status smallint,
    error           text,
    created_at      timestamptz NOT NULL,
    finished_at     timestamptz,
    CHECK ((next_attempt_at IS NULL) = (finished_at IS NOT NULL))
);
CREATE INDEX notification_deliveries_by_subscription
    ON notification_deliveries (subscription_id, created_at DESC, id DESC);
CREATE INDEX notification_deliveries_by_notification ON notification_deliveries (notification_id);
CREATE INDEX notification_deliveries_due ON notification_deliveries (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX notification_deliveries_by_age ON notification_deliveries (created_at);
