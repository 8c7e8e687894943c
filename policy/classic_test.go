package policy_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

// edition1 is the classic rule as the first edition had it, where the core wiped the
// slate at the first crash after a crash loop's hold: written anew, from its doc
// comments and transcripts, with all crashes in a slice.
type edition1 struct {
	crashes []float64 // of the streak, in seconds
	began   float64   // of the run under way
	running bool
	looped  bool
	loopEnd float64
	held    float64 // until when
	verdict policy.Verdict
	last    float64
}

func (m *edition1) see(now float64) float64 {
	m.last = max(m.last, now)
	return m.last
}

func (m *edition1) start(now float64) { m.began, m.running = m.see(now), true }

func (m *edition1) ran(now float64) float64 {
	if !m.running {
		return 0
	}
	m.running = false
	return now - m.began
}

func (m *edition1) clean() { m.crashes, m.looped = nil, false }

func (m *edition1) crash(now float64) {
	now = m.see(now)
	ran := m.ran(now)
	looping := m.looped && now < m.loopEnd
	if m.looped && !looping {
		m.clean()
	}
	if ran >= 60 {
		m.clean()
		looping = false
	}
	m.crashes = append(m.crashes, now)
	recent := 0
	for _, crash := range m.crashes {
		if now-crash <= 60 {
			recent++
		}
	}
	switch {
	case looping:
		m.verdict, m.held = policy.CrashLooping, max(now+300, m.loopEnd)
	case recent >= 5:
		m.verdict, m.held = policy.CrashLooping, now+300
	default:
		m.verdict, m.held = policy.Restart, now+m.delay()
	}
	if m.verdict == policy.CrashLooping {
		m.looped, m.loopEnd = true, m.held
	}
}

func (m *edition1) exit(now float64) {
	now = m.see(now)
	if m.ran(now) >= 60 {
		m.clean()
	}
	m.verdict, m.held = policy.Restart, now+m.delay()
}

func (m *edition1) delay() float64 {
	d := 0.5
	for i := 1; i < len(m.crashes) && d < 60; i++ {
		d *= 2
	}
	return min(d, 60)
}

func (m *edition1) forceRelease() { m.clean() }

// TestClassicIsTheFirstEdition compares the two over a hundred thousand operations,
// on times that are multiples of a quarter of a second, so that sums are exact.
func TestClassicIsTheFirstEdition(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	k, m := newTask(t, policy.Classic()), &edition1{}
	now, loops, renewed, stable := 0.0, 0, 0, 0
	for i := range 100_000 {
		switch r.IntN(8) {
		case 0, 1, 2:
			now += float64(r.IntN(20)) / 4
		case 3:
			now += float64(r.IntN(400))
		case 4:
			now = max(now, m.held) // as whoever waits for the gate
		case 5:
			now -= float64(r.IntN(20)) / 4 // a clock that runs back
		}
		now = max(now, 0)
		switch op := r.IntN(40); {
		case op < 14:
			k.start(now)
			m.start(now)
			continue
		case op == 14:
			k.log.Reset()
			m.forceRelease()
			continue
		case op < 18:
			k.exit(now)
			m.exit(now)
		default:
			k.crash(now)
			renewed += count(k.history().Looping())
			m.crash(now)
			loops += count(m.verdict == policy.CrashLooping)
		}
		stable += count(k.history().Ran() >= time.Minute)
		if got, want := k.held(), sec(m.held-m.last); k.verdict != m.verdict || got != want || k.history().Streak() != len(m.crashes) {
			t.Fatalf("operation %d, at %v: %v for %v, streak %d; the first edition: %v for %v, streak %d",
				i, now, k.verdict, got, k.history().Streak(), m.verdict, want, len(m.crashes))
		}
	}
	if loops < 1000 || renewed < 100 || stable < 1000 {
		t.Errorf("%d crash loops, %d crashes in one, %d stable runs: that is too little to compare", loops, renewed, stable)
	}
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// held returns the hold that was recorded last.
func (k *task) held() time.Duration { return k.end - k.log.Last() }
