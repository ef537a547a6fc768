DROP INDEX payments_session;
ALTER TABLE payments DROP COLUMN provider_session_id;
ALTER TABLE payments DROP COLUMN hosted;
