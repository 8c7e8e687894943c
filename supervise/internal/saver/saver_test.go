package saver_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/gate/gatetest"
	"github.com/holdfast-go/holdfast/supervise/internal/saver"
)

func TestMarkedIsSaved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := onSave(takes(time.Millisecond))
		s := saver.New(store)
		k := add(t, s, "task")
		for range 10 {
			k.crash()
		}
		s.Close()
		if n := crashes(t, store, "task"); n != 10 {
			t.Errorf("%d crashes are saved", n)
		}
		if n := len(store.times("task")); n > 2 {
			t.Errorf("it took %d saves, want one, and one of the last state", n)
		}
		k.want(t)
		k.crash()
		synctest.Wait()
		if n := crashes(t, store, "task"); n != 10 {
			t.Errorf("%d crashes are saved after Close", n)
		}
	})
}

func TestNextLifeGoesOn(t *testing.T) {
	store := new(gatetest.MemoryStore)
	for life := range uint64(5) {
		s := saver.New(store)
		k := add(t, s, "task")
		if n := k.gate.Snapshot().History.Total; n != life {
			t.Errorf("life %d begins with %d crashes", life, n)
		}
		k.crash()
		s.Close()
		k.want(t)
	}
}

func TestSavesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const tasks, most = 50, 16
		var now, peak atomic.Int32
		var byKey [tasks]atomic.Int32
		store := onSave(func(_ context.Context, key string) error {
			var i int
			fmt.Sscan(key, &i)
			if byKey[i].Add(1) > 1 {
				t.Errorf("two saves of one key at once")
			}
			for n := now.Add(1); n > peak.Load(); {
				peak.Store(n)
			}
			time.Sleep(10 * time.Millisecond)
			byKey[i].Add(-1)
			now.Add(-1)
			return nil
		})
		s := saver.New(store)
		var all []*task
		for i := range tasks {
			all = append(all, add(t, s, fmt.Sprint(i)))
		}
		for range 3 {
			for _, k := range all {
				k.crash()
			}
			time.Sleep(time.Millisecond)
		}
		s.Close()
		if peak.Load() != most {
			t.Errorf("at most %d saves at once, want %d", peak.Load(), most)
		}
	})
}

// A Save that hangs keeps its own key from being saved, and no other.
func TestHangingSaveHoldsUpNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		store := onSave(func(_ context.Context, key string) error {
			if key == "hangs" {
				<-release
			}
			return nil
		})
		s := saver.New(store)
		hangs, works := add(t, s, "hangs"), add(t, s, "works")
		hangs.crash()
		synctest.Wait()
		works.crash()
		synctest.Wait()
		if n := crashes(t, store, "works"); n != 1 {
			t.Errorf("%d crashes are saved of the other key", n)
		}
		close(release)
		s.Close()
	})
}

// Once all is saved a saver keeps nothing of it.
func TestNothingIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := new(fake)
		store.Fail(errDisk)
		s := saver.New(store)
		var all []*task
		for i := range 100 {
			k := &task{gate: gate.New(nil)}
			k.Entry = s.Entry(fmt.Sprint(i), k.gate, k.add)
			k.crash()
			all = append(all, k)
		}
		time.Sleep(time.Minute)
		store.Fail(nil)
		time.Sleep(time.Minute)
		if busy, queue, failing := s.Kept(); busy != 0 || queue != 0 || failing != 0 {
			t.Errorf("it keeps %d entries, room for %d, and %d failures", busy, queue, failing)
		}
		for _, k := range all {
			if k.KeepsSnapshots() {
				t.Error("an entry keeps a snapshot")
			}
		}
		s.Close()
		if saver.Late() != 0 {
			t.Error("late entries are kept")
		}
	})
}

// Every difference between two snapshots is seen, in whatever field.
func TestSameComparesEveryField(t *testing.T) {
	if a, b := filled(t), filled(t); !saver.Same(&a, &b) {
		t.Error("two equal snapshots are not the same")
	}
	if a := filled(t); saver.Same(nil, &a) {
		t.Error("nothing is the same as a snapshot")
	}
	a := filled(t)
	moved := filled(t)
	moved.Until = moved.Until.In(time.FixedZone("elsewhere", 3600))
	if !saver.Same(&a, &moved) {
		t.Error("an instant in another zone is not the same")
	}
	var each func(path string, at func(*gate.Snapshot) reflect.Value)
	each = func(path string, at func(*gate.Snapshot) reflect.Value) {
		v := at(&a)
		if v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[time.Time]() {
			for i := range v.NumField() {
				each(path+"."+v.Type().Field(i).Name, func(s *gate.Snapshot) reflect.Value { return at(s).Field(i) })
			}
			return
		}
		other := filled(t)
		at(&other).SetZero()
		if saver.Same(&a, &other) || saver.Same(&other, &a) {
			t.Errorf("a snapshot without %s counts as the same", path)
		}
	}
	each("Snapshot", func(s *gate.Snapshot) reflect.Value { return reflect.ValueOf(s).Elem() })
}

// filled returns a snapshot in which no field is zero.
func filled(t *testing.T) gate.Snapshot {
	var s gate.Snapshot
	var fill func(v reflect.Value)
	fill = func(v reflect.Value) {
		switch {
		case v.Type() == reflect.TypeFor[time.Time]():
			v.Set(reflect.ValueOf(time.Unix(1, 2).UTC()))
		case v.Kind() == reflect.Struct:
			for i := range v.NumField() {
				fill(v.Field(i))
			}
		case v.Kind() == reflect.Slice:
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			fill(v.Index(0))
		case v.Kind() == reflect.Pointer:
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem())
		case v.CanInt():
			v.SetInt(7)
		case v.CanUint():
			v.SetUint(7)
		case v.Kind() == reflect.Bool:
			v.SetBool(true)
		case v.Kind() == reflect.String:
			v.SetString("text")
		default:
			t.Fatalf("there is a field of type %v now", v.Type())
		}
	}
	fill(reflect.ValueOf(&s).Elem())
	return s
}

func TestNewRefusesNoStore(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("it takes a nil store")
		}
	}()
	saver.New(nil)
}

// BenchmarkMark marks a gate that is being saved, and one after another of many that are
// saved at once.
func BenchmarkMark(b *testing.B) {
	for _, tasks := range []int{1, 1000} {
		b.Run(fmt.Sprint("tasks=", tasks), func(b *testing.B) {
			s := saver.New(new(gatetest.MemoryStore))
			var all []*saver.Entry
			for i := range tasks {
				all = append(all, s.Entry(fmt.Sprint("root/task-", i), gate.New(nil), nil))
			}
			b.ReportAllocs()
			for b.Loop() {
				all[rand.IntN(tasks)].Mark()
			}
			b.StopTimer()
			s.Close()
		})
	}
}
