package paypal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/paypal"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

var approvedBody = eventBody("WH-1-1", "CHECKOUT.ORDER.APPROVED", `{"id":"O1"}`)

// TestCertificatesFromElsewhere: whoever writes the post writes the address, too. To none that
// is not PayPal's does anybody go, by either way of checking.
func TestCertificatesFromElsewhere(t *testing.T) {
	t.Parallel()
	const name = "/v1/notifications/certs/CERT-1"
	addresses := []string{
		"", "x", name, "https://", "https://evil.example" + name, "https://api.paypal.com.evil.example" + name, "https://api.sandbox.paypal.com.evil.example" + name,
		"https://evilapi.sandbox.paypal.com" + name, "https://x.api.sandbox.paypal.com" + name, "https://www.sandbox.paypal.com" + name, "https://paypal.com" + name,
		"https://api.sandbox.paypal.com." + name, "https://API.sandbox.paypal.com" + name, "https://api.paypal.com" + name, // of real money
		"http://api.sandbox.paypal.com" + name, "ftp://api.sandbox.paypal.com" + name, "HTTPS://api.sandbox.paypal.com" + name, "//api.sandbox.paypal.com" + name,
		"https:api.sandbox.paypal.com" + name, "https://user@api.sandbox.paypal.com" + name, "https://api.sandbox.paypal.com@evil.example" + name,
		"https://api.sandbox.paypal.com:8443" + name, "https://api.sandbox.paypal.com:80" + name, "https://api.sandbox.paypal.com:" + name,
		"https://evil.example\\@api.sandbox.paypal.com" + name, "https://evil.example#@api.sandbox.paypal.com" + name, "https://evil.example?@api.sandbox.paypal.com" + name,
		"https://127.0.0.1" + name, "https://[::1]" + name, "https://169.254.169.254" + name, "https://localhost" + name,
		"https://api.sandbox.paypal.com/v1/notifications/certs/", "https://api.sandbox.paypal.com/v1/notifications/certs", "https://api.sandbox.paypal.com/other/CERT-1",
		"https://api.sandbox.paypal.com/v1/notifications/certs/../../oauth2/token", "https://api.sandbox.paypal.com/v1/notifications/certs/..",
		"https://api.sandbox.paypal.com/v1/notifications/certs/%2e%2e", "https://api.sandbox.paypal.com/v1/notifications/certs/a/b",
		"https://api.sandbox.paypal.com/v1/notifications/certs/CERT%2d1", "https://api.sandbox.paypal.com/v1/notifications%2Fcerts/CERT-1",
		"https://api.sandbox.paypal.com//v1/notifications/certs/CERT-1", "https://api.sandbox.paypal.com/x/v1/notifications/certs/CERT-1",
		"https://api.sandbox.paypal.com" + name + "?x=1", "https://api.sandbox.paypal.com" + name + "?", "https://api.sandbox.paypal.com" + name + "#x",
		"https://api.sandbox.paypal.com" + name + "\n", " https://api.sandbox.paypal.com" + name, "https://api.sandbox.paypal.com/v1/notifications/certs/" + strings.Repeat("x", 600),
	}
	for _, way := range []string{paypal.VerifyByCertificate, paypal.VerifyByAPI} {
		nobody := publishing(200, authority().leaf.pem)
		adapter := verifier(t, nobody, func(o *paypal.Options) { o.WebhookVerification = way })
		for _, address := range addresses {
			require.ErrorIs(t, verify(t.Context(), adapter, headers(t, &authority().leaf, approvedBody, clock, address), approvedBody), ports.ErrSignature, address)
		}
		require.Empty(t, nobody.visits())
	}
	for _, address := range []string{
		certURL, "https://api-m.sandbox.paypal.com" + name, "https://api.sandbox.paypal.com:443" + name,
	} {
		own := publishing(200, authority().leaf.pem)
		require.NoError(t, verify(t.Context(), verifier(t, own, nil), headers(t, &authority().leaf, approvedBody, clock, address), approvedBody), address)
		require.Equal(t, []string{address}, own.visits())
	}
}

