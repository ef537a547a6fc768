ALTER TABLE checkouts DROP COLUMN buyer_country;
