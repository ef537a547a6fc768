DROP INDEX refunds_summary;
DROP INDEX payments_summary;
