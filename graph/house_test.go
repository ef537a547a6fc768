package graph_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/bunrepo/repotest"
	"github.com/paydesk/paydesk/adapters/onetime"
	"github.com/paydesk/paydesk/adapters/seal"
	"github.com/paydesk/paydesk/adapters/system"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/access"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/core/disputes"
	"github.com/paydesk/paydesk/core/health"
	"github.com/paydesk/paydesk/core/idempotency"
	"github.com/paydesk/paydesk/core/notify"
	"github.com/paydesk/paydesk/core/observe"
	"github.com/paydesk/paydesk/core/payments"
	"github.com/paydesk/paydesk/core/record"
	"github.com/paydesk/paydesk/core/refunds"
	"github.com/paydesk/paydesk/core/repair"
	"github.com/paydesk/paydesk/core/subscriptions"
	"github.com/paydesk/paydesk/graph"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

var epoch = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

// fixedClock stands still, two days after what the tests store.
type fixedClock struct{}

func (fixedClock) Now() time.Time { return epoch.Add(48 * time.Hour) }

// plainPasswords spare the tests the cost of a real hash: nobody logs in here.
type plainPasswords struct{}

func (plainPasswords) Hash(password string) (string, error) { return "plain:" + password, nil }
func (plainPasswords) Matches(password, hash string) (bool, error) {
	return hash == "plain:"+password, nil
}

type noTraces struct{}

func (noTraces) TraceID(context.Context) string { return "" }

// house is the admin API over a real store.
type house struct {
	handler http.Handler
	store   *countingStore
	logs    *coretest.Buffer
	staff   map[core.Role]core.Staff

	provider *portstest.FakeProvider
}

func newHouse(t *testing.T, environment core.Environment) *house {
	t.Helper()
	return newHouseOver(t, environment, repotest.SQLite(t))
}

func newHouseOver(t *testing.T, environment core.Environment, store ports.Store) *house {
	t.Helper()
	h := &house{store: &countingStore{Store: store}, logs: &coretest.Buffer{}, staff: map[core.Role]core.Staff{}, provider: portstest.NewFakeProvider("stripe", core.EnvTest)}
	ids := system.NewIDs()
	recorder := record.New(fixedClock{}, ids, "https://pay.example", noTraces{})
	service := payments.New(h.store, ports.Providers{}, nil, fixedClock{}, ids, recorder,
		payments.Settings{Environment: core.EnvTest, URL: "https://pay.example"})
	keeper := accessOf(h)
	for _, role := range []core.Role{core.RoleViewer, core.RoleSupport, core.RoleFinance, core.RoleAdmin} {
		staff, _, err := keeper.AddStaff(t.Context(), access.NewStaff{
			Email: strings.ToLower(string(role)) + "@shop.example", Password: "long enough", Role: role, Token: tokenOf(role),
		}, "test")
		require.NoError(t, err)
		h.staff[role] = staff
	}
	handler, err := graph.NewHandler(graph.Options{
		Payments: service, Store: h.store, Refunds: refunds.New(h.store, ports.Providers{}, nil, fixedClock{}, ids, recorder, nil), Subscriptions: &subscriptions.Service{}, Disputes: disputes.New(h.store, ports.Providers{}, nil, fixedClock{}, ids, recorder, nil), Access: keeper, Environment: environment,
		Notify:      notify.New(h.store, nil, fixedClock{}, fixedClock{}, ids, noTraces{}, core.EnvTest),
		Health:      health.New(h.store, ports.Providers{"stripe": h.provider}, map[core.AccountName]string{"stripe": "https://pay.example/webhooks/stripe"}, fixedClock{}, fixedClock{}),
		Idempotency: idempotency.New(h.store, fixedClock{}), Inbox: &observe.Inbox{}, Repair: &repair.Service{}, Sealer: seal.Plain(),
		Logger: slog.New(slog.NewTextHandler(h.logs, nil)),
	})
	require.NoError(t, err)
	h.handler = handler
	return h
}

// accessOf is the service over the house's store.
func accessOf(h *house) *access.Service {
	return access.New(h.store, fixedClock{}, system.NewIDs(), plainPasswords{}, onetime.Codes{}, noTraces{}, core.EnvTest)
}

func tokenOf(role core.Role) string { return "token-of-" + string(role) }

// answer is what comes back from a query.
type answer struct {
	Status int
	Header http.Header
	Body   string
	Data   map[string]any
	Errors []struct {
		Message    string
		Path       []any
		Extensions map[string]any
	}
}

// code is the only error's code; empty where there is none.
func (a answer) code(t *testing.T) string {
	t.Helper()
	if len(a.Errors) == 0 {
		return ""
	}
	require.Len(t, a.Errors, 1, a.Body)
	code, _ := a.Errors[0].Extensions["code"].(string)
	return code
}

