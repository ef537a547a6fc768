package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/paydesk/paydesk/adapters/system"
)

// Limits of a trigger's calls.
const (
	triggerTimeMax   = 2 * time.Minute
	triggerCallMax   = 30 * time.Second
	triggerBytesMax  = 1 << 20
	triggerLookPause = 200 * time.Millisecond // between two looks at what has to come
)

// world is what a scenario acts on: the storefront's API and the simulator's control calls.
type world struct {
	command *triggerCommand
	api     string
	control string
	key     string
	told    map[string]string // what is printed in the end
}

// object is what any answer may hold of what scenarios need.
type object struct {
	ID                     string `json:"id"`
	Status                 string `json:"status"`
	Payment                string `json:"payment"`
	Subscription           string `json:"subscription"`
	ProviderDisputeID      string `json:"provider_dispute_id"`
	ProviderSubscriptionID string `json:"provider_subscription_id"`
	CurrentPeriodEnd       string `json:"current_period_end"`
	TrialEnd               string `json:"trial_end"`
	NextAttempt            string `json:"next_attempt"`
	Now                    string `json:"now"`
}

// bought is what the simulator's buyer came to; one of the first three is set.
type bought struct {
	Payment      string `json:"payment"`
	Subscription string `json:"subscription"`
	Method       string `json:"payment_method"`
	Object       string `json:"object"`
}

// call makes one call of the storefront's API.
func (w *world) call(ctx context.Context, method, path string, in, out any) error {
	header := http.Header{"Authorization": {"Bearer " + w.key}}
	if method == http.MethodPost {
		header.Set("Idempotency-Key", "trigger-"+system.NewIDs().Secret())
	}
	return exchange(ctx, method, w.api+path, header, in, out)
}

// steer makes one of the simulator's control calls.
func (w *world) steer(ctx context.Context, path string, in any) (object, error) {
	var out object
	err := exchange(ctx, http.MethodPost, w.control+"/_control"+path, nil, in, &out)
	return out, err
}

// advance moves the clock.
func (w *world) advance(ctx context.Context, by time.Duration) error {
	_, err := w.steer(ctx, "/clock/advance", map[string]string{"by": by.String()})
	return err
}

// checkout opens one.
func (w *world) checkout(ctx context.Context, more map[string]any) (string, error) {
	body := map[string]any{
		"reference": "trigger " + w.command.Scenario, "currency": w.command.Currency, "success_url": "https://example.com/thanks",
		"line_items": []map[string]any{{"name": w.command.Scenario, "amount": w.command.Amount, "quantity": 1}},
	}
	maps.Copy(body, more)
	var made object
	if err := w.call(ctx, http.MethodPost, "/v1/checkouts", body, &made); err != nil {
		return "", fmt.Errorf("open a checkout: %w", err)
	}
	w.told["checkout"] = made.ID
	return made.ID, nil
}

// buy lets the simulator's buyer pay a checkout, or agree to what else it is for.
func (w *world) buy(ctx context.Context, checkout, card string) (bought, error) {
	var done bought
	err := exchange(ctx, http.MethodPost, w.control+"/_control/pay", nil,
		map[string]any{"checkout": checkout, "account": w.command.Provider, "card": card}, &done)
	if err != nil {
		return done, fmt.Errorf("let the simulator's buyer go through the checkout: %w", err)
	}
	for name, id := range map[string]string{"payment": done.Payment, "subscription": done.Subscription, "payment_method": done.Method, "object": done.Object} {
		if id != "" {
			w.told[name] = id
		}
	}
	return done, nil
}

// await looks at an object of the API until it has one of the statuses.
func (w *world) await(ctx context.Context, path string, statuses ...string) (object, error) {
	for {
		var seen object
		if err := w.call(ctx, http.MethodGet, path, nil, &seen); err != nil {
			return seen, err
		}
		for _, status := range statuses {
			if seen.Status == status {
				w.told["status"] = status
				return seen, nil
			}
		}
		if err := pause(ctx); err != nil {
			return seen, fmt.Errorf("%s stays %s and does not become %s: %w", path, seen.Status, strings.Join(statuses, " or "), err)
		}
	}
}

// awaitFirst looks at a list of the API until something is in it that wanted says yes to.
func (w *world) awaitFirst(ctx context.Context, path string, query url.Values, wanted func(object) bool) (object, error) {
	for {
		var list struct {
			Data []object `json:"data"`
		}
		if err := w.call(ctx, http.MethodGet, path+"?"+query.Encode(), nil, &list); err != nil {
			return object{}, err
		}
		for _, one := range list.Data {
			if wanted(one) {
				return one, nil
			}
		}
		if err := pause(ctx); err != nil {
			return object{}, fmt.Errorf("nothing new at %s: %w", path, err)
		}
	}
}

func pause(ctx context.Context) error {
	timer := time.NewTimer(triggerLookPause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// exchange sends JSON, where there is any, and reads the JSON of a good answer; a bad one is an
// error with the answer's text.
func exchange(ctx context.Context, method, address string, header http.Header, in, out any) error {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("write request: %w", err)
		}
		body = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	maps.Copy(request.Header, header)
	if in != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := (&http.Client{Timeout: triggerCallMax}).Do(request)
	if err != nil {
		return fmt.Errorf("nobody answers; is `paydesk dev` running? %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(response.Body, triggerBytesMax))
	if err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	if response.StatusCode > 299 {
		return errors.New(response.Status + ": " + strings.TrimSpace(string(answer)))
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	return nil
}
