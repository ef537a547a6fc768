ALTER TABLE audit_log DROP COLUMN from_address;
ALTER TABLE audit_log DROP COLUMN state_after;
ALTER TABLE audit_log DROP COLUMN state_before;