// at walks into the data: keys of objects and places in lists, separated by dots.
func (a answer) at(t *testing.T, path string) any {
	t.Helper()
	var value any = a.Data
	for step := range strings.SplitSeq(path, ".") {
		switch held := value.(type) {
		case map[string]any:
			require.Contains(t, held, step, a.Body)
			value = held[step]
		case []any:
			var place int
			_, err := fmt.Sscan(step, &place)
			require.NoError(t, err)
			require.Less(t, place, len(held), a.Body)
			value = held[place]
		default:
			require.Failf(t, "nothing inside", "%s in %s", step, a.Body)
		}
	}
	return value
}

func (h *house) do(t *testing.T, r *http.Request) answer {
	t.Helper()
	recorder := httptest.NewRecorder()
	h.handler.ServeHTTP(recorder, r)
	got := answer{Status: recorder.Code, Header: recorder.Header(), Body: recorder.Body.String()}
	if strings.Contains(got.Header.Get("Content-Type"), "json") {
		require.NoError(t, json.Unmarshal(recorder.Body.Bytes(), &got), got.Body)
	}
	return got
}

// request makes a POST by a member of staff.
func request(t *testing.T, role core.Role, body string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+tokenOf(role))
	return r
}

// ask sends a query with variables.
func (h *house) ask(t *testing.T, role core.Role, query string, variables map[string]any) answer {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	require.NoError(t, err)
	return h.do(t, request(t, role, string(body)))
}

// get is ask for a query that must succeed.
func (h *house) get(t *testing.T, role core.Role, query string, variables map[string]any) answer {
	t.Helper()
	got := h.ask(t, role, query, variables)
	require.Equal(t, http.StatusOK, got.Status, got.Body)
	require.Empty(t, got.Errors, got.Body)
	return got
}

// denials are the refusals in the audit log.
func (h *house) denials(t *testing.T) []core.AuditEntry {
	t.Helper()
	const entriesMax = 100
	all, err := h.store.AuditLog(t.Context(), 0, entriesMax)
	require.NoError(t, err)
	var denials []core.AuditEntry
	for _, entry := range all {
		if entry.Action == "forbidden" {
			denials = append(denials, entry)
		}
	}
	return denials
}

func newID[T core.ID]() T { return core.NewID[T](system.NewIDs().UUID()) }

func usd(t *testing.T, minor int64) core.Money {
	t.Helper()
	amount, err := core.NewMoney(minor, "USD")
	require.NoError(t, err)
	return amount
}

// newCheckout is a stored checkout with a buyer.
func (h *house) newCheckout(t *testing.T, change ...func(*core.Checkout)) core.Checkout {
	t.Helper()
	checkout := core.Checkout{
		ID: newID[core.CheckoutID](), Environment: core.EnvTest, Reference: "order-1", Mode: core.ModePayment,
		Capture: core.CaptureAutomatic, Flow: core.FlowPage, Status: core.CheckoutOpen, Amount: usd(t, 2500),
		LineItems:  []core.LineItem{{Name: "Tea", Amount: usd(t, 1250), Quantity: 2}},
		Buyer:      core.Buyer{Customer: newID[core.CustomerID](), Email: "jo@buyer.example", Name: "Jo Buyer"},
		SuccessURL: "https://shop.example/thanks", Metadata: map[string]string{"phone": "555-0100"},
		ExpiresAt: epoch.Add(24 * time.Hour), CreatedAt: epoch, UpdatedAt: epoch,
	}
	for _, c := range change {
		c(&checkout)
	}
	h.inTx(t, func(ctx context.Context, tx ports.Tx) (err error) {
		checkout, err = tx.InsertCheckout(ctx, checkout)
		return err
	})
	return checkout
}

// newPayment is a stored payment of the checkout, changed by the given functions before.
func (h *house) newPayment(t *testing.T, checkout core.Checkout, created time.Time, change ...func(*core.Payment)) core.Payment {
	t.Helper()
	payment := core.NewPayment(newID[core.PaymentID](), checkout, "stripe", core.ProviderStripe, created)
	for _, c := range change {
		c(&payment)
	}
	h.inTx(t, func(ctx context.Context, tx ports.Tx) (err error) {
		payment, err = tx.InsertPayment(ctx, payment)
		return err
	})
	return payment
}

// newOperation is a stored operation of the payment.
func (h *house) newOperation(t *testing.T, payment core.Payment, created time.Time) core.Operation {
	t.Helper()
	operation := core.Operation{
		ID: newID[core.OperationID](), Kind: core.OpCreatePayment, Account: payment.Account, Payment: payment.ID, Subject: string(payment.ID),
		Amount: payment.Amount, RequestHash: core.HashRequest("x"), Status: core.OperationFailed, Attempts: 1,
		ObjectID: "pi_1", RequestID: "req_1", Failure: core.NewFailure(core.FailureExpiredCard, "expired_card"),
		CreatedAt: created, SentAt: created, SettledAt: created,
	}
	h.inTx(t, func(ctx context.Context, tx ports.Tx) (err error) {
		operation, err = tx.InsertOperation(ctx, operation)
		return err
	})
	return operation
}

func (h *house) inTx(t *testing.T, fn func(ctx context.Context, tx ports.Tx) error) {
	t.Helper()
	require.NoError(t, h.store.InTx(t.Context(), fn))
}
