package square

import "net/http"

// ordersMost is how many orders can be asked for at once.
//
// Source: POST /v2/orders/batch-retrieve.
const ordersMost = 100

var batchOrdersBody = fields{
	"location_id": {kind: text}, "order_ids": needed(shape{kind: list, least: 1, most: ordersMost, each: &shape{kind: text, least: 1}}),
}

// The states of an order.
//
// Source: developer.squareup.com/reference/square/enums/OrderState.
const (
	orderOpen      = "OPEN"
	orderCompleted = "COMPLETED"
	orderCanceled  = "CANCELED"
)

// newOrder makes an order that nobody has paid. The caller holds mu.
func (s *Server) newOrder(made order) *order {
	now := stamp(s.now())
	made.ID, made.State, made.Version, made.DueMoney = s.newID("ORD"), orderOpen, 1, made.TotalMoney
	made.CreatedAt, made.UpdatedAt = now, now
	s.orders.Put(made.ID, &made)
	s.tellOrder(&made, "order.created", "order_created")
	return &made
}

// changeOrder gives an order its next version. The caller holds mu.
func (s *Server) changeOrder(bill *order, state string) {
	now := stamp(s.now())
	bill.State, bill.UpdatedAt, bill.ClosedAt = state, now, now
	bill.Version++
	s.tellOrder(bill, "order.updated", "order_updated")
}

// payableOrder reports whether an order waits for a payment: money that is held for it, or on its
// way, keeps others from paying it a second time. The caller holds mu.
func (s *Server) payableOrder(bill *order) bool {
	if bill.by != nil {
		s.age(bill.by)
	}
	return bill.State == orderOpen && (bill.by == nil || bill.by.Status == canceled || bill.by.Status == lost)
}

// settleOrder books a payment that took its money on its order. The caller holds mu.
func (s *Server) settleOrder(bill *order, p *payment) {
	paid := tender{
		ID: p.ID, LocationID: p.LocationID, TransactionID: bill.ID, CreatedAt: p.CreatedAt, AmountMoney: p.TotalMoney, Type: p.SourceType, PaymentID: p.ID,
	}
	if p.CardDetails != nil {
		paid.CardDetails = map[string]any{"status": "CAPTURED", "card": p.CardDetails.Card, "entry_method": p.entry}
	}
	bill.Tenders = append(bill.Tenders, paid)
	bill.DueMoney.Amount = 0
	s.changeOrder(bill, orderCompleted)
	if bill.invoice != nil {
		s.paidInvoice(bill.invoice, p)
	}
}

// abandon ends an order whose only payment came to nothing. The caller holds mu.
func (s *Server) abandon(bill *order) {
	if bill.single && bill.State == orderOpen {
		s.changeOrder(bill, orderCanceled)
	}
}

// tellOrder tells of an order as Square does: its state and version, and nothing of what is in
// it. The caller holds mu.
func (s *Server) tellOrder(bill *order, kind, name string) {
	s.tell(kind, name, bill.ID, name, map[string]any{
		"order_id": bill.ID, "version": bill.Version, "location_id": bill.LocationID, "state": bill.State,
		"created_at": bill.CreatedAt, "updated_at": bill.UpdatedAt,
	})
}

func (s *Server) getOrder(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	if bill, ok := s.orders.Get(in.id); ok {
		return done("order", shown(bill))
	}
	return notFound("order", in.id, "")
}

// getOrders shows those of some orders that there are.
//
// Source: POST /v2/orders/batch-retrieve.
func (s *Server) getOrders(in *request) result {
	var given struct {
		LocationID string   `json:"location_id"`
		OrderIDs   []string `json:"order_ids"`
	}
	in.into(&given)
	if given.LocationID != "" && given.LocationID != s.LocationID {
		return invalid("INVALID_LOCATION", "location_id", "The location is not one of the seller's.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []*order
	for _, id := range given.OrderIDs {
		if bill, ok := s.orders.Get(id); ok {
			found = append(found, bill)
		}
	}
	answer := map[string]any{}
	if len(found) > 0 {
		answer["orders"] = written(found)
	}
	return result{status: http.StatusOK, object: answer}
}
