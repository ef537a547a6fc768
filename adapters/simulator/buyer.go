package simulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// attemptTriesMax is how often the buyer asks for an attempt that Paydesk cannot give
	// yet, at growing pauses; as the page does.
	attemptTriesMax   = 6
	attemptPauseFirst = 250 * time.Millisecond
	attemptPauseMost  = 4 * time.Second
	// cardYears is how long the buyer's card is good for yet.
	cardYears = 5
)

// attempt is what the page's server answers to the begin of an attempt.
type attempt struct {
	Attempt string `json:"attempt"` // a payment's id, or that of a subscription or a saved method
	Action  struct {
		Type         string `json:"type"`
		ClientSecret string `json:"client_secret"`
		Object       string `json:"object"` // what it is about at the provider
		URL          string `json:"url"`
	} `json:"action"`
}

// keeps reports whether the buyer's method is to be kept rather than charged at once.
func (a attempt) keeps() bool { return !strings.HasPrefix(a.Attempt, "pay_") }

// bought is what the buyer's doing came to; a decline, too. One of the first three is set.
type bought struct {
	Payment      string `json:"payment,omitempty"`
	Subscription string `json:"subscription,omitempty"`
	Method       string `json:"payment_method,omitempty"`
	Object       string `json:"object"`
	Status       string `json:"status,omitempty"` // of the provider's object
}

// boughtBy is where an attempt begins.
func boughtBy(a attempt) bought {
	made := bought{Object: a.Action.Object}
	switch {
	case strings.HasPrefix(a.Attempt, "sub_"):
		made.Subscription = a.Attempt
	case strings.HasPrefix(a.Attempt, "pm_"):
		made.Method = a.Attempt
	default:
		made.Payment = a.Attempt
	}
	return made
}

// buyer pays one checkout, with the cookies of one browser.
type buyer struct {
	client   *http.Client // for the page's calls
	outside  *http.Client // for the provider's calls, which carry no cookie
	origin   string       // Paydesk's
	base     string       // the simulator's own address
	account  string       // its name, and its folder at the simulator
	key      string       // that names the account towards its script
	location string       // of the account at Square
	year     int          // of the card's end
}

// controlPay is the buyer: it opens the page, begins an attempt, confirms with the card
// inside the provider, and tells the page's server that something happened; the same
// calls that the page makes.
func (s *Simulator) controlPay(r *http.Request, body []byte) (any, *fieldProblem) {
	var in struct {
		Checkout string `json:"checkout"`
		Account  string `json:"account"`
		Card     string `json:"card"`
	}
	if problem := read(body, &in); problem != nil {
		return nil, problem
	}
	if problem := s.knownAccount(in.Account); problem != nil {
		return nil, problem
	}
	if in.Checkout == "" {
		return nil, wrong("checkout: must be a checkout's id")
	}
	number := in.Card
	if named, ok := s.accounts[in.Account].cards[in.Card]; ok {
		number = named
	}
	if strings.Trim(number, "0123456789 -") != "" || number == "" {
		return nil, wrong("card: must be a test number, or one of %s", strings.Join(slices.Sorted(maps.Keys(s.accounts[in.Account].cards)), ", "))
	}
	if s.options.PaydeskURL == "" {
		return nil, &fieldProblem{status: http.StatusConflict, text: "the simulator was not told where Paydesk is"}
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, &fieldProblem{status: http.StatusInternalServerError, text: err.Error()}
	}
	browser := *s.client
	browser.Jar = jar
	b := &buyer{
		client: &browser, outside: s.client, origin: s.options.PaydeskURL, base: s.ownAddress(r),
		account: in.Account, key: s.accounts[in.Account].key, location: s.accounts[in.Account].location, year: s.clock.Wall().Year() + cardYears,
	}
	paid, err := b.buy(r.Context(), in.Checkout, in.Account, number)
	if err != nil {
		return nil, problemOf(paid, err)
	}
	return paid, nil
}

