ALTER TABLE audit_log ADD COLUMN state_before TEXT;
ALTER TABLE audit_log ADD COLUMN state_after TEXT;
ALTER TABLE audit_log ADD COLUMN from_address TEXT;
