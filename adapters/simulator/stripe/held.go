package stripe

import "slices"

// kinds are the types of objects that are held, in the order of a full list. Events are
// left out of that: they only repeat the others.
var kinds = []string{
	"payment_intent", "charge", "refund", "session", "dispute", "file", "customer", "payment_method", "setup_intent", "product", "price",
	"subscription", "invoice",
}

// Kinds implements [engine.Dialect].
func (s *Server) Kinds() []string { return append(slices.Clone(kinds), "event") }

// Objects implements [engine.Dialect]: it gives what is held of a type, one of Kinds (empty
// for all but events), oldest first and with what belongs together put into one; false for a
// type that there is not. A client secret is shown in events alone, as it was sent. Of
// payment methods, those are given that were a customer's.
func (s *Server) Objects(kind string) ([]any, bool) {
	if kind == "" {
		var all []any
		for _, each := range kinds {
			objects, _ := s.Objects(each)
			all = append(all, objects...)
		}
		return all, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	gives := map[string]func() []any{
		"payment_intent": func() []any { return each(s.intents.All(), s.wholeIntent) },
		"charge":         func() []any { return each(s.charges.All(), func(c *charge) any { return *c }) },
		"refund":         func() []any { return each(s.refunds.All(), func(r *refund) any { return *r }) },
		"session": func() []any {
			return each(s.sessions.All(), func(held *session) any { return s.shownSession(held, &request{}) })
		},
		"dispute":  func() []any { return each(s.disputes.All(), func(d *dispute) any { return d.copied() }) },
		"file":     func() []any { return each(s.files.All(), func(f *file) any { return *f }) },
		"customer": func() []any { return each(s.customers.All(), wholeCustomer) },
		"payment_method": func() []any {
			saved := slices.DeleteFunc(s.methods.All(), func(m *paymentMethod) bool { return !m.saved })
			return each(saved, func(m *paymentMethod) any { return m.copied() })
		},
		"setup_intent": func() []any { return each(s.setups.All(), wholeSetup) },
		"product":      func() []any { return each(s.products.All(), func(p *product) any { return p.copied() }) },
		"price":        func() []any { return each(s.prices.All(), func(p *price) any { return p.copied() }) },
		"subscription": func() []any { return each(s.subscriptions.All(), func(sub *subscription) any { return sub.copied() }) },
		"invoice":      func() []any { return each(s.invoices.All(), func(inv *invoice) any { return inv.copied() }) },
		"event":        func() []any { return each(s.events.All(), func(e *event) any { return e }) },
	}
	give, ok := gives[kind]
	if !ok {
		return nil, false
	}
	return give(), true
}

// each shows objects.
func each[T any](objects []T, show func(T) any) []any {
	shown := make([]any, len(objects))
	for n, object := range objects {
		shown[n] = show(object)
	}
	return shown
}

func (s *Server) wholeIntent(i *intent) any {
	shown := s.shown(i, &request{params: map[string]string{"expand[0]": "latest_charge", "expand[1]": "payment_method"}})
	shown.ClientSecret = ""
	return shown
}

func wholeSetup(i *setup) any {
	shown := i.copied()
	shown.ClientSecret = ""
	return shown
}

func wholeCustomer(c *customer) any {
	if c.deleted {
		return deletedObject{ID: c.ID, Object: "customer", Deleted: true}
	}
	return c.copied()
}
