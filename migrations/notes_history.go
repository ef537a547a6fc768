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
		"drift_runs.from_time":          "what was made or changed from then until `until_time` is compared",
		"drift_runs.step":               "of the comparison, at which it goes on; `page` is where in it",
		"drift_runs.others":             "objects of other programs",
		"drift_runs.unreadable":         "objects that the provider shows in no words of ours",
		"drift_runs.note":               "why it failed; null where it did not",
		"drift_runs.ended_at":           "null until it came to its end",
		"drifts.foreign_id":             "the provider's",
		"drifts.object_id":              "ours; null where nothing is held",
		"drifts.fields":                 "a list of objects with `field`, `ours` and `theirs`",
		"drifts.note":                   "why it could not be repaired",
		"backfill_cursors.succeeded_at": "of the last run that got through",
	}
}
