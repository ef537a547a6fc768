ALTER TABLE audit_log ADD COLUMN state_before text;
ALTER TABLE audit_log ADD COLUMN state_after text;
ALTER TABLE audit_log ADD COLUMN from_address text;
