package saver_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise/internal/saver"
)

// unprintable panics when it is printed, even under fmt.
type unprintable struct{}

func (unprintable) Format(fmt.State, rune) { runtime.Goexit() }

func TestStoreThatMisbehaves(t *testing.T) {
	for name, test := range map[string]struct {
		does func(release <-chan struct{}) error
		want string // the text of the report
	}{
		"panics":                  {func(<-chan struct{}) error { panic("disk") }, "supervise: the store panicked: disk"},
		"panics with an error":    {func(<-chan struct{}) error { panic(errDisk) }, "supervise: the store panicked: the disk is full"},
		"panics with a typed nil": {func(<-chan struct{}) error { panic((*nilError)(nil)) }, "supervise: the store panicked: <nil>"},
		"panics unprintably":      {func(<-chan struct{}) error { panic(unprintable{}) }, "supervise: the store called runtime.Goexit"},
		"calls Goexit":            {func(<-chan struct{}) error { runtime.Goexit(); return nil }, "supervise: the store called runtime.Goexit"},
		"fails":                   {func(<-chan struct{}) error { return errDisk }, "the disk is full"},
		"says it is canceled":     {func(<-chan struct{}) error { return context.Canceled }, "context canceled"},
		"blocks":                  {func(release <-chan struct{}) error { <-release; return nil }, "supervise: the store has not answered for 5s"},
	} {
		for _, of := range []string{"Load", "Save", "both"} {
			t.Run(name+" at "+of, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					release := make(chan struct{})
					var load, save does
					if of != "Save" {
						load = func(context.Context, string) error { return test.does(release) }
					}
					if of != "Load" {
						save = func(context.Context, string) error { return test.does(release) }
					}
					s := saver.New(new(fake).on(load, save, nil))
					k := &task{gate: gate.New(policy.Constant(0))}
					k.Entry = s.Entry("task", k.gate, k.add)
					begun := time.Now()
					_, found, err := k.Load(t.Context())
					if d := time.Since(begun); found || (err != nil) != (of != "Save") || d > 5*time.Second {
						t.Errorf("Load returns %v, %v after %v", found, err, d)
					}
					for range 10 {
						k.crash()
						time.Sleep(time.Second)
					}
					begun = time.Now()
					s.Close()
					if d := time.Since(begun); d > time.Second {
						t.Errorf("Close took %v", d)
					}
					if len(k.all()) != 1 || k.all()[0].Error() != test.want {
						t.Errorf("reported %v, want %v, once", k.all(), test.want)
					}
					close(release)
					time.Sleep(time.Minute)
				})
			})
		}
	}
}

func TestPanicOfAStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := onSave(func(context.Context, string) error { return panicsDeepDown() })
		s := saver.New(store)
		k := add(t, s, "task")
		k.crash()
		time.Sleep(time.Second)
		k.want(t, errDisk)
		var found *saver.Error
		if !errors.As(k.all()[0], &found) || !strings.Contains(string(found.Stack()), "panicsDeepDown") {
			t.Errorf("%v has stack %s", k.all()[0], found.Stack())
		}
		if text := fmt.Sprintf("%+v", k.all()[0]); !strings.Contains(text, "panicsDeepDown") {
			t.Errorf("printed as %s", text)
		}
		s.Close()
	})
}

func panicsDeepDown() error { panic(errDisk) }

