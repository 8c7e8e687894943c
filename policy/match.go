package policy

// Match lets another policy decide on the crashes whose error matches; the
// inner one decides on all others and on clean exits. Both see one history:
// the streak counts crashes of either kind. pred gets the error of the crash,
// must not keep state, and must be safe for concurrent use. Match panics if pred or
// other is nil.
//
//	Compose(Exponential(…), Match(isBadConfig, hourly), StableRun(…))
func Match(pred func(error) bool, other Policy) Decorator {
	if pred == nil {
		panic("policy: Match: pred is nil; give the function that says which errors match")
	}
	mustPolicy("Match", other)
	return func(inner Policy) Policy { return &match{mustPolicy("Match", inner), other, pred} }
}

type match struct {
	inner, other Policy
	pred         func(error) bool
}

func (p *match) Unwrap() Policy { return p.inner }

func (p *match) String() string { return printed(p) }
func (p *match) rule() string   { return "Match(" + describe(p.other) + ")" }

func (p *match) Decide(h History) Decision {
	if err := h.Err(); err != nil && p.pred(err) {
		return p.other.Decide(h)
	}
	return p.inner.Decide(h)
}
