package portstest

import (
	"context"
	"reflect"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// unstorable are texts that no store keeps.
var unstorable = []string{"a\x00b", "\x00", "a\xffb", "\xc3"}

// eachText calls fn once for every text in what v points to, with the text changed to
// one that cannot be stored; the original is put back afterwards.
func eachText(v reflect.Value, path, bad string, fn func(path string)) {
	switch v.Kind() {
	case reflect.String:
		good := v.String()
		v.SetString(bad)
		fn(path)
		v.SetString(good)
	case reflect.Pointer:
		eachText(v.Elem(), path, bad, fn)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				eachText(v.Field(i), path+"."+v.Type().Field(i).Name, bad, fn)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			eachText(v.Index(i), path+"["+strconv.Itoa(i)+"]", bad, fn)
		}
	case reflect.Map:
		good := v.Interface()
		for where, entry := range map[string][2]string{" key": {bad, "good"}, " value": {"good", bad}} {
			changed := reflect.MakeMap(v.Type())
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			key.SetString(entry[0])
			value.SetString(entry[1])
			changed.SetMapIndex(key, value)
			v.Set(changed)
			fn(path + where)
		}
		v.Set(reflect.ValueOf(good))
	default:
	}
}

// refusesTexts makes sure that no field of a full value takes a text that cannot be
// kept, that nothing was written, and that the transaction can go on.
func refusesTexts[T any](t *testing.T, store ports.Store, full T, write func(ctx context.Context, tx ports.Tx, value T) error) {
	t.Helper()
	for _, bad := range unstorable {
		eachText(reflect.ValueOf(&full), reflect.TypeFor[T]().Name(), bad, func(path string) {
			inTx(t, store, func(ctx context.Context, tx ports.Tx) error {
				require.ErrorIs(t, write(ctx, tx, full), ports.ErrText, "%s as %q", path, bad)
				return nil // and the transaction can be committed
			})
		})
	}
	inTx(t, store, func(ctx context.Context, tx ports.Tx) error {
		require.NoError(t, write(ctx, tx, full), "nothing was written before")
		return nil
	})
}

func textsRefused(t *testing.T, store ports.Store) {
	of := storedSale(t, store)
	payment := write(t, store, ports.Tx.InsertPayment, fullPayment(t, of))
	operation := write(t, store, ports.Tx.InsertOperation, fullOperation(t, payment.ID))
	stored := write(t, store, ports.Tx.InsertCheckout, fullCheckout(t))
	refusesTexts(t, store, fullCheckout(t), func(ctx context.Context, tx ports.Tx, c core.Checkout) error {
		_, err := tx.InsertCheckout(ctx, c)
		return err
	})
	refusesTexts(t, store, stored, func(ctx context.Context, tx ports.Tx, c core.Checkout) error {
		_, err := tx.UpdateCheckout(ctx, c)
		return err
	})
	refusesTexts(t, store, fullPayment(t, of), func(ctx context.Context, tx ports.Tx, p core.Payment) error {
		_, err := tx.InsertPayment(ctx, p)
		return err
	})
	refusesTexts(t, store, payment, func(ctx context.Context, tx ports.Tx, p core.Payment) error {
		_, err := tx.UpdatePayment(ctx, p)
		return err
	})
	refusesTexts(t, store, fullOperation(t, payment.ID), func(ctx context.Context, tx ports.Tx, o core.Operation) error {
		_, err := tx.InsertOperation(ctx, o)
		return err
	})
	refusesTexts(t, store, operation, func(ctx context.Context, tx ports.Tx, o core.Operation) error {
		_, err := tx.UpdateOperation(ctx, o)
		return err
	})
	afterSaleTextsRefused(t, store, of, payment.ID)
	refusesTexts(t, store, fullEntry(payment.ID, minutes(1)), func(ctx context.Context, tx ports.Tx, e core.TimelineEntry) error {
		return tx.AppendTimeline(ctx, e)
	})
	refusesTexts(t, store, fullEvent(core.EventPaymentFailed), func(ctx context.Context, tx ports.Tx, e core.Event) error {
		_, err := tx.AppendEvent(ctx, e)
		return err
	})
	refusesTexts(t, store, fullInbound(), func(ctx context.Context, tx ports.Tx, e core.InboundEvent) error {
		stored, err := tx.AcceptInbound(ctx, []core.InboundEvent{e})
		require.Equal(t, err == nil, len(stored) == 1)
		return err
	})
	refusesTexts(t, store, runningRecord(storeID[core.APIKeyID](), "k"), func(ctx context.Context, tx ports.Tx, r core.IdempotencyRecord) error {
		_, _, err := tx.BeginIdempotent(ctx, r)
		return err
	})
	refusesTexts(t, store, fullAPIKey(), func(ctx context.Context, tx ports.Tx, k core.APIKey) error { return tx.InsertAPIKey(ctx, k) })
	refusesTexts(t, store, fullStaff(), func(ctx context.Context, tx ports.Tx, s core.Staff) error { return tx.InsertStaff(ctx, s) })
	refusesTexts(t, store, fullEndpoint(), func(ctx context.Context, tx ports.Tx, e core.Endpoint) error { return tx.InsertEndpoint(ctx, e) })
	refusesTexts(t, store, auditTexts(fullAudit()), func(ctx context.Context, tx ports.Tx, e givenAudit) error {
		return tx.AppendAudit(ctx, core.AuditEntry{
			ID: e.ID, Actor: e.Actor, Action: e.Action, Subject: e.Subject, Detail: e.Detail, TraceID: e.TraceID, At: minutes(1),
		})
	})
}

