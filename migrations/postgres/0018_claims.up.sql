ALTER TABLE operations ADD COLUMN claimed text CHECK (claimed IN ('done', 'not_done'));
ALTER TABLE operations ADD COLUMN claimed_object text;
ALTER TABLE operations ADD COLUMN claimed_by text;
ALTER TABLE operations ADD COLUMN claimed_at timestamptz;
ALTER TABLE operations ADD COLUMN confirmed_by text;
