package dist

import (
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
)

// Run calls f once for each rank of [InProcess](n), each in its own goroutine,
// and returns when all have returned. A rank that returns an error, or panics,
// aborts the group, so the others come back too instead of waiting for it; one
// that returns nil leaves it.
//
// The result is the error of the lowest rank that has one of its own, not
// merely another's abort. A panic is raised again in the caller as a
// [*RankPanic].
func Run(n int, f func(Group) error) error {
	errs := make([]error, n)
	panics := make([]*RankPanic, n)
	var wg sync.WaitGroup
	for r, g := range InProcess(n) {
		wg.Go(func() {
			defer func() {
				if v := recover(); v != nil {
					panics[r] = &RankPanic{Rank: r, Value: v, Stack: debug.Stack()}
					errs[r] = panics[r]
				}
				g.Abort(errs[r])
			}()
			errs[r] = f(g)
		})
	}
	wg.Wait()
	var others error
	for r, err := range errs {
		if panics[r] != nil {
			panic(panics[r])
		}
		var abort *AbortError
		switch {
		case err == nil:
		case !errors.As(err, &abort) || abort.Rank == r:
			return err
		case others == nil:
			others = err
		}
	}
	return others
}

// RankPanic is a panic of one rank, raised again where the ranks were started.
type RankPanic struct {
	Rank  int
	Value any
	Stack []byte // of the rank's goroutine
}

func (p *RankPanic) Error() string {
	return fmt.Sprintf("rank %d: panic: %v\n\n%s", p.Rank, p.Value, p.Stack)
}

// Unwrap returns the panic's value where that is an error.
func (p *RankPanic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}
