DELETE FROM timeline WHERE kind = 'note';
ALTER TABLE timeline DROP COLUMN text;
DROP INDEX disputes_by_owner;
ALTER TABLE disputes DROP COLUMN owner;
