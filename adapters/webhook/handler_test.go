package webhook_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/paydesk/paydesk/adapters/webhook"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

type clock struct{}

func (clock) Now() time.Time { return now }

// verifier takes what carries the right header.
type verifier struct{ err error }

func (verifier) Account() core.AccountName { return "stripe" }

func (v verifier) VerifyWebhook(_ context.Context, header http.Header, body []byte, at time.Time) (core.Delivery, error) {
	if header.Get("X-Signature") != "good" || !at.Equal(now) {
		return core.Delivery{}, ports.ErrSignature
	}
	if v.err != nil {
		return core.Delivery{}, v.err
	}
	return core.Delivery{Account: "stripe", ProviderEventID: "evt_1", Type: "x", Body: body}, nil
}

// journal remembers what was appended.
type journal struct {
	mu    sync.Mutex
	err   error
	taken []core.Delivery
}

func (j *journal) Append(_ context.Context, d core.Delivery) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err != nil {
		return j.err
	}
	d.Body = bytes.Clone(d.Body)
	j.taken = append(j.taken, d)
	return nil
}

func (*journal) Drain(context.Context, ports.AcceptDeliveries) error { return nil }

func (*journal) Ready(context.Context) error { return nil }

type side struct {
	handler http.Handler
	journal *journal
	tally   *tally
	log     *bytes.Buffer
}

// tally remembers what was counted.
type tally struct {
	mu      sync.Mutex
	counted []string
}

func (c *tally) Count(account core.AccountName, result core.DeliveryResult) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counted = append(c.counted, string(account)+" "+string(result))
}

