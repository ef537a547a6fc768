package migrations

// historyColumns are of walks through providers' lists.
func historyColumns() map[string]string {
	return map[string]string{
		"leases.holder":                 "a random name for each time it is taken",
		"backfill_cursors.stream":       "the list; `open` is no list but our own objects that are not final, looked at one by one",
		"backfill_cursors.status":       "`behind` goes on by itself; `incomplete` lacks a time that the provider does not list any more",
		"backfill_cursors.taken_until":  "the provider's time up to which everything was taken",
		"backfill_cursors.window_until": "of the window under way; null, as `window_from`, where none is",
		"backfill_cursors.page":         "the provider's cursor at which the window goes on",
		"backfill_cursors.found":        "events and objects, ever, that no webhook had brought",
		"backfill_cursors.note":         "why the last run failed, or what is missing",
		"backfill_cursors.ran_at":       "of the last run, whatever came of it",
		"backfill_cursors.succeeded_at": "of the last run that got through",
	}
}
