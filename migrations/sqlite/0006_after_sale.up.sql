-- What happens after the sale. The same tables as postgres/0006_after_sale.up.sql; what each is for stands in notes.go.

CREATE TABLE customers (
    id TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL CHECK (version >= 1),
    email BLOB,
    name BLOB,
    request_key TEXT UNIQUE,
    environment TEXT NOT NULL CHECK (environment IN ('test', 'live')),
    metadata TEXT NOT NULL CHECK (json_valid(metadata)),
    created_at TEXT NOT NULL CHECK (length(created_at) = 27),
    updated_at TEXT NOT NULL CHECK (length(updated_at) = 27)
) STRICT;
CREATE INDEX customers_by_age ON customers (created_at, id);

CREATE TABLE customer_accounts (
    customer TEXT NOT NULL REFERENCES customers (id),
    account TEXT NOT NULL CHECK (account <> ''),
    provider_customer_id TEXT NOT NULL CHECK (provider_customer_id <> ''),
    created_at TEXT NOT NULL CHECK (length(created_at) = 27),
    PRIMARY KEY (customer, account),
    UNIQUE (account, provider_customer_id)
) STRICT;

CREATE TABLE payment_methods (
    id TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL CHECK (version >= 1),
    customer TEXT NOT NULL REFERENCES customers (id),
    checkout TEXT REFERENCES checkouts (id),
    account TEXT NOT NULL CHECK (account <> ''),
    provider TEXT NOT NULL CHECK (provider <> ''),
    provider_method_id TEXT,
    provider_setup_id TEXT,
    status TEXT NOT NULL CHECK (status IN ('pending', 'active', 'failed', 'removed')),
    foreign_status TEXT,
    details TEXT NOT NULL CHECK (json_valid(details)),
    consent TEXT CHECK (json_valid(consent)),
    failure TEXT CHECK (json_valid(failure)),
    environment TEXT NOT NULL CHECK (environment IN ('test', 'live')),
    created_at TEXT NOT NULL CHECK (length(created_at) = 27),
    updated_at TEXT NOT NULL CHECK (length(updated_at) = 27),
    removed_at TEXT CHECK (length(removed_at) = 27),
    synced_at TEXT CHECK (length(synced_at) = 27),
    UNIQUE (account, provider_method_id),
    UNIQUE (account, provider_setup_id)
) STRICT;
CREATE INDEX payment_methods_by_customer ON payment_methods (customer, created_at, id);

CREATE TABLE prices (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL CHECK (name <> ''),
    amount INTEGER NOT NULL CHECK (amount BETWEEN 1 AND 999999999999),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    recurring_interval TEXT CHECK (recurring_interval IN ('day', 'week', 'month', 'year')),
    recurring_count INTEGER CHECK (recurring_count BETWEEN 1 AND 365),
    trial_days INTEGER NOT NULL CHECK (trial_days BETWEEN 0 AND 730),
    request_key TEXT UNIQUE,
    environment TEXT NOT NULL CHECK (environment IN ('test', 'live')),
    created_at TEXT NOT NULL CHECK (length(created_at) = 27),
    CHECK ((recurring_interval IS NULL) = (recurring_count IS NULL) AND (recurring_interval IS NOT NULL OR trial_days = 0))
) STRICT;
CREATE INDEX prices_by_age ON prices (created_at, id);

CREATE TABLE price_accounts (
    price TEXT NOT NULL REFERENCES prices (id),
    account TEXT NOT NULL CHECK (account <> ''),
    provider_price_id TEXT NOT NULL CHECK (provider_price_id <> ''),
    created_at TEXT NOT NULL CHECK (length(created_at) = 27),
    PRIMARY KEY (price, account),
    UNIQUE (account, provider_price_id)
) STRICT;

