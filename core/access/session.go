package access

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const (
	// seenEvery is how exactly it is remembered when a session was used.
	seenEvery = time.Minute
	// fromTriesFree is how many tries from one network address may fail before there is a pause: an
	// office shares one.
	fromTriesFree = 30
	// passwordBytesMax bounds what is hashed, and textCharactersMax what is kept of who signs in.
	passwordBytesMax  = 1024
	textCharactersMax = 200
	// stranger is who tries to sign in, in the audit log.
	stranger = "stranger"
)

// SignIn is a try to sign in.
type SignIn struct {
	Email    string
	Password string
	Code     string // of the authenticator app, or a recovery code; empty where none was asked for yet
	From     string // network address
	Agent    string // what the browser calls itself; may be empty
}

// SignIn gives a session and its token, which is shown only here. Who is not known, is disabled or has
// another password is [core.ErrUnauthenticated], all alike and after the same work. A right password
// of somebody with an authenticator app is [core.ErrCodeNeeded] until its code comes, too. After some
// failures in a row there is a [core.LockedError] for a while, for emails that nobody has as well.
func (s *Service) SignIn(ctx context.Context, in SignIn) (core.Session, string, error) {
	if len(in.Password) > passwordBytesMax {
		return core.Session{}, "", core.ErrUnauthenticated
	}
	email := strings.ToLower(strings.TrimSpace(in.Email))
	tries := []counted{{core.HashSecret("email:" + email), 0}, {core.HashSecret("from:" + in.From), fromTriesFree}}
	// It counts as failed until it has succeeded: many at once get no more than one after the other.
	if err := s.count(ctx, tries); err != nil {
		return core.Session{}, "", err
	}
	staff, err := s.store.StaffByEmail(ctx, email)
	if err != nil && !errors.Is(err, ports.ErrNotFound) {
		return core.Session{}, "", fmt.Errorf("sign in: %w", err)
	}
	right, err := s.passwordOf(staff, in.Password)
	if err != nil {
		return core.Session{}, "", fmt.Errorf("sign in: %w", err)
	}
	if !right || staff.ID == "" || !staff.DisabledAt.IsZero() {
		return core.Session{}, "", errors.Join(core.ErrUnauthenticated, s.signInFailed(ctx, staff.ID, in.From, "password"))
	}
	if staff.CodeSecret != "" && in.Code == "" {
		return core.Session{}, "", core.ErrCodeNeeded
	}
	session, token := s.newSession(staff.ID, in)
	err = s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		staff, err := tx.LockStaff(ctx, staff.ID)
		if err != nil {
			return err
		}
		if err := s.spendCode(ctx, tx, staff, in.Code); err != nil {
			return err
		}
		return s.begin(ctx, tx, session, tries)
	})
	if errors.Is(err, core.ErrUnauthenticated) {
		return core.Session{}, "", errors.Join(err, s.signInFailed(ctx, staff.ID, in.From, "code"))
	}
	if err != nil {
		return core.Session{}, "", fmt.Errorf("sign in: %w", err)
	}
	return session, token, nil
}

// counted is a subject whose failures are counted, and how many are free.
type counted struct {
	subject string
	free    int
}

// count adds one to the failures of every subject, unless one of them is locked.
func (s *Service) count(ctx context.Context, all []counted) error {
	now := s.clock.Now()
	err := s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		var until time.Time
		for _, one := range all {
			tries, err := tx.LockSignInTries(ctx, one.subject)
			if err != nil {
				return err
			}
			if now.Sub(tries.LastAt) >= core.SignInMemory {
				tries.Count = 0
			}
			if locked := tries.LockedUntil(one.free); locked.After(now) && locked.After(until) {
				until = locked
			}
			tries.Count, tries.LastAt = tries.Count+1, now
			if err := tx.PutSignInTries(ctx, tries); err != nil {
				return err
			}
		}
		if !until.IsZero() {
			return &core.LockedError{Until: until} // nothing was counted
		}
		return nil
	})
	if _, locked := errors.AsType[*core.LockedError](err); err != nil && !locked {
		return fmt.Errorf("sign in: %w", err)
	}
	return err
}

// passwordOf reports whether the password is the member's. For nobody it does the same work.
func (s *Service) passwordOf(staff core.Staff, password string) (bool, error) {
	if staff.PasswordHash == "" {
		hash, err := s.nobodysHash()
		if err != nil {
			return false, err
		}
		_, err = s.passwords.Matches(password, hash)
		return false, err
	}
	return s.passwords.Matches(password, staff.PasswordHash)
}

// spendCode accepts a code once.
func (s *Service) spendCode(ctx context.Context, tx ports.Tx, staff core.Staff, code string) error {
	if staff.CodeSecret == "" {
		return nil
	}
	code = strings.ReplaceAll(strings.TrimSpace(code), " ", "")
	step, right := s.codes.Step(staff.CodeSecret, code, s.clock.Now())
	switch recovery := slices.Index(staff.RecoveryHashes, core.HashSecret(strings.ToLower(code))); {
	case right && step > staff.CodeStep:
		staff.CodeStep = step
	case !right && recovery >= 0:
		staff.RecoveryHashes = slices.Delete(slices.Clone(staff.RecoveryHashes), recovery, recovery+1)
	default:
		return core.ErrUnauthenticated
	}
	return tx.UpdateStaff(ctx, staff)
}

