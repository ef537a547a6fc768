package graph_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/core/record"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

// mutations is how each one is made to succeed: the least role, and an input for a fresh house.
var mutations = map[string]struct {
	role  core.Role
	input func(t *testing.T, d *desk) map[string]any
}{
	"notificationRedeliver": {core.RoleSupport, func(t *testing.T, d *desk) map[string]any {
		t.Helper()
		_, all := told(t, d.house)
		return map[string]any{"notificationId": all[0].ID}
	}},
	"paymentCapture": {core.RoleFinance, authorized},
	"paymentCancel":  {core.RoleFinance, authorized},
	"paymentSync":    {core.RoleSupport, authorized},
	"refundCreate": {core.RoleSupport, func(t *testing.T, d *desk) map[string]any {
		t.Helper()
		return map[string]any{"paymentId": d.world.Paid().ID, "amountMinor": 100, "reason": "DUPLICATE"}
	}},
	"disputeAccept":         {core.RoleFinance, disputed},
	"disputeEvidenceSubmit": {core.RoleFinance, disputed},
	"disputeAssign": {core.RoleFinance, func(t *testing.T, d *desk) map[string]any {
		t.Helper()
		input := disputed(t, d)
		input["ownerId"] = d.staff[core.RoleFinance].ID
		return input
	}},
	"disputeEvidenceSave": {core.RoleFinance, func(t *testing.T, d *desk) map[string]any {
		t.Helper()
		input := disputed(t, d)
		input["texts"] = []map[string]any{{"field": "REFUND_REFUSAL_EXPLANATION", "text": "It was eaten."}}
		return input
	}},
	"subscriptionChange": {core.RoleFinance, func(t *testing.T, d *desk) map[string]any {
		t.Helper()
		input := subscribed(t, d)
		input["quantity"] = 3
		return input
	}},
	"exportCreate": {core.RoleFinance, func(*testing.T, *desk) map[string]any {
		return map[string]any{"payments": map[string]any{"status": []string{"SUCCEEDED"}}}
	}},
	"operationConfirmDone": {core.RoleFinance, func(t *testing.T, d *desk) map[string]any {
		t.Helper()
		return map[string]any{"operationId": forStaff(t, d).ID}
	}},
	"operationConfirmNotDone": {core.RoleFinance, func(t *testing.T, d *desk) map[string]any {
		t.Helper()
		return map[string]any{"operationId": forStaff(t, d).ID}
	}},
	"noteAdd": {core.RoleSupport, func(t *testing.T, d *desk) map[string]any {
		t.Helper()
		return map[string]any{"paymentId": d.world.Paid().ID, "text": "The buyer called."}
	}},
	"eventReplay": {core.RoleSupport, func(t *testing.T, d *desk) map[string]any {
		t.Helper()
		return map[string]any{"eventId": failedEvent(t, d, d.world.Paid())}
	}},
	"paymentReviewResolve": {core.RoleFinance, func(t *testing.T, d *desk) map[string]any {
		t.Helper()
		return map[string]any{"paymentId": reviewed(t, d).ID, "resolution": "ACCEPT"}
	}},
	"subscriptionPause":  {core.RoleFinance, subscribed},
	"subscriptionCancel": {core.RoleFinance, subscribed},
	"subscriptionResume": {core.RoleFinance, func(t *testing.T, d *desk) map[string]any {
		t.Helper()
		input := subscribed(t, d)
		d.done(t, core.RoleFinance, "subscriptionPause", "subscription { status }", input)
		return input
	}},
	"approvalApprove": {core.RoleFinance, waiting},
	"approvalReject":  {core.RoleFinance, waiting},
	"staffAdd": {core.RoleAdmin, func(*testing.T, *desk) map[string]any {
		return map[string]any{"email": "grace@shop.example", "role": "SUPPORT", "withToken": true}
	}},
	"staffSetRole": {core.RoleAdmin, func(_ *testing.T, d *desk) map[string]any {
		return map[string]any{"staffId": d.staff[core.RoleViewer].ID, "role": "SUPPORT"}
	}},
	"staffDisable": {core.RoleAdmin, func(_ *testing.T, d *desk) map[string]any {
		return map[string]any{"staffId": d.staff[core.RoleViewer].ID}
	}},
	"sessionsRevoke": {core.RoleViewer, func(*testing.T, *desk) map[string]any { return map[string]any{} }},
	"passwordChange": {core.RoleViewer, func(*testing.T, *desk) map[string]any {
		return map[string]any{"password": "long enough", "newPassword": "longer still"}
	}},
	"codesBegin":   {core.RoleViewer, func(*testing.T, *desk) map[string]any { return map[string]any{"password": "long enough"} }},
	"codesConfirm": {core.RoleViewer, begun},
	"codesRemove": {core.RoleViewer, func(t *testing.T, d *desk) map[string]any {
		t.Helper()
		d.done(t, core.RoleViewer, "codesConfirm", "", begun(t, d))
		return map[string]any{"password": "long enough"}
	}},
	"apiKeyCreate": {core.RoleAdmin, func(*testing.T, *desk) map[string]any { return map[string]any{"name": "shop"} }},
	"apiKeyRevoke": {core.RoleAdmin, func(t *testing.T, d *desk) map[string]any {
		t.Helper()
		made := d.done(t, core.RoleAdmin, "apiKeyCreate", "apiKey { id }", map[string]any{"name": "shop"})
		return map[string]any{"apiKeyId": made.at(t, "apiKeyCreate.apiKey.id")}
	}},
}

