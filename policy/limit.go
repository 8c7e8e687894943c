package policy

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/internal/jsonobj"
)

// Limit is a number of crashes in a window, as in [MaxCrashes]. The zero value is
// no limit.
type Limit struct {
	N      int
	Window time.Duration
}

// String returns the limit in words, such as "20 in 1h" or "none".
func (l Limit) String() string {
	if l == (Limit{}) {
		return none
	}
	return strconv.Itoa(l.N) + " in " + short(l.Window)
}

// MarshalText returns the words of String.
func (l Limit) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads the words of String, or "20/1h" for short; l is unchanged on an
// error.
func (l *Limit) UnmarshalText(text []byte) error {
	if string(text) == none {
		*l = Limit{}
		return nil
	}
	count, window, ok := strings.Cut(string(text), " in ")
	if !ok {
		count, window, ok = strings.Cut(string(text), "/")
	}
	n, badCount := strconv.Atoi(strings.TrimSpace(count))
	w, badWindow := jsonobj.ParseDuration(strings.TrimSpace(window))
	if !ok || badCount != nil || badWindow != nil || n == 0 && w == 0 {
		return fmt.Errorf(`%s is not a limit; write a number of crashes and a window, such as "20 in 1h", or "none"`, jsonobj.Quote(text))
	}
	*l = Limit{n, w}
	return nil
}
