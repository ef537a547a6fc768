-- What happens after the sale. The same tables as sqlite/0006_after_sale.up.sql; what each is for stands in notes.go.

CREATE TABLE customers (
    id text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL CHECK (version >= 1),
    email bytea,
    name bytea,
    request_key text UNIQUE,
    environment text NOT NULL CHECK (environment IN ('test', 'live')),
    metadata jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX customers_by_age ON customers (created_at, id);

CREATE TABLE customer_accounts (
    customer text NOT NULL REFERENCES customers (id),
    account text NOT NULL CHECK (account <> ''),
    provider_customer_id text NOT NULL CHECK (provider_customer_id <> ''),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (customer, account),
    UNIQUE (account, provider_customer_id)
);

CREATE TABLE payment_methods (
    id text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL CHECK (version >= 1),
    customer text NOT NULL REFERENCES customers (id),
    checkout text REFERENCES checkouts (id),
    account text NOT NULL CHECK (account <> ''),
    provider text NOT NULL CHECK (provider <> ''),
    provider_method_id text,
    provider_setup_id text,
    status text NOT NULL CHECK (status IN ('pending', 'active', 'failed', 'removed')),
    foreign_status text,
    details jsonb NOT NULL,
    consent jsonb,
    failure jsonb,
    environment text NOT NULL CHECK (environment IN ('test', 'live')),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    removed_at timestamptz,
    synced_at timestamptz,
    UNIQUE (account, provider_method_id),
    UNIQUE (account, provider_setup_id)
);
CREATE INDEX payment_methods_by_customer ON payment_methods (customer, created_at, id);

CREATE TABLE prices (
    id text COLLATE "C" PRIMARY KEY,
    name text NOT NULL CHECK (name <> ''),
    amount bigint NOT NULL CHECK (amount BETWEEN 1 AND 999999999999),
    currency text NOT NULL CHECK (length(currency) = 3),
    recurring_interval text CHECK (recurring_interval IN ('day', 'week', 'month', 'year')),
    recurring_count bigint CHECK (recurring_count BETWEEN 1 AND 365),
    trial_days bigint NOT NULL CHECK (trial_days BETWEEN 0 AND 730),
    request_key text UNIQUE,
    environment text NOT NULL CHECK (environment IN ('test', 'live')),
    created_at timestamptz NOT NULL,
    CHECK ((recurring_interval IS NULL) = (recurring_count IS NULL) AND (recurring_interval IS NOT NULL OR trial_days = 0))
);
CREATE INDEX prices_by_age ON prices (created_at, id);

CREATE TABLE price_accounts (
    price text NOT NULL REFERENCES prices (id),
    account text NOT NULL CHECK (account <> ''),
    provider_price_id text NOT NULL CHECK (provider_price_id <> ''),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (price, account),
    UNIQUE (account, provider_price_id)
);

CREATE TABLE subscriptions (
    id text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL CHECK (version >= 1),
    checkout text REFERENCES checkouts (id),
    reference text NOT NULL,
    customer text NOT NULL REFERENCES customers (id),
    account text NOT NULL CHECK (account <> ''),
    provider text NOT NULL CHECK (provider <> ''),
    provider_subscription_id text,
    status text NOT NULL CHECK (status IN ('incomplete', 'trialing', 'active', 'past_due', 'paused', 'unpaid', 'canceled')),
    foreign_status text,
    price text REFERENCES prices (id),
    quantity bigint NOT NULL CHECK (quantity >= 1),
    amount bigint NOT NULL CHECK (amount BETWEEN 0 AND 999999999999),
    currency text NOT NULL CHECK (length(currency) = 3),
    current_period_start timestamptz,
    current_period_end timestamptz,
    trial_end timestamptz,
    over_at timestamptz,
    cancel_at_period_end boolean NOT NULL,
    cancel_here boolean NOT NULL,
    pending jsonb,
    method jsonb,
    failed_attempts bigint NOT NULL CHECK (failed_attempts >= 0),
    next_attempt timestamptz,
    failure jsonb,
    anomaly text,
    environment text NOT NULL CHECK (environment IN ('test', 'live')),
    metadata jsonb NOT NULL,
    canceled_at timestamptz,
    ended_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    synced_at timestamptz,
    UNIQUE (account, provider_subscription_id)
);
CREATE INDEX subscriptions_by_age ON subscriptions (created_at, id);
CREATE INDEX subscriptions_by_status ON subscriptions (status, created_at, id);
CREATE INDEX subscriptions_by_customer ON subscriptions (customer, created_at, id);
CREATE INDEX subscriptions_by_account ON subscriptions (account, created_at, id);
CREATE INDEX subscriptions_to_cancel ON subscriptions (current_period_end, id) WHERE cancel_here AND status <> 'canceled';
CREATE INDEX subscriptions_overdue ON subscriptions (over_at, id) WHERE over_at IS NOT NULL;

CREATE TABLE invoices (
    id text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL CHECK (version >= 1),
    subscription text NOT NULL REFERENCES subscriptions (id),
    account text NOT NULL CHECK (account <> ''),
    provider_invoice_id text NOT NULL CHECK (provider_invoice_id <> ''),
    payment text,
    status text NOT NULL CHECK (status IN ('draft', 'open', 'paid', 'uncollectible', 'void')),
    foreign_status text,
    amount_due bigint NOT NULL CHECK (amount_due BETWEEN 0 AND 999999999999),
    amount_paid bigint NOT NULL CHECK (amount_paid BETWEEN 0 AND 999999999999),
    currency text NOT NULL CHECK (length(currency) = 3),
    period_start timestamptz,
    period_end timestamptz,
    attempts bigint NOT NULL CHECK (attempts >= 0),
    next_attempt timestamptz,
    anomaly text,
    issued_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE (account, provider_invoice_id)
);
CREATE INDEX invoices_by_subscription ON invoices (subscription, issued_at, id);

ALTER TABLE checkouts ADD COLUMN subscription text;
ALTER TABLE checkouts ADD COLUMN method text;

ALTER TABLE payments ADD COLUMN subscription text REFERENCES subscriptions (id);
ALTER TABLE payments ADD COLUMN invoice text REFERENCES invoices (id);
ALTER TABLE payments ADD COLUMN off_session boolean NOT NULL DEFAULT false;
ALTER TABLE payments ADD COLUMN capture_before timestamptz;
ALTER TABLE payments ADD COLUMN expiry_told_at timestamptz;
CREATE INDEX payments_by_subscription ON payments (subscription, created_at, id);
CREATE INDEX payments_lapsing ON payments (status, capture_before, id) WHERE status = 'authorized';
CREATE INDEX payments_expiring ON payments (status, capture_before, id) WHERE status = 'authorized' AND expiry_told_at IS NULL;

CREATE TABLE refunds (
    id text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL CHECK (version >= 1),
    payment text NOT NULL REFERENCES payments (id),
    account text NOT NULL CHECK (account <> ''),
    provider text NOT NULL CHECK (provider <> ''),
    provider_refund_id text,
    status text NOT NULL CHECK (status IN ('pending', 'succeeded', 'failed', 'canceled')),
    foreign_status text,
    amount bigint NOT NULL CHECK (amount BETWEEN 1 AND 999999999999),
    currency text NOT NULL CHECK (length(currency) = 3),
    reason text,
    origin text NOT NULL CHECK (origin IN ('here', 'provider')),
    failure jsonb,
    anomaly text,
    request_key text UNIQUE,
    environment text NOT NULL CHECK (environment IN ('test', 'live')),
    metadata jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    synced_at timestamptz,
    UNIQUE (account, provider_refund_id)
);
CREATE INDEX refunds_by_age ON refunds (created_at, id);
CREATE INDEX refunds_by_status ON refunds (status, created_at, id);
CREATE INDEX refunds_by_payment ON refunds (payment, created_at, id);
CREATE INDEX refunds_pending ON refunds (status, coalesce(synced_at, created_at), id) WHERE status = 'pending';

CREATE TABLE disputes (
    id text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL CHECK (version >= 1),
    payment text NOT NULL REFERENCES payments (id),
    account text NOT NULL CHECK (account <> ''),
    provider text NOT NULL CHECK (provider <> ''),
    provider_dispute_id text NOT NULL CHECK (provider_dispute_id <> ''),
    status text NOT NULL CHECK (status IN ('inquiry', 'needs_response', 'under_review', 'won', 'lost', 'accepted')),
    foreign_status text,
    reason text NOT NULL CHECK (reason <> ''),
    foreign_reason text,
    amount bigint NOT NULL CHECK (amount BETWEEN 0 AND 999999999999),
    currency text NOT NULL CHECK (length(currency) = 3),
    fee bigint NOT NULL CHECK (fee BETWEEN 0 AND 999999999999),
    fee_currency text CHECK (length(fee_currency) = 3),
    withdrawn bigint NOT NULL CHECK (withdrawn BETWEEN 0 AND 999999999999),
    withdrawn_currency text CHECK (length(withdrawn_currency) = 3),
    reinstated bigint NOT NULL CHECK (reinstated BETWEEN 0 AND 999999999999),
    reinstated_currency text CHECK (length(reinstated_currency) = 3),
    due_at timestamptz,
    can_submit boolean NOT NULL,
    can_accept boolean NOT NULL,
    reminded_days bigint NOT NULL CHECK (reminded_days >= 0),
    submitted_at timestamptz,
    accepted_at timestamptz,
    closed_at timestamptz,
    anomaly text,
    environment text NOT NULL CHECK (environment IN ('test', 'live')),
    opened_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    synced_at timestamptz,
    CHECK ((fee_currency IS NOT NULL OR fee = 0) AND (withdrawn_currency IS NOT NULL OR withdrawn = 0) AND (reinstated_currency IS NOT NULL OR reinstated = 0)),
    UNIQUE (account, provider_dispute_id)
);
CREATE INDEX disputes_by_age ON disputes (created_at, id);
CREATE INDEX disputes_by_status ON disputes (status, created_at, id);
CREATE INDEX disputes_by_payment ON disputes (payment, created_at, id);
CREATE INDEX disputes_due ON disputes (status, due_at, id) WHERE status IN ('inquiry', 'needs_response') AND submitted_at IS NULL AND accepted_at IS NULL;

CREATE TABLE evidence (
    dispute text COLLATE "C" PRIMARY KEY REFERENCES disputes (id),
    version bigint NOT NULL CHECK (version >= 1),
    texts bytea,
    updated_at timestamptz NOT NULL
);

CREATE TABLE evidence_files (
    id text COLLATE "C" PRIMARY KEY,
    dispute text NOT NULL REFERENCES disputes (id),
    field text NOT NULL CHECK (field <> ''),
    name bytea,
    content_type text NOT NULL CHECK (content_type IN ('image/jpeg', 'image/png', 'application/pdf')),
    size bigint NOT NULL CHECK (size BETWEEN 1 AND 5242880),
    sha256 text NOT NULL CHECK (length(sha256) = 64),
    created_at timestamptz NOT NULL,
    content bytea NOT NULL,
    UNIQUE (dispute, field)
);
-- Files are sealed: trying to compress them costs time and gains nothing.
ALTER TABLE evidence_files ALTER COLUMN content SET STORAGE EXTERNAL;

-- asked is kept to the letter, as it was fingerprinted: json, not jsonb.
ALTER TABLE operations ALTER COLUMN payment DROP NOT NULL;
ALTER TABLE operations ADD COLUMN subject text CHECK (subject <> '');
UPDATE operations SET subject = payment;
ALTER TABLE operations ALTER COLUMN subject SET NOT NULL;
ALTER TABLE operations ALTER COLUMN currency DROP NOT NULL;
ALTER TABLE operations ADD CONSTRAINT operations_amount_currency CHECK (currency IS NOT NULL OR amount = 0);
ALTER TABLE operations ADD COLUMN asked json;
CREATE INDEX operations_by_subject ON operations (subject, created_at, id);

ALTER TABLE timeline ALTER COLUMN payment DROP NOT NULL;
ALTER TABLE timeline ADD COLUMN subject text CHECK (subject <> '');
UPDATE timeline SET subject = payment;
ALTER TABLE timeline ALTER COLUMN subject SET NOT NULL;
CREATE INDEX timeline_by_subject ON timeline (subject, at, id);
