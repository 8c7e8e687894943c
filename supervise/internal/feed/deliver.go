package feed

// hand calls Receive with all that is pending, and ends. If Receive blocks forever, so
// does this goroutine, and what is pending stays within its bound.
func (f *Feed[E]) hand() {
	finished := false
	defer func() {
		if finished {
			return
		}
		// Receive has panicked or called Goexit, which nothing can stop: another
		// goroutine goes on, whatever Panicked does.
		defer func() { go f.deliver() }()
		f.caught(recover())
	}()
	var e E
	for {
		dropped, more := f.take(&e)
		if !more {
			finished = true
			return
		}
		f.config.Receive(e, dropped)
	}
}

// take moves the oldest value that is pending to e, and returns how many were lost
// before it. If nothing is pending it returns false, and the goroutine must end. By
// calling it the goroutine says that the value before has been handed over.
func (f *Feed[E]) take(e *E) (dropped uint64, more bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	q := &f.others
	if f.ending.len > 0 && (q.len == 0 || f.ending.first().number < q.first().number) {
		q = &f.ending
	}
	if q.len == 0 {
		f.delivering = false
		f.closeDrained(f.put)
		return 0, false
	}
	slot := q.first()
	f.closeDrained(slot.number)
	*e = slot.value
	dropped = slot.number - f.received
	f.received = slot.number + 1
	q.drop(&f.spare)
	return dropped, true
}

// caught reports the first panic of Receive, whose value is v; nil stands for none.
func (f *Feed[E]) caught(v any) {
	if v == nil || f.panicked {
		return
	}
	f.panicked = true
	if f.config.Panicked == nil {
		return
	}
	defer func() { _ = recover() }()
	f.config.Panicked(v)
}
