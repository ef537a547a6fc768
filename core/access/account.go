package access

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/paydesk/paydesk/core"
)

const (
	// recoveryCodes is how many codes for when the app is lost are made at once.
	recoveryCodes = 10
	// recoveryCharacters is how long each is: 64 random bits or more.
	recoveryCharacters = 16
)

// BeginCodes draws the secret of an authenticator app for somebody, after their password, and gives it
// with the address that apps read. It asks for codes once the first one confirms it.
func (s *Service) BeginCodes(ctx context.Context, id core.StaffID, password string) (secret, address string, err error) {
	staff, err := s.confirmed(ctx, id, password)
	if err != nil {
		return "", "", err
	}
	if secret, address, err = s.codes.New(staff.Email); err != nil {
		return "", "", fmt.Errorf("begin codes: %w", err)
	}
	err = s.changeStaff(ctx, id, string(id), "staff.codes_begin", func(staff *core.Staff) error {
		staff.CodePending = secret
		return nil
	})
	return secret, address, err
}

// ConfirmCodes has codes of the app asked for from now on, and gives the recovery codes, which are
// shown only here. A code that is not of the pending secret is [core.ErrCodeWrong].
func (s *Service) ConfirmCodes(ctx context.Context, id core.StaffID, code string) (recovery []string, err error) {
	hashes := make([]string, recoveryCodes)
	recovery = make([]string, recoveryCodes)
	for n := range recovery {
		secret := s.ids.Secret()
		recovery[n] = strings.ToLower(secret[len(secret)-recoveryCharacters:])
		hashes[n] = core.HashSecret(recovery[n])
	}
	err = s.changeStaff(ctx, id, string(id), "staff.codes_confirm", func(staff *core.Staff) error {
		step, right := s.codes.Step(staff.CodePending, strings.TrimSpace(code), s.clock.Now())
		if staff.CodePending == "" || !right {
			return core.ErrCodeWrong
		}
		staff.CodeSecret, staff.CodePending, staff.CodeStep, staff.RecoveryHashes = staff.CodePending, "", step, hashes
		return nil
	})
	if err != nil {
		return nil, err
	}
	return recovery, nil
}

// RemoveCodes has somebody's password alone let them in again. Who does it to themselves gives their
// password first; an ADMIN does it for others who lost their app.
func (s *Service) RemoveCodes(ctx context.Context, id core.StaffID, password, actor string) error {
	if string(id) == actor {
		if _, err := s.confirmed(ctx, id, password); err != nil {
			return err
		}
	}
	return s.changeStaff(ctx, id, actor, "staff.codes_remove", func(staff *core.Staff) error {
		staff.CodeSecret, staff.CodePending, staff.CodeStep, staff.RecoveryHashes = "", "", 0, nil
		return nil
	})
}

// ChangePassword sets somebody's own password after the old one, and ends their sessions.
func (s *Service) ChangePassword(ctx context.Context, id core.StaffID, old, password string) error {
	if _, err := s.confirmed(ctx, id, old); err != nil {
		return err
	}
	if fault := s.passwordFault(password); fault != "" {
		return &core.InvalidError{Fields: []core.FieldError{{Field: "password", Message: fault}}}
	}
	hash, err := s.passwords.Hash(password)
	if err != nil {
		return fmt.Errorf("change password: %w", err)
	}
	err = s.changeStaff(ctx, id, string(id), "staff.password_change", func(staff *core.Staff) error {
		staff.PasswordHash = hash
		return nil
	})
	if err != nil {
		return err
	}
	return s.RevokeSessions(ctx, id, string(id))
}

// confirmed gives somebody whose password was given once more. Wrong ones count as tries to sign in.
func (s *Service) confirmed(ctx context.Context, id core.StaffID, password string) (core.Staff, error) {
	staff, err := s.store.StaffByID(ctx, id)
	if err != nil {
		return core.Staff{}, err
	}
	if len(password) > passwordBytesMax {
		return core.Staff{}, core.ErrPasswordWrong
	}
	tries := []counted{{core.HashSecret("email:" + staff.Email), 0}}
	if err := s.count(ctx, tries); err != nil {
		return core.Staff{}, err
	}
	right, err := s.passwordOf(staff, password)
	if err != nil {
		return core.Staff{}, fmt.Errorf("confirm password: %w", err)
	}
	if !right {
		return core.Staff{}, core.ErrPasswordWrong
	}
	return staff, s.forget(ctx, tries)
}

// passwordFault says what is wrong with a new password; empty for nothing.
func (s *Service) passwordFault(password string) string {
	switch {
	case utf8.RuneCountInString(password) < s.passwordCharactersLeast():
		return fmt.Sprintf("must have at least %d characters", s.passwordCharactersLeast())
	case len(password) > passwordBytesMax:
		return fmt.Sprintf("must have at most %d bytes", passwordBytesMax)
	}
	return ""
}
