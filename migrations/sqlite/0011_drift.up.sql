CREATE TABLE drift_runs (
    account TEXT NOT NULL PRIMARY KEY CHECK (account <> ''),
    status TEXT NOT NULL CHECK (status IN ('running', 'done', 'failed')),
    from_time TEXT NOT NULL CHECK (length(from_time) = 27),
    until_time TEXT NOT NULL CHECK (length(until_time) = 27),
    step INTEGER NOT NULL CHECK (step >= 0),
    page TEXT,
    compared INTEGER NOT NULL CHECK (compared >= 0),
    others INTEGER NOT NULL CHECK (others >= 0),
    unreadable INTEGER NOT NULL CHECK (unreadable >= 0),
    repaired INTEGER NOT NULL CHECK (repaired >= 0),
    remaining INTEGER NOT NULL CHECK (remaining >= 0),
    note TEXT,
    started_at TEXT NOT NULL CHECK (length(started_at) = 27),
    ran_at TEXT NOT NULL CHECK (length(ran_at) = 27),
    ended_at TEXT CHECK (length(ended_at) = 27)
) STRICT;

CREATE TABLE drifts (
    account TEXT NOT NULL CHECK (account <> ''),
    kind TEXT NOT NULL CHECK (kind <> ''),
    foreign_id TEXT NOT NULL CHECK (foreign_id <> ''),
    class TEXT NOT NULL CHECK (class IN ('missing_here', 'missing_there', 'differs')),
    object_id TEXT,
    fields TEXT NOT NULL CHECK (json_valid(fields)),
    note TEXT,
    found_at TEXT NOT NULL CHECK (length(found_at) = 27),
    PRIMARY KEY (account, kind, foreign_id)
) STRICT;
