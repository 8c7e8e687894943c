package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// tool returns the command for one of Prometheus's programs.
func tool(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%v; the tests need Prometheus itself: install Debian's package prometheus, or one from https://prometheus.io/download", err)
	}
	return exec.CommandContext(t.Context(), path, args...)
}

// TestRules has Prometheus's own tool check the configuration and the rules, and
// run the tests of these.
func TestRules(t *testing.T) {
	for _, args := range []string{"check config prometheus.yml", "check rules rules.yml", "test rules rules_test.yml"} {
		if out, err := tool(t, "promtool", strings.Fields(args)...).CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", args, err, out)
		}
	}
}

// TestPrometheus runs the shop and a Prometheus, with the configuration as it is
// but for its addresses and times, until each of the alerts fires.
func TestPrometheus(t *testing.T) {
	l := listen(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, l) }()
	prometheus := start(t, l.Addr().String())

	await(t, "the scrape", func() (string, bool) {
		var targets struct {
			ActiveTargets []struct{ Health, LastError string }
		}
		err := ask(t, prometheus+"/api/v1/targets", &targets)
		active := targets.ActiveTargets
		return fmt.Sprint(err, active), len(active) == 1 && active[0].Health == "up" && active[0].LastError == ""
	})
	want := map[string]string{
		"TaskCrashLooping":  "shop/poller",
		"TaskRestartsOften": "shop/consumer",
		"TaskRunsAbandoned": "shop/importer",
	}
	await(t, "the alerts", func() (string, bool) {
		var answer struct {
			Alerts []struct {
				State  string
				Labels map[string]string
			}
		}
		err := ask(t, prometheus+"/api/v1/alerts", &answer)
		firing := map[string]string{}
		for _, a := range answer.Alerts {
			if a.State == "firing" {
				firing[a.Labels["alertname"]] += a.Labels["holdfast_task_name"]
			}
		}
		return fmt.Sprint(err, answer), maps.Equal(firing, want)
	})
	values := map[string]string{
		`holdfast_task_count`: "4",
		`holdfast_task_phase{holdfast_task_name="shop/poller",holdfast_gate_phase="crash_looping"}`:                               "1",
		`holdfast_task_phase{holdfast_task_name="shop/server",holdfast_gate_phase="idle"}`:                                        "1",
		`holdfast_task_crashes_total{holdfast_task_name="shop/poller"}`:                                                           "5",
		`holdfast_task_crashes_total{holdfast_task_name="shop/importer",error_type="watchdog"}`:                                   "1",
		`holdfast_task_abandoned_runs_total`:                                                                                      "1",
		`holdfast_run_duration_seconds_count{holdfast_task_name="shop/poller"}`:                                                   "5",
		`holdfast_hold_duration_seconds_count{holdfast_task_name="shop/poller",holdfast_hold_outcome="elapsed"}`:                  "4",
		`holdfast_task_holds_total{holdfast_task_name="shop/poller",holdfast_gate_phase="crash_looping"}`:                         "1",
		`sum without (error_type) (holdfast_task_crashes_total{holdfast_task_name="shop/poller"}) - holdfast_task_restarts_total`: "1",
	}
	for _, query := range slices.Sorted(maps.Keys(values)) {
		var answer struct {
			Result []struct{ Value []any }
		}
		err := ask(t, prometheus+"/api/v1/query?query="+url.QueryEscape(query), &answer)
		if err != nil || len(answer.Result) != 1 || answer.Result[0].Value[1] != values[query] {
			t.Errorf("%s: %v %v, want %s", query, err, answer.Result, values[query])
		}
	}

	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// start starts a Prometheus that scrapes the target, and returns where it is.
func start(t *testing.T, target string) string {
	t.Helper()
	dir := t.TempDir()
	edit(t, dir, "prometheus.yml", "127.0.0.1:9464", target, "15s", "200ms")
	edit(t, dir, "rules.yml", "for: 1m", "for: 1s", "for: 5m", "for: 1s")
	l := listen(t)
	address := l.Addr().String()
	l.Close()
	cmd := tool(t, "prometheus", "--config.file="+filepath.Join(dir, "prometheus.yml"), "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+address, "--log.level=warn")
	var log strings.Builder
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		if _ = cmd.Wait(); t.Failed() {
			t.Log(log.String())
		}
	})
	await(t, "Prometheus", func() (string, bool) {
		resp, err := http.Get("http://" + address + "/-/ready")
		if err != nil {
			return err.Error(), false
		}
		resp.Body.Close()
		return resp.Status, resp.StatusCode == http.StatusOK
	})
	return "http://" + address
}

// edit copies a file of this folder with other words in it.
func edit(t *testing.T, dir, name string, words ...string) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(words); i += 2 {
		if !strings.Contains(string(text), words[i]) {
			t.Fatalf("%s has no %q", name, words[i])
		}
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.NewReplacer(words...).Replace(string(text))), 0o600); err != nil {
		t.Fatal(err)
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// ask reads the data of an answer of Prometheus.
func ask(t *testing.T, where string, data any) error {
	t.Helper()
	resp, err := http.Get(where)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	answer := struct {
		Status, Error string
		Data          any
	}{Data: data}
	if err := json.Unmarshal(text, &answer); err != nil {
		return fmt.Errorf("%s: %s: %w", where, resp.Status, err)
	}
	if answer.Status != "success" {
		return fmt.Errorf("%s: %s", where, answer.Error)
	}
	return nil
}

// await looks again and again until it is so; what it sees last is told if that
// takes too long.
func await(t *testing.T, what string, look func() (seen string, ok bool)) {
	t.Helper()
	limit := time.Now().Add(time.Minute)
	for {
		seen, ok := look()
		if ok {
			return
		}
		if time.Now().After(limit) {
			t.Fatalf("%s: there is only %s", what, seen)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
