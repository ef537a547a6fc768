package stripe

import "slices"

const (
	pageDefault = 10
	pageMost    = 100
)

// page cuts a page out of objects that are given newest first.
//
// Source: docs.stripe.com/api/pagination.
func page[T any](in *request, path string, objects []T, id func(T) string, created func(T) int64) (listOf, []T, *result) {
	limit, said, out := in.integer("limit", 1, pageMost)
	if out != nil {
		return listOf{}, nil, out
	}
	if !said {
		limit = pageDefault
	}
	kept, out := within(in, objects, created)
	if out != nil {
		return listOf{}, nil, out
	}
	after, before := in.params["starting_after"], in.params["ending_before"]
	if after != "" && before != "" {
		out := invalid("", "ending_before", "You may only specify one of these parameters: starting_after, ending_before.")
		return listOf{}, nil, &out
	}
	at := func(wanted string) int {
		return slices.IndexFunc(kept, func(object T) bool { return id(object) == wanted })
	}
	for _, cursor := range []struct{ name, value string }{{"starting_after", after}, {"ending_before", before}} {
		if cursor.value != "" && at(cursor.value) < 0 {
			out := invalid("resource_missing", cursor.name, "No such object: '"+cursor.value[:min(len(cursor.value), parameterNameCharsMost)]+"'")
			return listOf{}, nil, &out
		}
	}
	list := listOf{Object: "list", URL: path}
	switch {
	case before != "":
		kept = kept[:at(before)]
		list.HasMore = len(kept) > int(limit)
		kept = kept[max(len(kept)-int(limit), 0):]
	case after != "":
		kept = kept[at(after)+1:]
		fallthrough
	default:
		list.HasMore = len(kept) > int(limit)
		kept = kept[:min(len(kept), int(limit))]
	}
	return list, kept, nil
}

// within keeps what was made in the time asked for.
func within[T any](in *request, objects []T, created func(T) int64) ([]T, *result) {
	tests := []struct {
		name string
		in   func(at, bound int64) bool
	}{
		{"created[gte]", func(at, bound int64) bool { return at >= bound }},
		{"created[gt]", func(at, bound int64) bool { return at > bound }},
		{"created[lte]", func(at, bound int64) bool { return at <= bound }},
		{"created[lt]", func(at, bound int64) bool { return at < bound }},
	}
	kept := append([]T{}, objects...)
	for _, test := range tests {
		bound, said, out := in.integer(test.name, 0, 1<<53)
		if out != nil {
			return nil, out
		}
		if said {
			kept = slices.DeleteFunc(kept, func(object T) bool { return !test.in(created(object), bound) })
		}
	}
	return kept, nil
}

func (s *Server) list(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.intents.NewestFirst()
	if customer, ok := in.params["customer"]; ok {
		all = slices.DeleteFunc(all, func(i *intent) bool { return i.Customer == nil || *i.Customer != customer })
	}
	list, kept, out := page(in, "/v1/payment_intents", all,
		func(i *intent) string { return i.ID }, func(i *intent) int64 { return i.Created })
	if out != nil {
		return *out
	}
	shown := make([]*intent, len(kept))
	for n, i := range kept {
		shown[n] = s.shown(i, in)
	}
	list.Data = shown
	return done(list)
}

func (s *Server) getCharge(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.charges.Get(in.id)
	if !ok {
		return notFound("charge", "id", in.id)
	}
	shown := shownCharge(c, in, "")
	if i, ok := s.intents.Get(c.intent); ok && in.expands("payment_intent") {
		shown.PaymentIntent = i.copied()
	}
	return done(shown)
}

func (s *Server) balance(*request) result {
	return done(map[string]any{"object": "balance", "livemode": false, "available": []any{}, "pending": []any{}})
}

func (s *Server) showAccount(*request) result {
	return done(map[string]any{"id": "acct_simulated", "object": "account", "charges_enabled": true, "country": "DE", "default_currency": "eur", "payouts_enabled": true, "type": "standard"})
}
