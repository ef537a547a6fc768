package migrations

// notificationColumns are of notifications and of where they go.
func notificationColumns() map[string]string {
	return map[string]string{ //nolint:gosec // it tells of secrets and holds none
		"endpoints.old_secrets":        "JSON, sealed: those that were replaced and sign for a while longer",
		"endpoints.disabled_reason":    "`gone` after 410, `failing` after three days without an answer that takes anything",
		"endpoints.failures":           "failed tries since the last one that did not",
		"endpoints.failing_since":      "of the first of them, by the wall clock",
		"endpoints.paused_until":       "nothing is sent before, by the wall clock",
		"notifications.sequence":       "the event's",
		"notifications.subject":        "the event's",
		"notifications.status":         "a pending one of a disabled endpoint is shown as held, of a removed one as dropped",
		"notifications.attempts":       "begun tries of the present round",
		"notifications.due_at":         "when it may be tried next, by the wall clock; the beginning of 1970 for at once",
		"notifications.leased":         "whether a try is under way, which counts as dead after `due_at`",
		"notifications.first_tried_at": "of the present round, by the wall clock; null before",
		"notifications.last_tried_at":  "by the wall clock",
		"notifications.answer_status":  "HTTP; null where no answer came",
		"notifications.answer":         "the beginning of the last answer, sealed",
		"notifications.error":          "why the last try came to nothing",
		"notifications.trace":          "W3C traceparent of what caused it",
		"notifications.delivered_at":   "by the wall clock; null before",
	}
}
