package supervise_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/supervise"
)

// countingContext counts how often it is asked for a value.
type countingContext struct {
	context.Context
	asked atomic.Int64
}

func (c *countingContext) Value(key any) any {
	c.asked.Add(1)
	return c.Context.Value(key)
}

type deepKey struct{ name string }

// A value is looked for once in each supervisor of a tree, however deep it is, and found
// where it is there.
func TestValueInADeepTree(t *testing.T) {
	for _, depth := range []int{1, 10, 40} {
		t.Run(fmt.Sprint(depth), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base, cancel := context.WithCancelCause(context.WithValue(t.Context(), deepKey{"there"}, "found"))
				ctx := &countingContext{Context: base}
				root := supervise.New("root", quiet)
				leaf := root
				for i := range depth {
					below := supervise.New(fmt.Sprint(i), quiet)
					leaf.Add(fmt.Sprint(i), below.Run)
					leaf = below
				}
				leaf.Add("a", func(run context.Context) error {
					for _, used := range []bool{false, true} {
						if used {
							run.Done()
						}
						before := ctx.asked.Load()
						if v := run.Value(deepKey{"missing"}); v != nil {
							t.Errorf("there is a value: %v", v)
						}
						if n := ctx.asked.Load() - before; n != 1 {
							t.Errorf("used: %v: the context of Run was asked %d times for one value", used, n)
						}
						if v := run.Value(deepKey{"there"}); v != "found" {
							t.Errorf("used: %v: the value is %v", used, v)
						}
					}
					<-run.Done()
					time.AfterFunc(time.Second, func() { // when the run has ended
						if v := run.Value(deepKey{"there"}); v != "found" || context.Cause(run) == nil {
							t.Errorf("after the run the value is %v, the cause %v", v, context.Cause(run))
						}
					})
					return nil
				})
				time.AfterFunc(time.Second, func() { cancel(errStop) })
				if err := root.Run(ctx); err != errStop {
					t.Error(err)
				}
				time.Sleep(time.Minute)
			})
		})
	}
}
