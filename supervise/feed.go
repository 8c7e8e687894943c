package supervise

import (
	"context"
	"log/slog"
	"sync/atomic"

	"github.com/holdfast-go/holdfast/supervise/internal/feed"
)

// channel is one observer, and the feed of events that wait for it. Whoever emits puts
// an event into the feed and goes on: no task ever waits for an observer.
type channel struct {
	*feed.Feed[Event]
	chooser  Enabler   // the observer, if it chooses
	annotate Annotator // the observer, if it annotates
	logger   *slog.Logger
	reported atomic.Bool // that the observer panics
	silent   bool        // the observer is a logger that discards all
}

func newChannel(o Observer, logger *slog.Logger) *channel {
	c := &channel{logger: logger}
	c.chooser, _ = o.(Enabler)
	c.annotate, _ = o.(Annotator)
	c.Feed = feed.New(feed.Config[Event]{
		Receive: func(e Event, dropped uint64) {
			if e.Kind == kindPanicked {
				c.panicked(e.Err.(*PanicError).text) //nolint:errorlint,forcetypeassert // see panickedAside
				return
			}
			e.Dropped = dropped
			o.Observe(e)
		},
		Ends:     Event.ends,
		Panicked: c.panicked,
	})
	return c
}

// wants reports whether the observer wants to be called for a kind.
func (c *channel) wants(k Kind) bool { return anyWants([]*channel{c}, k) }

// anyWants reports whether one of the observers wants to be called for a kind. It is
// asked more often than anything is reported: so there is one defer for all of them,
// and no recover, which costs as much as all else here, unless one panics.
func anyWants(channels []*channel, k Kind) (wanted bool) {
	if len(channels) == 1 && channels[0].silent {
		return false
	}
	i, asked := 0, false
	defer func() {
		if !asked {
			if v := recover(); v != nil {
				channels[i].panickedAside(v)
				wanted = anyWants(channels[i+1:], k)
			}
		}
	}()
	for ; i < len(channels) && !wanted; i++ {
		if channels[i].silent {
			continue
		}
		wanted = channels[i].chooser == nil || channels[i].chooser.Enabled(k)
	}
	asked = true
	return wanted
}

// annotated returns what the observer makes of ctx at a crash, or nil if it has
// nothing to add, or panics.
func (c *channel) annotated(ctx context.Context, e Event) (made context.Context) {
	defer func() {
		if v := recover(); v != nil {
			c.panickedAside(v)
		}
	}()
	return c.annotate.Annotate(ctx, e)
}

// kindPanicked is an event for the feed alone: the observer panicked on the goroutine of
// a task, which must not wait for the logger.
const kindPanicked Kind = 0

func (c *channel) panickedAside(v any) {
	c.Put(Event{Kind: kindPanicked, Err: &PanicError{Value: v, text: describe(v)}})
}

// panicked logs the first panic of the observer. It is called on the feed's goroutine.
func (c *channel) panicked(v any) {
	if c.reported.Swap(true) {
		return
	}
	defer func() { _ = recover() }() // in the logger
	c.logger.Error("supervise: an observer panicked; it stays, this is reported once", "panic", describe(v))
}
