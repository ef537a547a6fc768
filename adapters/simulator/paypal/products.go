package paypal

import (
	"cmp"
	"time"
)

var productShape = object(map[string]shape{
	"id": text(6, 50), "name": text(1, billingNameCharsMax), "description": text(1, descriptionCharsMax), "type": word("PHYSICAL", "DIGITAL", "SERVICE"),
	"category": text(4, 256), "image_url": text(1, 2000), "home_url": text(1, 2000),
}, "name", "type")

var pageQuery = []string{"page_size", "page", "total_required"}

// product is what plans are for.
type product struct {
	id, name, description, kind, category string
	created                               time.Time
}

// createProduct makes something that plans can be for.
//
// Source: developer.paypal.com/docs/api/catalog-products/v1, products_create.
func (s *Server) createProduct(in *request) result {
	var wire struct {
		ID          string `json:"id"`
		Name        string `json:"name"`
		Description string `json:"description"`
		Type        string `json:"type"`
		Category    string `json:"category"`
	}
	if bad := in.decode(&wire); bad != nil {
		return *bad
	}
	if _, known := s.products.Get(wire.ID); known {
		return unprocessable("DUPLICATE_RESOURCE_IDENTIFIER", "/id")
	}
	p := &product{
		id: cmp.Or(wire.ID, "PROD-"+s.newID()), name: wire.Name, description: wire.Description, kind: wire.Type, category: wire.Category, created: s.now(),
	}
	s.products.Put(p.id, p)
	s.tell("CATALOG.PRODUCT.CREATED", p.id, s.shownProduct(p))
	return created("product " + p.id)
}

func (s *Server) getProduct(in *request) result {
	if p, ok := s.products.Get(in.id); ok {
		return done(s.shownProduct(p))
	}
	return notFound()
}

func (s *Server) listProducts(in *request) result {
	return listed(s, in, "/v1/catalogs/products", "products", s.products.NewestFirst(), s.shownProduct)
}

func (s *Server) shownProduct(p *product) map[string]any {
	shown := map[string]any{
		"id": p.id, "name": p.name, "type": p.kind, "create_time": timeText(p.created), "update_time": timeText(p.created),
		"links": []link{s.get("self", "/v1/catalogs/products/"+p.id), {s.api("/v1/catalogs/products/" + p.id), "edit", "PATCH"}},
	}
	for name, value := range map[string]string{"description": p.description, "category": p.category} {
		if value != "" {
			shown[name] = value
		}
	}
	return shown
}

// listed is a page of things, as the lists of products and plans show it.
func listed[T, W any](s *Server, in *request, path, name string, all []T, show func(T) W) result {
	size, bad := in.number("page_size", planPageMost, planPageDefault)
	if bad != nil {
		return *bad
	}
	number, bad := in.number("page", planPagesMost, 1)
	if bad != nil {
		return *bad
	}
	from := min((number-1)*size, len(all))
	shown := []W{}
	for _, one := range all[from:min(from+size, len(all))] {
		shown = append(shown, show(one))
	}
	links := []link{{s.api(path) + asked(in.query), "self", "GET"}}
	if from+size < len(all) {
		links = append(links, link{s.api(path) + asked(turned(in.query, number+1)), "next", "GET"})
	}
	told := map[string]any{name: shown, "links": links}
	if in.query.Get("total_required") == "true" {
		told["total_items"], told["total_pages"] = len(all), (len(all)+size-1)/size
	}
	return done(told)
}
