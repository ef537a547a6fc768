package core

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Who may not. The texts are for logs; callers answer with their own.
var (
	// ErrUnauthenticated means that the caller's key, token or password is missing,
	// malformed, unknown, revoked or of the other environment.
	ErrUnauthenticated = errors.New("caller is not known")
	// ErrForbidden means that the caller is known and may not do this.
	ErrForbidden = errors.New("caller may not do this")
	// ErrOwnAccount means that somebody else must do this to the caller's account.
	ErrOwnAccount = errors.New("nobody does this to their own account")
	// ErrLastAdmin means that nobody would be left who may let others in.
	ErrLastAdmin = errors.New("the last ADMIN stays")
	// ErrCodeWrong means that a code is not one of the authenticator app, or was used before.
	ErrCodeWrong = errors.New("the code is not right")
	// ErrPasswordWrong means that the password that was asked for once more is another one.
	ErrPasswordWrong = errors.New("the password is not right")
)

// APIKey lets a storefront call the API. The key itself is shown once and never stored.
type APIKey struct {
	ID          APIKeyID
	Name        string
	Environment Environment
	Hash        string // of the key, see HashSecret
	Hint        string // its last four characters, to tell keys apart
	CreatedAt   time.Time
	RevokedAt   time.Time // zero while it is good
}

// The fewest characters of a key after its prefix. Keys made here are far longer; the
// bound for test lets scripts choose readable ones.
const (
	apiKeySecretShortestTest = 4
	apiKeySecretShortestLive = 24
)

// APIKeyPrefix is what a key of the environment starts with.
func APIKeyPrefix(env Environment) string { return "pd_" + string(env) + "_" }

// CheckAPIKeyFormat reports what is wrong with a key's form, or nil. It never repeats
// the key.
func CheckAPIKeyFormat(key string, env Environment) error {
	secret, ok := strings.CutPrefix(key, APIKeyPrefix(env))
	if !ok {
		return fmt.Errorf("must start with %q", APIKeyPrefix(env))
	}
	shortest := apiKeySecretShortestLive
	if env == EnvTest {
		shortest = apiKeySecretShortestTest
	}
	if len(secret) < shortest {
		return fmt.Errorf("must have at least %d characters after %q", shortest, APIKeyPrefix(env))
	}
	return nil
}

// HashSecret is how high-entropy secrets (API keys, staff tokens) are stored. They are
// random and long, so a plain hash serves; passwords do not come here.
func HashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// Role is what a member of staff may do. Each role may do all that those before it may.
type Role string

// The roles, from least to most.
const (
	RoleViewer  Role = "VIEWER"
	RoleSupport Role = "SUPPORT"
	RoleFinance Role = "FINANCE"
	RoleAdmin   Role = "ADMIN"
)

var roleRanks = map[Role]int{RoleViewer: 1, RoleSupport: 2, RoleFinance: 3, RoleAdmin: 4}

// ParseRole accepts the four roles in any case.
func ParseRole(text string) (Role, error) {
	role := Role(strings.ToUpper(text))
	if roleRanks[role] == 0 {
		return "", fmt.Errorf("must be VIEWER, SUPPORT, FINANCE or ADMIN")
	}
	return role, nil
}

// Includes reports whether r may do what needs the other role.
func (r Role) Includes(other Role) bool {
	return roleRanks[other] != 0 && roleRanks[r] >= roleRanks[other]
}

// Staff is a person of the back office.
type Staff struct {
	ID           StaffID
	Email        string
	Role         Role
	PasswordHash string // argon2id, in its encoded form
	TokenHash    string // of the staff token, see HashSecret; empty where there is none
	// CodeSecret is what their authenticator app shares with us, in base32; empty where a password is
	// enough. CodePending is one that was not confirmed by a first code yet.
	CodeSecret, CodePending string
	// CodeStep is the time step of the last code that was accepted, in steps of 30 s since 1970: no
	// code of it or of an earlier one is accepted again.
	CodeStep int64
	// RecoveryHashes are of codes for when the app is lost, each good once, see HashSecret.
	RecoveryHashes []string
	CreatedAt      time.Time
	DisabledAt     time.Time // zero while active
}
