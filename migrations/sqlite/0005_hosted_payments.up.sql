ALTER TABLE payments ADD COLUMN hosted INTEGER NOT NULL DEFAULT 0 CHECK (hosted IN (0, 1));
ALTER TABLE payments ADD COLUMN provider_session_id TEXT;
CREATE UNIQUE INDEX payments_session ON payments (account, provider_session_id);
