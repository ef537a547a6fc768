package bunrepo_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/bunrepo"
	"github.com/paydesk/paydesk/adapters/bunrepo/repotest"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// afterSale holds one of everything that can follow a sale.
type afterSale struct {
	customer     core.Customer
	account      core.CustomerAccount
	method       core.SavedMethod
	price        core.Price
	priceAccount core.PriceAccount
	subscription core.Subscription
	invoice      core.Invoice
	refund       core.Refund
	dispute      core.Dispute
	evidence     core.Evidence
	file         core.EvidenceFile
}

// newAfterSale makes one of everything about a payment.
func newAfterSale(p core.Payment) (a afterSale) {
	key := func() core.RequestKey { return core.RequestKey(newID[core.EventID]()) }
	a.customer = core.Customer{
		ID: newID[core.CustomerID](), Email: secret, Name: secret, RequestKey: key(), Environment: core.EnvTest, CreatedAt: moment, UpdatedAt: moment,
	}
	a.account = core.CustomerAccount{Customer: a.customer.ID, Account: "stripe", ProviderCustomerID: "cus_" + string(a.customer.ID), CreatedAt: moment}
	a.method = core.SavedMethod{
		ID: newID[core.MethodID](), Customer: a.customer.ID, Account: "stripe", Provider: core.ProviderStripe, Status: core.MethodActive,
		Environment: core.EnvTest, CreatedAt: moment, UpdatedAt: moment,
	}
	a.method.ProviderMethodID, a.method.ProviderSetupID = "pm_"+string(a.method.ID), "seti_"+string(a.method.ID)
	a.price = core.Price{ID: newID[core.PriceID](), Name: "plan", Amount: p.Amount, RequestKey: key(), Environment: core.EnvTest, CreatedAt: moment}
	a.priceAccount = core.PriceAccount{Price: a.price.ID, Account: "stripe", ProviderPriceID: "price_" + string(a.price.ID), CreatedAt: moment}
	a.subscription = core.Subscription{
		ID: newID[core.SubscriptionID](), Customer: a.customer.ID, Account: "stripe", Provider: core.ProviderStripe, Status: core.SubscriptionActive,
		Quantity: 1, Amount: p.Amount, CurrentPeriodEnd: moment, CancelHere: true, Environment: core.EnvTest, CreatedAt: moment, UpdatedAt: moment,
	}
	a.subscription.ProviderSubscriptionID = "sub_" + string(a.subscription.ID)
	a.invoice = core.Invoice{
		ID: newID[core.InvoiceID](), Subscription: a.subscription.ID, Account: "stripe", Status: core.InvoicePaid, AmountDue: p.Amount, AmountPaid: p.Amount,
		IssuedAt: moment, CreatedAt: moment, UpdatedAt: moment,
	}
	a.invoice.ProviderInvoiceID = "in_" + string(a.invoice.ID)
	a.refund = core.Refund{
		ID: newID[core.RefundID](), Payment: p.ID, Account: "stripe", Provider: core.ProviderStripe, Status: core.RefundPending, Amount: p.Amount,
		Origin: core.OriginHere, RequestKey: key(), Environment: core.EnvTest, CreatedAt: moment, UpdatedAt: moment,
	}
	a.refund.ProviderRefundID = "re_" + string(a.refund.ID)
	a.dispute = core.Dispute{
		ID: newID[core.DisputeID](), Payment: p.ID, Account: "stripe", Provider: core.ProviderStripe, Status: core.DisputeInquiry,
		Reason: core.DisputeGeneral, Amount: p.Amount, DueAt: moment, Environment: core.EnvTest, CreatedAt: moment, UpdatedAt: moment,
	}
	a.dispute.ProviderDisputeID = "du_" + string(a.dispute.ID)
	a.evidence = core.Evidence{Dispute: a.dispute.ID, Texts: map[core.EvidenceField]string{core.EvidenceCustomerEmail: secret}, UpdatedAt: moment}
	a.file = core.EvidenceFile{
		ID: newID[core.FileID](), Dispute: a.dispute.ID, Field: core.EvidenceReceipt, Name: secret + ".pdf", ContentType: "application/pdf",
		Size: int64(len(secret)), SHA256: strings.Repeat("00", 32), CreatedAt: moment,
	}
	return a
}

