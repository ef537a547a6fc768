package migrations

// repairColumns are of what is looked at again, and of what waits for staff.
func repairColumns() map[string]string {
	return map[string]string{
		"payments.look_at":         "when it is looked at again, should nobody do so before; follows from the row. Null where it has come to its end. The same elsewhere",
		"checkouts.look_at":        "when its end is tried again that could not be brought in time; null before the first try",
		"operations.looked_at":     "when its outcome was last asked for without sending it",
		"operations.look_at":       "when its outcome is asked for again, should nobody do so before; null once it is settled",
		"operations.given_up_at":   "since when it waits for staff; of no matter once it is settled",
		"operations.given_up":      "why: `not_found`, `unanswered`, `no_account` or `our_failure`",
		"operations.place":         "in lists: 2 where the outcome is unknown, 1 where it was perhaps not sent, 0 once settled",
		"inbound_events.looked_at": "when one that waits was last taken up by the sweep; null before",
	}
}
