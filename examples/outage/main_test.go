package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/policy"
)

// The default policy promises these of any outage; see its doc.
func TestDefaultRecovers(t *testing.T) {
	short := outage(policy.Default(), 1000, 8*time.Second)
	if lag := short.lag(1); lag > time.Minute {
		t.Errorf("an outage of 8s costs %v, want a minute at most", lag)
	}
	if lag := outage(policy.Classic(), 1, 8*time.Second).lag(1); lag < 4*time.Minute {
		t.Errorf("under the classic policy it costs %v; what is compared here?", lag)
	}
	for _, length := range []time.Duration{8 * time.Second, time.Minute, 10 * time.Minute} {
		if r := outage(policy.Default(), 1000, length); r.most == 1000 {
			t.Errorf("after %v all tasks start within one second", length)
		}
	}
}

func TestDefaultTriesNoMoreOften(t *testing.T) {
	for _, in := range []time.Duration{time.Hour, day} {
		if ours, classic := startsBroken(policy.Default(), in), startsBroken(policy.Classic(), in); ours > classic {
			t.Errorf("in %v a broken task is started %d times, %d under the classic policy", in, ours, classic)
		}
	}
}

func TestRun(t *testing.T) {
	var out strings.Builder
	svg := filepath.Join(t.TempDir(), "outage.svg")
	if err := run(&out, svg); err != nil {
		t.Fatal(err)
	}
	if rows := strings.Count(out.String(), "Default"); rows != 10 {
		t.Errorf("%d rows of the default policy, want 10:\n%s", rows, &out)
	}
	picture, err := os.ReadFile(svg)
	if err != nil || strings.Count(string(picture), "<polyline") != 5 {
		t.Errorf("the picture has not its five lines (%v)", err)
	}
}

func TestRunFails(t *testing.T) {
	if err := run(new(strings.Builder), filepath.Join(t.TempDir(), "no", "folder")); err == nil {
		t.Error("no error without a folder")
	}
}
