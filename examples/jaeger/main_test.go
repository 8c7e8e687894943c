package main

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/supervise"
)

// witness keeps the events that the tasks had, to compare with.
type witness struct {
	mu     sync.Mutex
	events map[string][]supervise.Event // by task
}

func (w *witness) Observe(e supervise.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.events == nil {
		w.events = map[string][]supervise.Event{}
	}
	w.events[e.Task] = append(w.events[e.Task], e)
}

// expected is what a trace is to tell of a crash.
type expected struct {
	crash   supervise.Event
	hold    string // its phase; "" for none
	outcome string // of the hold
	end     time.Time
	gaveUp  bool
}

// expect reads the events of a task: each crash, and what came after it.
func expect(events []supervise.Event) (all []expected) {
	for _, e := range events {
		var last *expected
		if len(all) > 0 && all[len(all)-1].end.IsZero() {
			last = &all[len(all)-1]
		}
		switch {
		case e.Kind == supervise.KindCrash:
			x := expected{crash: e}
			if p := e.State.Phase(); p == gate.BackingOff || p == gate.CrashLooping {
				x.hold = p.String()
			}
			all = append(all, x)
		case last == nil:
		case e.Kind == supervise.KindRelease && e.Forced:
			last.end, last.outcome = e.At, "forced"
		case e.Kind == supervise.KindRelease:
			last.end, last.outcome = e.At, "elapsed"
		case e.Kind == supervise.KindStop:
			last.end, last.outcome = e.At, "shutdown"
		case e.Kind == supervise.KindGiveUp:
			last.end, last.gaveUp = e.At, true
		}
	}
	return all
}

// TestJaeger runs the shop, which closes while the mailer is held, and looks for
// all of it in Jaeger: as it is by default, and over HTTP.
func TestJaeger(t *testing.T) {
	for _, protocol := range []string{"grpc", "http/protobuf"} {
		t.Run(protocol, func(t *testing.T) {
			t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
			t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", map[string]string{"grpc": grpcURL, "http/protobuf": httpURL}[protocol])
			var out strings.Builder
			w := &witness{}
			c := config{service: fmt.Sprint("shop-", time.Now().UnixNano()), jaeger: pagesURL, length: 4500 * time.Millisecond, observer: w}
			spans, err := run(t.Context(), &out, c)
			if err != nil {
				t.Fatal(err)
			}
			traces, err := await(t.Context(), c.jaeger, c.service, spans)
			if err != nil {
				t.Fatal(err)
			}
			lookAt(t, w, c, traces, out.String())
			drawn(t, c, spans)
		})
	}
}

func lookAt(t *testing.T, w *witness, c config, traces []jaegerTrace, out string) {
	t.Helper()
	if !slices.Contains(services(t), c.service) {
		t.Errorf("Jaeger knows of %q", services(t))
	}
	crashes := 0
	for _, events := range w.events {
		crashes += len(expect(events))
	}
	// Besides there is a span of each start of the pool and of the cache.
	if want := crashes + starts(w.events["shop/db/pool"]) + starts(w.events["shop/db/cache"]); len(traces) != want {
		t.Errorf("%d traces, not %d", len(traces), want)
	}
	byTask := map[string][]jaegerTrace{}
	restarts := 0
	for _, tr := range traces {
		root := rootOf(t, tr)
		if name, ok := strings.CutPrefix(root.OperationName, "restart "); ok {
			restarts++
			byTask[name] = append(byTask[name], tr)
			if !strings.Contains(out, c.jaeger+"/trace/"+tr.TraceID) {
				t.Errorf("the link to trace %s is not printed", tr.TraceID)
			}
		}
	}
	if restarts != crashes || crashes < 10 {
		t.Errorf("there are %d traces of %d crashes", restarts, crashes)
	}
	for task, events := range w.events {
		compare(t, task, byTask[task], expect(events))
	}
	links(t, traces, byTask["shop/db/pool"])
	outcomes := fmt.Sprint(byTask["shop/mailer"], byTask["shop/poller"])
	for _, word := range []string{"shutdown", "forced", "crash looping"} {
		if !strings.Contains(outcomes, word) {
			t.Errorf("the show has no %s", word)
		}
	}
}

func starts(events []supervise.Event) (n int) {
	for _, e := range events {
		if e.Kind == supervise.KindStart {
			n++
		}
	}
	return n
}

