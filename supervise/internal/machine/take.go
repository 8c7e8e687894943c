package machine

// take is Step for what is about one task.
func (m *Tree) take(in Input, p *place) {
	switch in.Kind {
	case Crashed:
		if p.stance == Served && m.running() && m.config.Strategy != OneForOne {
			m.crashed(in.Index, p)
		}
	case IsReady:
		if p.serves() && p.serial == in.Serial {
			p.ready = true
		}
	case Ended:
		if p.serves() {
			m.ended(in.Index, p, in.End)
		}
	case StopTask:
		p.wish++
		m.halt(in.Index, p, Asked, down)
	case RemoveTask:
		p.wish++
		m.halt(in.Index, p, Asked, forgotten)
	case RenewTask:
		m.renew(in.Index, p, in.Serial)
	}
}

// crashed begins the restart of the group of a task, or has the task join one.
func (m *Tree) crashed(index int, p *place) {
	m.move(p, Culprit)
	from := index
	if m.config.Strategy == OneForAll {
		from = 0
	}
	if m.mode == grouping {
		m.from = min(m.from, from)
		return
	}
	m.mode, m.from, m.last = grouping, from, len(m.places)-1
}

// halt has a task stop, and says what follows. One that runs once is not started again,
// so it is forgotten, except that the next Open starts it when all were stopped.
func (m *Tree) halt(index int, p *place, why Why, then fate) {
	if p.traits.Has(Once) && why != ForShutdown {
		then = forgotten
	}
	switch p.stance {
	case Served, Culprit:
		m.move(p, Halting)
		p.fate = then
		m.last = max(m.last, index)
		m.do(Halt, why, index)
	case Halting:
		p.fate = max(p.fate, then)
	default:
		m.rest(index, p, then == forgotten)
	}
}

// rest has a task that no worker serves stay down, or be forgotten.
func (m *Tree) rest(index int, p *place, forget bool) {
	if p.story {
		p.story = false
		m.do(Close, Asked, index)
	}
	switch {
	case forget:
		m.move(p, Gone)
		m.do(Forget, Asked, index)
	case p.stance != Down:
		m.move(p, Down)
		m.do(Rested, Asked, index)
	}
}

// renew has a task started anew. A wish that is not 0 is one that came back: the worker
// which was to fulfil it had ended already.
func (m *Tree) renew(index int, p *place, wish uint32) {
	switch {
	case m.mode == closing:
		return
	case wish == 0:
		p.wish++
	case wish != p.wish: // another one came since
		return
	}
	switch p.stance {
	case Served, Culprit:
		if wish == 0 {
			m.out = append(m.out, Effect{Do: RenewWorker, Index: index, Serial: p.wish})
		}
	case Halting:
		p.fate = renewed
	case Down:
		m.await(index, p, true)
	}
}

// await has a task wait for its start, which an operator may have asked for.
func (m *Tree) await(index int, p *place, asked bool) {
	if asked {
		m.do(Pardon, Asked, index)
	}
	m.move(p, Waiting)
	m.next = min(m.next, index)
}

// ended takes in that the worker of a task has ended.
func (m *Tree) ended(index int, p *place, how End) {
	then, once := p.fate, p.traits.Has(Once)
	p.fate, p.story = open, how == Opened
	switch {
	case m.mode == closing:
		m.rest(index, p, then == forgotten || once && how.byItself())
	case then >= down:
		m.rest(index, p, then == forgotten)
	case then == renewed || how == Renewed:
		m.await(index, p, true)
	case how == Opened || how == Stopped && then == regrouped:
		m.await(index, p, false)
	default:
		m.rest(index, p, once)
		if how.byItself() {
			m.conclude(index, p, how)
		}
	}
}

// conclude ends the supervisor if the end of a task by itself is a reason for that.
func (m *Tree) conclude(index int, p *place, how End) {
	all := m.config.AllSignificant
	switch {
	case how == GaveUp && !p.traits.Has(Optional):
		m.close(ForGiveUp, index)
	case !p.traits.Has(Significant):
	case all && m.significant == 0, !all && how != GaveUp:
		m.close(ForCompletion, index)
	}
}