func (a *afterSale) insert(ctx context.Context, tx ports.Tx) error {
	var failed []error
	note := func(_ any, err error) { failed = append(failed, err) }
	note(tx.InsertCustomer(ctx, a.customer))
	note(nil, tx.InsertCustomerAccount(ctx, a.account))
	note(tx.InsertMethod(ctx, a.method))
	note(tx.InsertPrice(ctx, a.price))
	note(nil, tx.InsertPriceAccount(ctx, a.priceAccount))
	note(tx.InsertSubscription(ctx, a.subscription))
	note(tx.InsertInvoice(ctx, a.invoice))
	note(tx.InsertRefund(ctx, a.refund))
	note(tx.InsertDispute(ctx, a.dispute))
	note(tx.SaveEvidence(ctx, a.evidence))
	note(nil, tx.PutEvidenceFile(ctx, a.file, []byte(secret)))
	return errors.Join(failed...)
}

// stored is what insert stored.
func (a *afterSale) stored() {
	a.customer.Version, a.method.Version, a.subscription.Version, a.invoice.Version = 1, 1, 1, 1
	a.refund.Version, a.dispute.Version, a.evidence.Version = 1, 1, 1
}

// read asks every question about it that a store answers.
func (a *afterSale) read(ctx context.Context, store *bunrepo.Store) error {
	var failed []error
	note := func(_ any, err error) { failed = append(failed, err) }
	note(store.PaymentsExpiring(ctx, moment, 5))
	note(store.Refund(ctx, a.refund.ID))
	note(store.RefundByRef(ctx, a.refund.Ref()))
	note(store.RefundByRequestKey(ctx, a.refund.RequestKey))
	note(store.PaymentRefunds(ctx, a.refund.Payment))
	note(store.Dispute(ctx, a.dispute.ID))
	note(store.DisputeByRef(ctx, a.dispute.Ref()))
	note(store.PaymentDisputes(ctx, a.dispute.Payment))
	note(store.DisputesDue(ctx, moment.AddDate(-9, 0, 0), moment, 1, 5))
	note(store.Evidence(ctx, a.dispute.ID))
	note(store.EvidenceContent(ctx, a.file.ID))
	note(store.Customer(ctx, a.customer.ID))
	note(store.CustomerByRequestKey(ctx, a.customer.RequestKey))
	note(store.CustomerAccount(ctx, a.customer.ID, "stripe"))
	note(store.Method(ctx, a.method.ID))
	note(store.MethodByRef(ctx, a.method.Ref()))
	note(store.MethodByRef(ctx, core.ProviderRef{Account: "stripe", Kind: core.ObjectSetup, ID: a.method.ProviderSetupID}))
	note(store.CustomerMethods(ctx, a.customer.ID))
	note(store.Price(ctx, a.price.ID))
	note(store.PriceByRequestKey(ctx, a.price.RequestKey))
	note(store.PriceAccount(ctx, a.price.ID, "stripe"))
	note(store.PriceAccountByRef(ctx, "stripe", a.priceAccount.ProviderPriceID))
	note(store.Subscription(ctx, a.subscription.ID))
	note(store.SubscriptionByRef(ctx, a.subscription.Ref()))
	note(store.SubscriptionsToCancel(ctx, moment, moment, 5))
	for kind := range map[ports.LookKind]bool{ports.LookPayment: true, ports.LookRefund: true, ports.LookDispute: true, ports.LookMethod: true, ports.LookSubscription: true, ports.LookOperation: true} {
		note(store.AccountsDue(ctx, kind, moment))
		note(store.LooksDue(ctx, kind, "stripe", moment, 5))
	}
	note(store.InvoiceByRef(ctx, core.ProviderRef{Account: "stripe", Kind: core.ObjectInvoice, ID: a.invoice.ProviderInvoiceID}))
	note(store.SubjectOperations(ctx, string(a.refund.ID)))
	note(store.SubjectTimeline(ctx, string(a.refund.ID), nil, 5))
	return errors.Join(append(failed, a.readLists(ctx, store))...)
}

