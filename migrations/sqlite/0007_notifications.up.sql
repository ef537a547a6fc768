-- Notifications as rows. The same as postgres/0007_notifications.up.sql; what each is for stands in notes.go.

ALTER TABLE endpoints ADD COLUMN old_secrets BLOB;
ALTER TABLE endpoints ADD COLUMN disabled_reason TEXT CHECK (disabled_reason IN ('gone', 'failing'));
ALTER TABLE endpoints ADD COLUMN failures INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0);
ALTER TABLE endpoints ADD COLUMN failing_since TEXT CHECK (length(failing_since) = 27);
ALTER TABLE endpoints ADD COLUMN paused_until TEXT CHECK (length(paused_until) = 27);
UPDATE endpoints SET disabled_reason = 'gone' WHERE disabled_at IS NOT NULL;

CREATE TABLE notifications (
    id TEXT NOT NULL PRIMARY KEY,
    endpoint TEXT NOT NULL REFERENCES endpoints (id),
    event TEXT NOT NULL REFERENCES events (id),
    sequence INTEGER NOT NULL CHECK (sequence >= 1),
    type TEXT NOT NULL CHECK (type <> ''),
    subject TEXT NOT NULL CHECK (subject <> ''),
    status TEXT NOT NULL CHECK (status IN ('pending', 'delivered', 'failed')),
    attempts INTEGER NOT NULL CHECK (attempts >= 0),
    due_at TEXT NOT NULL CHECK (length(due_at) = 27),
    leased INTEGER NOT NULL CHECK (leased IN (0, 1)),
    first_tried_at TEXT CHECK (length(first_tried_at) = 27),
    last_tried_at TEXT CHECK (length(last_tried_at) = 27),
    answer_status INTEGER CHECK (answer_status BETWEEN 100 AND 999),
    answer BLOB,
    error TEXT,
    trace TEXT,
    created_at TEXT NOT NULL CHECK (length(created_at) = 27),
    delivered_at TEXT CHECK (length(delivered_at) = 27),
    UNIQUE (endpoint, event)
) STRICT;
CREATE INDEX notifications_by_age ON notifications (created_at, id);
CREATE INDEX notifications_due ON notifications (endpoint, due_at, sequence) WHERE status = 'pending';
CREATE INDEX notifications_before ON notifications (endpoint, subject, sequence) WHERE status = 'pending';
CREATE INDEX notifications_failed ON notifications (created_at, id) WHERE status = 'failed';