func TestCertificatesBesideAnAPIElsewhere(t *testing.T) {
	t.Parallel()
	const base = "http://127.0.0.1:8090/paypal"
	beside := func(o *paypal.Options) { o.APIBase = base + "/" }
	nobody := publishing(200, authority().leaf.pem)
	adapter := verifier(t, nobody, beside)
	for _, address := range []string{
		certURL, "http://127.0.0.1:8090/v1/notifications/certs/CERT-1", "http://127.0.0.1:8091/paypal/v1/notifications/certs/CERT-1",
		"https://127.0.0.1:8090/paypal/v1/notifications/certs/CERT-1", "http://127.0.0.1:8090/paypal@evil.example/v1/notifications/certs/CERT-1",
		"http://127.0.0.1:8090/paypal/../v1/notifications/certs/CERT-1", base + "/v1/notifications/certs/..", base + "/v1/notifications/certs/", base + "/v1/notifications/certs/a?b",
	} {
		require.ErrorIs(t, verify(t.Context(), adapter, headers(t, &authority().leaf, approvedBody, clock, address), approvedBody), ports.ErrSignature, address)
	}
	require.Empty(t, nobody.visits())
	header := headers(t, &authority().leaf, approvedBody, clock, base+"/v1/notifications/certs/CERT-1")
	require.NoError(t, verify(t.Context(), adapter, header, approvedBody))
	rootless := verifier(t, publishing(200, authority().leaf.pem), func(o *paypal.Options) { beside(o); o.WebhookRoots = nil })
	require.ErrorIs(t, verify(t.Context(), rootless, header, approvedBody), ports.ErrSignature, "nobody else vouches for it")
}

func TestCertificates(t *testing.T) {
	t.Parallel()
	a := authority()
	join := func(all ...signer) []byte {
		var text []byte
		for _, one := range all {
			text = append(text, one.pem...)
		}
		return text
	}
	fill := func(size int) []byte {
		return append(bytes.Clone(a.leaf.pem), bytes.Repeat([]byte("\n"), size-len(a.leaf.pem))...)
	}
	for name, c := range map[string]struct {
		status int
		body   []byte
		want   error
	}{
		"good":                       {200, a.leaf.pem, nil},
		"with its root":              {200, join(a.leaf, a.root), nil},
		"by another in between":      {200, join(a.underBetween, a.between), nil},
		"named beside":               {200, a.alsoNamed.pem, nil},
		"the live one":               {200, a.live.pem, nil},
		"one in between lacks":       {200, a.underBetween.pem, ports.ErrSignature},
		"a stranger's":               {200, a.foreign.pem, ports.ErrSignature},
		"with the stranger's root":   {200, join(a.foreign, a.stranger), ports.ErrSignature},
		"its own":                    {200, a.selfSigned.pem, ports.ErrSignature},
		"of another name":            {200, a.otherName.pem, ports.ErrSignature},
		"run out":                    {200, a.expired.pem, ports.ErrSignature},
		"not yet good":               {200, a.future.pem, ports.ErrSignature},
		"the root itself":            {200, a.root.pem, ports.ErrSignature},
		"the wrong one first":        {200, join(a.between, a.underBetween), ports.ErrSignature},
		"not there":                  {404, []byte("x"), ports.ErrSignature},
		"gone":                       {410, nil, ports.ErrSignature},
		"out of order":               {500, a.leaf.pem, ports.ErrNotVerifiable},
		"too often":                  {429, nil, ports.ErrNotVerifiable},
		"forbidden":                  {403, nil, ports.ErrNotVerifiable},
		"a page of a proxy's":        {200, []byte("<html>"), ports.ErrNotVerifiable},
		"nothing":                    {200, nil, ports.ErrNotVerifiable},
		"a key":                      {200, bytes.ReplaceAll(a.leaf.pem, []byte("CERTIFICATE"), []byte("PRIVATE KEY")), ports.ErrNotVerifiable},
		"a certificate that is none": {200, []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), ports.ErrNotVerifiable},
		"longer than any":            {200, fill(paypal.CertificateBytesMax + 1), ports.ErrNotVerifiable},
		"as long as may be":          {200, fill(paypal.CertificateBytesMax), nil},
	} {
		own := publishing(c.status, c.body)
		adapter := verifier(t, own, nil)
		for range 2 {
			err := verify(t.Context(), adapter, headers(t, &a.leaf, approvedBody, clock, certURL), approvedBody)
			if c.want == nil {
				require.NoError(t, err, name)
				continue
			}
			require.ErrorIs(t, err, c.want, name)
		}
		require.Len(t, own.visits(), 1, "%s: what came of it is kept for a moment at least", name)
	}
	known := verifier(t, publishing(200, a.underBetween.pem), func(o *paypal.Options) { o.WebhookIntermediates = a.between.pem })
	require.NoError(t, verify(t.Context(), known, headers(t, &a.leaf, approvedBody, clock, certURL), approvedBody))
	untrusted := verifier(t, publishing(200, a.underBetween.pem), func(o *paypal.Options) {
		o.WebhookIntermediates, o.WebhookRoots = join(a.between, a.root), nil
	})
	require.ErrorIs(t, verify(t.Context(), untrusted, headers(t, &a.leaf, approvedBody, clock, certURL), approvedBody), ports.ErrSignature)
}

