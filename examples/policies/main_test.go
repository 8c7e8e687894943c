package main

import (
	"strings"
	"testing"

	"github.com/holdfast-go/holdfast/policy/policytest"
)

// TestConformance is the test that any policy should have.
func TestConformance(t *testing.T) { policytest.Run(t, worker()) }

func TestShow(t *testing.T) {
	var out strings.Builder
	if err := show(&out, false); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"crash looping for 5m ", // a task that fails at once trips the gate
		"restart after 10m ",    // a bad configuration is left alone
		"◆",                     // and the drawing shows the trip
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the output lacks %q:\n%s", want, &out)
		}
	}
}
