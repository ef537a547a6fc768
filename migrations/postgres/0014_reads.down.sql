DROP INDEX audit_log_by_actor;
DROP INDEX audit_log_by_subject;
DROP INDEX timeline_by_inbound;
DROP INDEX inbound_events_failed;

DROP INDEX customers_by_email;
ALTER TABLE customers DROP COLUMN email_mark;
DROP INDEX checkouts_by_buyer;
DROP INDEX checkouts_by_customer;
DROP INDEX checkouts_by_reference;
DROP INDEX checkouts_by_age;
ALTER TABLE checkouts DROP COLUMN buyer_mark;

DROP INDEX subscriptions_by_reference;
DROP INDEX disputes_by_due;
DROP INDEX refunds_by_amount;
DROP INDEX refunds_by_account;

DROP INDEX payments_disputed;
DROP INDEX payments_by_provider;
DROP INDEX payments_by_amount;
DROP INDEX payments_by_last4;
ALTER TABLE payments DROP COLUMN last4;