func TestCertificatesSubjects(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][2]bool{ // in test, in live
		"messageverificationcerts.paypal.com":              {true, true},
		"MessageVerificationCerts.PayPal.com":              {true, true},
		"messageverificationcerts.sandbox.paypal.com":      {true, false}, // play money's
		"messageverificationcerts.paypal.com.evil.example": {},
		"messageverificationcerts.evilpaypal.com":          {},
		"evilmessageverificationcerts.paypal.com":          {},
		"www.paypal.com":                        {},
		"*.paypal.com":                          {},
		"messageverificationcerts *.paypal.com": {},
		"messageverificationcerts":              {},
		"":                                      {},
	} {
		require.Equal(t, want, [2]bool{paypal.IsSubject(name, false), paypal.IsSubject(name, true)}, name)
	}
}

// TestCertificatesOfRealMoney: what is trusted there is what this machine trusts, and the
// sandbox's is not asked for.
func TestCertificatesOfRealMoney(t *testing.T) {
	t.Parallel()
	own := publishing(200, authority().live.pem)
	adapter := verifier(t, own, func(o *paypal.Options) { o.Environment, o.WebhookRoots = core.EnvLive, nil })
	require.ErrorIs(t, verify(t.Context(), adapter, headers(t, &authority().leaf, approvedBody, clock, certURL), approvedBody), ports.ErrSignature)
	require.Empty(t, own.visits())
	const live = "https://api.paypal.com/v1/notifications/certs/CERT-1"
	require.ErrorIs(t, verify(t.Context(), adapter, headers(t, &authority().leaf, approvedBody, clock, live), approvedBody), ports.ErrSignature)
	require.Equal(t, []string{live}, own.visits())
}

func TestCertificatesAreNotFollowed(t *testing.T) {
	t.Parallel()
	own := &publisher{}
	own.answer = func(r *http.Request) (*http.Response, error) {
		made := response(r, http.StatusFound, nil)
		made.Header.Set("Location", "https://evil.example/leaf.pem")
		return made, nil
	}
	require.ErrorIs(t, verify(t.Context(), verifier(t, own, nil), headers(t, &authority().leaf, approvedBody, clock, certURL), approvedBody), ports.ErrNotVerifiable)
	require.Equal(t, []string{certURL}, own.visits())
}

