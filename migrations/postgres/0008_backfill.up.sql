ALTER TABLE inbound_events ADD COLUMN source text NOT NULL DEFAULT 'webhook' CHECK (source IN ('webhook', 'backfill'));

CREATE TABLE leases (
    name text COLLATE "C" PRIMARY KEY CHECK (name <> ''),
    holder text NOT NULL CHECK (holder <> ''),
    held_until timestamptz NOT NULL
);

CREATE TABLE backfill_cursors (
    account text COLLATE "C" NOT NULL CHECK (account <> ''),
    stream text COLLATE "C" NOT NULL CHECK (stream <> ''),
    status text NOT NULL CHECK (status IN ('behind', 'done', 'failed', 'incomplete')),
    taken_until timestamptz NOT NULL,
    window_from timestamptz,
    window_until timestamptz,
    page text,
    found bigint NOT NULL CHECK (found >= 0),
    note text,
    created_at timestamptz NOT NULL,
    ran_at timestamptz NOT NULL,
    succeeded_at timestamptz,
    PRIMARY KEY (account, stream)
);
