DROP TABLE drifts;
DROP TABLE drift_runs;
