package policy

// Ignore has the task start again at once, and nothing counted, when a run ends
// with an error that matches: an end that is neither a crash nor a clean exit, such
// as a planned restart. The streak, the delays and the slate stay as they were.
//
//	Compose(policy.Default(), policy.Ignore(func(err error) bool { return errors.Is(err, errNewConfig) }))
//
// It belongs outside all rules that count. pred gets the error of the run, must
// not keep state, and must be safe for concurrent use. Ignore panics if pred is nil.
func Ignore(pred func(error) bool) Decorator {
	if pred == nil {
		panic("policy: Ignore: pred is nil; give the function that says which errors to ignore")
	}
	return func(inner Policy) Policy { return &ignore{mustPolicy("Ignore", inner), pred} }
}

type ignore struct {
	inner Policy
	pred  func(error) bool
}

func (p *ignore) Unwrap() Policy { return p.inner }
func (p *ignore) String() string { return printed(p) }
func (p *ignore) rule() string   { return "Ignore" }

func (p *ignore) Decide(h History) Decision {
	if err := h.Err(); err != nil && p.pred(err) {
		return Decision{Uncounted: true}
	}
	return p.inner.Decide(h)
}