// ownAddress is where the simulator can reach itself: where it was just reached.
func (s *Simulator) ownAddress(r *http.Request) string {
	if at, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok && r.TLS == nil {
		return "http://" + at.String()
	}
	if s.options.BaseURL != "" {
		return s.options.BaseURL
	}
	return "http://" + r.Host
}

// problemOf is the answer for a payment that did not come to its end. What is known of it
// is told: money may have moved.
func problemOf(paid bought, err error) *fieldProblem {
	problem := &fieldProblem{status: http.StatusBadGateway, text: err.Error(), more: map[string]any{}}
	for name, id := range map[string]string{"payment": paid.Payment, "subscription": paid.Subscription, "payment_method": paid.Method} {
		if id != "" {
			problem.more[name], problem.more["object"] = id, paid.Object
		}
	}
	if refused, ok := errors.AsType[*pageError](err); ok {
		problem.status = http.StatusConflict
		if refused.problem != nil {
			problem.more["problem"] = refused.problem
		}
	}
	return problem
}

// buy pays a checkout.
func (b *buyer) buy(ctx context.Context, checkout, account, number string) (bought, error) {
	page := b.origin + "/pay/" + url.PathEscape(checkout)
	if _, err := b.open(ctx, page); err != nil {
		return bought{}, fmt.Errorf("open the page: %w", err)
	}
	a, err := b.begin(ctx, page, account)
	if err != nil {
		return bought{}, fmt.Errorf("begin an attempt: %w", err)
	}
	paid := boughtBy(a)
	status, confirmErr := b.confirm(ctx, a, number, page)
	paid.Status = status
	// Whatever broke, money may have moved, so the server looks all the same.
	seen, object, err := b.sync(ctx, page, a.Attempt)
	if object != "" {
		paid.Object = object
	}
	switch {
	case confirmErr != nil && (err != nil || slices.Contains([]string{"requires_action", "incomplete", "pending"}, seen)):
		return paid, fmt.Errorf("confirm at the provider: %w", confirmErr)
	case err != nil:
		return paid, fmt.Errorf("have the attempt looked at: %w", err)
	}
	return paid, nil
}

// begin starts an attempt, or goes on with the one that is open.
func (b *buyer) begin(ctx context.Context, page, account string) (attempt, error) {
	body, err := json.Marshal(map[string]string{"account": account})
	if err != nil {
		return attempt{}, err
	}
	pause := attemptPauseFirst
	for try := 1; ; try++ {
		text, err := b.post(ctx, page+"/attempts", string(body))
		if err != nil {
			return attempt{}, err
		}
		var a attempt
		if err := json.Unmarshal(text, &a); err != nil {
			return attempt{}, fmt.Errorf("read the page's answer: %w", err)
		}
		if a.Action.Type != "" {
			return a, nil
		}
		if try == attemptTriesMax {
			return attempt{}, errors.New("the provider's answer to the attempt never came")
		}
		if err := rest(ctx, pause); err != nil {
			return attempt{}, err
		}
		pause = min(2*pause, attemptPauseMost)
	}
}

