// Package access knows who may come in: storefronts by API key, staff by token or
// password. It also makes keys and staff, and writes down who did.
package access

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/record"
	"github.com/paydesk/paydesk/ports"
)

// The shortest passwords of a member of staff. In test, scripts choose their own.
const (
	passwordCharactersLeastLive = 12
	passwordCharactersLeastTest = 4
)

// Service holds the use cases. It is safe for concurrent use.
type Service struct {
	store     ports.Store
	clock     ports.Clock
	ids       ports.IDs
	passwords ports.Passwords
	codes     ports.OneTimeCodes
	traces    ports.TraceIDs
	env       core.Environment
	// nobodysHash is compared with where nobody has the email, so that it takes as long.
	nobodysHash func() (string, error)
}

// New makes the service.
func New(store ports.Store, clock ports.Clock, ids ports.IDs, passwords ports.Passwords, codes ports.OneTimeCodes, traces ports.TraceIDs, env core.Environment) *Service {
	return &Service{
		store: store, clock: clock, ids: ids, passwords: passwords, codes: codes, traces: traces, env: env,
		nobodysHash: sync.OnceValues(func() (string, error) { return passwords.Hash(ids.Secret()) }),
	}
}

// APIKey gives the key that a storefront presented, or [core.ErrUnauthenticated].
func (s *Service) APIKey(ctx context.Context, presented string) (core.APIKey, error) {
	if core.CheckAPIKeyFormat(presented, s.env) != nil {
		return core.APIKey{}, core.ErrUnauthenticated
	}
	key, err := s.store.APIKeyByHash(ctx, core.HashSecret(presented))
	if errors.Is(err, ports.ErrNotFound) {
		return core.APIKey{}, core.ErrUnauthenticated
	}
	if err != nil {
		return core.APIKey{}, fmt.Errorf("look up API key: %w", err)
	}
	if !key.RevokedAt.IsZero() || key.Environment != s.env {
		return core.APIKey{}, core.ErrUnauthenticated
	}
	return key, nil
}

// CreateAPIKey makes a key and shows it once.
func (s *Service) CreateAPIKey(ctx context.Context, name, actor string) (core.APIKey, string, error) {
	secret := core.APIKeyPrefix(s.env) + s.ids.Secret()
	key, err := s.addAPIKey(ctx, name, secret, actor)
	return key, secret, err
}

// CheckAPIKeyName is [core.InvalidError] for a name that says nothing, or too much.
func CheckAPIKeyName(name string) error {
	var fault string
	switch name = strings.TrimSpace(name); {
	case name == "":
		fault = "must say what the key is for"
	case utf8.RuneCountInString(name) > textCharactersMax:
		fault = fmt.Sprintf("must have at most %d characters", textCharactersMax)
	default:
		return nil
	}
	return &core.InvalidError{Fields: []core.FieldError{{Field: "name", Message: fault}}}
}

// EnsureAPIKey makes sure that a key that somebody else chose is accepted.
func (s *Service) EnsureAPIKey(ctx context.Context, secret, actor string) error {
	if err := core.CheckAPIKeyFormat(secret, s.env); err != nil {
		return err
	}
	_, err := s.store.APIKeyByHash(ctx, core.HashSecret(secret))
	if !errors.Is(err, ports.ErrNotFound) {
		return err
	}
	_, err = s.addAPIKey(ctx, "bootstrap", secret, actor)
	if errors.Is(err, ports.ErrDuplicate) {
		return nil // another process was faster
	}
	return err
}

func (s *Service) addAPIKey(ctx context.Context, name, secret, actor string) (core.APIKey, error) {
	if err := CheckAPIKeyName(name); err != nil {
		return core.APIKey{}, err
	}
	name = strings.TrimSpace(name)
	key := core.APIKey{
		ID: core.NewID[core.APIKeyID](s.ids.UUID()), Name: name, Environment: s.env,
		Hash: core.HashSecret(secret), Hint: secret[len(secret)-4:], CreatedAt: s.clock.Now(),
	}
	err := s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		if err := tx.InsertAPIKey(ctx, key); err != nil {
			return err
		}
		return s.audit(ctx, tx, actor, "api_key.create", string(key.ID), key.Name)
	})
	if err != nil {
		return core.APIKey{}, fmt.Errorf("create API key: %w", err)
	}
	return key, nil
}

// APIKeys lists all keys, revoked ones too, without their secrets.
func (s *Service) APIKeys(ctx context.Context) ([]core.APIKey, error) { return s.store.APIKeys(ctx) }

// APIKeyByID gives a key, or [ports.ErrNotFound].
func (s *Service) APIKeyByID(ctx context.Context, id core.APIKeyID) (core.APIKey, error) {
	return s.store.APIKeyByID(ctx, id)
}

// RevokeAPIKey ends a key at once. A revoked one stays as it is.
func (s *Service) RevokeAPIKey(ctx context.Context, id core.APIKeyID, actor string) error {
	err := s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		if err := tx.RevokeAPIKey(ctx, id, s.clock.Now()); err != nil {
			return err
		}
		return s.audit(ctx, tx, actor, "api_key.revoke", string(id), "")
	})
	if err != nil {
		return fmt.Errorf("revoke API key: %w", err)
	}
	return nil
}

// Denied writes down that a caller was refused what their role may not do.
func (s *Service) Denied(ctx context.Context, actor, action, from string) error {
	return s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		return s.auditFrom(ctx, tx, actor, "forbidden", action, "", from)
	})
}

// entry is a line of the audit log. Where an action of staff is under way, it is told of by it.
func (s *Service) entry(ctx context.Context, actor, action, subject, detail string) core.AuditEntry {
	e := core.AuditEntry{
		ID: core.NewID[core.AuditID](s.ids.UUID()), Actor: actor, Action: action, Subject: subject,
		Detail: detail, TraceID: s.traces.TraceID(ctx), At: s.clock.Now(),
	}
	if act := record.ActOf(ctx); act != nil {
		act.Note()
		e.From = act.From
	}
	return e
}

func (s *Service) audit(ctx context.Context, tx ports.Tx, actor, action, subject, detail string) error {
	return tx.AppendAudit(ctx, s.entry(ctx, actor, action, subject, detail))
}

// auditFrom is for what comes over the network without an action that is under way.
func (s *Service) auditFrom(ctx context.Context, tx ports.Tx, actor, action, subject, detail, from string) error {
	entry := s.entry(ctx, actor, action, subject, detail)
	entry.From = from
	return tx.AppendAudit(ctx, entry)
}