func TestCertificatesAreKept(t *testing.T) {
	t.Parallel()
	own := publishing(200, authority().leaf.pem)
	adapter := verifier(t, own, nil)
	post := func(at time.Time) error {
		_, err := adapter.VerifyWebhook(t.Context(), headers(t, &authority().leaf, approvedBody, at, certURL), approvedBody, at)
		return err
	}
	for _, c := range []struct {
		at     time.Time
		visits int
		good   bool
	}{
		{clock, 1, true},
		{clock.Add(24 * time.Hour), 1, true},
		{clock.Add(24*time.Hour + time.Second), 2, true},
		{certifiedUntil.Add(-time.Hour), 3, true},
		{certifiedUntil, 3, true},
		{certifiedUntil.Add(time.Second), 4, false},
		{certifiedUntil.Add(2 * time.Second), 4, false},
		{certifiedFrom.Add(-time.Hour), 5, false},
	} {
		err := post(c.at)
		require.Equal(t, c.good, err == nil, "%s: %v", c.at, err)
		if !c.good {
			require.ErrorIs(t, err, ports.ErrSignature)
		}
		require.Len(t, own.visits(), c.visits, c.at)
	}

	failing := publishing(500, nil)
	adapter = verifier(t, failing, nil)
	for _, c := range []struct {
		after  time.Duration
		visits int
	}{{0, 1}, {9 * time.Second, 1}, {10 * time.Second, 2}, {11 * time.Second, 2}} {
		require.ErrorIs(t, post(clock.Add(c.after)), ports.ErrNotVerifiable)
		require.Len(t, failing.visits(), c.visits, c.after)
	}
}

// TestCertificatesRunOut: one that is kept is good for as long as all that vouch for it are, and
// another at the same address takes its place.
func TestCertificatesRunOut(t *testing.T) {
	t.Parallel()
	a := authority()
	end := clock.Add(time.Hour)
	shortLeaf, shortBetween := leafTemplate(leafName), caTemplate("Short intermediate")
	shortLeaf.NotAfter, shortBetween.NotAfter = end, end
	leaf, between := issue(shortLeaf, a.leaf.key, &a.root), issue(shortBetween, a.between.key, &a.root)
	under := issue(leafTemplate(leafName), a.leaf.key, &between)
	for name, text := range map[string][]byte{"its own end": leaf.pem, "the end of one in between": append(bytes.Clone(under.pem), between.pem...)} {
		published := text
		own := &publisher{answer: func(r *http.Request) (*http.Response, error) { return response(r, 200, published), nil }}
		adapter := verifier(t, own, nil)
		post := func(at time.Time) error {
			_, err := adapter.VerifyWebhook(t.Context(), headers(t, &a.leaf, approvedBody, at, certURL), approvedBody, at)
			return err
		}
		require.NoError(t, post(clock), name)
		require.NoError(t, post(end), name)
		require.Len(t, own.visits(), 1, name)
		require.ErrorIs(t, post(end.Add(time.Second)), ports.ErrSignature, name)
		require.ErrorIs(t, post(end.Add(2*time.Second)), ports.ErrSignature, name)
		require.Len(t, own.visits(), 2, "%s: and it is asked for no more than now and then", name)
		published = a.leaf.pem
		require.NoError(t, post(end.Add(time.Minute)), name)
	}
}

// TestCertificatesThatNeverCome: whoever waits is let go after some seconds.
func TestCertificatesThatNeverCome(t *testing.T) {
	t.Parallel()
	header := headers(t, &authority().leaf, approvedBody, clock, certURL)
	synctest.Test(t, func(t *testing.T) {
		silent := &publisher{answer: func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}}
		adapter := verifier(t, silent, nil)
		began := time.Now()
		require.ErrorIs(t, verify(t.Context(), adapter, header, approvedBody), ports.ErrNotVerifiable)
		require.Equal(t, 5*time.Second, time.Since(began))
		require.ErrorIs(t, verify(t.Context(), adapter, header, approvedBody), ports.ErrNotVerifiable)
		require.Len(t, silent.visits(), 1)
	})
}

