package square

import "net/http"

// location is the seller's only one.
//
// Source: developer.squareup.com/reference/square/objects/Location.
func (s *Server) location() map[string]any {
	return map[string]any{
		"id": s.LocationID, "name": "Simulated location", "merchant_id": merchant, "status": "ACTIVE", "type": "PHYSICAL", "country": "IE", "currency": "EUR",
		"language_code": "en-IE", "timezone": "Europe/Dublin", "capabilities": []string{"CREDIT_CARD_PROCESSING"},
	}
}

func (s *Server) listLocations(*request) result {
	return result{status: http.StatusOK, object: map[string]any{"locations": []any{s.location()}}}
}

// getLocation shows a location by its id, or the main one by that word.
//
// Source: GET /v2/locations/{location_id}.
func (s *Server) getLocation(in *request) result {
	if in.id == s.LocationID || in.id == "main" {
		return done("location", s.location())
	}
	return notFound("location", in.id, "")
}
