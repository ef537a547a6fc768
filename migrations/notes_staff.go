package migrations

// staffColumns are of what staff do.
func staffColumns() map[string]string {
	return map[string]string{
		"approvals.note":         "of who asked",
		"approvals.asked_by":     "staff id of who asked, and may not approve it",
		"approvals.refund":       "what it became; null unless it was approved",
		"approvals.expires_at":   "from when on a pending one can be decided no more",
		"audit_log.state_before": "JSON: what the action changed, as it was; null where nothing was there",
		"audit_log.state_after":  "JSON: as it was asked to be",
		"audit_log.from_address": "network address that it came from; null for the command line",
	}
}
