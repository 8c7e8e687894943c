package machine

// advance does what can be done next towards what is wanted.
func (m *Tree) advance() {
	if m.mode == grouping && m.stopGroup() {
		m.mode = up
	}
	switch m.mode {
	case shut:
	case up:
		if m.startAll(len(m.places)) && !m.settled {
			m.settled = true
			m.out = append(m.out, Effect{Do: Settled})
		}
	case grouping:
		m.startAll(m.from)
	case closing:
		m.stopAll()
	}
}

// stopGroup stops what is to be restarted together, one after another in reverse order,
// and reports whether none is left. Those that crashed end by themselves, when their
// gates are open.
func (m *Tree) stopGroup() bool {
	for ; m.last >= m.from; m.last-- {
		p := &m.places[m.last]
		if p.stance == Served {
			m.halt(m.last, p, ForGroup, regrouped)
		}
		if p.stance == Halting {
			return false
		}
	}
	return m.stand[Culprit] == 0
}

// startAll starts the tasks below limit that wait for it, in order, as far as the
// readiness of those before allows, and reports whether that was all of them.
func (m *Tree) startAll(limit int) bool {
	for m.next < limit && (m.stand[Waiting] > 0 || !m.settled) {
		p := &m.places[m.next]
		if p.stance == Waiting {
			m.move(p, Served)
			p.story = false
			p.ready = !p.traits.Has(Slow)
			p.serial++
			m.do(Start, Asked, m.next)
		}
		if p.serves() && !p.ready {
			return false
		}
		m.next++
	}
	return true
}

// stopAll stops what is to be stopped next.
func (m *Tree) stopAll() {
	for ; m.last >= 0; m.last-- {
		p := &m.places[m.last]
		switch {
		case p.serves():
			m.halt(m.last, p, ForShutdown, down)
			if !m.config.Unordered {
				return
			}
		case p.stance == Waiting:
			m.rest(m.last, p, false)
		}
	}
	if m.serving() == 0 {
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
			m.rest(i, p, true)
		default:
			m.move(p, Waiting)
			*p = place{traits: p.traits, serial: p.serial}
		}
	}
	m.out = append(m.out, Effect{Do: Finish})
}
