package migrations

// staffColumns are of what staff do.
func staffColumns() map[string]string {
	return map[string]string{
		"audit_log.state_before": "JSON: what the action changed, as it was; null where nothing was there",
		"audit_log.state_after":  "JSON: as it was asked to be",
		"audit_log.from_address": "network address that it came from; null for the command line",
	}
}
