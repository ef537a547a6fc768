ALTER TABLE staff ADD COLUMN code_secret bytea;
ALTER TABLE staff ADD COLUMN code_pending bytea;
ALTER TABLE staff ADD COLUMN code_step bigint NOT NULL DEFAULT 0 CHECK (code_step >= 0);
ALTER TABLE staff ADD COLUMN recovery_hashes jsonb;

CREATE TABLE sessions (
    id text COLLATE "C" NOT NULL PRIMARY KEY,
    staff text COLLATE "C" NOT NULL REFERENCES staff (id),
    token_hash text NOT NULL UNIQUE CHECK (token_hash <> ''),
    from_address text,
    agent text,
    created_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX sessions_by_staff ON sessions (staff, created_at, id);
CREATE INDEX sessions_by_end ON sessions (expires_at);

CREATE TABLE sign_in_tries (
    subject text NOT NULL PRIMARY KEY CHECK (subject <> ''),
    tries bigint NOT NULL CHECK (tries >= 0),
    last_at timestamptz NOT NULL
);
CREATE INDEX sign_in_tries_by_age ON sign_in_tries (last_at);
