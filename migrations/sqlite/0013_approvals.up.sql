CREATE TABLE approvals (
    id TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL CHECK (version >= 1),
    status TEXT NOT NULL CHECK (status IN ('pending', 'approved', 'rejected')),
    payment TEXT NOT NULL REFERENCES payments (id),
    amount INTEGER NOT NULL CHECK (amount BETWEEN 1 AND 999999999999),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    reason TEXT NOT NULL CHECK (reason <> ''),
    note TEXT,
    asked_by TEXT NOT NULL CHECK (asked_by <> ''),
    decided_by TEXT,
    refund TEXT UNIQUE REFERENCES refunds (id),
    request_key TEXT UNIQUE,
    environment TEXT NOT NULL CHECK (environment IN ('test', 'live')),
    created_at TEXT NOT NULL CHECK (length(created_at) = 27),
    expires_at TEXT NOT NULL CHECK (length(expires_at) = 27),
    decided_at TEXT CHECK (length(decided_at) = 27),
    CHECK ((status = 'pending') = (decided_by IS NULL) AND (status = 'pending') = (decided_at IS NULL) AND (status = 'approved') = (refund IS NOT NULL))
) STRICT;
CREATE INDEX approvals_by_age ON approvals (created_at, id);
CREATE INDEX approvals_by_payment ON approvals (payment, created_at, id);
