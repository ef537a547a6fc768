ALTER TABLE inbound_events ADD COLUMN source TEXT NOT NULL DEFAULT 'webhook' CHECK (source IN ('webhook', 'backfill'));

CREATE TABLE leases (
    name TEXT NOT NULL PRIMARY KEY CHECK (name <> ''),
    holder TEXT NOT NULL CHECK (holder <> ''),
    held_until TEXT NOT NULL CHECK (length(held_until) = 27)
) STRICT;

CREATE TABLE backfill_cursors (
    account TEXT NOT NULL CHECK (account <> ''),
    stream TEXT NOT NULL CHECK (stream <> ''),
    status TEXT NOT NULL CHECK (status IN ('behind', 'done', 'failed', 'incomplete')),
    taken_until TEXT NOT NULL CHECK (length(taken_until) = 27),
    window_from TEXT CHECK (length(window_from) = 27),
    window_until TEXT CHECK (length(window_until) = 27),
    page TEXT,
    found INTEGER NOT NULL CHECK (found >= 0),
    note TEXT,
    created_at TEXT NOT NULL CHECK (length(created_at) = 27),
    ran_at TEXT NOT NULL CHECK (length(ran_at) = 27),
    succeeded_at TEXT CHECK (length(succeeded_at) = 27),
    PRIMARY KEY (account, stream)
) STRICT;