// compare holds what Jaeger has of a task against what happened to it.
func compare(t *testing.T, task string, traces []jaegerTrace, want []expected) {
	t.Helper()
	if len(traces) != len(want) {
		t.Errorf("%s: %d traces of %d crashes", task, len(traces), len(want))
		return
	}
	slices.SortFunc(traces, func(a, b jaegerTrace) int { return int(rootOf(t, a).StartTime - rootOf(t, b).StartTime) })
	before := ""
	for i, tr := range traces {
		name := fmt.Sprintf("%s, crash %d", task, i+1)
		x, root := want[i], rootOf(t, tr)
		if got := root.refers("FOLLOWS_FROM"); got != before {
			t.Errorf("%s: links to %q, want %q", name, got, before)
		}
		before = root.SpanID
		crash := only(t, tr, "crash")
		same(t, name, crash, x.crash.At, x.crash.At)
		text := x.crash.Err.Error()
		if crash.tag("error") != "true" || crash.tag("otel.status_code") != "ERROR" || crash.tag("exception.message") != text ||
			crash.tag("error.type") == "" || crash.tag("exception.type") == "" || crash.tag("holdfast.run.number") != fmt.Sprint(x.crash.Run) {
			t.Errorf("%s: tags %v", name, crash.Tags)
		}
		if strings.HasPrefix(text, "panic") != (crash.tag("exception.stacktrace") != "") {
			t.Errorf("%s: stack %q", name, crash.tag("exception.stacktrace"))
		}
		spans := 2
		if x.hold != "" {
			spans++
			hold := only(t, tr, x.hold)
			same(t, name, hold, x.crash.At, x.end)
			if hold.tag("holdfast.hold.outcome") != x.outcome || hold.tag("error") != "" {
				t.Errorf("%s: the hold has tags %v, want %s", name, hold.Tags, x.outcome)
			}
		}
		if x.gaveUp {
			spans++
			if only(t, tr, "gave up").tag("error") != "true" || root.tag("error") != "true" {
				t.Errorf("%s: that the policy gave up is no error", name)
			}
		}
		if len(tr.Spans) != spans {
			t.Errorf("%s: %d spans", name, len(tr.Spans))
		}
	}
}

// same compares times at Jaeger's precision. A microsecond is that of an instant.
func same(t *testing.T, name string, s jaegerSpan, from, to time.Time) {
	t.Helper()
	if off := s.start().Sub(from.Truncate(time.Microsecond)).Abs(); off > time.Microsecond {
		t.Errorf("%s: %s begins %v off", name, s.OperationName, off)
	}
	if off := s.end().Sub(to.Truncate(time.Microsecond)).Abs(); off > 2*time.Microsecond {
		t.Errorf("%s: %s ends %v off", name, s.OperationName, off)
	}
}

// links holds that the spans of the shop's own point to the restarts that made
// them necessary.
func links(t *testing.T, all, restarts []jaegerTrace) {
	t.Helper()
	var want, got []string
	for _, tr := range restarts {
		want = append(want, rootOf(t, tr).SpanID)
	}
	for _, tr := range all {
		if s := rootOf(t, tr); s.OperationName == "connect" {
			if to := s.refers("FOLLOWS_FROM"); to != "" {
				got = append(got, to)
			}
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the pool's spans link to %q, its restarts are %q", got, want)
	}
}

// rootOf returns the one root of a trace, and checks all of its spans.
func rootOf(t *testing.T, tr jaegerTrace) (root jaegerSpan) {
	t.Helper()
	seen, roots := map[string]bool{}, 0
	for _, s := range tr.Spans {
		if seen[s.SpanID] {
			t.Errorf("trace %s has span %s twice", tr.TraceID, s.SpanID)
		}
		seen[s.SpanID] = true
		if s.refers("CHILD_OF") == "" {
			roots++
			root = s
		}
		if len(s.Logs) > 0 || len(s.Warnings) > 0 {
			t.Errorf("span %s: events %s, warnings %q", s.OperationName, s.Logs, s.Warnings)
		}
	}
	if roots != 1 {
		t.Errorf("trace %s has %d roots", tr.TraceID, roots)
	}
	return root
}

func only(t *testing.T, tr jaegerTrace, name string) (found jaegerSpan) {
	t.Helper()
	n := 0
	for _, s := range tr.Spans {
		if s.OperationName == name {
			found = s
			n++
		}
	}
	if n != 1 {
		t.Errorf("trace %s has %d spans %q", tr.TraceID, n, name)
	}
	return found
}

func services(t *testing.T) []string {
	t.Helper()
	resp, err := http.Get(pagesURL + "/api/services")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var a struct{ Data []string }
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		t.Fatal(err)
	}
	return a.Data
}

// drawn holds that the picture is one, with all that is to be seen in it.
func drawn(t *testing.T, c config, spans int64) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "shop.svg")
	if err := draw(t.Context(), file, c, spans); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for d := xml.NewDecoder(strings.NewReader(string(text))); ; {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	picture, _, _ := strings.Cut(string(text), "running</text>") // the legend
	for what, class := range map[string]string{"runs": "k0", "back-offs": "k1", "the crash loop": "k2", "crashes": "k3",
		"the stop": "k4", "the force release": "k5", "the trip": "k6", "that the policy gave up": "k7"} {
		if !strings.Contains(picture, `class="`+class+`"`) {
			t.Errorf("the picture does not show %s", what)
		}
	}
}

// TestNoJaeger tells that the tasks run all the same when nobody takes the traces.
func TestNoJaeger(t *testing.T) {
	address, err := freeAddress()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+address)
	t.Setenv("OTEL_SERVICE_NAME", "nobody")
	var out strings.Builder
	_, err = run(t.Context(), &out, config{length: 500 * time.Millisecond})
	if err == nil || !strings.Contains(err.Error(), "is Jaeger running?") || !strings.Contains(out.String(), "shop/poller") {
		t.Errorf("%v\n%s", err, &out)
	}
	if _, err := query(t.Context(), "http://"+address, "shop"); err == nil {
		t.Error("nobody answers, and that is no error")
	}
}
