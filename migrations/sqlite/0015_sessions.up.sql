ALTER TABLE staff ADD COLUMN code_secret BLOB;
ALTER TABLE staff ADD COLUMN code_pending BLOB;
ALTER TABLE staff ADD COLUMN code_step INTEGER NOT NULL DEFAULT 0 CHECK (code_step >= 0);
ALTER TABLE staff ADD COLUMN recovery_hashes TEXT;

CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    staff TEXT NOT NULL REFERENCES staff (id),
    token_hash TEXT NOT NULL UNIQUE CHECK (token_hash <> ''),
    from_address TEXT,
    agent TEXT,
    created_at TEXT NOT NULL CHECK (length(created_at) = 27),
    seen_at TEXT NOT NULL CHECK (length(seen_at) = 27),
    expires_at TEXT NOT NULL CHECK (length(expires_at) = 27)
) STRICT;
CREATE INDEX sessions_by_staff ON sessions (staff, created_at, id);
CREATE INDEX sessions_by_end ON sessions (expires_at);

CREATE TABLE sign_in_tries (
    subject TEXT NOT NULL PRIMARY KEY CHECK (subject <> ''),
    tries INTEGER NOT NULL CHECK (tries >= 0),
    last_at TEXT NOT NULL CHECK (length(last_at) = 27)
) STRICT;
CREATE INDEX sign_in_tries_by_age ON sign_in_tries (last_at);
