ALTER TABLE operations DROP COLUMN source;
