CREATE TABLE drift_runs (
    account text COLLATE "C" NOT NULL PRIMARY KEY CHECK (account <> ''),
    status text NOT NULL CHECK (status IN ('running', 'done', 'failed')),
    from_time timestamptz NOT NULL,
    until_time timestamptz NOT NULL,
    step bigint NOT NULL CHECK (step >= 0),
    page text,
    compared bigint NOT NULL CHECK (compared >= 0),
    others bigint NOT NULL CHECK (others >= 0),
    unreadable bigint NOT NULL CHECK (unreadable >= 0),
    repaired bigint NOT NULL CHECK (repaired >= 0),
    remaining bigint NOT NULL CHECK (remaining >= 0),
    note text,
    started_at timestamptz NOT NULL,
    ran_at timestamptz NOT NULL,
    ended_at timestamptz
);

CREATE TABLE drifts (
    account text COLLATE "C" NOT NULL CHECK (account <> ''),
    kind text COLLATE "C" NOT NULL CHECK (kind <> ''),
    foreign_id text COLLATE "C" NOT NULL CHECK (foreign_id <> ''),
    class text NOT NULL CHECK (class IN ('missing_here', 'missing_there', 'differs')),
    object_id text,
    fields jsonb NOT NULL,
    note text,
    found_at timestamptz NOT NULL,
    PRIMARY KEY (account, kind, foreign_id)
);
