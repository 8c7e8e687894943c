package otelgate

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"
)

// The longest texts that are passed on, in bytes. What is longer is cut, and ends
// in "…".
const (
	// MaxName bounds names of tasks, types of errors, and attributes of
	// [WithAttributes].
	MaxName = 256
	// MaxMessage bounds messages of errors.
	MaxMessage = 4 << 10
	// MaxStack bounds stack traces.
	MaxStack = 16 << 10
)

const ellipsis = "…"

// clip returns s as valid UTF-8 of at most limit bytes.
func clip(s string, limit int) string {
	cut := len(s) > limit
	if cut {
		end := limit - len(ellipsis)
		for end > 0 && !utf8.RuneStart(s[end]) {
			end--
		}
		s = s[:end]
	}
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "?") // one byte at most for each that is not valid
	}
	if cut {
		s += ellipsis
	}
	return s
}

// tidy is the attribute, fit to be sent.
func tidy(kv attribute.KeyValue) attribute.KeyValue {
	kv.Key = attribute.Key(clip(string(kv.Key), MaxName))
	switch kv.Value.Type() {
	case attribute.STRING:
		kv.Value = attribute.StringValue(clip(kv.Value.AsString(), MaxName))
	case attribute.STRINGSLICE:
		var texts []string
		for _, s := range kv.Value.AsStringSlice() {
			texts = append(texts, clip(s, MaxName))
		}
		kv.Value = attribute.StringSliceValue(texts)
	}
	return kv
}

// message is err.Error(), even if that panics.
func message(err error) (text string) {
	defer func() {
		if recover() != nil {
			text = fmt.Sprintf("a %T that cannot be printed", err)
		}
	}()
	return clip(err.Error(), MaxMessage)
}
