package square_test

import (
	"maps"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// phase is one of a plan variation's.
func phase(ordinal int, cadence string, periods, minor int) object {
	one := object{"ordinal": ordinal, "cadence": cadence, "pricing": object{"type": "STATIC", "price_money": euros(minor)}}
	if periods > 0 {
		one["periods"] = periods
	}
	return one
}

// write writes an object of the catalog.
func (h *house) write(t *testing.T, key string, of object) answer {
	t.Helper()
	return h.call(t, http.MethodPost, "/v2/catalog/object", object{"idempotency_key": key, "object": of})
}

// variation makes a plan and a variation of it, and gives the variation's id.
func (h *house) variation(t *testing.T, name string, phases ...any) string {
	t.Helper()
	plan := h.write(t, name+"p", object{"type": "SUBSCRIPTION_PLAN", "id": "#p", "subscription_plan_data": object{"name": name}})
	require.Equal(t, http.StatusOK, plan.Status, plan.Text)
	a := h.write(t, name+"v", object{"type": "SUBSCRIPTION_PLAN_VARIATION", "id": "#v", "subscription_plan_variation_data": object{
		"name": name, "subscription_plan_id": plan.text("catalog_object.id"), "phases": phases,
	}})
	require.Equal(t, http.StatusOK, a.Status, a.Text)
	require.Equal(t, "#v", a.text("id_mappings.0.client_object_id"))
	return a.text("catalog_object.id")
}

func TestCatalog(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	plan := h.write(t, "p", object{"type": "SUBSCRIPTION_PLAN", "id": "#p", "subscription_plan_data": object{"name": "Gold"}}).text("catalog_object.id")
	data := func(changes object) object {
		all := object{"name": "Monthly", "subscription_plan_id": plan, "phases": []any{phase(0, "WEEKLY", 2, 0), phase(1, "MONTHLY", 0, 900)}}
		maps.Copy(all, changes)
		return all
	}
	write := func(key string, of, changes object) answer {
		all := object{"type": "SUBSCRIPTION_PLAN_VARIATION", "id": "#v", "subscription_plan_variation_data": of}
		maps.Copy(all, changes)
		return h.write(t, key, all)
	}
	made := write("v", data(nil), nil)
	id := made.text("catalog_object.id")
	require.Equal(t, id, made.text("id_mappings.0.object_id"), made.Text)
	shown := h.call(t, http.MethodGet, "/v2/catalog/object/"+id, nil)
	require.Equal(t, "900", shown.text("object.subscription_plan_variation_data.phases.1.pricing.price_money.amount"))
	require.Equal(t, id, h.call(t, http.MethodGet, "/v2/catalog/object/"+plan, nil).text("object.subscription_plan_data.subscription_plan_variations.0.id"))

	version := shown.at("object.version")
	renamed := write("n", data(object{"name": "Each month"}), object{"id": id, "version": version})
	require.Equal(t, "Each month", renamed.text("catalog_object.subscription_plan_variation_data.name"), renamed.Text)
	require.Equal(t, "VERSION_MISMATCH", write("o", data(nil), object{"id": id, "version": version}).code())
	fixed := write("f", data(object{"phases": []any{phase(0, "MONTHLY", 0, 901)}}), object{"id": id, "version": renamed.at("catalog_object.version")})
	require.Equal(t, "BAD_REQUEST", fixed.code(), "phases cannot be changed")

	for name, test := range map[string]struct {
		of   object
		code string
	}{
		"no plan":     {data(object{"subscription_plan_id": "CAT0"}), "NOT_FOUND"},
		"no phases":   {data(object{"phases": []any{}}), "ARRAY_EMPTY"},
		"cadence":     {data(object{"phases": []any{phase(0, "HOURLY", 0, 1)}}), "INVALID_ENUM_VALUE"},
		"free":        {data(object{"phases": []any{phase(0, "MONTHLY", 0, 0)}}), "VALUE_TOO_LOW"},
		"endless":     {data(object{"phases": []any{phase(0, "MONTHLY", 0, 1), phase(1, "MONTHLY", 0, 1)}}), "INVALID_VALUE"},
		"ordinal":     {data(object{"phases": []any{phase(1, "MONTHLY", 0, 1)}}), "INVALID_VALUE"},
		"unknown":     {data(object{"trial": 7}), "UNKNOWN_BODY_PARAMETER"},
		"two moneys":  {data(object{"phases": []any{phase(0, "DAILY", 1, 1), object{"ordinal": 1, "cadence": "DAILY", "pricing": object{"type": "STATIC", "price_money": object{"amount": 1, "currency": "USD"}}}}}), "CURRENCY_MISMATCH"},
		"no price":    {data(object{"phases": []any{object{"ordinal": 0, "cadence": "DAILY", "pricing": object{"type": "STATIC"}}}}), "MISSING_REQUIRED_PARAMETER"},
		"by an order": {data(object{"phases": []any{object{"ordinal": 0, "cadence": "DAILY", "pricing": object{"type": "RELATIVE"}}}}), "SANDBOX_NOT_SUPPORTED"},
	} {
		require.Equal(t, test.code, write("x"+name, test.of, nil).code(), name)
	}
	require.Equal(t, "MISSING_REQUIRED_PARAMETER", h.write(t, "m", object{"type": "SUBSCRIPTION_PLAN", "id": "#p"}).code())
	require.Equal(t, "INVALID_ENUM_VALUE", h.write(t, "i", object{"type": "ITEM", "id": "#p"}).code())

	require.Len(t, h.call(t, http.MethodGet, "/v2/catalog/list", nil).at("objects"), 2)
	require.Equal(t, id, h.call(t, http.MethodGet, "/v2/catalog/list?types=SUBSCRIPTION_PLAN_VARIATION", nil).text("objects.0.id"))
	require.Len(t, h.call(t, http.MethodDelete, "/v2/catalog/object/"+plan, nil).at("deleted_object_ids"), 2)
	require.Equal(t, "NOT_FOUND", h.call(t, http.MethodGet, "/v2/catalog/object/"+id, nil).code())
	require.JSONEq(t, `{}`, h.call(t, http.MethodGet, "/v2/catalog/list", nil).Text)
}
