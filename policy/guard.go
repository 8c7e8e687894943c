package policy

// Guard wraps p so that a panic in its Decide does not reach the caller: the
// decision is then [Default]'s, and the value of the panic is handed to report,
// which may be nil and may be called concurrently; a panic in report goes no
// further. A nil p is [Default]. The
// built-in policies that call no code of their users are returned as they are,
// so that the guard costs them nothing.
//
// Gates guard what they are given, so it is of use only to learn of the panic. A
// Decide that calls runtime.Goexit ends its goroutine, as Goexit does; a gate still
// records the crash, held as Default would.
func Guard(p Policy, report func(panicked any)) Policy {
	if p == nil {
		return Default()
	}
	if infallible(p) {
		return p
	}
	return &guard{p, report}
}

// infallible reports whether p runs nothing but the code of this package.
func infallible(p Policy) bool {
	q, ok := p.(interface{ infallible() bool })
	return ok && q.infallible()
}

type guard struct {
	inner  Policy
	report func(any)
}

func (p *guard) Unwrap() Policy { return p.inner }
func (p *guard) String() string { return describe(p.inner) }

func (p *guard) Decide(h History) (d Decision) {
	defer func() {
		if v := recover(); v != nil {
			d = Default().Decide(h)
			p.tryReport(v)
		}
	}()
	return p.inner.Decide(h)
}

func (p *guard) tryReport(panicked any) {
	defer func() { _ = recover() }()
	if p.report != nil {
		p.report(panicked)
	}
}
