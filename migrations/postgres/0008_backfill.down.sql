DROP TABLE backfill_cursors;
DROP TABLE leases;
ALTER TABLE inbound_events DROP COLUMN source;
