ALTER TABLE payments ADD COLUMN hosted boolean NOT NULL DEFAULT false;
ALTER TABLE payments ADD COLUMN provider_session_id text;
CREATE UNIQUE INDEX payments_session ON payments (account, provider_session_id);
