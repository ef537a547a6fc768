package square

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

const customerIDCharsMax = 191

// customerFields are those that can be said of a customer.
var customerFields = fields{
	"given_name": {kind: text, most: 300}, "family_name": {kind: text, most: 300}, "company_name": {kind: text, most: 500}, "nickname": {kind: text, most: 100},
	"email_address": {kind: text, most: 254}, "address": addressShape, "phone_number": {kind: text, most: 16}, "reference_id": {kind: text, most: 100},
	"note": {kind: text}, "birthday": {kind: text}, "tax_ids": {kind: object, of: fields{"eu_vat": {kind: text, most: 20}}},
}

var (
	createCustomerBody = customerFields.and(fields{"idempotency_key": {kind: text}})
	updateCustomerBody = customerFields.and(fields{"version": {kind: whole}})
)

var exactShape = shape{kind: object, of: fields{"exact": {kind: text}, "fuzzy": {kind: unsupported}}}

var searchCustomersBody = fields{
	"cursor": {kind: text}, "limit": {kind: whole}, "count": {kind: unsupported},
	"query": {kind: object, of: fields{
		"filter": {kind: object, of: fields{
			"reference_id": exactShape, "email_address": exactShape, "phone_number": exactShape,
			"creation_source": {kind: unsupported}, "created_at": {kind: unsupported}, "updated_at": {kind: unsupported}, "group_ids": {kind: unsupported},
			"segment_ids": {kind: unsupported}, "custom_attribute": {kind: unsupported},
		}},
		"sort": {kind: object, of: fields{"field": {kind: text, words: []string{"DEFAULT", "CREATED_AT"}}, "order": {kind: text, words: []string{"ASC", "DESC"}}}},
	}},
}

// customer is a Customer.
//
// Source: developer.squareup.com/reference/square/objects/Customer.
type customer struct {
	ID             string          `json:"id"`
	CreatedAt      string          `json:"created_at"`
	UpdatedAt      string          `json:"updated_at"`
	GivenName      string          `json:"given_name,omitempty"`
	FamilyName     string          `json:"family_name,omitempty"`
	CompanyName    string          `json:"company_name,omitempty"`
	Nickname       string          `json:"nickname,omitempty"`
	EmailAddress   string          `json:"email_address,omitempty"`
	Address        json.RawMessage `json:"address,omitempty"`
	PhoneNumber    string          `json:"phone_number,omitempty"`
	Birthday       string          `json:"birthday,omitempty"`
	ReferenceID    string          `json:"reference_id,omitempty"`
	Note           string          `json:"note,omitempty"`
	TaxIDs         json.RawMessage `json:"tax_ids,omitempty"`
	CreationSource string          `json:"creation_source"`
	Version        int64           `json:"version"`

	created time.Time
	deleted bool
}

// customerOf is a customer that was not deleted. field is the one that names it; empty for the
// address. The caller holds mu.
func (s *Server) customerOf(id, field string) (*customer, *result) {
	if c, ok := s.customers.Get(id); ok && !c.deleted {
		return c, nil
	}
	return nil, new(notFound("customer", id, field))
}

// checkCustomer refuses a customer of whom nothing is said.
func checkCustomer(c *customer) *result {
	if c.GivenName == "" && c.FamilyName == "" && c.CompanyName == "" && c.EmailAddress == "" && c.PhoneNumber == "" {
		return new(invalid("MISSING_REQUIRED_PARAMETER", "", "At least one of given_name, family_name, company_name, email_address or phone_number is needed."))
	}
	if c.EmailAddress != "" && !strings.Contains(c.EmailAddress, "@") {
		return new(invalid("INVALID_EMAIL_ADDRESS", "email_address", "The email address is not valid."))
	}
	return nil
}

