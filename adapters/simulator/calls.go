package simulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// answerBytesMax bounds what the buyer reads of an answer.
const answerBytesMax = 1 << 20

// hostedStepsMax is how many forms a buyer fills in on a provider's own page.
const hostedStepsMax = 3

// pageError is the page's server saying no.
type pageError struct {
	status  int
	problem json.RawMessage // as the server wrote it; nil where it wrote none
	detail  string
}

// Error says what the server said.
func (e *pageError) Error() string {
	text := fmt.Sprintf("Paydesk answered %d", e.status)
	if e.detail != "" {
		text += ": " + e.detail
	}
	return text
}

// open loads the page.
func (b *buyer) open(ctx context.Context, page string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, page, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "text/html")
	request.Header.Set("Sec-Fetch-Site", "none")
	request.Header.Set("Sec-Fetch-Mode", "navigate")
	request.Header.Set("Sec-Fetch-Dest", "document")
	return b.do(request)
}

// post makes one of the page's calls.
func (b *buyer) post(ctx context.Context, address, body string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Origin", b.origin)
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.do(request)
}

func (b *buyer) do(request *http.Request) ([]byte, error) {
	response, err := b.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("reach Paydesk: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, answerBytesMax))
	if err != nil {
		return nil, fmt.Errorf("read Paydesk's answer: %w", err)
	}
	if response.StatusCode >= 200 && response.StatusCode < 300 {
		return text, nil
	}
	refused := &pageError{status: response.StatusCode}
	var problem struct {
		Title  string `json:"title"`
		Detail string `json:"detail"`
	}
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if strings.HasSuffix(kind, "json") && json.Unmarshal(text, &problem) == nil {
		refused.problem, refused.detail = text, problem.Detail
		if problem.Detail == "" {
			refused.detail = problem.Title
		}
	}
	return nil, refused
}

// payThere pays on the provider's own page, and passes 3-D Secure there. A decline is no
// error: the page says so, and the payment shows it.
func (b *buyer) payThere(ctx context.Context, address, number string) error {
	at, err := url.Parse(address)
	if err != nil || at.Host == "" {
		return errors.New("the page sends the buyer nowhere")
	}
	form := url.Values{"number": {number}, "exp_month": {"12"}, "exp_year": {strconv.Itoa(b.year)}, "cvc": {"123"}}
	for range hostedStepsMax {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, b.base+at.RequestURI(), strings.NewReader(form.Encode()))
		if err != nil {
			return err
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		response, err := b.outside.Do(request)
		if err != nil {
			return fmt.Errorf("reach the provider's page: %w", err)
		}
		text, err := io.ReadAll(io.LimitReader(response.Body, answerBytesMax))
		_ = response.Body.Close()
		switch {
		case err != nil:
			return fmt.Errorf("read the provider's page: %w", err)
		case response.StatusCode >= http.StatusBadRequest:
			return fmt.Errorf("the provider's page answered %d", response.StatusCode)
		case !strings.Contains(string(text), "complete-authentication"):
			return nil // sent back, or told that it did not work
		}
		form = url.Values{"outcome": {"complete"}}
	}
	return errors.New("the provider's page has no end")
}

// ask calls the simulated provider as the browser's frame does. It gives the object's
// status; a decline is an answer like any other.
func (b *buyer) ask(ctx context.Context, path string, form url.Values) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, b.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := b.outside.Do(request)
	if err != nil {
		return "", fmt.Errorf("reach the provider: %w", err)
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
	switch {
	case answer.Error == nil:
		return answer.Status, nil
	case answer.Error.PaymentIntent == nil || response.StatusCode != http.StatusPaymentRequired:
		return "", errors.New("the provider refused: " + answer.Error.Message)
	}
	return answer.Error.PaymentIntent.Status, nil
}