CREATE TABLE subscriptions (
    id TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL CHECK (version >= 1),
    checkout TEXT REFERENCES checkouts (id),
    reference TEXT NOT NULL,
    customer TEXT NOT NULL REFERENCES customers (id),
    account TEXT NOT NULL CHECK (account <> ''),
    provider TEXT NOT NULL CHECK (provider <> ''),
    provider_subscription_id TEXT,
    status TEXT NOT NULL CHECK (status IN ('incomplete', 'trialing', 'active', 'past_due', 'paused', 'unpaid', 'canceled')),
    foreign_status TEXT,
    price TEXT REFERENCES prices (id),
    quantity INTEGER NOT NULL CHECK (quantity >= 1),
    amount INTEGER NOT NULL CHECK (amount BETWEEN 0 AND 999999999999),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    current_period_start TEXT CHECK (length(current_period_start) = 27),
    current_period_end TEXT CHECK (length(current_period_end) = 27),
    trial_end TEXT CHECK (length(trial_end) = 27),
    over_at TEXT CHECK (length(over_at) = 27),
    cancel_at_period_end INTEGER NOT NULL CHECK (cancel_at_period_end IN (0, 1)),
    cancel_here INTEGER NOT NULL CHECK (cancel_here IN (0, 1)),
    pending TEXT CHECK (json_valid(pending)),
    method TEXT CHECK (json_valid(method)),
    failed_attempts INTEGER NOT NULL CHECK (failed_attempts >= 0),
    next_attempt TEXT CHECK (length(next_attempt) = 27),
    failure TEXT CHECK (json_valid(failure)),
    anomaly TEXT,
    environment TEXT NOT NULL CHECK (environment IN ('test', 'live')),
    metadata TEXT NOT NULL CHECK (json_valid(metadata)),
    canceled_at TEXT CHECK (length(canceled_at) = 27),
    ended_at TEXT CHECK (length(ended_at) = 27),
    created_at TEXT NOT NULL CHECK (length(created_at) = 27),
    updated_at TEXT NOT NULL CHECK (length(updated_at) = 27),
    synced_at TEXT CHECK (length(synced_at) = 27),
    UNIQUE (account, provider_subscription_id)
) STRICT;
CREATE INDEX subscriptions_by_age ON subscriptions (created_at, id);
CREATE INDEX subscriptions_by_status ON subscriptions (status, created_at, id);
CREATE INDEX subscriptions_by_customer ON subscriptions (customer, created_at, id);
CREATE INDEX subscriptions_by_account ON subscriptions (account, created_at, id);
CREATE INDEX subscriptions_to_cancel ON subscriptions (current_period_end, id) WHERE cancel_here AND status <> 'canceled';
CREATE INDEX subscriptions_overdue ON subscriptions (over_at, id) WHERE over_at IS NOT NULL;

CREATE TABLE invoices (
    id TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL CHECK (version >= 1),
    subscription TEXT NOT NULL REFERENCES subscriptions (id),
    account TEXT NOT NULL CHECK (account <> ''),
    provider_invoice_id TEXT NOT NULL CHECK (provider_invoice_id <> ''),
    payment TEXT,
    status TEXT NOT NULL CHECK (status IN ('draft', 'open', 'paid', 'uncollectible', 'void')),
    foreign_status TEXT,
    amount_due INTEGER NOT NULL CHECK (amount_due BETWEEN 0 AND 999999999999),
    amount_paid INTEGER NOT NULL CHECK (amount_paid BETWEEN 0 AND 999999999999),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    period_start TEXT CHECK (length(period_start) = 27),
    period_end TEXT CHECK (length(period_end) = 27),
    attempts INTEGER NOT NULL CHECK (attempts >= 0),
    next_attempt TEXT CHECK (length(next_attempt) = 27),
    anomaly TEXT,
    issued_at TEXT NOT NULL CHECK (length(issued_at) = 27),
    created_at TEXT NOT NULL CHECK (length(created_at) = 27),
    updated_at TEXT NOT NULL CHECK (length(updated_at) = 27),
    UNIQUE (account, provider_invoice_id)
) STRICT;
CREATE INDEX invoices_by_subscription ON invoices (subscription, issued_at, id);

ALTER TABLE checkouts ADD COLUMN subscription TEXT;
ALTER TABLE checkouts ADD COLUMN method TEXT;

ALTER TABLE payments ADD COLUMN subscription TEXT REFERENCES subscriptions (id);
ALTER TABLE payments ADD COLUMN invoice TEXT REFERENCES invoices (id);
ALTER TABLE payments ADD COLUMN off_session INTEGER NOT NULL DEFAULT 0 CHECK (off_session IN (0, 1));
ALTER TABLE payments ADD COLUMN capture_before TEXT CHECK (length(capture_before) = 27);
ALTER TABLE payments ADD COLUMN expiry_told_at TEXT CHECK (length(expiry_told_at) = 27);
CREATE INDEX payments_by_subscription ON payments (subscription, created_at, id);
CREATE INDEX payments_lapsing ON payments (status, capture_before, id) WHERE status = 'authorized';
CREATE INDEX payments_expiring ON payments (status, capture_before, id) WHERE status = 'authorized' AND expiry_told_at IS NULL;