// lines are the audit rows of a mutation that leaves more than one: the decision, and the refund; the
// password, and the sessions that end with it.
var lines = map[string]int{"approvalApprove": 2, "passwordChange": 2}

// begun is a code of an authenticator app that waits for its first one.
func begun(t *testing.T, d *desk) map[string]any {
	t.Helper()
	drawn := d.done(t, core.RoleViewer, "codesBegin", "secret", map[string]any{"password": "long enough"})
	secret, _ := drawn.at(t, "codesBegin.secret").(string)
	return map[string]any{"code": codeOf(t, secret, d.world.Clock.Now())}
}

// codeOf is what an app shows at a time.
func codeOf(t *testing.T, secret string, at time.Time) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, at)
	require.NoError(t, err)
	return code
}

// disputed is a dispute with evidence to submit.
func disputed(t *testing.T, d *desk) map[string]any {
	t.Helper()
	p := d.world.Paid()
	id := d.world.Provider.OpenDispute(t, p.ID, false)
	seen, err := d.world.Observe.Sync(t.Context(), core.ProviderRef{Account: coretest.Account, Kind: core.ObjectDispute, ID: id}, core.Cause{Kind: core.CauseRepair})
	require.NoError(t, err)
	_, err = d.world.Disputes.SaveEvidence(t.Context(), seen.Dispute.ID, map[core.EvidenceField]string{core.EvidenceTexts()[0]: "sent on Monday"})
	require.NoError(t, err)
	return map[string]any{"disputeId": seen.Dispute.ID}
}

func subscribed(t *testing.T, d *desk) map[string]any {
	t.Helper()
	return map[string]any{"subscriptionId": d.world.Subscribed(d.world.Plan(900, 0).ID, 1, portstest.CardSucceeds).ID}
}

func waiting(t *testing.T, d *desk) map[string]any {
	t.Helper()
	asked := d.done(t, core.RoleSupport, "refundCreate", "approval { id }", map[string]any{"paymentId": d.world.Paid().ID, "amountMinor": 600, "reason": "OTHER"})
	return map[string]any{"approvalId": asked.at(t, "refundCreate.approval.id")}
}

func authorized(t *testing.T, d *desk) map[string]any {
	t.Helper()
	return map[string]any{"paymentId": d.world.Authorized().ID}
}

// below is the role that may do the next less.
var below = map[core.Role]core.Role{core.RoleSupport: core.RoleViewer, core.RoleFinance: core.RoleSupport, core.RoleAdmin: core.RoleFinance}

