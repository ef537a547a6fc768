package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/paydesk/paydesk/adapters/system"
	"github.com/paydesk/paydesk/app"
	"github.com/paydesk/paydesk/ports"
)

const (
	// demoPause is how long the demo shop waits between two trades, on average.
	demoPause = 4 * time.Second
	// demoTradesMax bounds what one start of it makes, so that a forgotten one does not fill the disk.
	demoTradesMax = 5_000
	// demoCallMax is how long one of its calls may take, and demoAnswerBytesMax how long the answer may be.
	demoCallMax        = 10 * time.Second
	demoAnswerBytesMax = 1 << 20
	// demoFirst is how many trades are made at once at the start, so that lists are not empty.
	demoFirst = 12
)

// demo is a small shop with its buyers and their banks. It trades through the doors that every
// storefront has, and through the simulator's for what buyers and banks do.
type demo struct {
	api, simulator, key string
	accounts            []string
	ids                 ports.IDs
	rand                *rand.Rand
	http                *http.Client
	logger              *slog.Logger
	plan                string // id of the price that subscriptions are sold at
}

func newDemo(config app.Config, at app.Addresses, logger *slog.Logger) *demo {
	d := &demo{
		api: "http://" + at.Public, simulator: "http://" + config.SimulatorAddr, key: config.BootstrapKey, ids: system.NewIDs(),
		rand: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())), http: &http.Client{Timeout: demoCallMax}, logger: logger,
	}
	for _, account := range config.Accounts {
		d.accounts = append(d.accounts, string(account.Name))
	}
	return d
}

// goods are what it sells, with prices in minor units.
var goods = []struct {
	name   string
	amount int64
}{{"Green tea", 1250}, {"Oolong", 1890}, {"Teapot", 4900}, {"Matcha whisk", 2300}, {"Tasting set", 7450}, {"Gift card", 10_000}}

var demoNames = []string{"Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "Margaret", "Niklaus", "Radia", "Tony"}

// run trades until the context ends.
func (d *demo) run(ctx context.Context) {
	for n := range demoTradesMax {
		if err := d.trade(ctx); err != nil && ctx.Err() == nil {
			d.logger.LogAttrs(ctx, slog.LevelDebug, "a trade of the demo shop came to nothing", slog.String("error", err.Error()))
		}
		pause := demoPause/2 + time.Duration(d.rand.Int64N(int64(demoPause)))
		if n < demoFirst {
			pause = 0
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// trade is one sale and what comes of it.
func (d *demo) trade(ctx context.Context) error {
	account := d.accounts[d.rand.IntN(len(d.accounts))]
	name := demoNames[d.rand.IntN(len(demoNames))]
	item, chance := goods[d.rand.IntN(len(goods))], d.rand.IntN(100)
	body := map[string]any{
		"reference": "demo-" + d.ids.Secret()[:8], "currency": []string{"EUR", "EUR", "USD"}[d.rand.IntN(3)], "success_url": "https://shop.example/thanks",
		"line_items": []any{map[string]any{"name": item.name, "amount": item.amount, "quantity": 1 + d.rand.IntN(3)}},
		"customer":   map[string]any{"email": name + "@buyer.example", "name": name + " Buyer"},
	}
	held := chance < 20
	switch {
	case held:
		body["capture"] = "manual"
	case chance < 26:
		if err := d.asPlan(ctx, body); err != nil {
			return err
		}
	}
	checkout, err := d.call(ctx, d.api+"/v1/checkouts", body)
	if err != nil {
		return err
	}
	paid, err := d.call(ctx, d.simulator+"/_control/pay", map[string]any{"checkout": checkout["id"], "account": account, "card": d.card()})
	if err != nil {
		return err
	}
	payment, _ := paid["payment"].(string)
	if payment == "" || chance >= 20 && chance < 26 {
		return nil
	}
	return d.after(ctx, account, payment, held, item.amount)
}

// asPlan has a checkout sell a subscription.
func (d *demo) asPlan(ctx context.Context, body map[string]any) error {
	if d.plan == "" {
		price, err := d.call(ctx, d.api+"/v1/prices", map[string]any{
			"name": "Tea club", "amount": 1900, "currency": "EUR", "recurring": map[string]any{"interval": "month", "interval_count": 1},
		})
		if err != nil {
			return err
		}
		d.plan, _ = price["id"].(string)
	}
	body["mode"], body["currency"] = "subscription", "EUR"
	body["line_items"] = []any{map[string]any{"price": d.plan, "quantity": 1}}
	return nil
}

// card is mostly a good one.
func (d *demo) card() string {
	switch chance := d.rand.IntN(100); {
	case chance < 7:
		return "declined"
	case chance < 11:
		return "insufficient_funds"
	case chance < 14:
		return "disputed"
	default:
		return "success"
	}
}

// after is what happens to some payments later: captured, given back in part, disputed.
func (d *demo) after(ctx context.Context, account, payment string, held bool, amount int64) error {
	path := d.api + "/v1/payments/" + payment
	chance := d.rand.IntN(100)
	switch {
	case held && chance < 60:
		_, err := d.call(ctx, path+"/capture", map[string]any{})
		return err
	case held && chance < 75:
		_, err := d.call(ctx, path+"/cancel", map[string]any{})
		return err
	case held:
		return nil // it waits for staff
	case chance < 15:
		_, err := d.call(ctx, path+"/refunds", map[string]any{"amount": amount / 2, "reason": "requested_by_customer"})
		return err
	case chance < 19:
		_, err := d.call(ctx, d.simulator+"/_control/disputes", map[string]any{"account": account, "payment": payment, "reason": "fraudulent"})
		return err
	}
	return nil
}

// call posts JSON and gives what comes back.
func (d *demo) call(ctx context.Context, address string, body map[string]any) (map[string]any, error) {
	ctx, cancel := context.WithTimeout(ctx, demoCallMax)
	defer cancel()
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+d.key)
	r.Header.Set("Idempotency-Key", "demo-"+d.ids.Secret())
	answer, err := d.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	if text, err = io.ReadAll(io.LimitReader(answer.Body, demoAnswerBytesMax)); err != nil {
		return nil, err
	}
	if answer.StatusCode >= http.StatusBadRequest {
		return nil, fmt.Errorf("POST %s: %d", address, answer.StatusCode)
	}
	held := make(map[string]any)
	return held, json.Unmarshal(text, &held)
}
