package simulator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
)

// buyerCards are the cards that go by a name at every account.
var buyerCards = map[string]string{
	"success":            "4242424242424242",
	"declined":           "4000000000000002",
	"insufficient_funds": "4000000000009995",
	"3ds":                "4000000000003220",
	"disputed":           "4000000000000259",
}

// answerBytesMax bounds what the buyer reads of an answer.
const answerBytesMax = 1 << 20

// attempt is what the page's server answers to the begin of an attempt.
type attempt struct {
	Payment string `json:"payment"`
	Action  struct {
		ClientSecret      string `json:"client_secret"`
		ProviderPaymentID string `json:"provider_payment_id"`
	} `json:"action"`
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
	if problem := knownAccount(in.Account); problem != nil {
		return nil, problem
	}
	if in.Checkout == "" {
		return nil, wrong("checkout: must be a checkout's id")
	}
	number := in.Card
	if named, ok := buyerCards[in.Card]; ok {
		number = named
	}
	if strings.Trim(number, "0123456789 -") != "" || number == "" {
		return nil, wrong("card: must be a test number, or one of success, declined, insufficient_funds, 3ds, disputed")
	}
	paid, err := s.buy(r.Context(), "http://"+r.Host, in.Checkout, in.Account, number)
	if refused, ok := errors.AsType[*pageError](err); ok {
		return nil, &fieldProblem{http.StatusConflict, refused.Error()}
	}
	if err != nil {
		return nil, &fieldProblem{http.StatusBadGateway, err.Error()}
	}
	return paid, nil
}

// bought is what paying came to; a decline, too.
type bought struct {
	Payment string `json:"payment"`
	Object  string `json:"object"`
	Status  string `json:"status,omitempty"` // of the provider's object
}

// pageError is the page's server saying no.
type pageError struct {
	status int
	text   string
}

// Error repeats what the server said.
func (e *pageError) Error() string {
	return fmt.Sprintf("the page's server answered %d: %s", e.status, e.text)
}

// buy pays a checkout. base is where the simulator itself is reached.
func (s *Simulator) buy(ctx context.Context, base, checkout, account, number string) (bought, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return bought{}, err
	}
	browser := *s.client
	browser.Jar = jar
	page := s.options.PaydeskURL + "/pay/" + url.PathEscape(checkout)
	if _, err := s.page(ctx, &browser, http.MethodGet, page, ""); err != nil {
		return bought{}, err
	}
	began, err := s.page(ctx, &browser, http.MethodPost, page+"/attempts", fmt.Sprintf(`{"account":%q}`, account))
	if err != nil {
		return bought{}, err
	}
	var a attempt
	if err := json.Unmarshal(began, &a); err != nil || a.Action.ProviderPaymentID == "" {
		return bought{}, &pageError{http.StatusAccepted, "the attempt has no answer from its provider yet; try again"}
	}
	status, err := s.confirm(ctx, base, a, number, page+"/return")
	if err != nil {
		return bought{}, err
	}
	if _, err := s.page(ctx, &browser, http.MethodPost, page+"/attempts/"+url.PathEscape(a.Payment)+"/sync", "{}"); err != nil {
		return bought{}, err
	}
	return bought{Payment: a.Payment, Object: a.Action.ProviderPaymentID, Status: status}, nil
}

// page makes one of the page's calls.
func (s *Simulator) page(ctx context.Context, browser *http.Client, method, address, body string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader([]byte(body)))
	if err != nil {
		return nil, err
	}
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Origin", s.options.PaydeskURL)
		request.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	response, err := browser.Do(request)
	if err != nil {
		return nil, fmt.Errorf("reach the page's server: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, answerBytesMax))
	if err != nil {
		return nil, fmt.Errorf("read the page's answer: %w", err)
	}
	if response.StatusCode > 299 {
		if method == http.MethodGet {
			text = []byte("the page cannot be shown") // HTML helps nobody here
		}
		return nil, &pageError{response.StatusCode, strings.TrimSpace(string(text))}
	}
	return text, nil
}

// confirm types the card into the provider's frame, and passes 3-D Secure.
func (s *Simulator) confirm(ctx context.Context, base string, a attempt, number, returnURL string) (string, error) {
	form := url.Values{
		"key": {s.options.Stripe.PublishableKey}, "client_secret": {a.Action.ClientSecret}, "return_url": {returnURL},
		"payment_method_data[type]": {"card"}, "payment_method_data[card][number]": {number}, "payment_method_data[card][cvc]": {"123"},
		"payment_method_data[card][exp_month]": {"12"}, "payment_method_data[card][exp_year]": {fmt.Sprint(s.clock.Wall().Year() + 5)},
	}
	status, err := s.ask(ctx, base+"/stripe/v1/payment_intents/"+url.PathEscape(a.Action.ProviderPaymentID)+"/confirm", form)
	if err != nil || status != "requires_action" {
		return status, err
	}
	return s.ask(ctx, base+"/stripe/v1/3ds2/authenticate", url.Values{
		"key": {s.options.Stripe.PublishableKey}, "client_secret": {a.Action.ClientSecret}, "source": {a.Action.ProviderPaymentID}, "outcome": {"complete"},
	})
}

// ask calls the simulated provider as the browser's frame does. It gives the object's
// status; a decline is an answer like any other.
func (s *Simulator) ask(ctx context.Context, address string, form url.Values) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := s.client.Do(request)
	if err != nil {
		return "", fmt.Errorf("confirm at the provider: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	var answer struct {
		Status string `json:"status"`
		Error  *struct {
			Message       string `json:"message"`
			PaymentIntent *struct {
				Status string `json:"status"`
			} `json:"payment_intent"`
		} `json:"error"`
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, answerBytesMax)).Decode(&answer); err != nil {
		return "", fmt.Errorf("read the provider's answer: %w", err)
	}
	if answer.Error == nil {
		return answer.Status, nil
	}
	if answer.Error.PaymentIntent == nil || response.StatusCode != http.StatusPaymentRequired {
		return "", errors.New("the provider refused: " + answer.Error.Message)
	}
	return answer.Error.PaymentIntent.Status, nil
}
