package policy

import (
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/internal/history"
)

// Spread lengthens each hold, that of a crash loop too, by a random part of it, up
// to the fraction: Spread(0.1) makes one of 30 s last from 30 s to 33 s. It never
// shortens one. Tasks that fell together then do not return in the same instant.
// It is worth being the outermost decorator, since those inside it do not see what
// it adds.
//
// The draw is one of the history's, like that of [Jitter] and independent of it:
// the policy stays a pure function. Spread panics if fraction is not above 0 and at
// most 1.
func Spread(fraction float64) Decorator {
	if err := checkSpread(fraction); err != nil {
		panic(err)
	}
	return func(inner Policy) Policy { return &spread{mustPolicy("Spread", inner), spreadRule{fraction}} }
}

type spread struct {
	inner Policy
	spreadRule
}

func (p *spread) Unwrap() Policy   { return p.inner }
func (p *spread) infallible() bool { return infallible(p.inner) }
func (p *spread) String() string   { return printed(p) }

func (p *spread) Decide(h History) Decision {
	d := p.inner.Decide(h)
	if d.Verdict != GiveUp {
		d.Delay = p.lengthen(h, d.Delay)
	}
	return d
}

type spreadRule struct{ fraction float64 }

func (r *spreadRule) lengthen(h History, d time.Duration) time.Duration {
	if d <= 0 {
		return d
	}
	return history.Lengthen(d, r.fraction*history.View(h).Rand(history.SpreadSalt))
}

func (r *spreadRule) rule() string { return "Spread(" + percent(r.fraction) + ")" }

func checkSpread(fraction float64) error {
	if !(fraction > 0) || fraction > 1 {
		return fmt.Errorf("policy: spread (%v) is not above 0 and at most 1; 0.1 adds up to a tenth", fraction)
	}
	return nil
}
