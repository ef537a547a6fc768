package migrations

import "maps"

// Tables says what each table is for, for docs/schema.md. A test holds it against the
// schema, so that no table comes without its line.
func Tables() map[string]string {
	return map[string]string{
		"instance":            "The database's one environment, `test` or `live`, written at the first start and never changed.",
		"counters":            "Numbers that grow with each commit. `events` is the last sequence number of `events`; whoever moves it holds it until the commit, so that numbers become visible in order.",
		"checkouts":           "What a storefront asked to be paid, or to be allowed to charge. `lease` is the one attempt that may go on now.",
		"payments":            "Money asked from accounts, one row each attempt. Only a sight of the provider's object changes status and amounts.",
		"operations":          "Mutating calls to providers, written down before they are sent. The id is the idempotency key.",
		"timeline":            "What happened to each payment, subscription and saved method, and why an input changed nothing. Rows are only added.",
		"events":              "Our own events in order, each with the object as it stood when it happened, sealed.",
		"inbound_events":      "Providers' webhooks, once each. The body is sealed.",
		"leases":              "What one process at a time may be at, by name, and until when it may.",
		"drift_runs":          "The last comparison of each account with its provider.",
		"drifts":              "What remained of it: objects that are not here as they are there.",
		"backfill_cursors":    "How far the walk through each of an account's lists came, in search of what no webhook brought.",
		"webhook_counts":      "What became of the posts to accounts' webhook addresses, by the hour, for 30 days. Refused posts are stored nowhere else.",
		"webhook_checks":      "What was last seen of each account's registered webhook.",
		"idempotency_records": "Storefront calls by their Idempotency-Key, with the first answer. The body is sealed.",
		"api_keys":            "Storefronts' keys, as hashes.",
		"sessions":            "Members of staff at browsers, with a hash of the cookie's token; removed when they end.",
		"sign_in_tries":       "Tries to sign in that failed in a row, by hash of the email or network address; kept for a day.",
		"staff":               "People of the back office. Passwords and tokens are hashes.",
		"audit_head":          "The end of the audit log's chain; locked by whoever adds a line.",
		"audit_log":           "Who did, or was refused, what. Each line carries the hash of the one before. Rows are only added.",
		"endpoints":           "Where storefronts are notified. The secret is sealed.",
		"notifications":       "What storefronts are told: one row for each event and endpoint that wants it, written with the event. What is told of one subject is sent in order; answers are sealed.",
		"customers":           "Buyers whom a storefront knows by an id of ours. Email and name are sealed.",
		"customer_accounts":   "Customers' counterparts at accounts, made when they are first needed.",
		"payment_methods":     "Ways to pay that customers left with an account, and attempts to leave one.",
		"prices":              "What something costs, once or again and again. Rows never change.",
		"price_accounts":      "Prices' counterparts at accounts, made when they are first needed.",
		"subscriptions":       "Prices that customers pay again and again, billed by one account. Only a sight of the provider's object changes the status.",
		"invoices":            "What subscriptions ask for each period, mirrored from the provider.",
		"approvals":           "Refunds that one member of staff asked for and a second must agree to. The amount is not reserved.",
		"refunds":             "Money that goes back to buyers. Pending and succeeded ones take from what is left to refund.",
		"disputes":            "Buyers' complaints to their bank or to the provider. Only a sight of the provider's object changes the status.",
		"evidence":            "Drafts of answers to disputes, kept here alone until they are submitted. The texts are sealed.",
		"evidence_files":      "Files of such answers. Name and content are sealed.",
	}
}

// Columns says what is not plain from a column's name, by "table.column".
func Columns() map[string]string {
	all := saleColumns()
	maps.Copy(all, recordColumns())
	maps.Copy(all, standingColumns())
	maps.Copy(all, notificationColumns())
	maps.Copy(all, givenBackColumns())
	maps.Copy(all, historyColumns())
	maps.Copy(all, repairColumns())
	maps.Copy(all, webhookHealthColumns())
	maps.Copy(all, staffColumns())
	return all
}

