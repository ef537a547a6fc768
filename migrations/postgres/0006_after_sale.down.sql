-- What tells of no payment cannot be kept. Line items lose their price: the program before refuses what it does not know.
DROP INDEX timeline_by_subject;
DELETE FROM timeline WHERE payment IS NULL;
ALTER TABLE timeline DROP COLUMN subject;
ALTER TABLE timeline ALTER COLUMN payment SET NOT NULL;

DROP INDEX operations_by_subject;
DELETE FROM operations WHERE payment IS NULL;
UPDATE operations SET currency = payments.currency FROM payments WHERE payments.id = operations.payment AND operations.currency IS NULL;
ALTER TABLE operations DROP COLUMN asked;
ALTER TABLE operations DROP CONSTRAINT operations_amount_currency;
ALTER TABLE operations ALTER COLUMN currency SET NOT NULL;
ALTER TABLE operations DROP COLUMN subject;
ALTER TABLE operations ALTER COLUMN payment SET NOT NULL;

UPDATE checkouts SET line_items = (SELECT jsonb_agg(i.item - 'price' ORDER BY i.place) FROM jsonb_array_elements(line_items) WITH ORDINALITY i (item, place))
WHERE jsonb_path_exists(line_items, '$[*].price');

DROP INDEX payments_expiring;
DROP INDEX payments_lapsing;
DROP INDEX payments_by_subscription;
ALTER TABLE payments DROP COLUMN expiry_told_at;
ALTER TABLE payments DROP COLUMN capture_before;
ALTER TABLE payments DROP COLUMN off_session;
ALTER TABLE payments DROP COLUMN invoice;
ALTER TABLE payments DROP COLUMN subscription;
ALTER TABLE checkouts DROP COLUMN method;
ALTER TABLE checkouts DROP COLUMN subscription;

DROP TABLE evidence_files;
DROP TABLE evidence;
DROP TABLE disputes;
DROP TABLE refunds;
DROP TABLE invoices;
DROP TABLE subscriptions;
DROP TABLE price_accounts;
DROP TABLE prices;
DROP TABLE payment_methods;
DROP TABLE customer_accounts;
DROP TABLE customers;