func (a *afterSale) readLists(ctx context.Context, store *bunrepo.Store) error {
	var failed []error
	note := func(_ any, err error) { failed = append(failed, err) }
	cursor := &core.Cursor{At: moment, ID: "x"}
	for _, page := range []core.PageRequest{{Limit: 5}, {Limit: 5, After: cursor}, {Limit: 5, Before: cursor, Last: true}} {
		for _, filter := range []ports.RefundFilter{{}, {Payment: a.refund.Payment}, {Statuses: core.RefundStatuses()[:2]}} {
			note(store.Refunds(ctx, filter, page))
		}
		for _, filter := range []ports.DisputeFilter{{}, {Payment: a.dispute.Payment}, {Statuses: core.DisputeStatuses()[:2]}} {
			note(store.Disputes(ctx, filter, page))
		}
		for _, filter := range []ports.SubscriptionFilter{
			{}, {Customer: a.customer.ID}, {Account: "stripe"}, {Statuses: core.SubscriptionStatuses()[:2]},
		} {
			note(store.Subscriptions(ctx, filter, page))
		}
		note(store.Customers(ctx, ports.CustomerFilter{}, page))
		note(store.Prices(ctx, page))
		note(store.Invoices(ctx, a.subscription.ID, page))
		note(store.Payments(ctx, ports.PaymentFilter{Subscription: a.subscription.ID}, page))
	}
	return errors.Join(failed...)
}

// write makes every change to it that a transaction can make.
func (a *afterSale) write(ctx context.Context, tx ports.Tx) error {
	var failed []error
	note := func(_ any, err error) { failed = append(failed, err) }
	note(tx.LockRefund(ctx, a.refund.ID))
	note(tx.PaymentRefunds(ctx, a.refund.Payment))
	note(tx.UpdateRefund(ctx, a.refund))
	note(tx.LockDispute(ctx, a.dispute.ID))
	note(tx.PaymentDisputes(ctx, a.dispute.Payment))
	note(tx.UpdateDispute(ctx, a.dispute))
	note(tx.SaveEvidence(ctx, a.evidence))
	file := a.file
	file.ID = newID[core.FileID]()
	note(nil, tx.PutEvidenceFile(ctx, file, []byte(secret)))
	note(nil, tx.DeleteEvidenceFile(ctx, a.dispute.ID, file.ID))
	note(tx.LockCustomer(ctx, a.customer.ID))
	note(tx.LockMethod(ctx, a.method.ID))
	note(tx.UpdateMethod(ctx, a.method))
	note(tx.LockSubscription(ctx, a.subscription.ID))
	note(tx.UpdateSubscription(ctx, a.subscription))
	note(tx.LockInvoiceByRef(ctx, core.ProviderRef{Account: "stripe", Kind: core.ObjectInvoice, ID: a.invoice.ProviderInvoiceID}))
	note(tx.UpdateInvoice(ctx, a.invoice))
	note(tx.SubjectOperations(ctx, string(a.refund.ID)))
	return errors.Join(failed...)
}

