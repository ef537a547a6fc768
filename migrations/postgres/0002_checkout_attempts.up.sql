ALTER TABLE checkouts ADD COLUMN attempts bigint NOT NULL DEFAULT 0 CHECK (attempts >= 0);
UPDATE checkouts SET attempts = (SELECT count(*) FROM payments WHERE payments.checkout = checkouts.id);
