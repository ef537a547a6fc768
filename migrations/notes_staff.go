package migrations

// staffColumns are of what staff do.
func staffColumns() map[string]string {
	return map[string]string{ //nolint:gosec // what columns are for, and nothing of what is in them
		"sessions.token_hash":       "SHA-256 of the token in the cookie",
		"sessions.seen_at":          "of the last request, to the minute",
		"sign_in_tries.subject":     "SHA-256 of what they are counted for, whether or not somebody has that email",
		"staff.code_secret":         "what the authenticator app shares with us, in base32; null where a password is enough",
		"staff.code_pending":        "one that no first code confirmed yet",
		"staff.code_step":           "of the last code that was accepted, in steps of 30 s since 1970",
		"staff.recovery_hashes":     "JSON list of SHA-256, of codes that are good once each",
		"operations.claimed":        "`done` or `not_done`: what a member of staff says of it; null for nothing",
		"operations.claimed_object": "the provider's object that shows it",
		"operations.claimed_by":     "staff id",
		"operations.confirmed_by":   "staff id of a second person who says the same; null while nobody did",
		"disputes.owner":            "staff id of whose task it is; null for nobody's",
		"timeline.text":             "what a member of staff wrote, sealed; null but for notes",
		"approvals.note":            "of who asked",
		"approvals.asked_by":        "staff id of who asked, and may not approve it",
		"approvals.refund":          "what it became; null unless it was approved",
		"approvals.expires_at":      "from when on a pending one can be decided no more",
		"audit_log.state_before":    "JSON: what the action changed, as it was; null where nothing was there",
		"audit_log.state_after":     "JSON: as it was asked to be",
		"audit_log.from_address":    "network address that it came from; null for the command line",
	}
}
