CREATE TABLE approvals (
    id text COLLATE "C" NOT NULL PRIMARY KEY,
    version bigint NOT NULL CHECK (version >= 1),
    status text NOT NULL CHECK (status IN ('pending', 'approved', 'rejected')),
    payment text COLLATE "C" NOT NULL REFERENCES payments (id),
    amount bigint NOT NULL CHECK (amount BETWEEN 1 AND 999999999999),
    currency text NOT NULL CHECK (length(currency) = 3),
    reason text NOT NULL CHECK (reason <> ''),
    note text,
    asked_by text NOT NULL CHECK (asked_by <> ''),
    decided_by text,
    refund text COLLATE "C" UNIQUE REFERENCES refunds (id),
    request_key text UNIQUE,
    environment text NOT NULL CHECK (environment IN ('test', 'live')),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    decided_at timestamptz,
    CHECK ((status = 'pending') = (decided_by IS NULL) AND (status = 'pending') = (decided_at IS NULL) AND (status = 'approved') = (refund IS NOT NULL))
);
CREATE INDEX approvals_by_age ON approvals (created_at, id);
CREATE INDEX approvals_by_payment ON approvals (payment, created_at, id);
