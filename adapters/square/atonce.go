package square

import "sync"

// atOnceMax is how many calls of one look are on their way at the same time: one after the other
// they can take longer than anybody waits.
const atOnceMax = 4

// atOnce does so many things beside each other and gives the first error in their order. What one
// of them throws is thrown to the caller.
func atOnce(count int, do func(n int) error) error {
	errs, thrown := make([]error, count), make([]any, count)
	free := make(chan struct{}, atOnceMax)
	var running sync.WaitGroup
	for n := range count {
		running.Go(func() {
			free <- struct{}{}
			defer func() { thrown[n] = recover(); <-free }()
			errs[n] = do(n)
		})
	}
	running.Wait()
	for _, one := range thrown {
		if one != nil {
			panic(one)
		}
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
