package bunrepo

import "github.com/uptrace/bun"

// AddQueryHook lets a test see every statement that goes through bun.
func (s *Store) AddQueryHook(hook bun.QueryHook) {
	s.db.AddQueryHook(hook)
	if s.read != s.db {
		s.read.AddQueryHook(hook)
	}
}
