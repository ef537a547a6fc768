CREATE INDEX inbound_events_by_type ON inbound_events (account, type, received_at) WHERE source = 'webhook';
CREATE INDEX inbound_events_missed ON inbound_events (account, received_at) WHERE source = 'backfill';

CREATE TABLE webhook_counts (
    account text COLLATE "C" NOT NULL CHECK (account <> ''),
    hour timestamptz NOT NULL,
    result text COLLATE "C" NOT NULL CHECK (result <> ''),
    count bigint NOT NULL CHECK (count > 0),
    PRIMARY KEY (hour, account, result)
);

CREATE TABLE webhook_checks (
    account text COLLATE "C" NOT NULL PRIMARY KEY CHECK (account <> ''),
    state text NOT NULL CHECK (state IN ('unknown', 'registered', 'disabled', 'absent')),
    missing jsonb NOT NULL,
    api_versions jsonb NOT NULL,
    note text,
    first_at timestamptz NOT NULL,
    tried_at timestamptz NOT NULL,
    checked_at timestamptz
);
