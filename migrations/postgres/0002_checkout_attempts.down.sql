ALTER TABLE checkouts DROP COLUMN attempts;