// Whoever adds a mutation says above how it is made; then this shows that it keeps to the frame.
func TestEveryMutationIsAudited(t *testing.T) {
	t.Parallel()
	for _, field := range schema().Mutation.Fields {
		name := field.Name
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			how, ok := mutations[name]
			require.True(t, ok, "no test says how to make it")
			eachDesk(t, func(t *testing.T, d *desk) {
				input := how.input(t, d)
				before := len(d.audit(t))
				if lower, some := below[how.role]; some {
					require.Equal(t, "FORBIDDEN", d.mutate(t, lower, name, "", input).code(t))
					rows := d.audit(t)[before:]
					require.Len(t, rows, 1, "the refusal is written down")
					require.Equal(t, "forbidden", rows[0].Action)
					require.Equal(t, "192.0.2.1", rows[0].From)
					before++
				}

				dry := map[string]any{"dryRun": true}
				maps.Copy(dry, input)
				calls := mutating(d)
				preview := d.done(t, how.role, name, "preview { stateAfter providerCall amount { minor } amountLeft { minor } warnings }", dry)
				require.NotNil(t, preview.at(t, name+".preview"))
				require.Len(t, d.audit(t), before, "a dry run leaves nothing")
				require.Equal(t, calls, mutating(d), "and has nobody do anything")

				input["idempotencyKey"] = "key-1"
				d.done(t, how.role, name, "", input)
				rows := d.audit(t)[before:]
				require.Len(t, rows, max(1, lines[name]))
				row := rows[len(rows)-1]
				require.Equal(t, string(d.staff[how.role].ID), row.Actor)
				require.Equal(t, "192.0.2.1", row.From, "where the request came from")
				require.NotEmpty(t, row.Action)
				require.NotEmpty(t, row.Subject)
				require.NotEqual(t, "there was nothing left to do", row.Detail, "written with its change, not after it")

				d.done(t, how.role, name, "", input)
				require.Len(t, d.audit(t), before+len(rows), "the same key does nothing twice")
				delete(input, "idempotencyKey")
				for _, bad := range []string{"", "a b", strings.Repeat("k", 256)} {
					input["idempotencyKey"] = bad
					require.Equal(t, "BAD_USER_INPUT", d.mutate(t, how.role, name, "", input).code(t))
				}
			})
		})
	}
}

// mutating counts the calls that had the provider do something.
func mutating(d *desk) (count int) {
	for _, call := range d.world.Provider.Calls() {
		if call.Key != "" {
			count++
		}
	}
	return count
}

// A change and its line are committed together, or neither is.
func TestNoChangeWithoutItsAuditRow(t *testing.T) {
	t.Parallel()
	eachDesk(t, func(t *testing.T, d *desk) {
		p := d.world.Authorized()
		failing := &noAudit{Store: d.world.Store}
		d.world.Restart(failing)
		_, err := d.world.Payments.Cancel(record.WithAct(t.Context(), &record.Act{Actor: "usr_1", Action: "payment.cancel"}), p.ID, "", core.Cause{Kind: core.CauseStaff})
		require.ErrorIs(t, err, errNoAudit)
		require.Equal(t, core.PaymentAuthorized, d.world.Payment(p.ID).Status)
		for _, op := range d.world.Operations(p.ID) {
			require.NotEqual(t, core.OpCancelPayment, op.Kind)
		}
	})
}

var errNoAudit = errors.New("no audit log today")

// noAudit is a store whose audit log takes nothing.
type noAudit struct{ ports.Store }

func (s *noAudit) InTx(ctx context.Context, fn func(ctx context.Context, tx ports.Tx) error) error {
	return s.Store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error { return fn(ctx, noAuditTx{tx}) })
}

type noAuditTx struct{ ports.Tx }

func (noAuditTx) AppendAudit(context.Context, core.AuditEntry) error { return errNoAudit }

