-- Notifications as rows. The same as sqlite/0007_notifications.up.sql; what each is for stands in notes.go.

ALTER TABLE endpoints ADD COLUMN old_secrets bytea;
ALTER TABLE endpoints ADD COLUMN disabled_reason text CHECK (disabled_reason IN ('gone', 'failing'));
ALTER TABLE endpoints ADD COLUMN failures bigint NOT NULL DEFAULT 0 CHECK (failures >= 0);
ALTER TABLE endpoints ADD COLUMN failing_since timestamptz;
ALTER TABLE endpoints ADD COLUMN paused_until timestamptz;
UPDATE endpoints SET disabled_reason = 'gone' WHERE disabled_at IS NOT NULL;

CREATE TABLE notifications (
    id text COLLATE "C" PRIMARY KEY,
    endpoint text NOT NULL REFERENCES endpoints (id),
    event text NOT NULL REFERENCES events (id),
    sequence bigint NOT NULL CHECK (sequence >= 1),
    type text NOT NULL CHECK (type <> ''),
    subject text NOT NULL CHECK (subject <> ''),
    status text NOT NULL CHECK (status IN ('pending', 'delivered', 'failed')),
    attempts bigint NOT NULL CHECK (attempts >= 0),
    due_at timestamptz NOT NULL,
    leased boolean NOT NULL,
    first_tried_at timestamptz,
    last_tried_at timestamptz,
    answer_status bigint CHECK (answer_status BETWEEN 100 AND 999),
    answer bytea,
    error text,
    trace text,
    created_at timestamptz NOT NULL,
    delivered_at timestamptz,
    UNIQUE (endpoint, event)
);
CREATE INDEX notifications_by_age ON notifications (created_at, id);
CREATE INDEX notifications_due ON notifications (endpoint, due_at, sequence) WHERE status = 'pending';
CREATE INDEX notifications_before ON notifications (endpoint, subject, sequence) WHERE status = 'pending';
CREATE INDEX notifications_failed ON notifications (created_at, id) WHERE status = 'failed';
