package portstest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// WebhookSecret says which of the endpoint's secrets a test post is signed with.
type WebhookSecret string

// The secrets.
const (
	SecretCurrent WebhookSecret = "current"
	SecretRotated WebhookSecret = "rotated" // the other one that the verifier accepts
	SecretForeign WebhookSecret = "foreign" // one that it does not
)

// WebhookSide is a verifier of the test environment and all that a suite needs to write
// to it as its provider does.
type WebhookSide struct {
	Verifier ports.WebhookVerifier
	// Sign gives the headers of a post of the body at a time.
	Sign func(body []byte, at time.Time, secret WebhookSecret) http.Header
	// Headers without any one of which a post is refused.
	Headers []string
	// Tolerance is how far the signed time may lie from now, both ways; 0 for a provider
	// that signs no time.
	Tolerance time.Duration

	// Payment is an event about a payment, and PaymentRef the payment it is about.
	Payment    []byte
	PaymentRef core.ProviderRef
	// Unknown is an event of a type that concerns nothing we keep.
	Unknown []byte
	// Live is an event of the other environment.
	Live []byte
	// NoID is an event without an id.
	NoID []byte
	// NotJSON is why a body that is not JSON is refused where nobody can tell whether it is
	// signed; nil for [ports.ErrPayload].
	NotJSON error
}

// webhookEpoch is the wall clock of the suite.
var webhookEpoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// RunWebhook holds a verifier to the promises of [ports.WebhookVerifier].
func RunWebhook(t *testing.T, open func(*testing.T) WebhookSide) {
	t.Helper()
	for _, chapter := range []struct {
		name string
		run  func(*testing.T, WebhookSide)
	}{
		{"reads a good post", webhookGood},
		{"accepts each secret of a rotation", webhookRotated},
		{"refuses another's signature", webhookForeign},
		{"refuses a body that is not as signed", webhookChanged},
		{"refuses a body that was written anew", webhookRewritten},
		{"refuses a time too far away, both ways", webhookStale},
		{"refuses a post without one of its headers", webhookHeaders},
		{"refuses headers that are not readable", webhookOddHeaders},
		{"tells the other environment", webhookEnvironment},
		{"tells what is not usable", webhookUnusable},
		{"takes a type that it does not know", webhookUnknownType},
	} {
		t.Run(chapter.name, func(t *testing.T) {
			t.Parallel()
			chapter.run(t, open(t))
		})
	}
}

// post verifies a body that was signed and is received at the suite's time.
func (s WebhookSide) post(t testing.TB, body []byte, secret WebhookSecret) (core.Delivery, error) {
	return s.Verifier.VerifyWebhook(t.Context(), s.Sign(body, webhookEpoch, secret), body, webhookEpoch)
}

// requireRefusal holds a refusal to one reason, and to nothing of the message in it.
func requireRefusal(t testing.TB, delivery core.Delivery, err, reason error) {
	t.Helper()
	require.ErrorIs(t, err, reason)
	for _, other := range []error{ports.ErrSignature, ports.ErrWrongEnvironment, ports.ErrPayload, ports.ErrNotVerifiable} {
		if other != reason { //nolint:errorlint // the sentinels themselves are compared
			require.NotErrorIs(t, err, other)
		}
	}
	require.Zero(t, delivery, "nothing of a refused post is used")
}

func webhookGood(t *testing.T, s WebhookSide) {
	delivery, err := s.post(t, s.Payment, SecretCurrent)
	require.NoError(t, err)
	require.Equal(t, s.Verifier.Account(), delivery.Account)
	require.NotEmpty(t, delivery.ProviderEventID)
	require.NotEmpty(t, delivery.Type)
	require.Equal(t, s.PaymentRef, delivery.Ref)
	require.Equal(t, s.Payment, delivery.Body)
	require.Same(t, &s.Payment[0], &delivery.Body[0], "the body is not copied")
	require.Zero(t, delivery.ReceivedAt, "left for the caller")
	require.Empty(t, delivery.Trace, "left for the caller")

	again, err := s.post(t, slices.Clone(s.Payment), SecretCurrent)
	require.NoError(t, err)
	require.Equal(t, delivery, again)
}

func webhookRotated(t *testing.T, s WebhookSide) {
	current, err := s.post(t, s.Payment, SecretCurrent)
	require.NoError(t, err)
	rotated, err := s.post(t, s.Payment, SecretRotated)
	require.NoError(t, err)
	require.Equal(t, current, rotated)
}

func webhookForeign(t *testing.T, s WebhookSide) {
	for _, body := range [][]byte{s.Payment, s.Live, s.NoID, []byte("not JSON"), {}} {
		delivery, err := s.post(t, body, SecretForeign)
		requireRefusal(t, delivery, err, ports.ErrSignature)
	}
}

