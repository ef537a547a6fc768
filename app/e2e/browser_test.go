package e2e_test

import (
	"context"
	_ "embed"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// tabTimeMax bounds what one test does in a browser.
const tabTimeMax = 8 * time.Minute

// browserNames are what Chromium is called on the systems that tests run on.
var browserNames = []string{"chromium", "chromium-browser", "google-chrome", "chrome"}

// browser is a running Chromium.
type browser struct{ ctx context.Context }

// startBrowser starts a Chromium without a window until the test ends. Where there is
// none, the test is skipped, and fails where CI=true.
func startBrowser(t *testing.T) *browser {
	t.Helper()
	path := ""
	for _, name := range browserNames {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("no Chromium on the path")
		}
		t.Skip("no Chromium on the path")
	}
	ctx, stop := chromedp.NewExecAllocator(t.Context(),
		chromedp.ExecPath(path), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("force-color-profile", "srgb"),
		// Frames stay in the page's own process, where the tests can reach them.
		chromedp.Flag("disable-features", "SitePerProcess,IsolateOrigins,OriginKeyedProcessesByDefault,Translate"),
		chromedp.Flag("disable-site-isolation-trials", true),
	)
	t.Cleanup(stop)
	ctx, closeBrowser := chromedp.NewContext(ctx)
	t.Cleanup(closeBrowser)
	require.NoError(t, chromedp.Do(ctx), "start the browser")
	return &browser{ctx: ctx}
}

// sent is a request that a page or one of its frames made.
type sent struct{ method, url, body string }

// tab is one page of a browser, with no memory of others.
type tab struct {
	ctx context.Context

	mu       sync.Mutex
	requests []sent
	troubles []string // what the browser complained of
}

// tab opens a page of a width and a height in CSS pixels.
func (b *browser) tab(t *testing.T, width, height int64) *tab {
	t.Helper()
	ctx, closeTab := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(closeTab)
	ctx, cancel := context.WithTimeout(ctx, tabTimeMax)
	t.Cleanup(cancel)
	p := &tab{ctx: ctx}
	require.NoError(t, chromedp.Listen(ctx, p.note))
	for _, enable := range []func() error{
		func() error { _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); return err },
		func() error { _, err := chromedp.Call(ctx, log.Enable, empty{}); return err },
	} {
		require.NoError(t, enable())
	}
	p.do(t, chromedp.EmulateViewport(width, height))
	p.scheme(t, "light")
	return p
}

// note keeps what happened. It runs inside the loop that reads from the browser.
func (p *tab) note(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch event := event.(type) {
	case *network.EventRequestWillBeSent:
		var body strings.Builder
		for _, entry := range event.Request.PostDataEntries {
			body.Write(entry.Bytes)
		}
		p.requests = append(p.requests, sent{method: event.Request.Method, url: event.Request.URL, body: body.String()})
	case *log.EventEntryAdded:
		// Answers like 402 are logged by the browser as errors and are none here.
		if event.Entry.Level == log.EntryLevelError && event.Entry.Source != log.EntrySourceNetwork {
			p.troubles = append(p.troubles, event.Entry.Text)
		}
	case *runtime.EventExceptionThrown:
		p.troubles = append(p.troubles, event.ExceptionDetails.Text)
	}
}

// sent gives all requests so far.
func (p *tab) sent() []sent {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]sent(nil), p.requests...)
}

// quiet requires that the browser complained of nothing: no script failed, and nothing
// was against the page's policy.
func (p *tab) quiet(t *testing.T) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	require.Empty(t, p.troubles)
}

func (p *tab) do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(p.ctx, steps...); err != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		require.NoError(t, err, "the browser said: %v", p.troubles)
	}
}

// scheme has the page think that its reader prefers "dark" or "light", and no motion:
// colours on their way from one to another are not what a test looks at.
func (p *tab) scheme(t *testing.T, scheme string) {
	t.Helper()
	_, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
		},
	})
	require.NoError(t, err)
}

// text waits until an element is seen and gives its text.
func (p *tab) text(t *testing.T, selector string) string {
	t.Helper()
	p.do(t, chromedp.WaitVisible(chromedp.CSS(selector)))
	text, err := chromedp.Run(p.ctx, chromedp.Text(chromedp.CSS(selector)))
	require.NoError(t, err)
	return strings.TrimSpace(text)
}

// evaluate gives what a script in the page comes to.
func evaluate[T any](t *testing.T, p *tab, script string) T {
	t.Helper()
	value, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	require.NoError(t, err)
	return value
}

// frame waits for a frame and gives what finds elements in it. A frame begins empty: what
// was found in it then would never change.
func (p *tab) frame(t *testing.T, selector string) chromedp.QueryOption {
	t.Helper()
	var found *chromedp.Node
	require.Eventually(t, func() bool {
		nodes, err := chromedp.Run(p.ctx, chromedp.Nodes(chromedp.CSS(selector)))
		if err != nil || len(nodes) != 1 {
			return false
		}
		found = nodes[0]
		return found.ContentDocument != nil && strings.HasPrefix(found.ContentDocument.DocumentURL, "http")
	}, waitMax, 20*time.Millisecond, "the frame %s never came", selector)
	return chromedp.FromNode(found)
}

// axe is axe-core, which finds what keeps people from using a page.
//
//go:embed testdata/axe.min.js
var axe string

// frameTags are axe's rules for what is a part of another page; a page's own are these
// and the best practices.
var frameTags = []string{"wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"}

// accessible requires that a page breaks none of axe's rules with these tags; none given
// means all of WCAG 2.2 A and AA and the best practices. Frames in it are not looked into.
func (p *tab) accessible(t *testing.T, name string, tags ...string) {
	t.Helper()
	if len(tags) == 0 {
		tags = append([]string{"best-practice"}, frameTags...)
	}
	p.do(t, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := chromedp.Evaluate[*runtime.RemoteObject](axe)(ctx, target)
		return err
	}))
	rules, err := json.Marshal(tags)
	require.NoError(t, err)
	found := evaluate[string](t, p, `axe.run(document, {iframes: false, runOnly: `+string(rules)+`}).then((r) =>
		r.violations.flatMap((v) => v.nodes.map((n) => [v.id, v.help, n.html, n.failureSummary].join('\n'))).join('\n\n'))`)
	require.Empty(t, found, name)
}
