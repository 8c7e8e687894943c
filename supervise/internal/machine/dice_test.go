package machine_test

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

// dice choose a number from 0 on, below n.
type dice func(n int) int

// often reports true percent times of a hundred.
func (d dice) often(percent int) bool { return d(100) < percent }

// seeded are dice that fall the same way each time.
func seeded(seed uint64) dice { return rand.New(rand.NewPCG(seed, 0)).IntN }

// drawn are dice of rapid, which can be thrown again with smaller numbers.
func drawn(t *rapid.T) dice {
	return func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "dice") }
}

// ofBytes are dice of a fuzzer. They show 0 when the bytes are used up.
func ofBytes(data *[]byte) dice {
	return func(n int) int {
		if len(*data) == 0 {
			return 0
		}
		b := (*data)[0]
		*data = (*data)[1:]
		return int(b) % n
	}
}

// inputs is how many random inputs a machine is to stand in one test: a million, or
// HOLDFAST_INPUTS.
func inputs(t *testing.T) int {
	text := os.Getenv("HOLDFAST_INPUTS")
	if text == "" {
		return 1_000_000
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("HOLDFAST_INPUTS is %q; give a number", text)
	}
	return n
}

// judge is what a failure is reported to.
type judge interface {
	Helper()
	Fatalf(format string, args ...any)
}
