package stripe

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
)

// product is a Product.
//
// Source: docs.stripe.com/api/products/object.
type product struct {
	ID                  string            `json:"id"`
	Object              string            `json:"object"`
	Active              bool              `json:"active"`
	Created             int64             `json:"created"`
	DefaultPrice        *string           `json:"default_price"`
	Description         *string           `json:"description"`
	Images              []string          `json:"images"`
	Livemode            bool              `json:"livemode"`
	Metadata            map[string]string `json:"metadata"`
	Name                string            `json:"name"`
	StatementDescriptor *string           `json:"statement_descriptor"`
	TaxCode             *string           `json:"tax_code"`
	Type                string            `json:"type"`
	UnitLabel           *string           `json:"unit_label"`
	Updated             int64             `json:"updated"`
	URL                 *string           `json:"url"`

	deleted bool
	prices  int
}

func (p *product) copied() *product {
	c := *p
	c.Metadata = maps.Clone(p.Metadata)
	return &c
}

var (
	productParams       = []string{"id", "name", "active", "description", "metadata[*]", "statement_descriptor", "unit_label", "type", "url", "expand[*]"}
	productUpdateParams = []string{"name", "active", "description", "metadata[*]", "statement_descriptor", "unit_label", "url", "default_price", "expand[*]"}
)

// createProduct makes a product.
//
// Source: docs.stripe.com/api/products/create.
func (s *Server) createProduct(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	made, out := s.newProduct(in)
	if out != nil {
		return *out
	}
	return done(made.copied())
}

// newProduct makes a product of a call's parameters. The caller holds mu.
func (s *Server) newProduct(in *request) (*product, *result) {
	if in.params["name"] == "" {
		return nil, new(missingParam("name"))
	}
	if id := in.params["id"]; id != "" {
		if _, taken := s.products.Get(id); taken {
			return nil, new(invalid("resource_already_exists", "id", "Product already exists."))
		}
	}
	now := s.now().Unix()
	made := &product{Object: "product", Active: true, Created: now, Updated: now, Images: []string{}, Type: "service"}
	if out := in.readProduct(made); out != nil {
		return nil, out
	}
	made.ID = cmp.Or(in.params["id"], s.newID("prod"))
	s.products.Put(made.ID, made)
	s.tell("product.created", made.copied())
	return made, nil
}

func (in *request) readProduct(p *product) *result {
	var out *result
	name := orNil(p.Name)
	if out = in.texts(
		textField{"name", nameCharsMax, &name}, textField{"description", descriptionCharsMax, &p.Description},
		textField{"statement_descriptor", statementCharsMax, &p.StatementDescriptor}, textField{"unit_label", nameCharsMax, &p.UnitLabel},
		textField{"url", urlCharsMax, &p.URL},
	); out != nil {
		return out
	}
	if name == nil {
		return new(invalid("parameter_invalid_empty", "name", "You passed an empty string for 'name'."))
	}
	p.Name = *name
	if p.Active, out = in.boolean("active", p.Active); out != nil {
		return out
	}
	p.Metadata, out = in.metadata(p.Metadata)
	return out
}

func (s *Server) updateProduct(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	held, out := s.productBy(in.id, "id")
	if out != nil {
		return *out
	}
	changed := *held
	if out := in.readProduct(&changed); out != nil {
		return *out
	}
	if id := in.params["default_price"]; id != "" {
		if p, ok := s.prices.Get(id); !ok || p.Product != held.ID {
			return invalid("resource_missing", "default_price", "No such price: '"+clip(id)+"'")
		}
		changed.DefaultPrice = &id
	}
	changed.Updated = s.now().Unix()
	*held = changed
	s.tell("product.updated", held.copied())
	return done(held.copied())
}

// deleteProduct forgets a product that has no price.
func (s *Server) deleteProduct(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	held, out := s.productBy(in.id, "id")
	if out != nil {
		return *out
	}
	if held.prices > 0 {
		return failed(http.StatusBadRequest, apiError{Type: typeInvalidRequest, Message: "This product cannot be deleted because it has one or more user-created prices."})
	}
	held.deleted = true
	s.tell("product.deleted", held.copied())
	return done(deletedObject{ID: held.ID, Object: "product", Deleted: true})
}

// productBy gives a product that is not deleted. The caller holds mu.
func (s *Server) productBy(id, param string) (*product, *result) {
	held, ok := s.products.Get(id)
	if !ok || held.deleted {
		out := notFound("product", param, id[:min(len(id), parameterNameCharsMost)])
		if param != "id" {
			out.status = http.StatusBadRequest
		}
		return nil, &out
	}
	return held, nil
}

func (s *Server) getProduct(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	held, out := s.productBy(in.id, "id")
	if out != nil {
		return *out
	}
	return done(held.copied())
}

func (s *Server) listProducts(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	active, said := in.params["active"]
	all := slices.DeleteFunc(s.products.NewestFirst(), func(p *product) bool {
		return p.deleted || said && active != strconv.FormatBool(p.Active)
	})
	list, kept, out := page(in, "/v1/products", all, func(p *product) string { return p.ID }, func(p *product) int64 { return p.Created })
	if out != nil {
		return *out
	}
	list.Data = copies(kept, (*product).copied)
	return done(list)
}
