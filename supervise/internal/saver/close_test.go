package saver_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/supervise/internal/saver"
)

func TestCloseIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		store := onSave(func(context.Context, string) error { <-release; return nil })
		s := saver.New(store)
		var all reports
		for i := range 100 {
			s.Entry(fmt.Sprint(i), gate.New(nil), all.add).Mark()
		}
		begun := time.Now()
		var closing sync.WaitGroup
		for range 3 {
			closing.Go(s.Close)
		}
		closing.Wait()
		if d := time.Since(begun); d != time.Second {
			t.Errorf("it took %v", d)
		}
		if n := store.saved(); n != 16 {
			t.Errorf("%d saves are left behind", n)
		}
		all.want(t, saver.ErrUnsaved)
		close(release)
		synctest.Wait()
		if n := store.saved(); n != 16 || saver.Late() != 0 {
			t.Errorf("%d saves, the last after Close; %d keys are kept", n, saver.Late())
		}
		all.want(t, saver.ErrUnsaved)
		s.Close()
		s.Entry("late", gate.New(nil), all.add).Mark()
		synctest.Wait()
	})
}

func TestCloseOfNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		store := new(fake)
		s := saver.New(store)
		add(t, s, "task")
		s.Close()
		if d := time.Since(begun); d != 0 || store.saved() != 0 {
			t.Errorf("it took %v, and %d saves", d, store.saved())
		}
	})
}

// What could not be saved so far is tried once more, all of it.
func TestCloseTriesOnceMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := onSave(returns(errDisk))
		s := saver.New(store)
		var all reports
		const tasks = 100
		for i := range tasks {
			s.Entry(fmt.Sprint(i), gate.New(nil), all.add).Mark()
		}
		time.Sleep(10 * time.Minute)
		before := store.saved()
		s.Close()
		if n := store.saved() - before; n != tasks {
			t.Errorf("%d saves were tried, want %d", n, tasks)
		}
		all.want(t, errDisk)
	})
}

func TestLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := new(fake)
		s := saver.New(store)
		k := add(t, s, "task")
		if _, found, err := k.Load(t.Context()); found || err != nil {
			t.Errorf("found %v, %v before anything is saved", found, err)
		}

		store.on(takes(6*time.Second), nil, nil)
		ctx, cancel := context.WithTimeoutCause(t.Context(), 2*time.Second, errTask)
		defer cancel()
		begun := time.Now()
		if _, _, err := k.Load(ctx); err != errTask || time.Since(begun) != 2*time.Second {
			t.Errorf("Load returns %v after %v", err, time.Since(begun))
		}
		_, _, err := k.Load(ctx)
		if loads, _ := store.calls(); err != errTask || loads != 3 {
			t.Errorf("Load returns %v after %d calls of the store", err, loads)
		}
		k.want(t) // it is not the store's fault
		if _, _, err := k.Load(t.Context()); err != saver.ErrSlow || time.Since(begun) != 7*time.Second {
			t.Errorf("Load returns %v after %v", err, time.Since(begun))
		}
		synctest.Wait()
		k.want(t, saver.ErrSlow)
		store.on(nil, nil, nil)
		if _, _, err := k.Load(t.Context()); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		k.want(t, saver.ErrSlow, nil)
		s.Close()
		store.on(returns(errDisk), nil, nil)
		if _, _, err := k.Load(t.Context()); !errors.Is(err, errDisk) {
			t.Errorf("Load returns %v after Close", err)
		}
		k.want(t, saver.ErrSlow, nil)
		time.Sleep(time.Minute)
	})
}

// What could not be loaded is replaced.
func TestSaveAfterALoadThatFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := new(fake)
		s := saver.New(store)
		for range 3 {
			foreign(t, store, "task")
		}
		store.on(firstly(returns(errDisk)), nil, nil)
		k := &task{gate: gate.New(nil)}
		k.Entry = s.Entry("task", k.gate, k.add)
		if _, _, err := k.Load(t.Context()); !errors.Is(err, errDisk) {
			t.Errorf("Load returns %v", err)
		}
		k.crash()
		s.Close()
		k.want(t, errDisk, nil)
		if n := crashes(t, store, "task"); n != 1 {
			t.Errorf("%d crashes are saved", n)
		}
	})
}
