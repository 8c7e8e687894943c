package policy

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// arrow leads from a rule to the one that it asks.
const arrow = " ─► "

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

func shorts(all []time.Duration) string {
	texts := make([]string, len(all))
	for i, d := range all {
		texts[i] = short(d)
	}
	return strings.Join(texts, ", ")
}

func percent(fraction float64) string {
	return strconv.FormatFloat(fraction*100, 'g', 4, 64) + "%"
}
