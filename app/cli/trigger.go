package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// scenario is something that the world outside does, or is made to do.
type scenario struct {
	name string
	run  func(context.Context, *world) error
}

// scenarios lists them in the order of the help.
func scenarios() []scenario {
	return slices.Concat(paymentScenarios(), refundScenarios(), disputeScenarios(), subscriptionScenarios())
}

type triggerCommand struct {
	Scenario     string `arg:"" help:"${scenarios}"`
	Provider     string `default:"stripe" help:"The account that it happens at."`
	Amount       int64  `default:"2500" help:"In minor units."`
	Currency     string `default:"EUR" help:"ISO 4217."`
	Payment      string `help:"The payment that a refund or a dispute is of; one is made where it is left out."`
	Dispute      string `help:"The dispute that is decided; one is opened where it is left out."`
	Subscription string `help:"The subscription that it happens to; one is made where it is left out."`
	Interval     string `default:"month" help:"Of a subscription that is made: day, week, month or year."`
	Trial        int    `default:"0" help:"Days of trial of a subscription that is made."`
	Data         string `default:".paydesk" help:"The data folder of paydesk dev, for its API key." type:"path"`
	APIKey       string `env:"PAYDESK_BOOTSTRAP_API_KEY" help:"The API key, where no data folder has it."`
}

// scenarioNames are for the help.
func scenarioNames() string {
	names := make([]string, 0, len(scenarios()))
	for _, one := range scenarios() {
		names = append(names, one.name)
	}
	return strings.Join(names, ", ")
}

// Run has the scenario happen and prints what came of it.
func (c *triggerCommand) Run(ctx context.Context, r *run) error {
	all := scenarios()
	at := slices.IndexFunc(all, func(s scenario) bool { return s.name == c.Scenario })
	if at < 0 {
		return fmt.Errorf("%w: SCENARIO must be one of %s", errUsage, scenarioNames())
	}
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
	w := &world{command: c, api: string(config.PublicURL), control: "http://" + config.SimulatorAddr, key: key, told: map[string]string{}}
	if err := all[at].run(ctx, w); err != nil {
		return fmt.Errorf("%s: %w", c.Scenario, err)
	}
	return printJSON(r, w.told)
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
