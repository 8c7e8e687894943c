package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMain starts one Jaeger, the real one, for all tests. Building it takes some
// minutes the first time.
func TestMain(m *testing.M) {
	code, err := withJaeger(m.Run)
	if err != nil {
		_, _ = os.Stderr.WriteString("jaeger: " + err.Error() + "\n")
		code = 1
	}
	os.Exit(code)
}

// The addresses of the Jaeger of the tests.
var grpcURL, httpURL, pagesURL string

func withJaeger(f func() int) (code int, err error) {
	path, err := exec.Command("go", "tool", "-modfile=jaeger.mod", "-n", "all-in-one").Output()
	if err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "jaeger")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return 0, err
	}
	defer log.Close()
	var args []string
	addresses := map[string]string{}
	for _, server := range []string{"collector.otlp.grpc", "collector.otlp.http", "collector.grpc-server",
		"collector.http-server", "query.grpc-server", "query.http-server", "admin.http"} {
		if addresses[server], err = freeAddress(); err != nil {
			return 0, err
		}
		args = append(args, "--"+server+".host-port="+addresses[server])
	}
	grpcURL, httpURL, pagesURL = "http://"+addresses["collector.otlp.grpc"], "http://"+addresses["collector.otlp.http"], "http://"+addresses["query.http-server"]
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, strings.TrimSpace(string(path)), args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		cancel()
		return 0, err
	}
	defer func() {
		cancel()
		_ = cmd.Wait()
	}()
	if err := healthy("http://" + addresses["admin.http"]); err != nil {
		text, _ := os.ReadFile(log.Name())
		return 0, errors.Join(err, errors.New(string(text)))
	}
	return f(), nil
}

// freeAddress is one that nobody listens at.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// healthy waits until the server says that it is.
func healthy(url string) error {
	limit := time.After(time.Minute)
	for {
		if resp, err := http.Get(url); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-limit:
			return errors.New("Jaeger does not come up")
		case <-time.After(50 * time.Millisecond):
		}
	}
}