func (s *Service) newSession(staff core.StaffID, in SignIn) (core.Session, string) {
	token, now := s.ids.Secret(), s.clock.Now()
	return core.Session{
		ID: core.NewID[core.SessionID](s.ids.UUID()), Staff: staff, TokenHash: core.HashSecret(token),
		From: in.From, Agent: shortened(in.Agent), CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(core.SessionAgeMax),
	}, token
}

// shortened is text from outside as it is kept.
func shortened(text string) string {
	text = strings.Map(func(c rune) rune {
		if c < ' ' || c == utf8.RuneError {
			return ' '
		}
		return c
	}, text)
	if runes := []rune(text); len(runes) > textCharactersMax {
		return string(runes[:textCharactersMax])
	}
	return text
}

// begin stores a session and forgets the failures before it.
func (s *Service) begin(ctx context.Context, tx ports.Tx, session core.Session, tries []counted) error {
	if err := tx.PruneSignIns(ctx, session.CreatedAt, session.CreatedAt.Add(-core.SignInMemory)); err != nil {
		return err
	}
	if err := forgetIn(ctx, tx, tries); err != nil {
		return err
	}
	if err := tx.InsertSession(ctx, session); err != nil {
		return err
	}
	return s.auditFrom(ctx, tx, string(session.Staff), "staff.sign_in", string(session.ID), "", session.From)
}

func (s *Service) forget(ctx context.Context, tries []counted) error {
	return s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error { return forgetIn(ctx, tx, tries) })
}

// forgetIn takes back what was counted. An email starts anew; an address keeps what others there failed.
func forgetIn(ctx context.Context, tx ports.Tx, tries []counted) error {
	for _, one := range tries {
		known, err := tx.LockSignInTries(ctx, one.subject)
		if err != nil {
			return err
		}
		if known.Count = max(known.Count-1, 0); one.free == 0 {
			known.Count = 0
		}
		if err := tx.PutSignInTries(ctx, known); err != nil {
			return err
		}
	}
	return nil
}

// signInFailed writes down a try that failed; staff is empty where nobody has the email.
func (s *Service) signInFailed(ctx context.Context, staff core.StaffID, from, what string) error {
	return s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		return s.auditFrom(ctx, tx, stranger, "staff.sign_in_failed", string(staff), what, from)
	})
}

// StaffBySession gives who a session's token belongs to, as they are now, or
// [core.ErrUnauthenticated] where it has ended or they were disabled. It counts as a use.
func (s *Service) StaffBySession(ctx context.Context, token string) (core.Staff, core.Session, error) {
	if token == "" {
		return core.Staff{}, core.Session{}, core.ErrUnauthenticated
	}
	session, staff, err := s.store.SessionByTokenHash(ctx, core.HashSecret(token))
	if errors.Is(err, ports.ErrNotFound) {
		return core.Staff{}, core.Session{}, core.ErrUnauthenticated
	}
	if err != nil {
		return core.Staff{}, core.Session{}, fmt.Errorf("look up session: %w", err)
	}
	now := s.clock.Now()
	if session.Ended(now) || !staff.DisabledAt.IsZero() {
		return core.Staff{}, core.Session{}, core.ErrUnauthenticated
	}
	if now.Sub(session.SeenAt) >= seenEvery {
		session.SeenAt = now
		err := s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
			return tx.TouchSession(ctx, session.ID, now)
		})
		if err != nil {
			return core.Staff{}, core.Session{}, fmt.Errorf("touch session: %w", err)
		}
	}
	return staff, session, nil
}

// SignOut ends the session of a token. It is no error where there is none.
func (s *Service) SignOut(ctx context.Context, token, from string) error {
	session, _, err := s.store.SessionByTokenHash(ctx, core.HashSecret(token))
	if errors.Is(err, ports.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("sign out: %w", err)
	}
	return s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		if err := tx.DeleteSession(ctx, session.ID); err != nil {
			return err
		}
		return s.auditFrom(ctx, tx, string(session.Staff), "staff.sign_out", string(session.ID), "", from)
	})
}

// Sessions lists the sessions of somebody that are good still, newest first.
func (s *Service) Sessions(ctx context.Context, staff core.StaffID) ([]core.Session, error) {
	all, err := s.store.Sessions(ctx, staff)
	now := s.clock.Now()
	return slices.DeleteFunc(all, func(one core.Session) bool { return one.Ended(now) }), err
}

// RevokeSessions ends all sessions of somebody at once.
func (s *Service) RevokeSessions(ctx context.Context, id core.StaffID, actor string) error {
	return s.store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		if _, err := tx.LockStaff(ctx, id); err != nil {
			return err
		}
		if _, err := tx.DeleteSessions(ctx, id); err != nil {
			return err
		}
		return s.audit(ctx, tx, actor, "staff.revoke_sessions", string(id), "")
	})
}
