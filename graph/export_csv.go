package graph

import (
	"context"
	"encoding/csv"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/paydesk/paydesk/core"
)

const (
	// exportTimeMax is how long an export may take, and exportPageTimeMax how long each of its pages: whoever
	// reads too slowly is cut off.
	exportTimeMax     = 30 * time.Minute
	exportPageTimeMax = 30 * time.Second
)

// exportColumns are the first line of each kind of export. Amounts are in the currency's minor unit.
var exportColumns = map[string][]string{ //nolint:gochecknoglobals // a constant table
	"payments": {
		"id", "created_at", "status", "account", "provider", "provider_payment_id", "reference", "checkout", "customer", "subscription", "currency", "amount",
		"amount_captured", "amount_refunded", "method", "brand", "last4", "disputed", "review", "failure_code", "updated_at",
	},
	"refunds": {
		"id", "created_at", "status", "payment", "account", "provider", "provider_refund_id", "currency", "amount", "reason", "origin", "failure_code", "updated_at",
	},
	"disputes": {
		"id", "created_at", "status", "payment", "account", "provider", "provider_dispute_id", "reason", "currency", "amount", "fee_currency", "fee", "due_at", "owner",
		"submitted_at", "closed_at", "updated_at",
	},
}

func paymentCells(p core.Payment) []string {
	var method core.PaymentMethod
	if p.Method != nil {
		method = *p.Method
	}
	return []string{
		string(p.ID), moment(p.CreatedAt), string(p.Status), string(p.Account), string(p.Provider), p.ProviderPaymentID, p.Reference, string(p.Checkout),
		string(p.Customer), string(p.Subscription), string(p.Amount.Currency()), minor(p.Amount), minor(p.AmountCaptured), minor(p.AmountRefunded),
		method.Type, method.Brand, method.Last4, strconv.FormatBool(p.Disputed), string(p.Review), failureCode(p.Failure), moment(p.UpdatedAt),
	}
}

func refundCells(f core.Refund) []string {
	return []string{
		string(f.ID), moment(f.CreatedAt), string(f.Status), string(f.Payment), string(f.Account), string(f.Provider), f.ProviderRefundID,
		string(f.Amount.Currency()), minor(f.Amount), string(f.Reason), string(f.Origin), failureCode(f.Failure), moment(f.UpdatedAt),
	}
}

func disputeCells(d core.Dispute) []string {
	return []string{
		string(d.ID), moment(d.CreatedAt), string(d.Status), string(d.Payment), string(d.Account), string(d.Provider), d.ProviderDisputeID, string(d.Reason),
		string(d.Amount.Currency()), minor(d.Amount), string(d.Fee.Currency()), minor(d.Fee), moment(d.DueAt), string(d.Owner),
		moment(d.SubmittedAt), moment(d.ClosedAt), moment(d.UpdatedAt),
	}
}

func minor(m core.Money) string { return strconv.FormatInt(m.Minor(), 10) }

func moment(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format("2006-01-02T15:04:05.000000Z")
}

func failureCode(f *core.Failure) string {
	if f == nil {
		return ""
	}
	return string(f.Code)
}

// guarded is a cell that no spreadsheet takes for a formula.
//
// Source: OWASP, CSV injection. Our own amounts may be below zero, and stay numbers.
func guarded(cell string) string {
	if cell == "" || !strings.ContainsRune("=+-@\t\r\n|%", rune(cell[0])) {
		return cell
	}
	if _, err := strconv.ParseInt(cell, 10, 64); err == nil && cell[0] == '-' {
		return cell
	}
	return "'" + cell
}

// serveExport writes an export page by page, so that it takes no more memory than one. Where a page cannot
// be read the connection is cut: half a file must not look like a whole one.
func (s *server) serveExport(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), exportTimeMax)
	defer cancel()
	staff, err := s.caller(ctx, r)
	if errors.Is(err, core.ErrUnauthenticated) || errors.Is(err, errForeign) {
		writeRefusal(ctx, w, http.StatusUnauthorized, codeUnauthenticated, "Sign in, or send a staff token as Authorization: Bearer TOKEN.")
		return
	}
	if err != nil {
		s.exportFailed(ctx, w, err)
		return
	}
	wanted, err := s.resolver.described(r.URL.Query().Get("export"))
	if err != nil || wanted.Kind+".csv" != r.PathValue("file") || wanted.Staff != staff.ID || !s.resolver.payments.Now().Before(wanted.ExpiresAt) {
		writeRefusal(ctx, w, http.StatusNotFound, codeInput, "There is no such export, it is another person's, or its time is over. Ask for it anew.")
		return
	}
	if !staff.Role.Includes(core.RoleFinance) {
		if err := s.access.Denied(ctx, string(staff.ID), "export:"+wanted.Kind, address(r)); err != nil {
			s.exportFailed(ctx, w, err)
			return
		}
		writeRefusal(ctx, w, http.StatusForbidden, codeForbidden, "Your role may not do this.")
		return
	}
	rows, next, err := s.resolver.rows(ctx, wanted, nil)
	if err == nil {
		err = s.access.Downloaded(ctx, staff.ID, wanted.Kind, address(r))
	}
	if err != nil {
		s.exportFailed(ctx, w, err)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "text/csv; charset=utf-8; header=present")
	header.Set("Content-Disposition", `attachment; filename="`+wanted.Kind+`.csv"`)
	s.writePages(ctx, w, wanted, rows, next)
}

func (s *server) writePages(ctx context.Context, w http.ResponseWriter, wanted export, rows [][]string, next *core.Cursor) {
	stream, out := http.NewResponseController(w), csv.NewWriter(w)
	err := out.Write(exportColumns[wanted.Kind])
	for err == nil {
		_ = stream.SetWriteDeadline(time.Now().Add(exportPageTimeMax)) // where it cannot be set, the listener's holds
		for _, row := range rows {
			for i := range row {
				row[i] = guarded(row[i])
			}
		}
		if err = out.WriteAll(rows); err != nil { // flushes
			break
		}
		_ = stream.Flush() // a writer that cannot flush sends later
		if next == nil {
			return
		}
		rows, next, err = s.resolver.rows(ctx, wanted, next)
	}
	s.logger.LogAttrs(ctx, slog.LevelWarn, "export cut off", slog.String("error", err.Error()), slog.String("trace_id", traceID(ctx)))
	panic(http.ErrAbortHandler)
}

func (s *server) exportFailed(ctx context.Context, w http.ResponseWriter, err error) {
	s.logger.LogAttrs(ctx, slog.LevelError, "export not made", slog.String("error", err.Error()), slog.String("trace_id", traceID(ctx)))
	writeRefusal(ctx, w, http.StatusInternalServerError, codeInternal, messageInternal)
}
