-- What is looked at again by its age and state alone, and what waits for staff. The same as the other database's; what each column is for stands in notes.go.

ALTER TABLE payments ADD COLUMN look_at timestamptz;
ALTER TABLE refunds ADD COLUMN look_at timestamptz;
ALTER TABLE disputes ADD COLUMN look_at timestamptz;
ALTER TABLE payment_methods ADD COLUMN look_at timestamptz;
ALTER TABLE subscriptions ADD COLUMN look_at timestamptz;
ALTER TABLE operations ADD COLUMN look_at timestamptz;
ALTER TABLE checkouts ADD COLUMN look_at timestamptz;
ALTER TABLE inbound_events ADD COLUMN looked_at timestamptz;
ALTER TABLE operations ADD COLUMN looked_at timestamptz;
ALTER TABLE operations ADD COLUMN given_up_at timestamptz;
ALTER TABLE operations ADD COLUMN given_up text;
ALTER TABLE operations ADD COLUMN place bigint NOT NULL DEFAULT 0 CHECK (place BETWEEN 0 AND 2);

-- What is open is due at once; each look then says when the next one is.
UPDATE payments SET look_at = coalesce(synced_at, created_at) WHERE status IN ('processing', 'requires_action', 'authorized') AND (provider_payment_id IS NOT NULL OR provider_session_id IS NOT NULL);
UPDATE refunds SET look_at = coalesce(synced_at, created_at) WHERE status = 'pending' AND provider_refund_id IS NOT NULL;
UPDATE disputes SET look_at = coalesce(synced_at, created_at) WHERE status IN ('inquiry', 'needs_response', 'under_review');
UPDATE payment_methods SET look_at = coalesce(synced_at, created_at) WHERE status = 'pending' AND (provider_method_id IS NOT NULL OR provider_setup_id IS NOT NULL);
UPDATE subscriptions SET look_at = coalesce(synced_at, created_at) WHERE status <> 'canceled' AND provider_subscription_id IS NOT NULL;
UPDATE operations SET look_at = coalesce(sent_at, created_at), place = CASE status WHEN 'unknown' THEN 2 ELSE 1 END WHERE status IN ('pending', 'unknown');

CREATE INDEX payments_to_look ON payments (account, look_at, id) WHERE look_at IS NOT NULL;
CREATE INDEX refunds_to_look ON refunds (account, look_at, id) WHERE look_at IS NOT NULL;
CREATE INDEX disputes_to_look ON disputes (account, look_at, id) WHERE look_at IS NOT NULL;
CREATE INDEX payment_methods_to_look ON payment_methods (account, look_at, id) WHERE look_at IS NOT NULL;
CREATE INDEX subscriptions_to_look ON subscriptions (account, look_at, id) WHERE look_at IS NOT NULL;
CREATE INDEX operations_to_look ON operations (account, look_at, id) WHERE look_at IS NOT NULL;
CREATE INDEX inbound_events_waiting ON inbound_events (coalesce(looked_at, received_at), id) WHERE status = 'received';
CREATE INDEX disputes_for_staff ON disputes (account, status) WHERE anomaly IN ('stuck', 'missing');
CREATE INDEX subscriptions_for_staff ON subscriptions (account, status) WHERE anomaly IN ('stuck', 'missing');
CREATE INDEX operations_by_place ON operations (place, created_at, id);
DROP INDEX checkouts_open_by_expiry;
CREATE INDEX checkouts_to_expire ON checkouts (coalesce(look_at, expires_at), id) WHERE status = 'open';
DROP INDEX payments_lapsing;
DROP INDEX refunds_pending;
CREATE INDEX refunds_pending ON refunds (account, created_at) WHERE status = 'pending';
DROP INDEX subscriptions_overdue;
ALTER TABLE subscriptions DROP COLUMN over_at;

-- An end that could not be brought in its period is due since it was asked for.
DROP INDEX subscriptions_to_cancel;
CREATE INDEX subscriptions_to_cancel ON subscriptions ((CASE WHEN current_period_start > canceled_at THEN canceled_at ELSE current_period_end END), id) WHERE cancel_here AND status <> 'canceled';
