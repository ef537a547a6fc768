CREATE INDEX inbound_events_by_type ON inbound_events (account, type, received_at) WHERE source = 'webhook';
CREATE INDEX inbound_events_missed ON inbound_events (account, received_at) WHERE source = 'backfill';

CREATE TABLE webhook_counts (
    account TEXT NOT NULL CHECK (account <> ''),
    hour TEXT NOT NULL CHECK (length(hour) = 27),
    result TEXT NOT NULL CHECK (result <> ''),
    count INTEGER NOT NULL CHECK (count > 0),
    PRIMARY KEY (hour, account, result)
) STRICT;

CREATE TABLE webhook_checks (
    account TEXT NOT NULL PRIMARY KEY CHECK (account <> ''),
    state TEXT NOT NULL CHECK (state IN ('unknown', 'registered', 'disabled', 'absent')),
    missing TEXT NOT NULL CHECK (json_valid(missing)),
    api_versions TEXT NOT NULL CHECK (json_valid(api_versions)),
    note TEXT,
    first_at TEXT NOT NULL CHECK (length(first_at) = 27),
    tried_at TEXT NOT NULL CHECK (length(tried_at) = 27),
    checked_at TEXT CHECK (length(checked_at) = 27)
) STRICT;
