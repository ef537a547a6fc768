package graph_test

import (
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/bunrepo/repotest"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/graph"
	"github.com/paydesk/paydesk/ports"
)

// fetch gets an export.
func (d *desk) fetch(t *testing.T, role core.Role, url string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	r.Header.Set("Authorization", "Bearer "+tokenOf(role))
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, r)
	return w
}

func (d *desk) exported(t *testing.T, role core.Role, input map[string]any) string {
	t.Helper()
	url, _ := d.done(t, role, "exportCreate", "export { url expiresAt }", input).at(t, "exportCreate.export.url").(string)
	require.NotEmpty(t, url)
	return url
}

// many stores payments whose references begin as formulas do.
func many(t *testing.T, store ports.Store, count int) []core.Payment {
	t.Helper()
	all := make([]core.Payment, count)
	require.NoError(t, store.InTx(t.Context(), func(ctx context.Context, tx ports.Tx) error {
		for i := range all {
			at := time.Date(2026, 1, 1, 0, 0, i/2, 0, time.UTC)
			amount, err := core.NewMoney(int64(100+i), "EUR")
			if err != nil {
				return err
			}
			checkout, err := tx.InsertCheckout(ctx, core.Checkout{
				ID: newID[core.CheckoutID](), Flow: core.FlowPage, Reference: fmt.Sprintf("=HYPERLINK(%d)", i), Status: core.CheckoutOpen, Mode: core.ModePayment, Amount: amount,
				Capture: core.CaptureAutomatic, Environment: core.EnvTest, SuccessURL: "https://shop.example", ExpiresAt: at.Add(time.Hour), CreatedAt: at, UpdatedAt: at,
			})
			if err != nil {
				return err
			}
			if all[i], err = tx.InsertPayment(ctx, core.NewPayment(newID[core.PaymentID](), checkout, "stripe", core.ProviderStripe, at)); err != nil {
				return err
			}
		}
		return nil
	}))
	return all
}

func TestAnExportHasAllThatIsSelected(t *testing.T) {
	t.Parallel()
	eachDesk(t, func(t *testing.T, d *desk) {
		const count = 2*core.PageItemsMax + 3
		all := many(t, d.world.Store, count)
		paid := d.world.Paid()
		url := d.exported(t, core.RoleFinance, map[string]any{"payments": map[string]any{"status": []string{"PROCESSING"}, "createdBefore": "2026-01-02T00:00:00Z"}})
		before := len(d.audit(t))
		got := d.fetch(t, core.RoleFinance, url)
		require.Equal(t, http.StatusOK, got.Code, got.Body.String())
		require.Contains(t, got.Header().Get("Content-Disposition"), "payments.csv")
		require.Equal(t, "no-store", got.Header().Get("Cache-Control"))
		lines, err := csv.NewReader(got.Body).ReadAll()
		require.NoError(t, err)
		require.Len(t, lines, count+1)
		seen := make(map[string]bool, count)
		for i, line := range lines[1:] {
			require.False(t, seen[line[0]], "once each")
			seen[line[0]] = true
			require.NotEqual(t, string(paid.ID), line[0])
			require.True(t, strings.HasPrefix(line[6], "'=HYPERLINK"), line[6])
			require.True(t, i == 0 || line[1] <= lines[i][1], "newest first")
		}
		require.True(t, seen[string(all[0].ID)])
		row := d.audit(t)[before]
		require.Equal(t, []string{"export.download", string(d.staff[core.RoleFinance].ID), "payments"}, []string{row.Action, row.Actor, row.Subject})
	})
}

func TestExportsOfRefundsAndDisputes(t *testing.T) {
	t.Parallel()
	eachDesk(t, func(t *testing.T, d *desk) {
		input := disputed(t, d)
		made := d.done(t, core.RoleFinance, "refundCreate", "refund { id }", map[string]any{"paymentId": d.world.Paid().ID, "amountMinor": 100, "reason": "DUPLICATE"})
		refund, _ := made.at(t, "refundCreate.refund.id").(string)
		for kind, id := range map[string]string{"refunds": refund, "disputes": string(input["disputeId"].(core.DisputeID))} {
			got := d.fetch(t, core.RoleFinance, d.exported(t, core.RoleFinance, map[string]any{kind: map[string]any{}}))
			require.Equal(t, http.StatusOK, got.Code)
			lines, err := csv.NewReader(got.Body).ReadAll()
			require.NoError(t, err)
			require.Len(t, lines, 2)
			require.Equal(t, id, lines[1][0])
		}
	})
}

