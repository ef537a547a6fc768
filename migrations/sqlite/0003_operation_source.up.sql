ALTER TABLE operations ADD COLUMN source BLOB;
