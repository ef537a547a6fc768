package access

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// NewStaff describes a member of staff to add.
type NewStaff struct {
	Email    string
	Password string // empty draws one where DrawPassword is set
	Role     core.Role
	Token    string // of their own choice; empty makes one where WithToken is set
	// WithToken asks for a staff token, for scripts.
	WithToken    bool
	DrawPassword bool
}

// Shown are the secrets of a new member of staff, which are shown once. Empty ones were not drawn.
type Shown struct{ Password, Token string }

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

// CheckNewStaff is [core.InvalidError] for what AddStaff would refuse, and [ports.ErrDuplicate] for a
// known email.
func (s *Service) CheckNewStaff(ctx context.Context, in NewStaff) error {
	if err := s.checkStaff(in); err != nil {
		return err
	}
	_, err := s.store.StaffByEmail(ctx, strings.ToLower(in.Email))
	switch {
	case errors.Is(err, ports.ErrNotFound):
		return nil
	case err == nil:
		return ports.ErrDuplicate
	}
	return err
}

// AddStaff adds a member of staff and shows what was drawn for them. A known email is
// [ports.ErrDuplicate].
func (s *Service) AddStaff(ctx context.Context, in NewStaff, actor string) (core.Staff, Shown, error) {
	var shown Shown
	if err := s.checkStaff(in); err != nil {
		return core.Staff{}, shown, err
	}
	role, err := core.ParseRole(string(in.Role)) // as the roles are written
	if err != nil {
		return core.Staff{}, shown, fmt.Errorf("add staff: %w", err)
	}
	if in.Password == "" {
		shown.Password = s.ids.Secret()
		in.Password = shown.Password
	}
	hash, err := s.passwords.Hash(in.Password)
	if err != nil {
		return core.Staff{}, shown, fmt.Errorf("add staff: %w", err)
	}
	staff := core.Staff{
		ID: core.NewID[core.StaffID](s.ids.UUID()), Email: strings.ToLower(in.Email), Role: role,
		PasswordHash: hash, CreatedAt: s.clock.Now(),
	}
	if shown.Token = in.Token; shown.Token == "" && in.WithToken {
		shown.Token = s.ids.Secret()
	}
	if shown.Token != "" {
		staff.TokenHash = core.HashSecret(shown.Token)
	}
	err = s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		if err := tx.InsertStaff(ctx, staff); err != nil {
			return err
		}
		return s.auditStaff(ctx, tx, actor, "staff.add", core.Staff{}, staff)
	})
	if err != nil {
		return core.Staff{}, Shown{}, fmt.Errorf("add staff: %w", err)
	}
	return staff, shown, nil
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

// StaffByID gives a member of staff, or [ports.ErrNotFound].
func (s *Service) StaffByID(ctx context.Context, id core.StaffID) (core.Staff, error) {
	return s.store.StaffByID(ctx, id)
}

// Staff lists everybody, the disabled too.
func (s *Service) Staff(ctx context.Context) ([]core.Staff, error) { return s.store.Staff(ctx) }

// StaffNamed gives the member of staff with an email, or [ports.ErrNotFound].
func (s *Service) StaffNamed(ctx context.Context, email string) (core.Staff, error) {
	return s.store.StaffByEmail(ctx, strings.ToLower(email))
}

// DisableStaff shuts a member of staff out at once. One who is disabled stays as they are. It is
// [core.ErrOwnAccount] for oneself and [core.ErrLastAdmin] for the last who may let others in.
func (s *Service) DisableStaff(ctx context.Context, id core.StaffID, actor string) error {
	return s.changeStaff(ctx, id, actor, "staff.disable", func(staff *core.Staff) error {
		if string(id) == actor {
			return core.ErrOwnAccount
		}
		if staff.DisabledAt.IsZero() {
			staff.DisabledAt = s.clock.Now()
		}
		return nil
	})
}

// SetRole gives a member of staff another role from their next request on. Nobody changes their own:
// [core.ErrOwnAccount]; and the last ADMIN stays one: [core.ErrLastAdmin].
func (s *Service) SetRole(ctx context.Context, id core.StaffID, role core.Role, actor string) error {
	return s.changeStaff(ctx, id, actor, "staff.set_role", func(staff *core.Staff) error {
		if string(id) == actor {
			return core.ErrOwnAccount
		}
		staff.Role = role
		return nil
	})
}

// changeStaff changes a member of staff and writes it down. Who is disabled loses their sessions.
func (s *Service) changeStaff(ctx context.Context, id core.StaffID, actor, action string, change func(*core.Staff) error) error {
	err := s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		// All of them, and first: two who shut each other out at once do so one after the other.
		admins, err := tx.LockActiveStaff(ctx, core.RoleAdmin)
		if err != nil {
			return err
		}
		staff, err := tx.LockStaff(ctx, id)
		if err != nil {
			return err
		}
		before := staff
		if err := change(&staff); err != nil {
			return err
		}
		if reflect.DeepEqual(staff, before) {
			return nil
		}
		if admits(before) && !admits(staff) && admins == 1 {
			return core.ErrLastAdmin
		}
		if err := tx.UpdateStaff(ctx, staff); err != nil {
			return err
		}
		if !staff.DisabledAt.IsZero() {
			if _, err := tx.DeleteSessions(ctx, id); err != nil {
				return err
			}
		}
		return s.auditStaff(ctx, tx, actor, action, before, staff)
	})
	if err != nil {
		return fmt.Errorf("change staff %s: %w", id, err)
	}
	return nil
}

// admits reports whether somebody may let others in.
func admits(staff core.Staff) bool { return staff.Role == core.RoleAdmin && staff.DisabledAt.IsZero() }

// auditStaff writes down what was changed of somebody, without their secrets.
func (s *Service) auditStaff(ctx context.Context, tx ports.Tx, actor, action string, before, after core.Staff) error {
	entry := s.entry(ctx, actor, action, string(after.ID), "")
	for _, state := range []struct {
		staff core.Staff
		into  *string
	}{{before, &entry.Before}, {after, &entry.After}} {
		if state.staff.ID == "" {
			continue
		}
		text, err := json.Marshal(core.AuditState{
			"role": state.staff.Role, "disabled": !state.staff.DisabledAt.IsZero(), "hasToken": state.staff.TokenHash != "",
			"hasPassword": state.staff.PasswordHash != "", "asksForCode": state.staff.CodeSecret != "",
		})
		if err != nil {
			return fmt.Errorf("show staff: %w", err)
		}
		*state.into = string(text)
	}
	return tx.AppendAudit(ctx, entry)
}

func (s *Service) checkStaff(in NewStaff) error {
	var fields []core.FieldError
	if at := strings.LastIndexByte(in.Email, '@'); at < 1 || at == len(in.Email)-1 || strings.ContainsAny(in.Email, " \t\r\n") {
		fields = append(fields, core.FieldError{Field: "email", Message: "must be an email address"})
	}
	if fault := s.passwordFault(in.Password); fault != "" && !(in.DrawPassword && in.Password == "") {
		fields = append(fields, core.FieldError{Field: "password", Message: fault})
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
