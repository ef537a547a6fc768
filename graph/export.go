package graph

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/graph/model"
)

const (
	// exportKept is how long the address of an export can be used.
	exportKept = 15 * time.Minute
	exportPath = "/exports/"
	// exportPlace is where the descriptions of exports are sealed for.
	exportPlace = "exports.description"
)

// export is what is to be written. It stands in the address, sealed: nothing of it is stored.
type export struct {
	Kind      string               `json:"kind"` // "payments", "refunds" or "disputes"
	Payments  *model.PaymentFilter `json:"payments,omitempty"`
	Refunds   *model.RefundFilter  `json:"refunds,omitempty"`
	Disputes  *model.DisputeFilter `json:"disputes,omitempty"`
	Staff     core.StaffID         `json:"staff"` // who may fetch it
	ExpiresAt time.Time            `json:"expires_at"`
}

func (r *Resolver) createExport(ctx context.Context, in model.ExportCreateInput) (*model.ExportCreatePayload, error) {
	wanted := export{
		Payments: in.Payments, Refunds: in.Refunds, Disputes: in.Disputes,
		Staff: requestOf(ctx).staff.ID, ExpiresAt: r.payments.Now().Add(exportKept),
	}
	if err := wanted.check(); err != nil {
		return nil, err
	}
	payload := &model.ExportCreatePayload{}
	m := mutation{action: "export.create", input: in, key: in.IdempotencyKey, dryRun: in.DryRun, subject: wanted.Kind}
	done, refused, err := r.mutate(ctx, m, func(context.Context) error {
		payload.Preview = nothingElse()
		return nil
	}, func(ctx context.Context, _ core.RequestKey) (string, error) {
		token, err := r.describe(wanted)
		if err != nil {
			return "", err
		}
		return token, r.access.Exported(ctx, wanted.Kind, core.AuditState{"filtered": wanted.filtered(), "expires_at": wanted.ExpiresAt})
	})
	if payload.UserErrors = refused; err != nil || done == "" {
		return payload, err
	}
	if wanted, err = r.described(done); err != nil {
		return payload, err
	}
	payload.Export = &model.Export{URL: exportPath + wanted.Kind + ".csv?export=" + url.QueryEscape(done), ExpiresAt: wanted.ExpiresAt}
	return payload, nil
}

// check reads the kind from which filter is there, and refuses what the lists refuse, too.
func (e *export) check() error {
	given := 0
	for kind, there := range map[string]bool{"payments": e.Payments != nil, "refunds": e.Refunds != nil, "disputes": e.Disputes != nil} {
		if there {
			e.Kind = kind
			given++
		}
	}
	if given != 1 {
		return refuse(codeInput, "input must have one of payments, refunds and disputes")
	}
	_, errPayments := paymentFilter(e.Payments)
	_, errRefunds := refundFilter(e.Refunds)
	_, errDisputes := disputeFilter(e.Disputes)
	return errors.Join(errPayments, errRefunds, errDisputes)
}

// filtered names what the export is narrowed by, without the values, which may tell of people.
func (e *export) filtered() []string {
	names := []string{}
	for _, filter := range []any{e.Payments, e.Refunds, e.Disputes} {
		text, err := json.Marshal(filter)
		if err != nil {
			continue
		}
		var fields map[string]json.RawMessage
		if json.Unmarshal(text, &fields) == nil {
			names = slices.AppendSeq(names, maps.Keys(fields))
		}
	}
	slices.Sort(names)
	return names
}

func (r *Resolver) describe(e export) (string, error) {
	text, err := json.Marshal(e)
	if err != nil {
		return "", fmt.Errorf("describe an export: %w", err)
	}
	sealed, err := r.sealer.Seal(exportPlace, text)
	if err != nil {
		return "", fmt.Errorf("seal an export's description: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(sealed), nil
}

// errNoExport means that an address is of no export, or of one that cannot be fetched any more.
var errNoExport = errors.New("no such export")

func (r *Resolver) described(token string) (e export, err error) {
	sealed, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return e, errNoExport
	}
	text, err := r.sealer.Open(exportPlace, sealed)
	if err != nil || json.Unmarshal(text, &e) != nil || e.check() != nil {
		return export{}, errNoExport
	}
	return e, nil
}

// rows gives one page of an export's rows, each of the columns of its kind, and the place to go on from;
// nil at the end.
func (r *Resolver) rows(ctx context.Context, e export, after *core.Cursor) ([][]string, *core.Cursor, error) {
	request := core.PageRequest{Limit: core.PageItemsMax, After: after}
	switch e.Kind {
	case "payments":
		filter, err := paymentFilter(e.Payments)
		if err != nil {
			return nil, nil, err
		}
		return rowsOf(ctx, request, func(ctx context.Context, p core.PageRequest) (core.Page[core.Payment], error) {
			return r.store.Payments(ctx, filter, p)
		}, paymentCells, func(p core.Payment) (time.Time, core.PaymentID) { return p.CreatedAt, p.ID })
	case "refunds":
		filter, err := refundFilter(e.Refunds)
		if err != nil {
			return nil, nil, err
		}
		return rowsOf(ctx, request, func(ctx context.Context, p core.PageRequest) (core.Page[core.Refund], error) {
			return r.store.Refunds(ctx, filter, p)
		}, refundCells, func(f core.Refund) (time.Time, core.RefundID) { return f.CreatedAt, f.ID })
	}
	filter, err := disputeFilter(e.Disputes)
	if err != nil {
		return nil, nil, err
	}
	return rowsOf(ctx, request, func(ctx context.Context, p core.PageRequest) (core.Page[core.Dispute], error) {
		return r.store.Disputes(ctx, filter, p)
	}, disputeCells, func(d core.Dispute) (time.Time, core.DisputeID) { return d.CreatedAt, d.ID })
}

func rowsOf[T any, K core.ID](ctx context.Context, request core.PageRequest, read func(context.Context, core.PageRequest) (core.Page[T], error),
	cells func(T) []string, place func(T) (time.Time, K),
) ([][]string, *core.Cursor, error) {
	page, err := read(ctx, request)
	if err != nil {
		return nil, nil, err
	}
	rows := make([][]string, len(page.Items))
	for i, item := range page.Items {
		rows[i] = cells(item)
	}
	if !page.HasNext || len(page.Items) == 0 {
		return rows, nil, nil
	}
	at, id := place(page.Items[len(page.Items)-1])
	return rows, &core.Cursor{At: at, ID: string(id)}, nil
}
