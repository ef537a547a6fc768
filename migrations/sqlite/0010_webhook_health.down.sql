DROP TABLE webhook_checks;
DROP TABLE webhook_counts;
DROP INDEX inbound_events_missed;
DROP INDEX inbound_events_by_type;
