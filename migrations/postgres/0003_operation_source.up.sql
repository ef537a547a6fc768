ALTER TABLE operations ADD COLUMN source bytea;