CREATE TABLE refunds (
    id TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL CHECK (version >= 1),
    payment TEXT NOT NULL REFERENCES payments (id),
    account TEXT NOT NULL CHECK (account <> ''),
    provider TEXT NOT NULL CHECK (provider <> ''),
    provider_refund_id TEXT,
    status TEXT NOT NULL CHECK (status IN ('pending', 'succeeded', 'failed', 'canceled')),
    foreign_status TEXT,
    amount INTEGER NOT NULL CHECK (amount BETWEEN 1 AND 999999999999),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    reason TEXT,
    origin TEXT NOT NULL CHECK (origin IN ('here', 'provider')),
    failure TEXT CHECK (json_valid(failure)),
    anomaly TEXT,
    request_key TEXT UNIQUE,
    environment TEXT NOT NULL CHECK (environment IN ('test', 'live')),
    metadata TEXT NOT NULL CHECK (json_valid(metadata)),
    created_at TEXT NOT NULL CHECK (length(created_at) = 27),
    updated_at TEXT NOT NULL CHECK (length(updated_at) = 27),
    synced_at TEXT CHECK (length(synced_at) = 27),
    UNIQUE (account, provider_refund_id)
) STRICT;
CREATE INDEX refunds_by_age ON refunds (created_at, id);
CREATE INDEX refunds_by_status ON refunds (status, created_at, id);
CREATE INDEX refunds_by_payment ON refunds (payment, created_at, id);
CREATE INDEX refunds_pending ON refunds (status, coalesce(synced_at, created_at), id) WHERE status = 'pending';

CREATE TABLE disputes (
    id TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL CHECK (version >= 1),
    payment TEXT NOT NULL REFERENCES payments (id),
    account TEXT NOT NULL CHECK (account <> ''),
    provider TEXT NOT NULL CHECK (provider <> ''),
    provider_dispute_id TEXT NOT NULL CHECK (provider_dispute_id <> ''),
    status TEXT NOT NULL CHECK (status IN ('inquiry', 'needs_response', 'under_review', 'won', 'lost', 'accepted')),
    foreign_status TEXT,
    reason TEXT NOT NULL CHECK (reason <> ''),
    foreign_reason TEXT,
    amount INTEGER NOT NULL CHECK (amount BETWEEN 0 AND 999999999999),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    fee INTEGER NOT NULL CHECK (fee BETWEEN 0 AND 999999999999),
    fee_currency TEXT CHECK (length(fee_currency) = 3),
    withdrawn INTEGER NOT NULL CHECK (withdrawn BETWEEN 0 AND 999999999999),
    withdrawn_currency TEXT CHECK (length(withdrawn_currency) = 3),
    reinstated INTEGER NOT NULL CHECK (reinstated BETWEEN 0 AND 999999999999),
    reinstated_currency TEXT CHECK (length(reinstated_currency) = 3),
    due_at TEXT CHECK (length(due_at) = 27),
    can_submit INTEGER NOT NULL CHECK (can_submit IN (0, 1)),
    can_accept INTEGER NOT NULL CHECK (can_accept IN (0, 1)),
    reminded_days INTEGER NOT NULL CHECK (reminded_days >= 0),
    submitted_at TEXT CHECK (length(submitted_at) = 27),
    accepted_at TEXT CHECK (length(accepted_at) = 27),
    closed_at TEXT CHECK (length(closed_at) = 27),
    anomaly TEXT,
    environment TEXT NOT NULL CHECK (environment IN ('test', 'live')),
    opened_at TEXT CHECK (length(opened_at) = 27),
    created_at TEXT NOT NULL CHECK (length(created_at) = 27),
    updated_at TEXT NOT NULL CHECK (length(updated_at) = 27),
    synced_at TEXT CHECK (length(synced_at) = 27),
    CHECK ((fee_currency IS NOT NULL OR fee = 0) AND (withdrawn_currency IS NOT NULL OR withdrawn = 0) AND (reinstated_currency IS NOT NULL OR reinstated = 0)),
    UNIQUE (account, provider_dispute_id)
) STRICT;
CREATE INDEX disputes_by_age ON disputes (created_at, id);
CREATE INDEX disputes_by_status ON disputes (status, created_at, id);
CREATE INDEX disputes_by_payment ON disputes (payment, created_at, id);
CREATE INDEX disputes_due ON disputes (status, due_at, id) WHERE status IN ('inquiry', 'needs_response') AND submitted_at IS NULL AND accepted_at IS NULL;

