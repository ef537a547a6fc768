ALTER TABLE operations DROP COLUMN confirmed_by;
ALTER TABLE operations DROP COLUMN claimed_at;
ALTER TABLE operations DROP COLUMN claimed_by;
ALTER TABLE operations DROP COLUMN claimed_object;
ALTER TABLE operations DROP COLUMN claimed;
