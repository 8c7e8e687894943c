package supervise_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/gate/gatetest"
	"github.com/holdfast-go/holdfast/supervise"
)

// A run that was stopped in the instant in which it began has not died.
func TestStopInTheInstantOfTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := new(gatetest.MemoryStore)
		s := supervise.New("s", quiet, supervise.WithStore(store))
		s.Add("a", waits)
		for range 2 {
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(time.Second, func() {
				task := s.Task("s/a")
				task.Restart()
				synctest.Wait()
				cancel(errStop)
			})
			if err := s.Run(ctx); err != errStop {
				t.Error(err)
			}
			if saved, revision := loaded(t, store, "s/a"); revision == 0 || saved.History.Running {
				t.Errorf("revision %d, and its last run is under way: %+v", revision, saved.History)
			}
		}
		// The next life of the process.
		again := supervise.New("s", quiet, supervise.WithStore(store))
		task := again.Add("a", waits)
		if err := again.Run(bubble(t, time.Minute)); err != errStop || task.Status().Crashes > 0 {
			t.Errorf("%v; %+v", err, task.Status())
		}
	})
}

// A task that was forgotten and is started again is saved as before.
func TestForgottenTaskIsSavedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := new(gatetest.MemoryStore)
		s := supervise.New("s", quiet, second, supervise.WithStore(store))
		task := s.Add("a", failing, supervise.WithRestart(supervise.Never))
		var crashes []uint64
		for i := range 3 {
			at := time.Duration(i+1) * time.Minute
			time.AfterFunc(at, func() {
				saved, _ := loaded(t, store, "s/a")
				crashes = append(crashes, saved.History.Total)
				task.Restart()
			})
		}
		if err := s.Run(bubble(t, time.Hour)); err != errStop {
			t.Error(err)
		}
		synctest.Wait()
		if len(crashes) != 3 || crashes[0] != 1 || crashes[1] != 2 || crashes[2] != 3 {
			t.Errorf("%v crashes are saved after each run, of which all crashed", crashes)
		}
	})
}

// patientStore does not answer the first Load before it is cancelled.
type patientStore struct {
	*gatetest.MemoryStore
	loads atomic.Int64
}

func (s *patientStore) Load(ctx context.Context, key string) (gate.Snapshot, uint64, error) {
	if s.loads.Add(1) == 1 {
		<-ctx.Done()
		return gate.Snapshot{}, 0, ctx.Err()
	}
	return s.MemoryStore.Load(ctx, key)
}

// TestStopDuringLoad: a task that was stopped while its gate was loaded has it loaded
// when it is started again; it had begun with a clean slate, which was then saved.
func TestStopDuringLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := new(gatetest.MemoryStore)
		first := supervise.New("root", quiet, second, supervise.WithStore(memory))
		first.Add("a", failing)
		_ = first.Run(bubble(t, 10*time.Second))
		saved, _ := loaded(t, memory, "root/a")

		s := supervise.New("root", quiet, second, supervise.WithStore(&patientStore{MemoryStore: memory}))
		runs := make(chan uint64, 1)
		a := s.Add("a", func(ctx context.Context) error {
			info, _ := supervise.FromContext(ctx)
			runs <- info.Run
			return waits(ctx)
		})
		time.AfterFunc(time.Second, func() { a.Stop() })
		time.AfterFunc(2*time.Second, func() { a.Restart() })
		_ = s.Run(bubble(t, time.Minute))
		if run := <-runs; run != saved.Runs+1 {
			t.Errorf("run %d follows, after %d", run, saved.Runs)
		}
	})
}
