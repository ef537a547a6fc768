ALTER TABLE operations ADD COLUMN claimed TEXT CHECK (claimed IN ('done', 'not_done'));
ALTER TABLE operations ADD COLUMN claimed_object TEXT;
ALTER TABLE operations ADD COLUMN claimed_by TEXT;
ALTER TABLE operations ADD COLUMN claimed_at TEXT CHECK (length(claimed_at) = 27);
ALTER TABLE operations ADD COLUMN confirmed_by TEXT;
