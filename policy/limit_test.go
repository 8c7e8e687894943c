package policy_test

import (
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

func TestLimit(t *testing.T) {
	for text, want := range map[string]policy.Limit{
		"20 in 1h":   {N: 20, Window: time.Hour},
		"0 in 1s":    {N: 0, Window: time.Second},
		"3 in 1h30m": {N: 3, Window: 90 * time.Minute},
		"-1 in -1ns": {N: -1, Window: -1},
		"none":       {},
	} {
		var l policy.Limit
		if err := l.UnmarshalText([]byte(text)); err != nil || l != want {
			t.Errorf("%s: %+v, %v", text, l, err)
		}
		if again, err := l.MarshalText(); err != nil || string(again) != text {
			t.Errorf("%s is written as %s, %v", text, again, err)
		}
	}
	for _, text := range []string{"20/1h", " 20 / 1h ", "20  in  1h"} {
		var l policy.Limit
		if err := l.UnmarshalText([]byte(text)); err != nil || l != (policy.Limit{N: 20, Window: time.Hour}) {
			t.Errorf("%q: %+v, %v", text, l, err)
		}
	}
}

func TestLimitOfOtherText(t *testing.T) {
	for _, text := range []string{"", "20", "20 in", "in 1h", "20 per 1h", "twenty in 1h", "20 in an hour", "1h in 20", "20 in 1h in 2h", "20/1h/2h", "1.5 in 1h", "0 in 0s", "99999999999999999999 in 1h", "20 in 9999999h"} {
		l := policy.Limit{N: 7, Window: 7}
		want := text + ` is not a limit; write a number of crashes and a window, such as "20 in 1h", or "none"`
		if err := l.UnmarshalText([]byte(text)); err == nil || err.Error() != want || l.N != 7 {
			t.Errorf("%q: %+v, %v", text, l, err)
		}
	}
}
