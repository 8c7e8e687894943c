package otelgate

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzClip holds that any text is valid UTF-8 and no longer than the limit once it
// is clipped, and that a fit one stays as it is.
func FuzzClip(f *testing.F) {
	for _, s := range []string{"", "plain", "\xff", strings.Repeat("€", MaxName), strings.Repeat("a\xff", MaxName), "\x80" + strings.Repeat("\xbf", MaxName)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := clip(s, MaxName)
		if !utf8.ValidString(got) || len(got) > MaxName {
			t.Errorf("%d bytes of %q", len(got), got)
		}
		if fit := utf8.ValidString(s) && len(s) <= MaxName; (got == s) != fit {
			t.Errorf("%q became %q", s, got)
		}
		if strings.HasSuffix(got, ellipsis) != (len(s) > MaxName) && !strings.HasSuffix(s, ellipsis) {
			t.Errorf("%q does not tell that it was cut, or tells so wrongly", got)
		}
	})
}
