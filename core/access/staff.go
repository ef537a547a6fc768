package access

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// NewStaff describes a member of staff to add.
type NewStaff struct {
	Email    string
	Password string
	Role     core.Role
	Token    string // of their own choice; empty makes one where WithToken is set
	// WithToken asks for a staff token, for scripts.
	WithToken bool
}

// StaffByToken gives the active member of staff whose token was presented, or
// [core.ErrUnauthenticated].
func (s *Service) StaffByToken(ctx context.Context, presented string) (core.Staff, error) {
	if presented == "" {
		return core.Staff{}, core.ErrUnauthenticated
	}
	staff, err := s.store.StaffByTokenHash(ctx, core.HashSecret(presented))
	if errors.Is(err, ports.ErrNotFound) {
		return core.Staff{}, core.ErrUnauthenticated
	}
	if err != nil {
		return core.Staff{}, fmt.Errorf("look up staff: %w", err)
	}
	if !staff.DisabledAt.IsZero() {
		return core.Staff{}, core.ErrUnauthenticated
	}
	return staff, nil
}

// AddStaff adds a member of staff and shows their token once; empty where none was
// asked for. A known email is [ports.ErrDuplicate].
func (s *Service) AddStaff(ctx context.Context, in NewStaff, actor string) (core.Staff, string, error) {
	if err := s.checkStaff(in); err != nil {
		return core.Staff{}, "", err
	}
	role, err := core.ParseRole(string(in.Role)) // as the roles are written
	if err != nil {
		return core.Staff{}, "", fmt.Errorf("add staff: %w", err)
	}
	hash, err := s.passwords.Hash(in.Password)
	if err != nil {
		return core.Staff{}, "", fmt.Errorf("add staff: %w", err)
	}
	staff := core.Staff{
		ID: core.NewID[core.StaffID](s.ids.UUID()), Email: strings.ToLower(in.Email), Role: role,
		PasswordHash: hash, CreatedAt: s.clock.Now(),
	}
	token := in.Token
	if token == "" && in.WithToken {
		token = s.ids.Secret()
	}
	if token != "" {
		staff.TokenHash = core.HashSecret(token)
	}
	err = s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		if err := tx.InsertStaff(ctx, staff); err != nil {
			return err
		}
		return s.audit(ctx, tx, actor, "staff.add", string(staff.ID), string(staff.Role))
	})
	if err != nil {
		return core.Staff{}, "", fmt.Errorf("add staff: %w", err)
	}
	return staff, token, nil
}

// EnsureStaff adds a member of staff unless the email is known.
func (s *Service) EnsureStaff(ctx context.Context, in NewStaff, actor string) error {
	_, err := s.store.StaffByEmail(ctx, strings.ToLower(in.Email))
	if !errors.Is(err, ports.ErrNotFound) {
		return err
	}
	if _, _, err = s.AddStaff(ctx, in, actor); errors.Is(err, ports.ErrDuplicate) {
		return nil // another process was faster
	}
	return err
}

// Staff lists everybody, the disabled too.
func (s *Service) Staff(ctx context.Context) ([]core.Staff, error) { return s.store.Staff(ctx) }

// DisableStaff shuts a member of staff out at once.
func (s *Service) DisableStaff(ctx context.Context, email, actor string) error {
	staff, err := s.store.StaffByEmail(ctx, strings.ToLower(email))
	if err != nil {
		return fmt.Errorf("disable staff: %w", err)
	}
	if !staff.DisabledAt.IsZero() {
		return nil
	}
	staff.DisabledAt = s.clock.Now()
	return s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		if err := tx.UpdateStaff(ctx, staff); err != nil {
			return err
		}
		return s.audit(ctx, tx, actor, "staff.disable", string(staff.ID), "")
	})
}

func (s *Service) checkStaff(in NewStaff) error {
	var fields []core.FieldError
	if at := strings.LastIndexByte(in.Email, '@'); at < 1 || at == len(in.Email)-1 || strings.ContainsAny(in.Email, " \t\r\n") {
		fields = append(fields, core.FieldError{Field: "email", Message: "must be an email address"})
	}
	if utf8.RuneCountInString(in.Password) < s.passwordCharactersLeast() {
		fields = append(fields, core.FieldError{Field: "password", Message: fmt.Sprintf("must have at least %d characters", s.passwordCharactersLeast())})
	}
	if _, err := core.ParseRole(string(in.Role)); err != nil {
		fields = append(fields, core.FieldError{Field: "role", Message: err.Error()})
	}
	if len(fields) > 0 {
		return &core.InvalidError{Fields: fields}
	}
	return nil
}

func (s *Service) passwordCharactersLeast() int {
	if s.env == core.EnvTest {
		return passwordCharactersLeastTest
	}
	return passwordCharactersLeastLive
}