CREATE TABLE evidence (
    dispute TEXT NOT NULL PRIMARY KEY REFERENCES disputes (id),
    version INTEGER NOT NULL CHECK (version >= 1),
    texts BLOB,
    updated_at TEXT NOT NULL CHECK (length(updated_at) = 27)
) STRICT;

CREATE TABLE evidence_files (
    id TEXT NOT NULL PRIMARY KEY,
    dispute TEXT NOT NULL REFERENCES disputes (id),
    field TEXT NOT NULL CHECK (field <> ''),
    name BLOB,
    content_type TEXT NOT NULL CHECK (content_type IN ('image/jpeg', 'image/png', 'application/pdf')),
    size INTEGER NOT NULL CHECK (size BETWEEN 1 AND 5242880),
    sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
    created_at TEXT NOT NULL CHECK (length(created_at) = 27),
    content BLOB NOT NULL,
    UNIQUE (dispute, field)
) STRICT;

-- SQLite changes no constraint of a column, so these two are made anew. No other table refers to them.
CREATE TABLE operations_new (
    id TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL CHECK (version >= 1),
    kind TEXT NOT NULL CHECK (kind <> ''),
    account TEXT NOT NULL CHECK (account <> ''),
    payment TEXT REFERENCES payments (id),
    subject TEXT NOT NULL CHECK (subject <> ''),
    amount INTEGER NOT NULL CHECK (amount BETWEEN 0 AND 999999999999),
    currency TEXT CHECK (length(currency) = 3),
    asked TEXT CHECK (json_valid(asked)),
    request_hash TEXT NOT NULL CHECK (request_hash <> ''),
    request_key TEXT UNIQUE,
    source BLOB,
    status TEXT NOT NULL CHECK (status IN ('pending', 'succeeded', 'failed', 'unknown')),
    attempts INTEGER NOT NULL CHECK (attempts >= 0),
    object_id TEXT,
    request_id TEXT,
    failure TEXT CHECK (json_valid(failure)),
    created_at TEXT NOT NULL CHECK (length(created_at) = 27),
    sent_at TEXT CHECK (length(sent_at) = 27),
    settled_at TEXT CHECK (length(settled_at) = 27),
    CHECK (currency IS NOT NULL OR amount = 0)
) STRICT;
INSERT INTO operations_new (id, version, kind, account, payment, subject, amount, currency, request_hash, request_key, source, status, attempts, object_id, request_id, failure, created_at, sent_at, settled_at)
SELECT id, version, kind, account, payment, payment, amount, currency, request_hash, request_key, source, status, attempts, object_id, request_id, failure, created_at, sent_at, settled_at FROM operations;
DROP TABLE operations;
ALTER TABLE operations_new RENAME TO operations;
CREATE INDEX operations_by_payment ON operations (payment, created_at, id);
CREATE INDEX operations_by_subject ON operations (subject, created_at, id);

CREATE TABLE timeline_new (
    id TEXT NOT NULL PRIMARY KEY,
    payment TEXT REFERENCES payments (id),
    subject TEXT NOT NULL CHECK (subject <> ''),
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
INSERT INTO timeline_new (id, payment, subject, kind, cause_kind, cause_inbound, cause_actor, operation, status, from_status, to_status, verdict, reason, note, trace_id, at)
SELECT id, payment, payment, kind, cause_kind, cause_inbound, cause_actor, operation, status, from_status, to_status, verdict, reason, note, trace_id, at FROM timeline;
DROP TABLE timeline;
ALTER TABLE timeline_new RENAME TO timeline;
CREATE INDEX timeline_by_payment ON timeline (payment, at, id);
CREATE INDEX timeline_by_subject ON timeline (subject, at, id);
