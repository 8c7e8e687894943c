package supervise_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

// TestOTP is what the documentation of Erlang/OTP's supervisor says, case by case:
// of three tasks a, b and c the middle one ends by itself. Its restart types
// permanent, transient and temporary are Always, the default and Once here; its
// auto_shutdown is Significant. "+" is a start, "-" an end without a crash, "!" a
// crash. Between the end and the restart is a hold of a second, and OTP has none.
func TestOTP(t *testing.T) {
	const (
		one, all, rest = supervise.OneForOne, supervise.OneForAll, supervise.RestForOne

		nothing = "-b"
		ended   = "-b -c -a" // the supervisor
	)
	permanent, transient, temporary := supervise.WithRestart(supervise.Always), supervise.TaskOption(nil), supervise.WithRestart(supervise.Never)
	significant, plain := supervise.Significant(), supervise.TaskOption(nil)
	for _, test := range []struct {
		strategy          supervise.Strategy
		restart, shutdown supervise.TaskOption
		end               error
		want              string
		result            error // what Run returns if it ends by that
	}{
		// A permanent child is always restarted.
		{one, permanent, plain, nil, "-b +b", nil},
		{one, permanent, plain, errBoom, "!b +b", nil},
		{all, permanent, plain, nil, "-b -c -a +a +b +c", nil},
		{all, permanent, plain, errBoom, "!b -c -a +a +b +c", nil},
		{rest, permanent, plain, nil, "-b -c +b +c", nil},
		{rest, permanent, plain, errBoom, "!b -c +b +c", nil},
		// A transient child is restarted only if it ends abnormally.
		{one, transient, plain, nil, nothing, nil},
		{one, transient, plain, errBoom, "!b +b", nil},
		{all, transient, plain, nil, nothing, nil},
		{all, transient, plain, errBoom, "!b -c -a +a +b +c", nil},
		{rest, transient, plain, nil, nothing, nil},
		{rest, transient, plain, errBoom, "!b -c +b +c", nil},
		// A temporary child is never restarted, and its end is nothing to others.
		{one, temporary, plain, nil, nothing, nil},
		{one, temporary, plain, errBoom, "!b", nil},
		{all, temporary, plain, nil, nothing, nil},
		{all, temporary, plain, errBoom, "!b", nil},
		{rest, temporary, plain, nil, nothing, nil},
		{rest, temporary, plain, errBoom, "!b", nil},
		// A significant transient child ends the supervisor when it ends normally.
		{one, transient, significant, nil, ended, nil},
		{all, transient, significant, nil, ended, nil},
		{rest, transient, significant, nil, ended, nil},
		{one, transient, significant, errBoom, "!b +b", nil},
		{all, transient, significant, errBoom, "!b -c -a +a +b +c", nil},
		{rest, transient, significant, errBoom, "!b -c +b +c", nil},
		// A significant temporary one does so however it ends; here the failure does
		// not vanish.
		{one, temporary, significant, nil, ended, nil},
		{one, temporary, significant, errBoom, "!b -c -a", errBoom},
		{all, temporary, significant, errBoom, "!b -c -a", errBoom},
		{rest, temporary, significant, errBoom, "!b -c -a", errBoom},
	} {
		t.Run(fmt.Sprint(test.strategy, " ", test.want), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, supervise.WithStrategy(test.strategy))
				b.add("a")
				b.add("b", test.restart, test.shutdown)
				b.add("c")
				b.run()
				b.expect("+a +b +c")
				b.end("b", test.end)
				time.Sleep(time.Second)
				b.expect(test.want)
				select {
				case err := <-b.done:
					if test.shutdown == nil || !errors.Is(err, test.result) {
						t.Errorf("Run returned %v", err)
					}
				default:
					if err := b.shut(); err != errStop {
						t.Error(err)
					}
				}
			})
		})
	}
}

// TestOTPSiblings: a task which is stopped with its group is started
// again whatever it then returns, but for a temporary one, and that its end then
// is not significant.
func TestOTPSiblings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, supervise.WithStrategy(supervise.OneForAll))
		b.add("a", supervise.Significant())
		b.add("b")
		b.add("c", supervise.WithRestart(supervise.Never))
		b.add("d", supervise.WithRestart(supervise.Always))
		b.run()
		b.end("b", errBoom)
		time.Sleep(time.Second)
		b.expect("+a +b +c +d !b -d -c -a +a +b +d")
		_ = b.shut()
	})
}

// TestOTPAllSignificant is auto_shutdown all_significant.
func TestOTPAllSignificant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, supervise.AllSignificant())
		b.add("a", supervise.Significant(), supervise.WithRestart(supervise.Never))
		b.add("b", supervise.Significant())
		b.add("c")
		b.run()
		b.end("a", errBoom)
		b.end("b", nil)
		// Unlike in OTP, where the failure vanishes.
		if err := <-b.done; !errors.Is(err, errBoom) || err.Error() != "root/a: boom" {
			t.Error(err)
		}
		b.expect("+a +b +c !a -b -c")
	})
}

func TestOptionalAndAllSignificant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, supervise.AllSignificant())
		b.add("a", supervise.Significant())
		b.add("b", supervise.Significant(), supervise.Optional(),
			supervise.WithPolicy(policy.Compose(policy.Constant(0), policy.MaxCrashes(0, time.Hour))))
		b.run()
		b.end("a", nil)
		b.end("b", errBoom)
		if err := <-b.done; err != nil {
			t.Error(err)
		}
		b.expect("+a +b -a !b")
	})
}
