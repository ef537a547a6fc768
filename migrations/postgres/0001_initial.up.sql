-- The same tables as sqlite/0001_initial.up.sql; what each is for stands in notes.go.
-- Ids that lists are ordered by compare byte by byte (collation C), as SQLite compares them.

CREATE TABLE instance (
    id integer PRIMARY KEY CHECK (id = 1),
    environment text NOT NULL CHECK (environment IN ('test', 'live')),
    stamped_at timestamptz NOT NULL
);

CREATE TABLE counters (
    name text PRIMARY KEY,
    value bigint NOT NULL CHECK (value >= 0)
);
INSERT INTO counters (name, value) VALUES ('events', 0);

CREATE TABLE checkouts (
    id text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL CHECK (version >= 1),
    environment text NOT NULL CHECK (environment IN ('test', 'live')),
    reference text NOT NULL CHECK (reference <> ''),
    mode text NOT NULL CHECK (mode IN ('payment', 'subscription', 'setup')),
    capture text NOT NULL CHECK (capture IN ('automatic', 'manual')),
    flow text NOT NULL CHECK (flow IN ('page', 'redirect')),
    status text NOT NULL CHECK (status IN ('open', 'complete', 'expired')),
    amount bigint NOT NULL CHECK (amount BETWEEN 0 AND 999999999999),
    currency text NOT NULL CHECK (length(currency) = 3),
    line_items jsonb NOT NULL,
    providers jsonb NOT NULL,
    customer text,
    buyer_email bytea,
    buyer_name bytea,
    success_url text NOT NULL,
    cancel_url text,
    metadata jsonb NOT NULL,
    request_key text UNIQUE,
    lease text,
    payment text,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX checkouts_open_by_expiry ON checkouts (expires_at, id) WHERE status = 'open';

CREATE TABLE payments (
    id text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL CHECK (version >= 1),
    checkout text REFERENCES checkouts (id),
    reference text NOT NULL,
    customer text,
    account text NOT NULL CHECK (account <> ''),
    provider text NOT NULL CHECK (provider <> ''),
    provider_payment_id text,
    status text NOT NULL CHECK (status IN ('processing', 'requires_action', 'authorized', 'succeeded', 'failed', 'canceled', 'expired', 'needs_review')),
    foreign_status text,
    amount bigint NOT NULL CHECK (amount BETWEEN 0 AND 999999999999),
    amount_authorized bigint NOT NULL,
    amount_captured bigint NOT NULL,
    amount_refunded bigint NOT NULL,
    currency text NOT NULL CHECK (length(currency) = 3),
    capture text NOT NULL CHECK (capture IN ('automatic', 'manual')),
    method jsonb,
    failure jsonb,
    disputed boolean NOT NULL,
    review text,
    anomaly text,
    environment text NOT NULL CHECK (environment IN ('test', 'live')),
    metadata jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    synced_at timestamptz,
    CHECK (0 <= amount_refunded AND amount_refunded <= amount_captured AND amount_captured <= amount_authorized AND amount_authorized <= amount),
    UNIQUE (account, provider_payment_id)
);
CREATE INDEX payments_by_age ON payments (created_at, id);
CREATE INDEX payments_by_status ON payments (status, created_at, id);
CREATE INDEX payments_by_reference ON payments (reference, created_at, id);
CREATE INDEX payments_by_customer ON payments (customer, created_at, id);
CREATE INDEX payments_by_account ON payments (account, created_at, id);
CREATE INDEX payments_by_checkout ON payments (checkout, created_at, id);

CREATE TABLE operations (
    id text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL CHECK (version >= 1),
    kind text NOT NULL CHECK (kind <> ''),
    account text NOT NULL CHECK (account <> ''),
    payment text NOT NULL REFERENCES payments (id),
    amount bigint NOT NULL CHECK (amount BETWEEN 0 AND 999999999999),
    currency text NOT NULL CHECK (length(currency) = 3),
    request_hash text NOT NULL CHECK (request_hash <> ''),
    request_key text UNIQUE,
    status text NOT NULL CHECK (status IN ('pending', 'succeeded', 'failed', 'unknown')),
    attempts bigint NOT NULL CHECK (attempts >= 0),
    object_id text,
    request_id text,
    failure jsonb,
    created_at timestamptz NOT NULL,
    sent_at timestamptz,
    settled_at timestamptz
);
CREATE INDEX operations_by_payment ON operations (payment, created_at, id);

CREATE TABLE timeline (
    id text COLLATE "C" PRIMARY KEY,
    payment text NOT NULL REFERENCES payments (id),
    kind text NOT NULL CHECK (kind <> ''),
    cause_kind text NOT NULL CHECK (cause_kind <> ''),
    cause_inbound text,
    cause_actor text,
    operation text,
    status text,
    from_status text,
    to_status text,
    verdict text,
    reason text,
    note text,
    trace_id text,
    at timestamptz NOT NULL
);
CREATE INDEX timeline_by_payment ON timeline (payment, at, id);

CREATE TABLE events (
    sequence bigint PRIMARY KEY CHECK (sequence >= 1),
    id text NOT NULL UNIQUE,
    type text NOT NULL CHECK (type <> ''),
    subject text NOT NULL CHECK (subject <> ''),
    data bytea NOT NULL,
    occurred_at timestamptz NOT NULL
);
CREATE INDEX events_by_type ON events (type, sequence);

CREATE TABLE inbound_events (
    id text COLLATE "C" PRIMARY KEY,
    account text NOT NULL CHECK (account <> ''),
    provider_event_id text NOT NULL CHECK (provider_event_id <> ''),
    type text NOT NULL,
    status text NOT NULL CHECK (status IN ('received', 'processed', 'ignored', 'failed')),
    ref_kind text,
    ref_id text,
    api_version text,
    body bytea,
    note text,
    received_at timestamptz NOT NULL,
    processed_at timestamptz,
    UNIQUE (account, provider_event_id)
);
-- Bodies are sealed: trying to compress them costs time and gains nothing.
ALTER TABLE inbound_events ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE INDEX inbound_events_by_age ON inbound_events (received_at, id);

CREATE TABLE idempotency_records (
    caller text NOT NULL CHECK (caller <> ''),
    key text NOT NULL CHECK (key <> ''),
    request_hash text NOT NULL CHECK (request_hash <> ''),
    locked_at timestamptz,
    status bigint NOT NULL CHECK (status >= 0),
    body bytea,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (caller, key)
);
CREATE INDEX idempotency_records_by_age ON idempotency_records (created_at);

CREATE TABLE api_keys (
    id text COLLATE "C" PRIMARY KEY,
    name text NOT NULL,
    environment text NOT NULL CHECK (environment IN ('test', 'live')),
    hash text NOT NULL UNIQUE CHECK (hash <> ''),
    hint text NOT NULL,
    created_at timestamptz NOT NULL,
    revoked_at timestamptz
);

CREATE TABLE staff (
    id text COLLATE "C" PRIMARY KEY,
    email text NOT NULL UNIQUE CHECK (email <> ''),
    role text NOT NULL CHECK (role IN ('VIEWER', 'SUPPORT', 'FINANCE', 'ADMIN')),
    password_hash text NOT NULL,
    token_hash text UNIQUE,
    created_at timestamptz NOT NULL,
    disabled_at timestamptz
);

CREATE TABLE audit_head (
    id integer PRIMARY KEY CHECK (id = 1),
    sequence bigint NOT NULL CHECK (sequence >= 0),
    hash text NOT NULL
);
INSERT INTO audit_head (id, sequence, hash) VALUES (1, 0, '');

CREATE TABLE audit_log (
    sequence bigint PRIMARY KEY CHECK (sequence >= 1),
    id text NOT NULL UNIQUE,
    actor text NOT NULL,
    action text NOT NULL CHECK (action <> ''),
    subject text,
    detail text,
    trace_id text,
    at timestamptz NOT NULL,
    previous text NOT NULL,
    hash text NOT NULL CHECK (hash <> '')
);

CREATE TABLE endpoints (
    id text COLLATE "C" PRIMARY KEY,
    url text NOT NULL CHECK (url <> ''),
    types jsonb NOT NULL,
    secret bytea,
    created_at timestamptz NOT NULL,
    disabled_at timestamptz,
    deleted_at timestamptz
);
