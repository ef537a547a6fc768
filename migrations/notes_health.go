package migrations

// webhookHealthColumns are of how webhooks are doing.
func webhookHealthColumns() map[string]string {
	return map[string]string{
		"webhook_counts.hour":         "its beginning",
		"webhook_counts.result":       "`received`, or why posts were refused",
		"webhook_checks.state":        "of the registration for our address; `unknown` where it was never read",
		"webhook_checks.missing":      "JSON: types of events that are needed and not sent",
		"webhook_checks.api_versions": "JSON: that its events are written in",
		"webhook_checks.note":         "why the last look failed; null where it did not",
		"webhook_checks.first_at":     "of the first look",
		"webhook_checks.tried_at":     "of the last look",
		"webhook_checks.checked_at":   "of the last look that did not fail; null before the first",
	}
}