// createCustomer makes a customer. Without a key, a second call makes a second one.
//
// Source: POST /v2/customers.
func (s *Server) createCustomer(in *request) result {
	var made customer
	in.into(&made)
	for _, name := range in.nulls() {
		made.clear(name)
	}
	if bad := checkCustomer(&made); bad != nil {
		return *bad
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	made.ID, made.created, made.CreationSource = s.newID("CUS"), s.now(), "THIRD_PARTY"
	made.CreatedAt, made.UpdatedAt = stamp(made.created), stamp(made.created)
	s.customers.Put(made.ID, &made)
	s.tell("customer.created", "customer", made.ID, "customer", &made)
	return done("customer", shown(&made))
}

func (s *Server) getCustomer(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, bad := s.customerOf(in.id, "")
	if bad != nil {
		return *bad
	}
	return done("customer", shown(c))
}

// updateCustomer changes the fields that are given; a null clears one.
//
// Source: PUT /v2/customers/{id}.
func (s *Server) updateCustomer(in *request) result {
	var given struct {
		Version *int64 `json:"version"`
	}
	in.into(&given)
	s.mu.Lock()
	defer s.mu.Unlock()
	held, bad := s.customerOf(in.id, "")
	if bad != nil {
		return *bad
	}
	if given.Version != nil && *given.Version != held.Version {
		return failed(http.StatusConflict, invalidField("CONFLICT", "version", "The version is not the customer's current one."))
	}
	changed := *held
	in.into(&changed)
	for _, name := range in.nulls() {
		changed.clear(name)
	}
	if bad := checkCustomer(&changed); bad != nil {
		return *bad
	}
	changed.Version, changed.UpdatedAt = held.Version+1, stamp(s.now())
	*held = changed
	s.tell("customer.updated", "customer", held.ID, "customer", held)
	return done("customer", shown(held))
}

// clear empties a field by its name.
func (c *customer) clear(name string) {
	for field, into := range map[string]*string{
		"given_name": &c.GivenName, "family_name": &c.FamilyName, "company_name": &c.CompanyName, "nickname": &c.Nickname, "email_address": &c.EmailAddress,
		"phone_number": &c.PhoneNumber, "birthday": &c.Birthday, "reference_id": &c.ReferenceID, "note": &c.Note,
	} {
		if field == name {
			*into = ""
		}
	}
	switch name {
	case "address":
		c.Address = nil
	case "tax_ids":
		c.TaxIDs = nil
	}
}

// deleteCustomer forgets a customer. Their cards cannot be charged any more.
//
// Source: DELETE /v2/customers/{id}.
func (s *Server) deleteCustomer(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, bad := s.customerOf(in.id, "")
	if bad != nil {
		return *bad
	}
	c.deleted = true
	s.tell("customer.deleted", "customer", c.ID, "customer", c)
	for _, one := range s.cards.All() {
		if one.CustomerID == c.ID {
			s.disable(one)
		}
	}
	return result{status: http.StatusOK, object: struct{}{}}
}

// searchCustomers finds customers by what is known of them, newest first.
//
// Source: POST /v2/customers/search.
func (s *Server) searchCustomers(in *request) result {
	type exact struct {
		Exact string `json:"exact"`
	}
	var given struct {
		Query struct {
			Filter struct {
				ReferenceID  *exact `json:"reference_id"`
				EmailAddress *exact `json:"email_address"`
				PhoneNumber  *exact `json:"phone_number"`
			} `json:"filter"`
		} `json:"query"`
	}
	in.into(&given)
	w, bad := readSearch(in, pageMost)
	if bad != nil {
		return *bad
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	differs := func(wanted *exact, said string) bool { return wanted != nil && wanted.Exact != said }
	filter := given.Query.Filter
	all := slices.DeleteFunc(s.heldCustomers(), func(c *customer) bool {
		return differs(filter.ReferenceID, c.ReferenceID) || differs(filter.EmailAddress, c.EmailAddress) || differs(filter.PhoneNumber, c.PhoneNumber)
	})
	return cut(s, w, "customers", all, func(c *customer) place { return place{c.created, c.created, c.ID} })
}

// heldCustomers are those that were not deleted. The caller holds mu.
func (s *Server) heldCustomers() []*customer {
	return slices.DeleteFunc(s.customers.All(), func(c *customer) bool { return c.deleted })
}
