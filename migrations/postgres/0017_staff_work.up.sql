ALTER TABLE disputes ADD COLUMN owner text CHECK (owner <> '');
CREATE INDEX disputes_by_owner ON disputes (owner, created_at, id) WHERE owner IS NOT NULL;
ALTER TABLE timeline ADD COLUMN text bytea;
