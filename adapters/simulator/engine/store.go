package engine

import "slices"

// objectsMax bounds the objects of each kind that are kept; the oldest go first.
const objectsMax = 200_000

// Store keeps objects of one kind in the order of their making. It is not safe for
// concurrent use: whoever holds it locks.
type Store[T any] struct {
	byID  map[string]T
	order []string
}

// Put keeps a new object.
func (s *Store[T]) Put(id string, object T) {
	if s.byID == nil {
		s.byID = make(map[string]T)
	}
	s.byID[id] = object
	s.order = append(s.order, id)
	if len(s.order) > objectsMax {
		delete(s.byID, s.order[0])
		s.order = s.order[1:]
	}
}

// Get gives an object by its id.
func (s *Store[T]) Get(id string) (T, bool) {
	object, ok := s.byID[id]
	return object, ok
}

// All gives the objects, oldest first.
func (s *Store[T]) All() []T {
	objects := make([]T, 0, len(s.order))
	for _, id := range s.order {
		objects = append(objects, s.byID[id])
	}
	return objects
}

// NewestFirst gives the objects the other way round.
func (s *Store[T]) NewestFirst() []T {
	objects := s.All()
	slices.Reverse(objects)
	return objects
}
