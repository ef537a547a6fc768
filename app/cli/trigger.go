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
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/paydesk/paydesk/adapters/system"
	"github.com/paydesk/paydesk/app"
	"github.com/paydesk/paydesk/core"
)

// Limits of a trigger's calls.
const (
	triggerTimeMax  = 30 * time.Second
	triggerBytesMax = 1 << 20
)

// scenario is something the simulator can be made to do.
type scenario struct {
	name    string
	card    string
	capture core.CaptureMode
}

// scenarios lists them in the order of the help.
func scenarios() []scenario {
	return []scenario{
		{"payment.succeeded", "success", core.CaptureAutomatic},
		{"payment.authorized", "success", core.CaptureManual},
		{"payment.failed", "declined", core.CaptureAutomatic},
		{"payment.insufficient_funds", "insufficient_funds", core.CaptureAutomatic},
		{"payment.authenticated", "3ds", core.CaptureAutomatic},
	}
}

type triggerCommand struct {
	Scenario string `arg:"" help:"payment.succeeded, payment.authorized, payment.failed, payment.insufficient_funds or payment.authenticated."`
	Provider string `default:"stripe" help:"The provider that it happens at."`
	Amount   int64  `default:"2500" help:"In minor units."`
	Currency string `default:"EUR" help:"ISO 4217."`
	Data     string `default:".paydesk" help:"The data folder of paydesk dev, for its API key." type:"path"`
	APIKey   string `env:"PAYDESK_BOOTSTRAP_API_KEY" help:"The API key, where no data folder has it."`
}

// Run opens a checkout and lets the simulator's buyer pay it.
func (c *triggerCommand) Run(ctx context.Context, r *run) error {
	at := slices.IndexFunc(scenarios(), func(s scenario) bool { return s.name == c.Scenario })
	if at < 0 {
		names := make([]string, 0, len(scenarios()))
		for _, s := range scenarios() {
			names = append(names, s.name)
		}
		return fmt.Errorf("%w: SCENARIO must be one of %s", errUsage, strings.Join(names, ", "))
	}
	wanted := scenarios()[at]
	config, err := r.config(nil)
	if err != nil {
		return err
	}
	key, err := c.key()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, triggerTimeMax)
	defer cancel()
	checkout, err := c.openCheckout(ctx, config, key, wanted)
	if err != nil {
		return err
	}
	var paid struct {
		Payment string `json:"payment"`
		Object  string `json:"object"`
	}
	err = post(ctx, "http://"+config.SimulatorAddr+"/_control/pay", nil,
		map[string]any{"checkout": checkout, "account": c.Provider, "card": wanted.card}, &paid)
	if err != nil {
		return fmt.Errorf("let the simulator's buyer pay: %w", err)
	}
	return printJSON(r, map[string]string{"checkout": checkout, "payment": paid.Payment, "object": paid.Object})
}

func (c *triggerCommand) key() (string, error) {
	if c.APIKey != "" {
		return c.APIKey, nil
	}
	var made devFile
	text, err := os.ReadFile(filepath.Join(c.Data, devFileName))
	if err != nil || json.Unmarshal(text, &made) != nil || made.APIKey == "" {
		return "", fmt.Errorf("%w: --data names no folder of `paydesk dev`; give --api-key", errUsage)
	}
	return made.APIKey, nil
}

func (c *triggerCommand) openCheckout(ctx context.Context, config app.Config, key string, wanted scenario) (string, error) {
	var checkout struct {
		ID string `json:"id"`
	}
	header := http.Header{
		"Authorization":   {"Bearer " + key},
		"Idempotency-Key": {"trigger-" + system.NewIDs().Secret()},
	}
	err := post(ctx, string(config.PublicURL)+"/v1/checkouts", header, map[string]any{
		"reference": "trigger " + wanted.name, "currency": c.Currency, "capture": wanted.capture,
		"line_items":  []map[string]any{{"name": wanted.name, "amount": c.Amount, "quantity": 1}},
		"success_url": "https://example.com/thanks",
	}, &checkout)
	if err != nil {
		return "", fmt.Errorf("open a checkout: %w", err)
	}
	return checkout.ID, nil
}

// post sends JSON and reads the JSON of a good answer; a bad one is an error with the
// answer's text.
func post(ctx context.Context, address string, header http.Header, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("write request: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	maps.Copy(request.Header, header)
	request.Header.Set("Content-Type", "application/json")
	response, err := (&http.Client{Timeout: triggerTimeMax}).Do(request)
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