// rest waits.
func rest(ctx context.Context, length time.Duration) error {
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// sync has the page's server look at the attempt, and gives the status that it saw.
func (b *buyer) sync(ctx context.Context, page, attempt string) (status, object string, err error) {
	text, err := b.post(ctx, page+"/attempts/"+url.PathEscape(attempt)+"/sync", "{}")
	if err != nil {
		return "", "", err
	}
	var seen struct {
		Status string `json:"status"`
		Object string `json:"object"`
	}
	if err := json.Unmarshal(text, &seen); err != nil {
		return "", "", fmt.Errorf("read the page's answer: %w", err)
	}
	return seen.Status, seen.Object, nil
}

// confirm gives the card to the provider, each in its own manner, and passes 3-D Secure. It
// gives the status of the provider's object where that is known; a decline is one like any
// other.
func (b *buyer) confirm(ctx context.Context, a attempt, number, page string) (string, error) {
	switch a.Action.Type {
	case "stripe_confirm":
		return b.confirmAtStripe(ctx, a, "payment_intents", number, page+"/return")
	case "stripe_setup":
		return b.confirmAtStripe(ctx, a, "setup_intents", number, page+"/return")
	case "paypal_approve", "paypal_subscribe", "paypal_save":
		return "", b.payThere(ctx, b.base+"/"+b.account+"/checkoutnow?token="+url.QueryEscape(a.Action.Object), number)
	case "tokenize":
		return "", b.payByToken(ctx, a, number, page)
	case "redirect":
		return "", b.payThere(ctx, a.Action.URL, number)
	}
	return "", fmt.Errorf("the page asks for %q, which this buyer cannot do", a.Action.Type)
}

// confirmAtStripe types the card into Stripe's frame. kind is what it confirms, as the folder of
// its calls is called.
func (b *buyer) confirmAtStripe(ctx context.Context, a attempt, kind, number, returnURL string) (string, error) {
	form := url.Values{
		"key": {b.key}, "client_secret": {a.Action.ClientSecret}, "return_url": {returnURL}, "use_stripe_sdk": {"true"},
		"payment_method_data[type]": {"card"}, "payment_method_data[card][number]": {number}, "payment_method_data[card][cvc]": {"123"},
		"payment_method_data[card][exp_month]": {"12"}, "payment_method_data[card][exp_year]": {strconv.Itoa(b.year)},
	}
	status, err := b.ask(ctx, "/"+b.account+"/v1/"+kind+"/"+url.PathEscape(a.Action.Object)+"/confirm", form)
	if err != nil || status != "requires_action" {
		return status, err
	}
	return b.ask(ctx, "/"+b.account+"/v1/3ds2/authenticate", url.Values{
		"key": {b.key}, "client_secret": {a.Action.ClientSecret}, "source": {a.Action.Object}, "outcome": {"complete"},
	})
}

// payByToken types the card into Square's frame, which makes a one-time token of it, and has
// the page's server pay with that.
func (b *buyer) payByToken(ctx context.Context, a attempt, number, page string) error {
	address := "/" + b.account + "/v1/tokens"
	intent := "CHARGE"
	if a.keeps() {
		intent = "STORE"
	}
	made, err := b.token(ctx, address, map[string]string{
		"application_id": b.key, "location_id": b.location, "number": number, "cvv": "123", "postal_code": "94103",
		"exp_month": "12", "exp_year": strconv.Itoa(b.year), "intent": intent,
	})
	if err == nil && made.Status == "VERIFY" {
		made, err = b.token(ctx, address+"/"+url.PathEscape(made.Verification), map[string]string{"outcome": "complete"})
	}
	if err != nil {
		return err
	}
	if made.Status != "OK" {
		return errors.New("the provider made no token of the card")
	}
	body, err := json.Marshal(map[string]string{"source": made.Token})
	if err != nil {
		return err
	}
	_, err = b.post(ctx, page+"/attempts/"+url.PathEscape(a.Attempt)+"/confirm", string(body))
	return err
}

// token is what the frame's call for a one-time token came to.
type token struct {
	Status       string `json:"status"` // OK, VERIFY or ERROR
	Token        string `json:"token"`
	Verification string `json:"verification"`
}

func (b *buyer) token(ctx context.Context, path string, in map[string]string) (token, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return token{}, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, b.base+path, strings.NewReader(string(body)))
	if err != nil {
		return token{}, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := b.outside.Do(request)
	if err != nil {
		return token{}, fmt.Errorf("reach the provider: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	var made token
	if err := json.NewDecoder(io.LimitReader(response.Body, answerBytesMax)).Decode(&made); err != nil {
		return token{}, fmt.Errorf("read the provider's answer: %w", err)
	}
	return made, nil
}
