package supervise_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

// capture is a slog.Handler that keeps records as lines of level, message and
// attributes.
type capture struct {
	least slog.Level
	mu    sync.Mutex
	lines []string
}

func (c *capture) Enabled(_ context.Context, l slog.Level) bool { return l >= c.least }
func (c *capture) WithAttrs([]slog.Attr) slog.Handler           { return c }
func (c *capture) WithGroup(string) slog.Handler                { return c }

func (c *capture) Handle(_ context.Context, r slog.Record) error {
	line := fmt.Sprint(r.Level, " ", r.Message)
	var add func(a slog.Attr)
	add = func(a slog.Attr) {
		switch {
		case a.Equal(slog.Attr{}):
		case a.Value.Kind() == slog.KindGroup:
			for _, inner := range a.Value.Group() {
				add(inner)
			}
		default:
			line += fmt.Sprintf(" %s=%v", a.Key, a.Value)
		}
	}
	r.Attrs(func(a slog.Attr) bool { add(a); return true })
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lines = append(c.lines, line)
	return nil
}

func (c *capture) logger() supervise.Option { return supervise.WithLogger(slog.New(c)) }

// discardButFormat is a logger that formats all and shows nothing.
func discardButFormat() *slog.Logger {
	return slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func check(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestLogCrashLoop: equal errors are not repeated, and that the level
// rises with the crash loop.
func TestLogCrashLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &capture{least: slog.LevelInfo}
		p := policy.Compose(policy.Constant(time.Second), policy.CrashLoop(4, time.Minute, time.Hour))
		n := 0
		_ = supervise.Run(t.Context(), func(context.Context) error {
			switch n++; n {
			case 3:
				return errStop
			case 6:
				return nil
			}
			return errBoom
		}, supervise.WithName("x"), supervise.WithPolicy(p), c.logger())
		check(t, c.lines,
			"WARN task crashed task=x run=1 ran=0s gate=backing off hold=1s error=boom",
			"WARN task crashed again task=x run=2 ran=0s gate=backing off hold=1s error=boom",
			"WARN task crashed task=x run=3 ran=0s gate=backing off hold=1s error=the operator stops it",
			"ERROR task crashed task=x run=4 ran=0s gate=crash looping hold=1h0m0s error=boom",
			"WARN task crashed again task=x run=5 ran=0s gate=backing off hold=1s error=boom",
			"INFO task ended task=x run=6 ran=0s",
		)
	})
}

// TestLogAll shows every line there is at level Debug.
func TestLogAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &capture{least: slog.LevelDebug}
		p := policy.Compose(policy.Steps(time.Second, time.Hour), policy.MaxCrashes(2, time.Hour))
		g := gate.New(p)
		time.AfterFunc(time.Minute, func() { g.ForceRelease() })
		n := 0
		_ = supervise.Run(t.Context(), func(context.Context) error {
			if n++; n == 3 {
				return nil
			}
			return errBoom
		}, supervise.WithName("x"), supervise.WithGate(g), c.logger())
		check(t, c.lines,
			"DEBUG task started task=x run=1",
			"WARN task crashed task=x run=1 ran=0s gate=backing off hold=1s error=boom",
			"DEBUG hold ended task=x run=1",
			"DEBUG task started task=x run=2",
			"WARN task crashed again task=x run=2 ran=0s gate=backing off hold=1h0m0s error=boom",
			"INFO hold ended by force task=x run=2",
			"DEBUG task started task=x run=3",
			"INFO task ended task=x run=3 ran=0s",
		)
		c.lines = nil
		_ = supervise.Run(bubble(t, time.Second), func(ctx context.Context) error { <-ctx.Done(); return nil }, supervise.WithName("x"), c.logger())
		check(t, c.lines, "DEBUG task started task=x run=1", "DEBUG task stopped task=x run=1 cause=the operator stops it")
		c.lines = nil
		_ = supervise.Run(t.Context(), failing, supervise.WithName("x"), c.logger(),
			supervise.WithPolicy(policy.Compose(policy.Constant(0), policy.MaxCrashes(0, time.Hour))))
		check(t, c.lines, "DEBUG task started task=x run=1",
			"ERROR task crashed task=x run=1 ran=0s gate=gave up error=boom",
			"ERROR task gave up task=x run=1 error=boom")
	})
}

func TestLogPanic(t *testing.T) {
	c := &capture{least: slog.LevelWarn}
	_ = supervise.Run(t.Context(), times(1, func() error { panic("poison") }), atOnce, c.logger())
	if len(c.lines) != 1 || !strings.Contains(c.lines[0], "error=panic: poison stack=") || !strings.Contains(c.lines[0], "TestLogPanic") {
		t.Error(c.lines)
	}
}

func TestLogForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &capture{least: slog.LevelWarn}
		_ = supervise.Run(bubble(t, time.Second), failing, supervise.WithName("x"), supervise.WithPolicy(policy.Constant(1<<63-1)), c.logger())
		check(t, c.lines, "WARN task crashed task=x run=1 ran=0s gate=backing off for ever error=boom")
	})
}

// TestLogDefault: crashes are logged with slog's default logger.
func TestLogDefault(t *testing.T) {
	c := &capture{least: slog.LevelWarn}
	previous := slog.Default()
	slog.SetDefault(slog.New(c))
	defer slog.SetDefault(previous)
	_ = supervise.Run(t.Context(), times(1, func() error { return errBoom }), atOnce, supervise.WithName("x"), supervise.WithLogger(nil))
	if len(c.lines) != 1 || !strings.HasPrefix(c.lines[0], "WARN task crashed task=x run=1") {
		t.Error(c.lines)
	}
}

// TestLoggerPanics is of handlers that panic: at once, and when they are asked
// whether they are enabled. The default logger reports it, once.
func TestLoggerPanics(t *testing.T) {
	c := &capture{least: slog.LevelWarn}
	previous := slog.Default()
	slog.SetDefault(slog.New(c))
	defer slog.SetDefault(previous)
	for _, h := range []slog.Handler{panicking{enabled: true}, panicking{}} {
		c.lines = nil
		err := supervise.Run(t.Context(), times(3, func() error { return errBoom }), atOnce, supervise.WithLogger(slog.New(h)))
		if err != nil {
			t.Error(err)
		}
		if len(c.lines) != 1 || !strings.Contains(c.lines[0], "an observer panicked") {
			t.Error(c.lines)
		}
	}
	slog.SetDefault(slog.New(panicking{}))
	if err := supervise.Run(t.Context(), times(3, func() error { return errBoom }), atOnce); err != nil {
		t.Error(err)
	}
}

type panicking struct {
	slog.Handler
	enabled bool
}

func (p panicking) Enabled(context.Context, slog.Level) bool {
	if !p.enabled {
		panic("enabled")
	}
	return true
}

func (panicking) Handle(context.Context, slog.Record) error { panic(errors.New("handle")) }

// TestDeafTaskIsMentioned: a task that nothing forces to stop, and that does not, is named
// in the log after ten seconds: alone, in a supervisor that stops, and when an operator
// stops it.
func TestDeafTaskIsMentioned(t *testing.T) {
	slow := func(ctx context.Context) error {
		<-ctx.Done()
		time.Sleep(time.Minute)
		return nil
	}
	for name, run := range map[string]func(ctx context.Context, log supervise.Option){
		"alone": func(ctx context.Context, log supervise.Option) {
			_ = supervise.Run(ctx, slow, supervise.WithName("s/deaf"), log)
		},
		"supervisor": func(ctx context.Context, log supervise.Option) {
			s := supervise.New("s", log)
			s.Add("deaf", slow)
			_ = s.Run(ctx)
		},
		"unordered": func(ctx context.Context, log supervise.Option) {
			s := supervise.New("s", log, supervise.Unordered())
			s.Add("deaf", slow)
			_ = s.Run(ctx)
		},
		"operator": func(ctx context.Context, log supervise.Option) {
			s := supervise.New("s", log)
			deaf := s.Add("deaf", slow)
			time.AfterFunc(30*time.Second, func() { deaf.Stop() })
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
			defer cancel()
			_ = s.Run(ctx)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &capture{least: slog.LevelInfo}
				run(bubble(t, time.Minute), c.logger())
				want := "task was asked to stop, and has not yet task=s/deaf"
				if n := strings.Count(strings.Join(c.lines, "\n"), want); n != 1 {
					t.Errorf("it is said %d times:\n%s", n, strings.Join(c.lines, "\n"))
				}
			})
		})
	}
}

// TestWaitsAreMentioned: whoever waits for another task says for which, and a supervisor
// without tasks says that.
func TestWaitsAreMentioned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &capture{least: slog.LevelInfo}
		s := supervise.New("s", c.logger())
		s.Add("slow", waits, supervise.WithReadyTimeout(time.Minute))
		s.Add("web", waits)
		_ = s.Run(bubble(t, 30*time.Second))
		text := strings.Join(c.lines, "\n")
		if !strings.Contains(text, "task has not become ready for 10s, and those after it wait for that task=s/slow") {
			t.Error(text)
		}
		c.lines = nil
		_ = supervise.New("empty", c.logger()).Run(bubble(t, time.Second))
		synctest.Wait()
		if text := strings.Join(c.lines, "\n"); !strings.Contains(text, "supervisor has no tasks; it waits for one to be added") {
			t.Error(text)
		}
	})
}