func TestCaptureByStaff(t *testing.T) {
	t.Parallel()
	eachDesk(t, func(t *testing.T, d *desk) {
		p := d.world.Authorized()
		id := map[string]any{"paymentId": p.ID}
		preview := d.done(t, core.RoleFinance, "paymentCapture", "payment { id } preview { stateAfter providerCall amount { minor } amountLeft { minor } }",
			map[string]any{"paymentId": p.ID, "amountMinor": 300, "dryRun": true})
		require.Nil(t, preview.at(t, "paymentCapture.payment"))
		require.Equal(t, map[string]any{
			"stateAfter": "SUCCEEDED", "providerCall": "CAPTURE_PAYMENT", "amount": map[string]any{"minor": 300.0}, "amountLeft": map[string]any{"minor": float64(coretest.Price - 300)},
		}, preview.at(t, "paymentCapture.preview"))
		require.Equal(t, "AMOUNT_NOT_AVAILABLE", d.refused(t, core.RoleFinance, "paymentCapture", map[string]any{"paymentId": p.ID, "amountMinor": coretest.Price + 1}))
		require.Equal(t, "AMOUNT_NOT_AVAILABLE", d.refused(t, core.RoleFinance, "paymentCapture", map[string]any{"paymentId": p.ID, "amountMinor": coretest.Price + 1, "dryRun": true}))
		require.Equal(t, "NOT_FOUND", d.refused(t, core.RoleFinance, "paymentCapture", map[string]any{"paymentId": newID[core.PaymentID]()}))
		require.Equal(t, "BAD_USER_INPUT", d.mutate(t, core.RoleFinance, "paymentCapture", "", map[string]any{"paymentId": "pay_x"}).code(t))

		got := d.done(t, core.RoleFinance, "paymentCapture", "payment { status }", id)
		require.Equal(t, "SUCCEEDED", got.at(t, "paymentCapture.payment.status"))
		rows := d.audit(t)
		last := rows[len(rows)-1]
		require.Equal(t, "payment.capture", last.Action)
		require.Equal(t, string(p.ID), last.Subject)
		require.JSONEq(t, `{"status":"authorized"}`, last.Before)
		require.Contains(t, last.After, `"asked":"capture_payment"`)
		require.Equal(t, "INVALID_PAYMENT_STATE", d.refused(t, core.RoleFinance, "paymentCapture", id))
		require.Equal(t, "INVALID_PAYMENT_STATE", d.refused(t, core.RoleFinance, "paymentCancel", id))
	})
}

func TestProvidersThatRefuseAndThatAreAway(t *testing.T) {
	t.Parallel()
	eachDesk(t, func(t *testing.T, d *desk) {
		p := d.world.Authorized()
		input := map[string]any{"paymentId": p.ID, "idempotencyKey": "k"}
		d.world.Provider.Fault(t, portstest.FaultError429)
		away := d.mutate(t, core.RoleFinance, "paymentCapture", "payment { id }", input)
		require.Equal(t, "PROVIDER_UNAVAILABLE", away.at(t, "paymentCapture.userErrors.0.code"), away.Body)
		again := d.done(t, core.RoleFinance, "paymentCapture", "payment { status }", input)
		require.Equal(t, "SUCCEEDED", again.at(t, "paymentCapture.payment.status"), "the same key goes on")
	})
}

// A hundred presses of one button are one.
func TestOneKeyManyAtOnce(t *testing.T) {
	t.Parallel()
	const presses = 20
	eachDesk(t, func(t *testing.T, d *desk) {
		p := d.world.Authorized()
		before := len(d.audit(t))
		var all sync.WaitGroup
		answers := make([]answer, presses)
		for i := range presses {
			all.Go(func() {
				answers[i] = d.mutate(t, core.RoleFinance, "paymentCapture", "payment { status }", map[string]any{"paymentId": p.ID, "idempotencyKey": "once"})
			})
		}
		all.Wait()
		for _, got := range answers {
			require.Empty(t, got.Errors, got.Body)
			if errs, _ := got.at(t, "paymentCapture.userErrors").([]any); len(errs) > 0 {
				require.Equal(t, "IDEMPOTENCY_IN_PROGRESS", got.at(t, "paymentCapture.userErrors.0.code"))
				continue
			}
			require.Equal(t, "SUCCEEDED", got.at(t, "paymentCapture.payment.status"))
		}
		require.Equal(t, core.OperationSucceeded, d.world.Operation(p.ID, core.OpCapturePayment).Status)
		require.Len(t, d.audit(t), before+1)
	})
}