// TestCertificatesThatNobodyHas: made-up addresses cost a fetch each, and neither memory nor the
// good one's place.
func TestCertificatesThatNobodyHas(t *testing.T) {
	t.Parallel()
	own := &publisher{answer: func(r *http.Request) (*http.Response, error) {
		if strings.Contains(r.URL.Path, "CERT-") {
			return response(r, 200, authority().leaf.pem), nil
		}
		return response(r, 404, nil), nil
	}}
	adapter := verifier(t, own, nil)
	good := headers(t, &authority().leaf, approvedBody, clock, certURL)
	require.NoError(t, verify(t.Context(), adapter, good, approvedBody))
	for n := range 300 {
		header := good.Clone()
		header.Set("PAYPAL-CERT-URL", fmt.Sprintf("https://api.sandbox.paypal.com/v1/notifications/certs/no-%d", n))
		require.ErrorIs(t, verify(t.Context(), adapter, header, approvedBody), ports.ErrSignature)
	}
	require.NoError(t, verify(t.Context(), adapter, good, approvedBody))
	require.Len(t, own.visits(), 301)
	for n := range paypal.CertificatesKeptMax {
		header := good.Clone()
		header.Set("PAYPAL-CERT-URL", fmt.Sprintf("https://api.sandbox.paypal.com/v1/notifications/certs/CERT-%d", n))
		require.NoError(t, verify(t.Context(), adapter, header, approvedBody))
	}
	require.NoError(t, verify(t.Context(), adapter, good, approvedBody))
	require.Len(t, own.visits(), 301+paypal.CertificatesKeptMax+1, "only so many are kept")
}

func TestCertificatesAreFetchedOnce(t *testing.T) {
	t.Parallel()
	const posts = 32
	arrived, answered := make(chan struct{}, posts), make(chan struct{})
	own := &publisher{}
	own.answer = func(r *http.Request) (*http.Response, error) {
		arrived <- struct{}{}
		<-answered
		return response(r, 200, authority().leaf.pem), nil
	}
	adapter := verifier(t, own, nil)
	header := headers(t, &authority().leaf, approvedBody, clock, certURL)
	errs := make([]error, posts)
	var all sync.WaitGroup
	for n := range posts {
		all.Go(func() { errs[n] = verify(t.Context(), adapter, header, approvedBody) })
	}
	<-arrived
	close(answered)
	all.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	require.Len(t, own.visits(), 1)
}

// TestCertificatesThatTakeLong: who gives up is told that it may come again, and the fetch goes
// on for the others. Only so many are fetched at once.
func TestCertificatesThatTakeLong(t *testing.T) {
	t.Parallel()
	arrived, answered := make(chan struct{}, 10), make(chan struct{})
	own := &publisher{}
	own.answer = func(r *http.Request) (*http.Response, error) {
		arrived <- struct{}{}
		select {
		case <-answered:
			return response(r, 200, authority().leaf.pem), nil
		case <-r.Context().Done():
			return nil, errors.New("nobody waits")
		}
	}
	adapter := verifier(t, own, nil)
	address := func(n int) string {
		return fmt.Sprintf("https://api.sandbox.paypal.com/v1/notifications/certs/CERT-%d", n)
	}
	var all sync.WaitGroup
	patient := make([]error, paypal.CertificateFetchesMax)
	for n := range paypal.CertificateFetchesMax {
		header := headers(t, &authority().leaf, approvedBody, clock, address(n))
		ctx, cancel := context.WithCancel(t.Context())
		all.Go(func() {
			if err := verify(ctx, adapter, header, approvedBody); !errors.Is(err, ports.ErrNotVerifiable) {
				t.Errorf("given up: %v", err)
			}
		})
		<-arrived
		cancel()
	}
	all.Wait()
	require.ErrorIs(t, verify(t.Context(), adapter, headers(t, &authority().leaf, approvedBody, clock, address(99)), approvedBody), ports.ErrNotVerifiable)
	require.Len(t, own.visits(), paypal.CertificateFetchesMax)
	for n := range patient {
		all.Go(func() {
			patient[n] = verify(t.Context(), adapter, headers(t, &authority().leaf, approvedBody, clock, address(n)), approvedBody)
		})
	}
	close(answered)
	all.Wait()
	for _, err := range patient {
		require.NoError(t, err)
	}
	require.Len(t, own.visits(), paypal.CertificateFetchesMax, "those who gave up did not end the fetch")
	require.NoError(t, verify(t.Context(), adapter, headers(t, &authority().leaf, approvedBody, clock, address(99)), approvedBody), "there is room again")
}
