package core_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
)

func TestRedactHidesPeopleAndSecrets(t *testing.T) {
	t.Parallel()
	const body = `{"id":"evt_1","object":"event","created":1767225600,"livemode":false,"type":"charge.succeeded","data":{"object":{
		"id":"ch_1","amount":2500,"currency":"usd","payment_intent":"pi_1","status":"succeeded","customer":"cus_9","description":"Tea for Ada",
		"receipt_email":"ada@buyer.example","metadata":{"phone":"555-0100","id":"Ada"},"client_secret":"pi_1_secret_x","card":{"brand":"visa","last4":"4242","number":4242424242424242},
		"billing_details":{"name":"Ada Lovelace","address":{"line1":"1 Road","country":"GB","id":"x"},"tax_id":7},
		"payer":{"payer_id":"QYR5Z8XDVJNXQ","name":{"given_name":"Ada"}},"create_time":"2026-03-01T12:00:00Z","emailAddress":"ada@buyer.example","reason":"write to ada@buyer.example",
		"type":"4242 4242 4242 4242","list":[{"status":"ok","name":"Ada"},"Ada"],"empty":"","none":null}}}`
	shown, ok := core.Redact([]byte(body))
	require.True(t, ok)
	for _, personal := range []string{"Ada", "ada@", "555", "Road", "secret_x", "GB", "4242424242424242", "4242 4242", "Tea"} {
		require.NotContains(t, shown, personal)
	}
	for _, kept := range []string{
		`"id": "evt_1"`, `"created": 1767225600`, `"livemode": false`, `"type": "charge.succeeded"`, `"id": "ch_1"`, `"amount": 2500`, `"currency": "usd"`,
		`"payment_intent": "pi_1"`, `"status": "succeeded"`, `"brand": "visa"`, `"last4": "4242"`, `"create_time": "2026-03-01T12:00:00Z"`, `"empty": ""`, `"none": null`,
		`"customer": "***"`, `"status": "ok"`,
	} {
		require.Contains(t, shown, kept)
	}
}

func TestRedactTakesJSONAlone(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "id=1&email=ada@buyer.example", `{"a":1} {"b":2}`, `{"a":`} {
		shown, ok := core.Redact([]byte(body))
		require.False(t, ok, body)
		require.Empty(t, shown)
	}
	shown, ok := core.Redact([]byte(strings.Repeat(`{"id":`, 60) + `"deep"` + strings.Repeat("}", 60)))
	require.True(t, ok)
	require.NotContains(t, shown, "deep", "what lies too deep is not shown")
}

func FuzzRedact(f *testing.F) {
	f.Add([]byte(`{"receipt_email":"ada@buyer.example","id":"4242424242424242"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		shown, ok := core.Redact(body)
		if !ok {
			return
		}
		again, ok := core.Redact([]byte(shown))
		require.True(t, ok)
		require.Equal(t, shown, again, "there is nothing more to hide")
	})
}
