package ports

// IDs draws the randomness behind ids and secrets. Implementations are safe for
// concurrent use.
type IDs interface {
	// UUID gives a version 7 UUID: each one sorts after those the same process drew before.
	UUID() [16]byte
	// Secret gives text of at least 128 random bits in characters that are safe in a
	// header and a URL.
	Secret() string
}
