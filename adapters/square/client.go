package square

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"

	"github.com/paydesk/paydesk/adapters/outbound"
)

// version pins the shapes below.
//
// Source: Square-Version of the API's description of 2025-08-20.
const version = "2025-08-20"

// client speaks Square's REST API. Its types carry the names of Square's own Go library, so
// that the one can take the other's place.
type client struct {
	http  *http.Client
	base  string
	token string
}

// Money is an amount in the currency's smallest unit.
type Money struct {
	Amount   *int64 `json:"amount,omitempty"`
	Currency string `json:"currency,omitempty"`
}

// Payment is a payment as Square shows it, as far as it is used.
//
// Source: developer.squareup.com/reference/square/objects/Payment.
type Payment struct {
	ID            string       `json:"id"`
	CreatedAt     string       `json:"created_at"`
	UpdatedAt     string       `json:"updated_at"`
	Status        string       `json:"status"`
	AmountMoney   *Money       `json:"amount_money"`
	ApprovedMoney *Money       `json:"approved_money"`
	RefundedMoney *Money       `json:"refunded_money"`
	SourceType    string       `json:"source_type"`
	CardDetails   *CardDetails `json:"card_details"`
	DelayedUntil  string       `json:"delayed_until"`
	ReferenceID   string       `json:"reference_id"`
	OrderID       string       `json:"order_id"`
	CustomerID    string       `json:"customer_id"`
	LocationID    string       `json:"location_id"`
	RefundIDs     []string     `json:"refund_ids"`
	VersionToken  string       `json:"version_token"`
}

// CardDetails is how a payment by card went.
type CardDetails struct {
	Status string  `json:"status"`
	Card   *Card   `json:"card"`
	Errors []Error `json:"errors"`
}

// Card is what may be known of a card. The ids and Enabled are of one that a customer left with
// the shop.
//
// Source: developer.squareup.com/reference/square/objects/Card.
type Card struct {
	ID          string `json:"id,omitempty"`
	CardBrand   string `json:"card_brand,omitempty"`
	Last4       string `json:"last_4,omitempty"`
	ExpMonth    int64  `json:"exp_month,omitempty"`
	ExpYear     int64  `json:"exp_year,omitempty"`
	CustomerID  string `json:"customer_id,omitempty"`
	ReferenceID string `json:"reference_id,omitempty"`
	Enabled     bool   `json:"enabled,omitempty"`
}

// Error is one of an answer's errors.
type Error struct {
	Category string `json:"category"`
	Code     string `json:"code"`
	Field    string `json:"field"`
}

// CreatePaymentRequest is the body of POST /v2/payments.
type CreatePaymentRequest struct {
	SourceID       string `json:"source_id"`
	IdempotencyKey string `json:"idempotency_key"`
	AmountMoney    Money  `json:"amount_money"`
	Autocomplete   bool   `json:"autocomplete"`
	LocationID     string `json:"location_id"`
	ReferenceID    string `json:"reference_id"`
	Note           string `json:"note,omitempty"`
	// What follows is of a card on file.
	CustomerID      string           `json:"customer_id,omitempty"`
	CustomerDetails *CustomerDetails `json:"customer_details,omitempty"`
}

// CustomerDetails says who has a payment made.
type CustomerDetails struct {
	CustomerInitiated bool `json:"customer_initiated"`
}

// UpdatePaymentRequest is the body of PUT /v2/payments/{id}.
type UpdatePaymentRequest struct {
	IdempotencyKey string        `json:"idempotency_key"`
	Payment        UpdatePayment `json:"payment"`
}

// UpdatePayment is what of a payment is to change.
type UpdatePayment struct {
	AmountMoney  Money  `json:"amount_money"`
	VersionToken string `json:"version_token,omitempty"`
}

// CreatePaymentLinkRequest is the body of POST /v2/online-checkout/payment-links.
type CreatePaymentLinkRequest struct {
	IdempotencyKey  string          `json:"idempotency_key"`
	Order           Order           `json:"order"`
	CheckoutOptions CheckoutOptions `json:"checkout_options"`
	PaymentNote     string          `json:"payment_note,omitempty"`
}

// CheckoutOptions is how Square's page behaves.
type CheckoutOptions struct {
	RedirectURL string `json:"redirect_url,omitempty"`
}

// PaymentLink is a page of Square's, as far as it is used.
//
// Source: developer.squareup.com/reference/square/objects/PaymentLink.
type PaymentLink struct {
	ID      string `json:"id"`
	URL     string `json:"url"`
	OrderID string `json:"order_id"`
}

// PaymentLinkRelatedResources is what was made together with a page.
type PaymentLinkRelatedResources struct {
	Orders []Order `json:"orders"`
}

// Order is what is paid for at a page, as Square shows it and as it is asked for, as far as
// it is used.
//
// Source: developer.squareup.com/reference/square/objects/Order.
type Order struct {
	ID          string          `json:"id,omitempty"`
	LocationID  string          `json:"location_id"`
	ReferenceID string          `json:"reference_id,omitempty"`
	LineItems   []OrderLineItem `json:"line_items,omitempty"`
	State       string          `json:"state,omitempty"`
	TotalMoney  *Money          `json:"total_money,omitempty"`
	Tenders     []Tender        `json:"tenders,omitempty"`
	CreatedAt   string          `json:"created_at,omitempty"`
}

// OrderLineItem is one of an order's lines.
type OrderLineItem struct {
	Name           string `json:"name"`
	Quantity       string `json:"quantity"`
	BasePriceMoney *Money `json:"base_price_money"`
}

// Tender is what an order was paid with, or tried to be.
type Tender struct {
	PaymentID string `json:"payment_id"`
}