// TestSweepsHaveIndexesOfTheirOwn holds what runs every so often to reading what is due and no more.
// SQLite shows it, since its plans do not depend on what is in the tables.
func TestSweepsHaveIndexesOfTheirOwn(t *testing.T) {
	t.Parallel()
	url := repotest.SQLiteURL(t)
	store := repotest.Open(t, url)
	hook := &statements{all: map[string]bool{}}
	store.Watch(hook)
	ctx := t.Context()
	sweeps := map[string]func() error{
		"checkouts_to_expire":     func() error { _, err := store.CheckoutsToExpire(ctx, moment, 5); return err },
		"payments_expiring":       func() error { _, err := store.PaymentsExpiring(ctx, moment, 5); return err },
		"disputes_due":            func() error { _, err := store.DisputesDue(ctx, moment.AddDate(-9, 0, 0), moment, 1, 5); return err },
		"subscriptions_to_cancel": func() error { _, err := store.SubscriptionsToCancel(ctx, moment, moment, 5); return err },
		"inbound_events_waiting":  func() error { _, err := store.InboundWaiting(ctx, moment, 5); return err },
	}
	for kind, table := range map[ports.LookKind]string{
		ports.LookOperation: "operations", ports.LookPayment: "payments", ports.LookRefund: "refunds", ports.LookDispute: "disputes",
		ports.LookMethod: "payment_methods", ports.LookSubscription: "subscriptions",
	} {
		sweeps[table+"_to_look"] = func() error { _, err := store.LooksDue(ctx, kind, "stripe", moment, 5); return err }
	}
	db := database(t, url)
	for index, sweep := range sweeps {
		clear(hook.all)
		require.NoError(t, sweep())
		require.Len(t, hook.all, 1)
		for statement := range hook.all {
			plan := strings.Join(lines(t, db, "EXPLAIN QUERY PLAN "+statement), "\n")
			require.Contains(t, plan, "SEARCH ", statement)
			require.Contains(t, plan, "INDEX "+index+" (", statement)
		}
	}
}

// TestBrokenRowsAfterASaleAreErrors changes rows behind the store's back.
func TestBrokenRowsAfterASaleAreErrors(t *testing.T) {
	t.Parallel()
	eachURL(t, func(t *testing.T, url string) {
		store := repotest.Open(t, url)
		first, second := fill(t, store).after, fill(t, store).after
		db := database(t, url)
		ctx := t.Context()
		exec := func(statement string) {
			_, err := db.ExecContext(ctx, statement)
			require.NoError(t, err, statement)
		}
		readers := map[string]func() error{
			"refunds":         func() error { _, err := store.Refund(ctx, first.refund.ID); return err },
			"disputes":        func() error { _, err := store.Dispute(ctx, first.dispute.ID); return err },
			"prices":          func() error { _, err := store.Price(ctx, first.price.ID); return err },
			"subscriptions":   func() error { _, err := store.Subscription(ctx, first.subscription.ID); return err },
			"customers":       func() error { _, err := store.Customer(ctx, first.customer.ID); return err },
			"payment_methods": func() error { _, err := store.Method(ctx, first.method.ID); return err },
			"invoices": func() error {
				_, err := store.Invoices(ctx, first.subscription.ID, core.PageRequest{Limit: 1})
				return err
			},
			"evidence":       func() error { _, err := store.Evidence(ctx, first.dispute.ID); return err },
			"evidence_files": func() error { _, err := store.EvidenceContent(ctx, first.file.ID); return err },
		}
		for name, read := range readers {
			require.NoError(t, read(), name)
		}
		for _, name := range []string{"refunds", "disputes", "prices", "subscriptions", "invoices"} {
			exec("UPDATE " + name + " SET currency = 'XXX'")
			require.ErrorIs(t, readers[name](), core.ErrCurrencyUnknown, name)
		}
		exec(`UPDATE payment_methods SET details = '{"number":"4"}'`)
		require.Error(t, readers["payment_methods"](), "a shape that is not ours")

		// Sealed values do not open in another's place.
		exec("UPDATE customers SET email = (SELECT email FROM customers WHERE id = '" + string(second.customer.ID) + "')")
		exec("UPDATE evidence SET texts = (SELECT texts FROM evidence WHERE dispute = '" + string(second.dispute.ID) + "')")
		exec("UPDATE evidence_files SET content = (SELECT content FROM evidence_files WHERE id = '" + string(second.file.ID) + "')")
		for _, name := range []string{"customers", "evidence", "evidence_files"} {
			require.ErrorIs(t, readers[name](), ports.ErrUnsealable, name)
		}
		_, err := store.Customer(ctx, second.customer.ID)
		require.NoError(t, err)
	})
}
