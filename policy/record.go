package policy

import (
	"time"

	"github.com/holdfast-go/holdfast/internal/history"
)

// Record is a [History] as data that can be saved and sent: all of it but the
// identity of the last error, of which the text is kept, and whether the crash
// at hand is [History.Looping], which matters only until it is decided on. A
// gate's Snapshot has one. Its JSON writes durations as "1m30s". Instants are
// distances from Start.
type Record struct {
	Start     time.Time       // where time counts from; zero if nothing has been seen
	Now       time.Duration   // the last instant seen
	Running   bool            // a run is under way
	Began     time.Duration   // when it began, if Running
	Ran       time.Duration   // how long the last run lasted
	Err       string          // what ended it, 8 KiB at most; empty after a clean exit
	Crashed   bool            // whether it ended in a crash
	Crashes   []time.Duration // when the last crashes were, oldest first, as far back as a policy has looked
	Total     uint64          // crashes ever seen
	Streak    uint64          // crashes since the slate was last clean
	LastDelay time.Duration   // the last hold
	Trips     uint32          // crash loops since the slate was last clean
	LoopEnd   time.Duration   // where the last one's hold ends, if there was one; math.MaxInt64 for never
	Depth     uint32          // how many crashes back a policy has looked
	Seed      uint64          // of the random draws; 0 if none was drawn yet
}

// Validate returns nil if r can be restored, or an error that joins all that is
// wrong with it.
func (r Record) Validate() error { return history.Record(r).Validate() }

func convert[To, From ~int64](from []From) []To {
	var to []To
	for _, d := range from {
		to = append(to, To(d))
	}
	return to
}