func webhookChanged(t *testing.T, s WebhookSide) {
	header := s.Sign(s.Payment, webhookEpoch, SecretCurrent)
	for at := range s.Payment {
		changed := slices.Clone(s.Payment)
		changed[at] ^= 1
		delivery, err := s.Verifier.VerifyWebhook(t.Context(), header, changed, webhookEpoch)
		requireRefusal(t, delivery, err, ports.ErrSignature)
	}
	for _, changed := range [][]byte{nil, s.Payment[:len(s.Payment)-1], append(slices.Clone(s.Payment), '\n'), s.Unknown} {
		delivery, err := s.Verifier.VerifyWebhook(t.Context(), header, changed, webhookEpoch)
		requireRefusal(t, delivery, err, ports.ErrSignature)
	}
}

// webhookRewritten has the same JSON in other bytes, as from a proxy that parsed it.
func webhookRewritten(t *testing.T, s WebhookSide) {
	var rewritten bytes.Buffer
	require.NoError(t, json.Indent(&rewritten, s.Payment, "", "   "))
	require.NotEqual(t, s.Payment, rewritten.Bytes())
	delivery, err := s.Verifier.VerifyWebhook(t.Context(), s.Sign(s.Payment, webhookEpoch, SecretCurrent), rewritten.Bytes(), webhookEpoch)
	requireRefusal(t, delivery, err, ports.ErrSignature)

	_, err = s.post(t, rewritten.Bytes(), SecretCurrent)
	require.NoError(t, err, "signed as it is, it is good")
}

func webhookStale(t *testing.T, s WebhookSide) {
	header := s.Sign(s.Payment, webhookEpoch, SecretCurrent)
	if s.Tolerance == 0 {
		_, err := s.Verifier.VerifyWebhook(t.Context(), header, s.Payment, webhookEpoch.Add(24*time.Hour))
		require.NoError(t, err)
		return
	}
	for _, apart := range []time.Duration{-s.Tolerance, s.Tolerance, 0} {
		_, err := s.Verifier.VerifyWebhook(t.Context(), header, s.Payment, webhookEpoch.Add(apart))
		require.NoError(t, err, apart)
	}
	for _, apart := range []time.Duration{-s.Tolerance - time.Second, s.Tolerance + time.Second, -24 * 365 * time.Hour, 24 * 365 * time.Hour} {
		delivery, err := s.Verifier.VerifyWebhook(t.Context(), header, s.Payment, webhookEpoch.Add(apart))
		requireRefusal(t, delivery, err, ports.ErrSignature)
	}
}

func webhookHeaders(t *testing.T, s WebhookSide) {
	require.NotEmpty(t, s.Headers)
	for _, name := range s.Headers {
		header := s.Sign(s.Payment, webhookEpoch, SecretCurrent)
		require.NotEmpty(t, header.Get(name), name)
		header.Del(name)
		delivery, err := s.Verifier.VerifyWebhook(t.Context(), header, s.Payment, webhookEpoch)
		requireRefusal(t, delivery, err, ports.ErrSignature)
	}
	delivery, err := s.Verifier.VerifyWebhook(t.Context(), nil, s.Payment, webhookEpoch)
	requireRefusal(t, delivery, err, ports.ErrSignature)
}

func webhookOddHeaders(t *testing.T, s WebhookSide) {
	for _, name := range s.Headers {
		good := s.Sign(s.Payment, webhookEpoch, SecretCurrent).Get(name)
		for _, odd := range []string{" ", "=", ",", "\x00", "x" + good, good[:len(good)-1], good + good, string(bytes.Repeat([]byte(good), 1000))} {
			header := s.Sign(s.Payment, webhookEpoch, SecretCurrent)
			header.Set(name, odd)
			delivery, err := s.Verifier.VerifyWebhook(t.Context(), header, s.Payment, webhookEpoch)
			requireRefusal(t, delivery, err, ports.ErrSignature)
		}
	}
}

func webhookEnvironment(t *testing.T, s WebhookSide) {
	delivery, err := s.post(t, s.Live, SecretCurrent)
	requireRefusal(t, delivery, err, ports.ErrWrongEnvironment)
}

func webhookUnusable(t *testing.T, s WebhookSide) {
	for _, body := range [][]byte{
		{}, []byte("not JSON"), []byte("null"), []byte("[]"), []byte("7"), []byte("{}"), s.Payment[:len(s.Payment)-1], s.NoID,
	} {
		reason := ports.ErrPayload
		if s.NotJSON != nil && !json.Valid(body) {
			reason = s.NotJSON
		}
		delivery, err := s.post(t, body, SecretCurrent)
		requireRefusal(t, delivery, err, reason)
	}
}

func webhookUnknownType(t *testing.T, s WebhookSide) {
	delivery, err := s.post(t, s.Unknown, SecretCurrent)
	require.NoError(t, err)
	require.NotEmpty(t, delivery.ProviderEventID)
	require.NotEmpty(t, delivery.Type)
	require.True(t, delivery.Ref.IsZero())
}
