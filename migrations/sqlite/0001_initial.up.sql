-- The same tables as postgres/0001_initial.up.sql; what each is for stands in notes.go.
-- Times are text of a fixed width in UTC, 2026-01-02T03:04:05.678901Z, so that they sort as they read.

CREATE TABLE instance (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    environment TEXT NOT NULL CHECK (environment IN ('test', 'live')),
    stamped_at TEXT NOT NULL CHECK (length(stamped_at) = 27)
) STRICT;

CREATE TABLE counters (
    name TEXT NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL CHECK (value >= 0)
) STRICT;
INSERT INTO counters (name, value) VALUES ('events', 0);

CREATE TABLE checkouts (
    id TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL CHECK (version >= 1),
    environment TEXT NOT NULL CHECK (environment IN ('test', 'live')),
    reference TEXT NOT NULL CHECK (reference <> ''),
    mode TEXT NOT NULL CHECK (mode IN ('payment', 'subscription', 'setup')),
    capture TEXT NOT NULL CHECK (capture IN ('automatic', 'manual')),
    flow TEXT NOT NULL CHECK (flow IN ('page', 'redirect')),
    status TEXT NOT NULL CHECK (status IN ('open', 'complete', 'expired')),
    amount INTEGER NOT NULL CHECK (amount BETWEEN 0 AND 999999999999),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    line_items TEXT NOT NULL CHECK (json_valid(line_items)),
    providers TEXT NOT NULL CHECK (json_valid(providers)),
    customer TEXT,
    buyer_email BLOB,
    buyer_name BLOB,
    success_url TEXT NOT NULL,
    cancel_url TEXT,
    metadata TEXT NOT NULL CHECK (json_valid(metadata)),
    request_key TEXT UNIQUE,
    lease TEXT,
    payment TEXT,
    expires_at TEXT NOT NULL CHECK (length(expires_at) = 27),
    created_at TEXT NOT NULL CHECK (length(created_at) = 27),
    updated_at TEXT NOT NULL CHECK (length(updated_at) = 27)
) STRICT;
CREATE INDEX checkouts_open_by_expiry ON checkouts (expires_at, id) WHERE status = 'open';

CREATE TABLE payments (
    id TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL CHECK (version >= 1),
    checkout TEXT REFERENCES checkouts (id),
    reference TEXT NOT NULL,
    customer TEXT,
    account TEXT NOT NULL CHECK (account <> ''),
    provider TEXT NOT NULL CHECK (provider <> ''),
    provider_payment_id TEXT,
    status TEXT NOT NULL CHECK (status IN ('processing', 'requires_action', 'authorized', 'succeeded', 'failed', 'canceled', 'expired', 'needs_review')),
    foreign_status TEXT,
    amount INTEGER NOT NULL CHECK (amount BETWEEN 0 AND 999999999999),
    amount_authorized INTEGER NOT NULL,
    amount_captured INTEGER NOT NULL,
    amount_refunded INTEGER NOT NULL,
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    capture TEXT NOT NULL CHECK (capture IN ('automatic', 'manual')),
    method TEXT CHECK (json_valid(method)),
    failure TEXT CHECK (json_valid(failure)),
    disputed INTEGER NOT NULL CHECK (disputed IN (0, 1)),
    review TEXT,
    anomaly TEXT,
    environment TEXT NOT NULL CHECK (environment IN ('test', 'live')),
    metadata TEXT NOT NULL CHECK (json_valid(metadata)),
    created_at TEXT NOT NULL CHECK (length(created_at) = 27),
    updated_at TEXT NOT NULL CHECK (length(updated_at) = 27),
    synced_at TEXT CHECK (length(synced_at) = 27),
    CHECK (0 <= amount_refunded AND amount_refunded <= amount_captured AND amount_captured <= amount_authorized AND amount_authorized <= amount),
    UNIQUE (account, provider_payment_id)
) STRICT;
CREATE INDEX payments_by_age ON payments (created_at, id);
CREATE INDEX payments_by_status ON payments (status, created_at, id);
CREATE INDEX payments_by_reference ON payments (reference, created_at, id);
CREATE INDEX payments_by_customer ON payments (customer, created_at, id);
CREATE INDEX payments_by_account ON payments (account, created_at, id);
CREATE INDEX payments_by_checkout ON payments (checkout, created_at, id);

CREATE TABLE operations (
    id TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL CHECK (version >= 1),
    kind TEXT NOT NULL CHECK (kind <> ''),
    account TEXT NOT NULL CHECK (account <> ''),
    payment TEXT NOT NULL REFERENCES payments (id),
    amount INTEGER NOT NULL CHECK (amount BETWEEN 0 AND 999999999999),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    request_hash TEXT NOT NULL CHECK (request_hash <> ''),
    request_key TEXT UNIQUE,
    status TEXT NOT NULL CHECK (status IN ('pending', 'succeeded', 'failed', 'unknown')),
    attempts INTEGER NOT NULL CHECK (attempts >= 0),
    object_id TEXT,
    request_id TEXT,
    failure TEXT CHECK (json_valid(failure)),
    created_at TEXT NOT NULL CHECK (length(created_at) = 27),
    sent_at TEXT CHECK (length(sent_at) = 27),
    settled_at TEXT CHECK (length(settled_at) = 27)
) STRICT;
CREATE INDEX operations_by_payment ON operations (payment, created_at, id);

