DROP TABLE sign_in_tries;
DROP TABLE sessions;
ALTER TABLE staff DROP COLUMN recovery_hashes;
ALTER TABLE staff DROP COLUMN code_step;
ALTER TABLE staff DROP COLUMN code_pending;
ALTER TABLE staff DROP COLUMN code_secret;
