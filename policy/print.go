package policy

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// arrow leads from a rule to the one that it asks.
const arrow = " ─► "

// printed is a decorator in words: its own rule, and what that wraps.
func printed(p interface {
	Unwrap() Policy
	rule() string
}) string {
	return p.rule() + arrow + describe(p.Unwrap())
}

// describe returns p in words: by its String method, or else by its type.
func describe(p Policy) string {
	if s, ok := p.(fmt.Stringer); ok {
		return s.String()
	}
	return fmt.Sprintf("%T", p)
}

// short is d as people write it: 1m, not 1m0s.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// shorts lists durations, the middle of a long list left out.
func shorts(all []time.Duration) string {
	const most = 8
	texts := make([]string, 0, most)
	for i, d := range all {
		switch {
		case len(all) <= most || i < most-2 || i == len(all)-1:
			texts = append(texts, short(d))
		case i == most-2:
			texts = append(texts, "…")
		}
	}
	return strings.Join(texts, ", ")
}

func percent(fraction float64) string {
	return strconv.FormatFloat(fraction*100, 'g', 4, 64) + "%"
}