func newSide(t testing.TB, v verifier) side {
	t.Helper()
	s := side{journal: &journal{}, tally: &tally{}, log: &bytes.Buffer{}}
	handler, err := webhook.NewHandler(webhook.Options{
		Verifiers: ports.WebhookVerifiers{"stripe": v}, Journal: s.journal, Tally: s.tally, WallClock: clock{},
		Logger: slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	require.NoError(t, err)
	s.handler = handler
	return s
}

func (s side) post(path, body string, change func(*http.Request)) *httptest.ResponseRecorder {
	request := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	request.Header.Set("X-Signature", "good")
	if change != nil {
		change(request)
	}
	recorder := httptest.NewRecorder()
	s.handler.ServeHTTP(recorder, request)
	return recorder
}

func TestAVerifiedDeliveryIsDurableBeforeItIsAnswered(t *testing.T) {
	t.Parallel()
	s := newSide(t, verifier{})
	raw := []byte("{ \"id\" : \"evt_1\",\r\n\"ü\":\"\\u0000\" }\n")
	answer := s.post("/webhooks/stripe", string(raw), nil)
	require.Equal(t, http.StatusOK, answer.Code)
	require.Equal(t, []byte(`{"received":true}`), answer.Body.Bytes())
	require.Equal(t, "application/json", answer.Header().Get("Content-Type"))
	require.Len(t, s.journal.taken, 1)
	taken := s.journal.taken[0]
	require.Equal(t, raw, taken.Body, "the raw bytes, untouched")
	require.Equal(t, now, taken.ReceivedAt)
	require.Empty(t, s.log.String())
	require.Equal(t, http.StatusOK, s.post("/webhooks/stripe", string(raw), nil).Code, "seen before is no error")
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	const limit = 1 << 20
	for name, c := range map[string]struct {
		verifier verifier
		path     string
		body     string
		change   func(*http.Request)
		status   int
		code     string
		header   [2]string
	}{
		"no signature":         {change: func(r *http.Request) { r.Header.Del("X-Signature") }, status: 400, code: "invalid_signature"},
		"wrong signature":      {change: func(r *http.Request) { r.Header.Set("X-Signature", "bad") }, status: 400, code: "invalid_signature"},
		"not verifiable":       {verifier: verifier{ports.ErrNotVerifiable}, status: 503, code: "not_verifiable"},
		"wrong environment":    {verifier: verifier{ports.ErrWrongEnvironment}, status: 400, code: "wrong_environment"},
		"payload":              {verifier: verifier{ports.ErrPayload}, status: 400, code: "invalid_payload"},
		"any other refusal":    {verifier: verifier{errors.New("odd")}, status: 400, code: "invalid_signature"},
		"too long, as it says": {body: strings.Repeat("x", limit+1), status: 413, code: "body_too_large"},
		"too long, in chunks": {body: strings.Repeat("x", limit+1), change: func(r *http.Request) {
			r.ContentLength, r.Body = -1, io.NopCloser(strings.NewReader(strings.Repeat("x", limit+1)))
		}, status: 413, code: "body_too_large"},
		"unknown account": {path: "/webhooks/acme", status: 404, code: "not_found"},
		"no account":      {path: "/webhooks/", status: 404, code: "not_found"},
		"below account":   {path: "/webhooks/stripe/more", status: 404, code: "not_found"},
		"another method":  {change: func(r *http.Request) { r.Method = http.MethodGet }, status: 405, code: "method_not_allowed", header: [2]string{"Allow", "POST"}},
		"broken off":      {change: func(r *http.Request) { r.Body = io.NopCloser(brokenReader{}) }, status: 400, code: "unreadable_body"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSide(t, c.verifier)
			if c.path == "" {
				c.path = "/webhooks/stripe"
			}
			answer := s.post(c.path, c.body+"card 4242424242424242", c.change)
			require.Equal(t, c.status, answer.Code)
			require.Equal(t, "application/problem+json", answer.Header().Get("Content-Type"))
			var problem struct {
				Type, Title, Code, Detail string
				Status                    int
			}
			require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &problem))
			require.Equal(t, c.code, problem.Code)
			require.Equal(t, c.status, problem.Status)
			require.NotEmpty(t, problem.Title+problem.Detail+problem.Type)
			if c.header[0] != "" {
				require.Equal(t, c.header[1], answer.Header().Get(c.header[0]))
			}
			require.Empty(t, s.journal.taken, "nothing is stored")
			account := "stripe"
			if c.code == "not_found" {
				account = ""
			}
			require.Equal(t, []string{account + " " + c.code}, s.tally.counted, "nothing but a count")
			require.NotContains(t, s.log.String(), "4242")
		})
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestTheLongestBodyIsTaken(t *testing.T) {
	t.Parallel()
	s := newSide(t, verifier{})
	require.Equal(t, http.StatusOK, s.post("/webhooks/stripe", strings.Repeat("x", 1<<20), nil).Code)
	require.Len(t, s.journal.taken[0].Body, 1<<20)
}

func TestNowhereDurableToPutIt(t *testing.T) {
	t.Parallel()
	s := newSide(t, verifier{})
	s.journal.err = ports.ErrJournalUnavailable
	answer := s.post("/webhooks/stripe", "{}", nil)
	require.Equal(t, http.StatusServiceUnavailable, answer.Code)
	require.NotEmpty(t, answer.Header().Get("Retry-After"))
	require.Contains(t, s.log.String(), "unavailable")
}

// Large bodies that no signature vouches for yet cannot fill memory: beyond a number of
// them the next is asked to come again, while usual ones pass.
func TestLargeBodiesAtTheSameTimeAreFew(t *testing.T) {
	t.Parallel()
	const most = 32
	s := newSide(t, verifier{})
	var group sync.WaitGroup
	begun := make(chan struct{}, most)
	end := make(chan struct{})
	for range most {
		group.Go(func() {
			s.post("/webhooks/stripe", "", func(r *http.Request) {
				r.ContentLength, r.Body = 1<<20, io.NopCloser(&heldReader{begun, end})
			})
		})
	}
	for range most {
		<-begun
	}
	answer := s.post("/webhooks/stripe", "", func(r *http.Request) { r.ContentLength = -1 })
	require.Equal(t, http.StatusServiceUnavailable, answer.Code)
	require.NotEmpty(t, answer.Header().Get("Retry-After"))
	require.Equal(t, http.StatusOK, s.post("/webhooks/stripe", "{}", nil).Code)
	close(end)
	group.Wait()
	require.Equal(t, http.StatusOK, s.post("/webhooks/stripe", "", func(r *http.Request) { r.ContentLength = -1 }).Code)
}

// heldReader gives nothing until it is told to end.
type heldReader struct {
	begun chan<- struct{}
	end   <-chan struct{}
}

func (r *heldReader) Read([]byte) (int, error) {
	r.begun <- struct{}{}
	<-r.end
	return 0, io.EOF
}

// The test sets the program's tracer, so it does not run beside others.
func TestTheTraceGoesAlong(t *testing.T) { //nolint:paralleltest // see above
	before := otel.GetTracerProvider()
	otel.SetTracerProvider(sdktrace.NewTracerProvider())
	defer otel.SetTracerProvider(before)
	s := newSide(t, verifier{})
	stranger := "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	s.post("/webhooks/stripe", "{}", func(r *http.Request) { r.Header.Set("traceparent", stranger) })
	require.Regexp(t, `^00-[0-9a-f]{32}-[0-9a-f]{16}-01$`, s.journal.taken[0].Trace)
	require.NotContains(t, s.journal.taken[0].Trace, stranger[3:35], "a stranger's trace is not gone on with")
}

func BenchmarkHandler(b *testing.B) {
	s := newSide(b, verifier{})
	body := strings.Repeat("x", 3<<10)
	b.ReportAllocs()
	for b.Loop() {
		if s.post("/webhooks/stripe", body, nil).Code != http.StatusOK {
			b.Fatal("refused")
		}
		s.journal.taken = s.journal.taken[:0]
	}
}

// heldJournal keeps everybody waiting.
type heldJournal struct {
	journal
	entered chan struct{}
	release chan struct{}
}

func (j *heldJournal) Append(context.Context, core.Delivery) error {
	j.entered <- struct{}{}
	<-j.release
	return nil
}

// However many post while the disk is slow, what they may take is bounded: those beyond are told
// at once to come again, and nothing of theirs is read. Large bodies take no room from small ones.
func TestBodiesOfWaitingPostsAreBounded(t *testing.T) {
	t.Parallel()
	const small, large = 32 << 10, 1 << 20
	const smallMost, largeMost = (32 << 20) / small, 32
	held := &heldJournal{entered: make(chan struct{}), release: make(chan struct{})}
	handler, err := webhook.NewHandler(webhook.Options{
		Verifiers: ports.WebhookVerifiers{"stripe": verifier{}}, Journal: held, Tally: &tally{}, WallClock: clock{}, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	s := side{handler: handler}
	var group sync.WaitGroup
	for _, kind := range []struct {
		name        string
		bytes, most int
	}{{"large", large, largeMost}, {"small", small, smallMost}} {
		body := strings.Repeat("x", kind.bytes)
		for range kind.most {
			group.Go(func() { assert.Equal(t, http.StatusOK, s.post("/webhooks/stripe", body, nil).Code) })
			<-held.entered
		}
		answer := s.post("/webhooks/stripe", body, func(r *http.Request) { r.Body = io.NopCloser(unread{t}) })
		require.Equal(t, http.StatusServiceUnavailable, answer.Code, kind.name)
		require.Equal(t, "5", answer.Header().Get("Retry-After"))
		require.Contains(t, answer.Body.String(), `"busy"`)
	}
	close(held.release)
	group.Wait()
	group.Go(func() { <-held.entered })
	require.Equal(t, http.StatusOK, s.post("/webhooks/stripe", "x", nil).Code, "there is room again")
	group.Wait()
}

// unread is a body that nobody may read.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, io.EOF
}