func TestAKeyIsForOneInputOfOneMutation(t *testing.T) {
	t.Parallel()
	eachDesk(t, func(t *testing.T, d *desk) {
		first, second := d.world.Authorized(), d.world.Authorized()
		d.done(t, core.RoleFinance, "paymentCapture", "", map[string]any{"paymentId": first.ID, "idempotencyKey": "k"})
		require.Equal(t, "IDEMPOTENCY_KEY_REUSED", d.refused(t, core.RoleFinance, "paymentCapture", map[string]any{"paymentId": second.ID, "idempotencyKey": "k"}))
		require.Equal(t, "IDEMPOTENCY_KEY_REUSED", d.refused(t, core.RoleFinance, "paymentCapture", map[string]any{"paymentId": first.ID, "amountMinor": 1, "idempotencyKey": "k"}))
		d.done(t, core.RoleFinance, "paymentCancel", "", map[string]any{"paymentId": second.ID, "idempotencyKey": "k"})
		require.Equal(t, core.PaymentCanceled, d.world.Payment(second.ID).Status, "another mutation's key is another one")
		third := d.world.Authorized()
		d.done(t, core.RoleAdmin, "paymentCapture", "", map[string]any{"paymentId": third.ID, "idempotencyKey": "k"})
		require.Equal(t, core.PaymentSucceeded, d.world.Payment(third.ID).Status, "and another person's")
	})
}

func TestDisputesByStaff(t *testing.T) {
	t.Parallel()
	eachDesk(t, func(t *testing.T, d *desk) {
		input := disputed(t, d)
		id, _ := input["disputeId"].(core.DisputeID)
		_, err := d.world.Disputes.SaveEvidence(t.Context(), id, map[core.EvidenceField]string{core.EvidenceTexts()[0]: ""})
		require.NoError(t, err)
		require.Equal(t, "EVIDENCE_EMPTY", d.refused(t, core.RoleFinance, "disputeEvidenceSubmit", input))
		require.Equal(t, "EVIDENCE_EMPTY", d.refused(t, core.RoleFinance, "disputeEvidenceSubmit", map[string]any{"disputeId": id, "dryRun": true}))
		got := d.done(t, core.RoleFinance, "disputeAccept", "dispute { id status }", input)
		require.Equal(t, map[string]any{"id": string(id), "status": "ACCEPTED"}, got.at(t, "disputeAccept.dispute"))
		for _, name := range []string{"disputeAccept", "disputeEvidenceSubmit"} {
			require.Equal(t, "DISPUTE_CLOSED", d.refused(t, core.RoleFinance, name, input))
		}
	})
}

func TestSubscriptionsByStaff(t *testing.T) {
	t.Parallel()
	eachDesk(t, func(t *testing.T, d *desk) {
		input := subscribed(t, d)
		require.Equal(t, "INVALID_SUBSCRIPTION_STATE", d.refused(t, core.RoleFinance, "subscriptionResume", input))
		paused := d.done(t, core.RoleFinance, "subscriptionPause", "subscription { status }", input)
		require.Equal(t, "PAUSED", paused.at(t, "subscriptionPause.subscription.status"))
		resumed := d.done(t, core.RoleFinance, "subscriptionResume", "subscription { status }", input)
		require.Equal(t, "ACTIVE", resumed.at(t, "subscriptionResume.subscription.status"))
		ended := d.done(t, core.RoleFinance, "subscriptionCancel", "subscription { status }", input)
		require.Equal(t, "CANCELED", ended.at(t, "subscriptionCancel.subscription.status"))
		for _, name := range []string{"subscriptionPause", "subscriptionResume", "subscriptionCancel"} {
			require.Equal(t, "SUBSCRIPTION_ENDED", d.refused(t, core.RoleFinance, name, input))
		}
	})
}