func afterSaleTextsRefused(t *testing.T, store ports.Store, of sale, payment core.PaymentID) {
	t.Helper()
	dispute := storedDispute(t, store)
	refusesTexts(t, store, fullRefund(t, payment), writes(ports.Tx.InsertRefund))
	refusesTexts(t, store, write(t, store, ports.Tx.InsertRefund, fullRefund(t, payment)), writes(ports.Tx.UpdateRefund))
	refusesTexts(t, store, fullDispute(t, payment), writes(ports.Tx.InsertDispute))
	refusesTexts(t, store, write(t, store, ports.Tx.InsertDispute, fullDispute(t, payment)), writes(ports.Tx.UpdateDispute))
	refusesTexts(t, store, core.Evidence{Dispute: dispute, Texts: map[core.EvidenceField]string{core.EvidenceServiceDate: "2026"}, UpdatedAt: minutes(1)},
		writes(ports.Tx.SaveEvidence))
	refusesTexts(t, store, fullFile(dispute, core.EvidenceReceipt, []byte("x")), func(ctx context.Context, tx ports.Tx, f core.EvidenceFile) error {
		return tx.PutEvidenceFile(ctx, f, []byte("x"))
	})
	refusesTexts(t, store, fullCustomer(), writes(ports.Tx.InsertCustomer))
	refusesTexts(t, store, core.CustomerAccount{Customer: of.customer, Account: "a", ProviderCustomerID: "c", CreatedAt: minutes(1)},
		func(ctx context.Context, tx ports.Tx, a core.CustomerAccount) error {
			return tx.InsertCustomerAccount(ctx, a)
		})
	refusesTexts(t, store, fullMethod(of), writes(ports.Tx.InsertMethod))
	refusesTexts(t, store, write(t, store, ports.Tx.InsertMethod, fullMethod(of)), writes(ports.Tx.UpdateMethod))
	refusesTexts(t, store, fullPrice(t), writes(ports.Tx.InsertPrice))
	refusesTexts(t, store, core.PriceAccount{Price: of.price, Account: "a", ProviderPriceID: "p", CreatedAt: minutes(1)},
		func(ctx context.Context, tx ports.Tx, a core.PriceAccount) error {
			return tx.InsertPriceAccount(ctx, a)
		})
	refusesTexts(t, store, fullSubscription(t, of), writes(ports.Tx.InsertSubscription))
	refusesTexts(t, store, write(t, store, ports.Tx.InsertSubscription, fullSubscription(t, of)), writes(ports.Tx.UpdateSubscription))
	refusesTexts(t, store, fullInvoice(t, of.subscription), writes(ports.Tx.InsertInvoice))
	refusesTexts(t, store, write(t, store, ports.Tx.InsertInvoice, fullInvoice(t, of.subscription)), writes(ports.Tx.UpdateInvoice))
}

// writes is a write whose answer does not matter.
func writes[T any](method func(ports.Tx, context.Context, T) (T, error)) func(ctx context.Context, tx ports.Tx, value T) error {
	return func(ctx context.Context, tx ports.Tx, value T) error {
		_, err := method(tx, ctx, value)
		return err
	}
}

// givenAudit is the texts of an audit entry that its writer gives.
type givenAudit struct {
	ID                                      core.AuditID
	Actor, Action, Subject, Detail, TraceID string
}

func auditTexts(e core.AuditEntry) givenAudit {
	return givenAudit{ID: e.ID, Actor: e.Actor, Action: e.Action, Subject: e.Subject, Detail: e.Detail, TraceID: e.TraceID}
}
