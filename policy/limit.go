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

// noLimit is the zero Limit in words.
const noLimit = "none"

// String returns the limit in words, such as "20 in 1h" or "none".
func (l Limit) String() string {
	if l == (Limit{}) {
		return noLimit
	}
	return strconv.Itoa(l.N) + " in " + short(l.Window)
}

// MarshalText returns the words of String.
func (l Limit) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads the words of String; l is unchanged on an error.
func (l *Limit) UnmarshalText(text []byte) error {
	words := strings.Fields(string(text))
	if len(words) == 1 && words[0] == noLimit {
		*l = Limit{}
		return nil
	}
	if len(words) == 3 && words[1] == "in" {
		n, badNumber := strconv.Atoi(words[0])
		window, badWindow := jsonobj.ParseDuration(words[2])
		if badNumber == nil && badWindow == nil {
			*l = Limit{n, window}
			return nil
		}
	}
	return fmt.Errorf(`%s is not a limit; write a number of crashes and a window, such as "20 in 1h", or "none"`, jsonobj.Quote(text))
}
