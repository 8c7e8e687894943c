package machine

// advance does what can be done next towards what is wanted.
func (m *Tree) advance() {
	switch m.mode {
	case closing:
		m.stopAll()
	case up:
		limit := len(m.places)
		if m.grouping && !m.regroup() {
			limit = m.from
		}
		m.startAll(limit)
	}
}

// regroup stops what is to be restarted together, one after another in reverse order,
// and reports whether all is ready to be started. Those that crashed stop by
// themselves, when their gates are open.
func (m *Tree) regroup() bool {
	for i := len(m.places) - 1; i >= m.from; i-- {
		p := &m.places[i]
		if !p.serves() || p.culprit {
			continue
		}
		then := Waiting
		if p.traits.Has(Once) {
			then = Down
		}
		m.halt(i, p, ForGroup, then)
		m.halted = i
		return false
	}
	m.halted = -1
	for i := m.from; i < len(m.places); i++ {
		if m.places[i].serves() { // it crashed, and its gate is held
			return false
		}
	}
	m.grouping = false
	m.next = min(m.next, m.from)
	return true
}

// startAll starts the tasks below limit that wait for it, in order, as far as the
// readiness of those before allows.
func (m *Tree) startAll(limit int) {
	for i := m.next; i < limit; i++ {
		p := &m.places[i]
		if p.stance == Waiting {
			p.stance, p.open = Served, false
			p.serial++
			p.ready = !p.traits.Has(Slow)
			m.serving++
			m.do(Start, Asked, i)
		}
		if p.serves() && !p.ready {
			m.next = i
			return
		}
	}
	m.next = max(m.next, limit)
	if !m.settled && limit == len(m.places) {
		m.settled = true
		m.out = append(m.out, Effect{Do: Settled})
	}
}

// stopAll stops what is to be stopped next.
func (m *Tree) stopAll() {
	for ; m.last >= 0; m.last-- {
		p := &m.places[m.last]
		if p.stance == Gone {
			continue
		}
		if !p.serves() {
			m.rest(m.last, p, Down)
			continue
		}
		m.halt(m.last, p, ForShutdown, Down)
		if !m.config.Unordered {
			return
		}
	}
	if m.serving == 0 {
		m.finish()
	}
}

// finish ends a run of the supervisor: the next one starts all tasks anew.
func (m *Tree) finish() {
	m.mode = shut
	for i := range m.places {
		p := &m.places[i]
		switch {
		case p.stance == Gone:
		case m.config.DropDynamic && p.traits.Has(Dynamic):
			m.rest(i, p, Gone)
		default:
			*p = place{traits: p.traits, serial: p.serial}
		}
	}
	m.out = append(m.out, Effect{Do: Finish})
}