// saleColumns are of what is sold, and of the calls that it takes.
func saleColumns() map[string]string {
	return map[string]string{
		"checkouts.version":            "grows by one with each change",
		"checkouts.amount":             "minor units",
		"checkouts.line_items":         "JSON list of `price` (where it is of one), `name`, `amount`, `quantity`; the currency is the checkout's",
		"checkouts.providers":          "JSON list; empty offers all that can",
		"checkouts.buyer_country":      "ISO 3166-1 alpha-2; null where the storefront did not tell",
		"checkouts.buyer_email":        "sealed",
		"checkouts.buyer_mark":         "by which its email is found, in lower case, without the email; null where there is none, and of checkouts from before there were marks",
		"customers.email_mark":         "as `checkouts.buyer_mark`",
		"payments.last4":               "of `method`",
		"checkouts.buyer_name":         "sealed",
		"checkouts.request_key":        "of the API call that made it, so that the same call finds it again",
		"checkouts.lease":              "a payment's, a subscription's or a saved method's id, as `mode` says; null while the next attempt may start",
		"checkouts.attempts":           "how many were started; no more than 20 may be",
		"checkouts.payment":            "the newest attempt, or the one that completed it",
		"checkouts.subscription":       "the same in mode `subscription`",
		"checkouts.method":             "the same in mode `setup`",
		"payments.version":             "grows by one with each change",
		"payments.checkout":            "null where a saved method was charged without the buyer, or a subscription's billing asked",
		"payments.subscription":        "whose billing asked for it; null elsewhere, as is `invoice`",
		"payments.off_session":         "whether a saved method was charged without the buyer",
		"payments.capture_before":      "when the authorization runs out; null where the provider does not say",
		"payments.expiry_told_at":      "when storefronts were told that it will",
		"payments.hosted":              "whether the buyer pays on the provider's own page",
		"payments.provider_session_id": "that page's object, where it is another than the payment's; null elsewhere",
		"payments.provider_payment_id": "null until the provider named one",
		"payments.foreign_status":      "the provider's own word",
		"payments.amount":              "minor units asked for; never changes",
		"payments.amount_authorized":   "minor units held or taken at the highest",
		"payments.amount_captured":     "minor units",
		"payments.amount_refunded":     "minor units",
		"payments.method":              "JSON: type, brand, last four digits, expiry; never a card number",
		"payments.failure":             "JSON, of a failed payment",
		"payments.review":              "why staff must decide",
		"payments.anomaly":             "the last thing seen that the rules forbid",
		"payments.synced_at":           "of the last look at the provider's object",
		"operations.payment":           "whose money it is about; null for none",
		"operations.subject":           "the object that it works on: the payment, a refund, a dispute, a customer, a saved method, a price or a subscription",
		"operations.amount":            "minor units asked for; 0 where the kind has none",
		"operations.currency":          "null where nothing about the subject has an amount",
		"operations.asked":             "JSON: what else was asked, so that the same request can go again; no secret, no personal data",
		"operations.request_hash":      "fingerprint of what is asked for, so that a key never goes out with another request",
		"operations.source":            "sealed: the one-time token that a confirmation is made with; null otherwise, and once settled",
		"operations.attempts":          "how often it was sent",
		"operations.object_id":         "the provider's object that the answer named",
		"operations.request_id":        "the provider's id of the last call",
		"operations.settled_at":        "null while the outcome is not known",
	}
}

// recordColumns are of what is kept about all of it, and about those who ask.
func recordColumns() map[string]string {
	return map[string]string{ //nolint:gosec // notes about secrets, none of them one
		"timeline.payment":                 "whose history it belongs to; null for none",
		"timeline.subject":                 "the object that it tells of: the payment, one of its refunds or disputes, a subscription or a saved method",
		"timeline.verdict":                 "of an observation: `advance`, `stale` or `impossible`",
		"timeline.trace_id":                "where to find it in the traces",
		"events.data":                      "the object as the API showed it at that moment, sealed",
		"inbound_events.ref_kind":          "what the message names: the object to look at",
		"inbound_events.body":              "raw, sealed",
		"inbound_events.source":            "`webhook`, or `backfill` where the provider's list brought what no webhook had",
		"inbound_events.note":              "why it was ignored, or the last error",
		"idempotency_records.locked_at":    "when the running call began; null once it is done",
		"idempotency_records.status":       "HTTP status of the answer; 0 while running",
		"idempotency_records.body":         "sealed",
		"idempotency_records.key":          "the Idempotency-Key header",
		"api_keys.hash":                    "SHA-256 of the key, which is random and long",
		"api_keys.hint":                    "the key's last four characters",
		"staff.password_hash":              "argon2id",
		"staff.token_hash":                 "SHA-256 of the staff token",
		"audit_log.previous":               "hash of the line before",
		"audit_log.hash":                   "over the line and the hash before it",
		"endpoints.types":                  "JSON list; empty means all",
		"endpoints.secret":                 "sealed",
		"endpoints.deleted_at":             "set where the storefront removed it",
		"instance.stamped_at":              "of the first start",
		"idempotency_records.request_hash": "of method, path and body",
	}
}
