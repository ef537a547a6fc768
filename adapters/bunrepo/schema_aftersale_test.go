package bunrepo_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/bunrepo"
	"github.com/paydesk/paydesk/adapters/bunrepo/repotest"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// beforeAfterSale is the schema's version before anything could follow a sale.
const beforeAfterSale = 5

// keptQueries give everything of the old tables that every version of the schema holds.
var keptQueries = []string{
	`SELECT id, version, reference, mode, status, amount, currency, lease, payment, attempts, buyer_country, expires_at, updated_at FROM checkouts ORDER BY id`,
	`SELECT id, version, checkout, reference, customer, account, provider_payment_id, provider_session_id, status, amount, amount_captured, currency, created_at FROM payments ORDER BY id`,
	`SELECT id, version, kind, account, payment, amount, request_hash, request_key, status, attempts, object_id, request_id, created_at, sent_at, settled_at FROM operations WHERE payment IS NOT NULL ORDER BY id`,
	`SELECT id, payment, kind, cause_kind, cause_inbound, cause_actor, operation, status, from_status, to_status, verdict, reason, note, trace_id, at FROM timeline WHERE payment IS NOT NULL ORDER BY id`,
	`SELECT count(*) FROM events`,
}

func kept(t *testing.T, url string) (all []string) {
	t.Helper()
	db := database(t, url)
	for _, query := range keptQueries {
		all = append(all, lines(t, db, query)...)
	}
	return all
}

// TestMigrationsKeepWhatIsThere goes down from and up to the schema of what happens after a sale
// with rows in all tables. Down loses what the older schema cannot hold, and nothing else.
func TestMigrationsKeepWhatIsThere(t *testing.T) {
	t.Parallel()
	eachURL(t, func(t *testing.T, url string) {
		ctx := t.Context()
		store, closeStore, err := bunrepo.Open(ctx, repotest.Options(url))
		require.NoError(t, err)
		old, sold := fill(t, store), fill(t, store)
		refundCall, priceCall := soldOnlyNow(t, store, &sold)
		closeStore()
		before := kept(t, url)

		version, err := bunrepo.MigrateDown(ctx, url, beforeAfterSale)
		require.NoError(t, err)
		require.Equal(t, beforeAfterSale, version)
		require.Equal(t, before, kept(t, url))
		require.Equal(t, []string{"0"}, lines(t, database(t, url), `SELECT count(*) FROM operations WHERE payment IS NULL`), "of no payment")
		items := lines(t, database(t, url), fmt.Sprintf(`SELECT line_items FROM checkouts WHERE id = '%s'`, sold.checkout.ID))
		require.Len(t, items, 1)
		require.NotContains(t, items[0], "price")
		require.Regexp(t, `a shirt.*a pin`, items[0], "in their order")

		_, err = bunrepo.MigrateUp(ctx, url, core.EnvTest)
		require.NoError(t, err)
		require.Equal(t, before, kept(t, url))
		store = repotest.Open(t, url)
		operation, err := store.Operation(ctx, old.operation.ID)
		require.NoError(t, err)
		require.Equal(t, old.operation, operation, "whose subject is its payment")
		list, err := store.SubjectOperations(ctx, string(old.payment.ID))
		require.NoError(t, err)
		require.Equal(t, []core.Operation{old.operation}, list)
		entries, err := store.SubjectTimeline(ctx, string(old.payment.ID), nil, 5)
		require.NoError(t, err)
		require.Len(t, entries, 1)
		payment, err := store.Payment(ctx, sold.payment.ID)
		require.NoError(t, err)
		want := sold.payment
		want.Subscription, want.OffSession = "", false
		require.Equal(t, want, payment)
		checkout, err := store.Checkout(ctx, sold.checkout.ID)
		require.NoError(t, err)
		want2 := sold.checkout
		want2.LineItems[0].Price, want2.Subscription = "", ""
		require.Equal(t, want2, checkout)
		about, err := store.Operation(ctx, refundCall.ID)
		require.NoError(t, err)
		require.Equal(t, string(sold.payment.ID), about.Subject, "what it was is not known any more")
		require.Equal(t, core.Zero("EUR"), about.Amount, "none is none of the payment's currency")
		_, err = store.Operation(ctx, priceCall.ID)
		require.ErrorIs(t, err, ports.ErrNotFound)
		sold.after.evidence.Version = 0
		require.NoError(t, store.InTx(ctx, sold.after.insert), "the tables are empty")
	})
}

// soldOnlyNow gives a filled sale what only the newest schema holds, and two operations on what
// is no payment.
func soldOnlyNow(t *testing.T, store *bunrepo.Store, r *row) (ofRefund, ofPrice core.Operation) {
	t.Helper()
	ofRefund, ofPrice = r.operation, r.operation
	ofRefund.ID, ofPrice.ID = newID[core.OperationID](), newID[core.OperationID]()
	ofRefund.RequestKey, ofPrice.RequestKey, ofPrice.Payment = "", "", ""
	ofRefund.Subject, ofPrice.Subject = string(r.after.refund.ID), string(r.after.price.ID)
	ofRefund.Amount, ofPrice.Amount, ofPrice.Asked = core.Money{}, core.Money{}, []byte(`{"a":1}`)
	r.payment.Subscription, r.payment.OffSession = r.after.subscription.ID, true
	r.checkout.Subscription = r.after.subscription.ID
	pin := r.checkout.LineItems[0]
	pin.Name = "a pin"
	r.checkout.LineItems[0].Price = r.after.price.ID
	r.checkout.LineItems = append(r.checkout.LineItems, pin)
	require.NoError(t, store.InTx(t.Context(), func(ctx context.Context, tx ports.Tx) (err error) {
		if r.payment, err = tx.UpdatePayment(ctx, r.payment); err != nil {
			return err
		}
		if r.checkout, err = tx.UpdateCheckout(ctx, r.checkout); err != nil {
			return err
		}
		for _, operation := range []core.Operation{ofRefund, ofPrice} {
			if _, err := tx.InsertOperation(ctx, operation); err != nil {
				return err
			}
		}
		return tx.AppendTimeline(ctx, core.TimelineEntry{
			ID: newID[core.TimelineID](), Subject: string(r.after.subscription.ID), Kind: core.TimelineCreated, Cause: core.Cause{Kind: core.CauseBuyer}, At: moment,
		})
	}))
	return ofRefund, ofPrice
}