// answer is every answer's body, with the call that it came by.
type answer struct {
	Payment          *Payment                     `json:"payment"`
	Refund           *Refund                      `json:"refund"`
	Payments         []Payment                    `json:"payments"`
	PaymentLink      *PaymentLink                 `json:"payment_link"`
	RelatedResources *PaymentLinkRelatedResources `json:"related_resources"`
	Order            *Order                       `json:"order"`
	Orders           []Order                      `json:"orders"`
	Dispute          *Dispute                     `json:"dispute"`
	Disputes         []Dispute                    `json:"disputes"`
	Evidence         *DisputeEvidence             `json:"evidence"`
	Customer         *Customer                    `json:"customer"`
	Card             *Card                        `json:"card"`
	CatalogObject    *CatalogObject               `json:"catalog_object"`
	Object           *CatalogObject               `json:"object"`
	Subscription     *Subscription                `json:"subscription"`
	Invoice          *Invoice                     `json:"invoice"`
	Invoices         []Invoice                    `json:"invoices"`
	Cursor           string                       `json:"cursor"`
	Errors           []Error                      `json:"errors"`

	call *outbound.Call
}

var errNoObject = errors.New("answer holds not what was asked for")

// requestIDHeader is where an id of the call is looked for. Square documents none, and no
// answer of its own is known to hold one: what stands between may write it.
const requestIDHeader = "X-Request-Id"

// do makes one call. body is nil for none. An answer of success that says nothing is of
// unknown outcome.
func (c *client) do(ctx context.Context, op, method, path string, query url.Values, body any) (answer, error) {
	told, text, err := c.send(ctx, op, method, path, query, body)
	if err != nil {
		return answer{}, err
	}
	out := answer{call: told.call}
	if err := json.Unmarshal(text, &out); err != nil && !told.down() {
		return answer{}, told.call.Unusable(errNotReadable)
	}
	if told.status == http.StatusOK && len(out.Errors) == 0 {
		return out, nil
	}
	return out, refused(told, out)
}

// head is what is known of an answer before its body is read.
type head struct {
	call       *outbound.Call
	status     int
	retryAfter string
}

// down reports an answer that may have any body.
func (h head) down() bool {
	return h.status >= http.StatusInternalServerError || h.status == http.StatusTooManyRequests
}

// send makes one call and gives its answer's body as it came.
func (c *client) send(ctx context.Context, op, method, path string, query url.Values, body any) (head, []byte, error) {
	call := outbound.Begin(ctx, op)
	call.RequestIDHeader = requestIDHeader
	request, err := c.request(call.Context, method, path, query, body) //nolint:contextcheck // it is made of ctx
	if err != nil {
		return head{}, nil, outbound.Invalid(op, errNoObject)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return head{}, nil, call.Unanswered(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body) // the client's transport bounds it
	if err != nil {
		return head{}, nil, call.Unanswered(err)
	}
	return head{call, response.StatusCode, response.Header.Get("Retry-After")}, text, nil
}

// upload is a body in parts.
type upload struct {
	kind string // its content type, which says what parts it
	text []byte
}

func (c *client) request(ctx context.Context, method, path string, query url.Values, body any) (*http.Request, error) {
	var content io.Reader
	kind := "application/json"
	if parts, is := body.(upload); is {
		kind, content = parts.kind, bytes.NewReader(parts.text)
	} else if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(text)
	}
	address := c.base + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, method, address, content)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	request.Header.Set("Square-Version", version)
	request.Header.Set("Accept", "application/json")
	if body != nil {
		request.Header.Set("Content-Type", kind)
	}
	return request, nil
}

// payment makes a call whose answer holds the payment that was asked about; id is empty
// where the answer makes it known.
func (c *client) payment(ctx context.Context, op, method, path, id string, body any) (answer, error) {
	out, err := c.do(ctx, op, method, path, nil, body)
	if err != nil {
		return answer{}, err
	}
	if out.Payment == nil || out.Payment.ID == "" || id != "" && out.Payment.ID != id {
		return answer{}, out.call.Unusable(errNoObject)
	}
	return out, nil
}

// object makes a call whose answer holds the object that was asked about: known gives the id of
// what it holds, and id is empty where the answer makes it known.
func (c *client) object(ctx context.Context, op, method, path string, body any, id string, known func(answer) string) (answer, error) {
	out, err := c.do(ctx, op, method, path, nil, body)
	if err != nil {
		return answer{}, err
	}
	if shown := known(out); safeID(shown) == "" || id != "" && shown != id {
		return answer{}, out.call.Unusable(errNoObject)
	}
	return out, nil
}

// order fetches an order.
//
// Source: GET /v2/orders/{id}.
func (c *client) order(ctx context.Context, op, id string) (answer, error) {
	out, err := c.do(ctx, op, http.MethodGet, "/v2/orders/"+id, nil, nil)
	if err != nil {
		return answer{}, err
	}
	if out.Order == nil || out.Order.ID != id {
		return answer{}, out.call.Unusable(errNoObject)
	}
	return out, nil
}

// link fetches a page of Square's, which must be an order's.
//
// Source: GET /v2/online-checkout/payment-links/{id}.
func (c *client) link(ctx context.Context, op, id, order string) (PaymentLink, error) {
	out, err := c.do(ctx, op, http.MethodGet, linksPath+"/"+id, nil, nil)
	if err != nil {
		return PaymentLink{}, err
	}
	if out.PaymentLink == nil || out.PaymentLink.ID != id || out.PaymentLink.OrderID != order {
		return PaymentLink{}, out.call.Unusable(errNoObject)
	}
	return *out.PaymentLink, nil
}
