package bunrepo

import "github.com/uptrace/bun"

// Watch lets a test see every statement that goes through bun from now on. Nobody may use
// the store meanwhile.
func (s *Store) Watch(hook bun.QueryHook) {
	s.db, s.read = s.db.WithQueryHook(hook), s.read.WithQueryHook(hook)
}
