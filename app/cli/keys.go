package cli

import (
	"context"
	"fmt"

	"github.com/paydesk/paydesk/adapters/seal"
	"github.com/paydesk/paydesk/core"
)

// actor is who the audit log names for what the command line did.
const actor = "cli"

type keysCommand struct {
	Create     keysCreate     `cmd:"" help:"Create an API key and show it once."`
	List       keysList       `cmd:"" help:"List API keys."`
	Revoke     keysRevoke     `cmd:"" help:"End an API key at once."`
	Encryption keysEncryption `cmd:"" help:"Make a key for PAYDESK_ENCRYPTION_KEYS."`
}

type keysCreate struct {
	Name string `arg:"" help:"What the key is for."`
	JSON bool   `help:"Print JSON."`
}

// Run creates a key.
func (c *keysCreate) Run(ctx context.Context, r *run) error {
	tools, stop, err := r.tools(ctx)
	if err != nil {
		return err
	}
	defer stop()
	key, secret, err := tools.Access.CreateAPIKey(ctx, c.Name, actor)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(r, map[string]string{"id": string(key.ID), "name": key.Name, "key": secret})
	}
	r.printf("%s\n%s\nIt is shown this once.\n", key.ID, secret)
	return nil
}

type keysList struct {
	JSON bool `help:"Print one JSON object a line."`
}

// Run lists the keys.
func (c *keysList) Run(ctx context.Context, r *run) error {
	tools, stop, err := r.tools(ctx)
	if err != nil {
		return err
	}
	defer stop()
	keys, err := tools.Access.APIKeys(ctx)
	if err != nil {
		return err
	}
	rows := [][]string{{"ID", "NAME", "ENDS IN", "CREATED", "REVOKED"}}
	for _, key := range keys {
		if c.JSON {
			if err := printJSON(r, map[string]any{
				"id": key.ID, "name": key.Name, "hint": key.Hint, "environment": key.Environment,
				"created_at": stamp(key.CreatedAt), "revoked_at": orNull(stamp(key.RevokedAt)),
			}); err != nil {
				return err
			}
		}
		rows = append(rows, []string{string(key.ID), key.Name, key.Hint, stamp(key.CreatedAt), stamp(key.RevokedAt)})
	}
	if c.JSON {
		return nil
	}
	return table(r, rows)
}

type keysRevoke struct {
	ID string `arg:"" help:"The key's id (key_…)."`
}

// Run revokes a key.
func (c *keysRevoke) Run(ctx context.Context, r *run) error {
	id, err := core.ParseID[core.APIKeyID](c.ID)
	if err != nil {
		return fmt.Errorf("%w: id %w", errUsage, err)
	}
	tools, stop, err := r.tools(ctx)
	if err != nil {
		return err
	}
	defer stop()
	if err := tools.Access.RevokeAPIKey(ctx, id, actor); err != nil {
		return err
	}
	r.printf("%s revoked\n", id)
	return nil
}

type keysEncryption struct{}

// Run prints a fresh key.
func (c *keysEncryption) Run(r *run) error {
	r.printf("%s\n", seal.GenerateKey())
	return nil
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}
