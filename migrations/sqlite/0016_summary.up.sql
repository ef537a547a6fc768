CREATE INDEX payments_summary ON payments (created_at, currency, account, provider, status, amount_captured);
CREATE INDEX refunds_summary ON refunds (created_at, currency, account, provider, status, amount);