func TestWhoMayFetchAnExport(t *testing.T) {
	t.Parallel()
	d := newDesk(t, repotest.SQLite(t))
	url := d.exported(t, core.RoleFinance, map[string]any{"payments": map[string]any{"customerEmail": "ada@example.test"}})
	require.NotContains(t, d.audit(t)[len(d.audit(t))-1].After, "ada@", "what it is narrowed by may tell of people")
	require.Contains(t, d.audit(t)[len(d.audit(t))-1].After, "customerEmail")
	require.Equal(t, http.StatusNotFound, d.fetch(t, core.RoleAdmin, url).Code, "another's")
	require.Equal(t, http.StatusUnauthorized, d.fetch(t, "nobody", url).Code)
	require.Equal(t, http.StatusNotFound, d.fetch(t, core.RoleFinance, strings.Replace(url, "payments.csv", "refunds.csv", 1)).Code)
	require.Equal(t, http.StatusNotFound, d.fetch(t, core.RoleFinance, "/exports/payments.csv?export=e30").Code)
	require.Equal(t, http.StatusNotFound, d.fetch(t, core.RoleFinance, "/exports/payments.csv").Code)
	require.Equal(t, http.StatusOK, d.fetch(t, core.RoleFinance, url).Code)

	finance := d.staff[core.RoleFinance].ID
	d.done(t, core.RoleAdmin, "staffSetRole", "", map[string]any{"staffId": finance, "role": "SUPPORT"})
	require.Equal(t, http.StatusForbidden, d.fetch(t, core.RoleFinance, url).Code, "the role counts when it is fetched")
	require.Equal(t, "forbidden", d.audit(t)[len(d.audit(t))-1].Action)
	d.done(t, core.RoleAdmin, "staffSetRole", "", map[string]any{"staffId": finance, "role": "FINANCE"})
	d.world.Clock.Advance(15 * time.Minute)
	require.Equal(t, http.StatusNotFound, d.fetch(t, core.RoleFinance, url).Code, "its time is over")

	for _, bad := range []map[string]any{
		{}, {"payments": map[string]any{}, "refunds": map[string]any{}}, {"payments": map[string]any{"customer": "x"}},
	} {
		require.Equal(t, "BAD_USER_INPUT", d.mutate(t, core.RoleFinance, "exportCreate", "", bad).code(t))
	}
}

// Half a file must not look like a whole one.
func TestAnExportThatFailsIsCutOff(t *testing.T) {
	t.Parallel()
	d := newDesk(t, repotest.SQLite(t))
	many(t, d.world.Store, core.PageItemsMax+1)
	d.world.Restart(d.world.Store)
	url := d.exported(t, core.RoleFinance, map[string]any{"payments": map[string]any{}})
	ctx, cancel := context.WithCancel(t.Context())
	w := &stopping{ResponseRecorder: httptest.NewRecorder(), stop: cancel}
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	r.Header.Set("Authorization", "Bearer "+tokenOf(core.RoleFinance))
	require.PanicsWithError(t, http.ErrAbortHandler.Error(), func() { d.handler.ServeHTTP(w, r) })
	lines, err := csv.NewReader(w.Body).ReadAll()
	require.NoError(t, err)
	require.Len(t, lines, core.PageItemsMax+1, "the first page was sent before the second was read")
}

// stopping is a reader that goes away after the first page.
type stopping struct {
	*httptest.ResponseRecorder

	stop func()
}

func (w *stopping) Flush() { w.stop() }

func TestNoCellIsAFormula(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string]string{
		"": "", "tea": "tea", "-12": "-12", "=1+1": "'=1+1", "+1": "'+1", "-1+1": "'-1+1", "@SUM(A1)": "'@SUM(A1)", "\t=1": "'\t=1", "\r=1": "'\r=1", "1=1": "1=1",
	} {
		require.Equal(t, want, graph.Guarded(cell), "%q", cell)
	}
}
