CREATE INDEX payments_summary ON payments (created_at) INCLUDE (currency, account, provider, status, amount_captured);
CREATE INDEX refunds_summary ON refunds (created_at) INCLUDE (currency, account, provider, status, amount);
