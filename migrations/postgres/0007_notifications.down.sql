-- What was not delivered yet is lost to endpoints, and still among the events.
DROP TABLE notifications;
ALTER TABLE endpoints DROP COLUMN paused_until;
ALTER TABLE endpoints DROP COLUMN failing_since;
ALTER TABLE endpoints DROP COLUMN failures;
ALTER TABLE endpoints DROP COLUMN disabled_reason;
ALTER TABLE endpoints DROP COLUMN old_secrets;