CREATE TABLE timeline (
    id TEXT NOT NULL PRIMARY KEY,
    payment TEXT NOT NULL REFERENCES payments (id),
    kind TEXT NOT NULL CHECK (kind <> ''),
    cause_kind TEXT NOT NULL CHECK (cause_kind <> ''),
    cause_inbound TEXT,
    cause_actor TEXT,
    operation TEXT,
    status TEXT,
    from_status TEXT,
    to_status TEXT,
    verdict TEXT,
    reason TEXT,
    note TEXT,
    trace_id TEXT,
    at TEXT NOT NULL CHECK (length(at) = 27)
) STRICT;
CREATE INDEX timeline_by_payment ON timeline (payment, at, id);

CREATE TABLE events (
    sequence INTEGER PRIMARY KEY CHECK (sequence >= 1),
    id TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL CHECK (type <> ''),
    subject TEXT NOT NULL CHECK (subject <> ''),
    data BLOB NOT NULL,
    occurred_at TEXT NOT NULL CHECK (length(occurred_at) = 27)
) STRICT;
CREATE INDEX events_by_type ON events (type, sequence);

CREATE TABLE inbound_events (
    id TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL CHECK (account <> ''),
    provider_event_id TEXT NOT NULL CHECK (provider_event_id <> ''),
    type TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('received', 'processed', 'ignored', 'failed')),
    ref_kind TEXT,
    ref_id TEXT,
    api_version TEXT,
    body BLOB,
    note TEXT,
    received_at TEXT NOT NULL CHECK (length(received_at) = 27),
    processed_at TEXT CHECK (length(processed_at) = 27),
    UNIQUE (account, provider_event_id)
) STRICT;
CREATE INDEX inbound_events_by_age ON inbound_events (received_at, id);

CREATE TABLE idempotency_records (
    caller TEXT NOT NULL CHECK (caller <> ''),
    key TEXT NOT NULL CHECK (key <> ''),
    request_hash TEXT NOT NULL CHECK (request_hash <> ''),
    locked_at TEXT CHECK (length(locked_at) = 27),
    status INTEGER NOT NULL CHECK (status >= 0),
    body BLOB,
    created_at TEXT NOT NULL CHECK (length(created_at) = 27),
    PRIMARY KEY (caller, key)
) STRICT;
CREATE INDEX idempotency_records_by_age ON idempotency_records (created_at);

CREATE TABLE api_keys (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    environment TEXT NOT NULL CHECK (environment IN ('test', 'live')),
    hash TEXT NOT NULL UNIQUE CHECK (hash <> ''),
    hint TEXT NOT NULL,
    created_at TEXT NOT NULL CHECK (length(created_at) = 27),
    revoked_at TEXT CHECK (length(revoked_at) = 27)
) STRICT;

CREATE TABLE staff (
    id TEXT NOT NULL PRIMARY KEY,
    email TEXT NOT NULL UNIQUE CHECK (email <> ''),
    role TEXT NOT NULL CHECK (role IN ('VIEWER', 'SUPPORT', 'FINANCE', 'ADMIN')),
    password_hash TEXT NOT NULL,
    token_hash TEXT UNIQUE,
    created_at TEXT NOT NULL CHECK (length(created_at) = 27),
    disabled_at TEXT CHECK (length(disabled_at) = 27)
) STRICT;

CREATE TABLE audit_head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    sequence INTEGER NOT NULL CHECK (sequence >= 0),
    hash TEXT NOT NULL
) STRICT;
INSERT INTO audit_head (id, sequence, hash) VALUES (1, 0, '');

CREATE TABLE audit_log (
    sequence INTEGER PRIMARY KEY CHECK (sequence >= 1),
    id TEXT NOT NULL UNIQUE,
    actor TEXT NOT NULL,
    action TEXT NOT NULL CHECK (action <> ''),
    subject TEXT,
    detail TEXT,
    trace_id TEXT,
    at TEXT NOT NULL CHECK (length(at) = 27),
    previous TEXT NOT NULL,
    hash TEXT NOT NULL CHECK (hash <> '')
) STRICT;

CREATE TABLE endpoints (
    id TEXT NOT NULL PRIMARY KEY,
    url TEXT NOT NULL CHECK (url <> ''),
    types TEXT NOT NULL CHECK (json_valid(types)),
    secret BLOB,
    created_at TEXT NOT NULL CHECK (length(created_at) = 27),
    disabled_at TEXT CHECK (length(disabled_at) = 27),
    deleted_at TEXT CHECK (length(deleted_at) = 27)
) STRICT;
