package ports

// Passwords turns staff passwords into what may be stored.
type Passwords interface {
	// Hash gives a slow, salted hash in its own encoded form.
	Hash(password string) (string, error)
	// Matches reports whether the password is the one that was hashed.
	Matches(password, hash string) (bool, error)
}
