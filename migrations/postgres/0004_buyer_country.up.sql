ALTER TABLE checkouts ADD COLUMN buyer_country text;
