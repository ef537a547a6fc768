ALTER TABLE payments ADD COLUMN last4 text;
UPDATE payments SET last4 = method ->> 'last4' WHERE method IS NOT NULL;
CREATE INDEX payments_by_last4 ON payments (last4, created_at, id);
CREATE INDEX payments_by_amount ON payments (currency, amount, created_at, id);
CREATE INDEX payments_by_provider ON payments (provider, created_at, id);
CREATE INDEX payments_disputed ON payments (created_at, id) WHERE disputed;

CREATE INDEX refunds_by_account ON refunds (account, created_at, id);
CREATE INDEX refunds_by_amount ON refunds (currency, amount, created_at, id);
CREATE INDEX disputes_by_due ON disputes (due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX subscriptions_by_reference ON subscriptions (reference, created_at, id);

ALTER TABLE checkouts ADD COLUMN buyer_mark text;
CREATE INDEX checkouts_by_age ON checkouts (created_at, id);
CREATE INDEX checkouts_by_reference ON checkouts (reference, created_at, id);
CREATE INDEX checkouts_by_customer ON checkouts (customer, created_at, id);
CREATE INDEX checkouts_by_buyer ON checkouts (buyer_mark, created_at, id);
ALTER TABLE customers ADD COLUMN email_mark text;
CREATE INDEX customers_by_email ON customers (email_mark, created_at, id);

CREATE INDEX inbound_events_failed ON inbound_events (received_at, id) WHERE status = 'failed';
CREATE INDEX timeline_by_inbound ON timeline (cause_inbound, at, id) WHERE cause_inbound IS NOT NULL;
CREATE INDEX audit_log_by_subject ON audit_log (subject, sequence);
CREATE INDEX audit_log_by_actor ON audit_log (actor, sequence);