// A store, and a report, may use the saver that calls it.
func TestCallsBack(t *testing.T) {
	for name, calls := range map[string]func(*saver.Saver, *task){
		"Entry": func(s *saver.Saver, k *task) { s.Entry("task", k.gate, k.add) },
		"Load":  func(_ *saver.Saver, k *task) { _, _, _ = k.Load(context.Background()) },
		"Mark":  func(_ *saver.Saver, k *task) { k.Mark() },
		"Fence": func(_ *saver.Saver, k *task) { k.Fence(errTask) },
		"Drop":  func(_ *saver.Saver, k *task) { k.Drop() },
		"Close": func(s *saver.Saver, _ *task) { s.Close() },
	} {
		for _, from := range []string{"Save", "report", "Error"} {
			t.Run(name+" from "+from, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var s *saver.Saver
					var k *task
					back := func() {
						if k != nil && k.Entry != nil {
							calls(s, k)
						}
					}
					store := onSave(func(context.Context, string) error {
						time.Sleep(time.Millisecond)
						switch from {
						case "Save":
							back()
						case "Error":
							return callsBack(back)
						}
						return errDisk
					})
					s = saver.New(store)
					k = &task{gate: gate.New(nil)}
					k.Entry = s.Entry("task", k.gate, func(error) {
						if from == "report" {
							back()
						}
					})
					k.crash()
					time.Sleep(3 * time.Second)
					begun := time.Now()
					s.Close()
					if d := time.Since(begun); d > 1100*time.Millisecond {
						t.Errorf("Close took %v", d)
					}
					time.Sleep(time.Minute)
				})
			})
		}
	}
}

// callsBack is an error whose method calls a function.
type callsBack func()

func (c callsBack) Error() string { c(); return "called" }

// A gate whose last error misbehaves cannot be saved, and harms no other.
func TestGateWhoseErrorMisbehaves(t *testing.T) {
	for name, err := range map[string]error{
		"panics":       textPanics{},
		"calls Goexit": callsBack(runtime.Goexit),
		"blocks":       callsBack(func() { time.Sleep(time.Hour) }),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := new(fake)
				s := saver.New(store)
				bad, good := add(t, s, "bad"), add(t, s, "good")
				bad.gate.ObserveCrash(time.Now(), err)
				bad.Mark()
				good.crash()
				time.Sleep(time.Minute)
				if n := crashes(t, store, "good"); n != 1 {
					t.Errorf("%d crashes are saved of the good one", n)
				}
				s.Close()
				time.Sleep(time.Hour)
				if n := len(store.times("bad")); name == "blocks" && n != 0 {
					t.Error("it is saved after Close")
				}
			})
		})
	}
}

// uncomparable is a store that cannot be compared.
type uncomparable struct {
	gate.Store
	_ []int
}

func TestStoreThatCannotBeCompared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := onSave(takes(2 * time.Second))
		for range 2 {
			s := saver.New(uncomparable{Store: store})
			k := add(t, s, "task")
			k.crash()
			s.Close()
			k.want(t, saver.ErrUnsaved)
			time.Sleep(time.Minute)
		}
		if n := crashes(t, store, "task"); n != 2 || saver.Late() != 0 {
			t.Errorf("%d crashes are saved", n)
		}
	})
}

func TestReportsThatMisbehave(t *testing.T) {
	for name, does := range map[string]func(<-chan struct{}){
		"panic":       func(<-chan struct{}) { panic("no") },
		"call Goexit": func(<-chan struct{}) { runtime.Goexit() },
		"block":       func(release <-chan struct{}) { <-release },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				store := new(fake)
				s := saver.New(store)
				var reported reports
				g := gate.New(nil)
				e := s.Entry("task", g, func(err error) { reported.add(err); does(release) })
				for range 3 {
					store.Fail(errDisk)
					g.ObserveCrash(time.Now(), errTask)
					e.Mark()
					time.Sleep(time.Minute)
					store.Fail(nil)
					time.Sleep(time.Minute)
				}
				begun := time.Now()
				s.Close()
				want, took := 6, time.Duration(0)
				if name == "block" {
					want, took = 1, 100*time.Millisecond
				}
				if d := time.Since(begun); d != took || len(reported.all()) != want {
					t.Errorf("Close took %v, %v were reported", d, reported.all())
				}
				close(release)
				synctest.Wait()
				if len(reported.all()) != want {
					t.Errorf("something was reported after Close: %v", reported.all())
				}
				if n := crashes(t, store, "task"); n != 3 {
					t.Errorf("%d crashes are saved", n)
				}
			})
		})
	}
}
