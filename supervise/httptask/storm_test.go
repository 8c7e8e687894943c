package httptask_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/supervise/httptask"
)

// TestStorm stops a server again and again while clients send what they can. Each request
// whose handler is called gets its whole answer, and no handler outlives the run.
func TestStorm(t *testing.T) {
	certFile, keyFile, trusted := certificate(t)
	for name, test := range map[string]struct {
		rounds int
		scheme string
		opt    httptask.Option
	}{
		"HTTP/1": {15, "http", nil},
		"HTTP/2": {5, "https", httptask.WithTLS(certFile, keyFile)},
	} {
		t.Run(name, func(t *testing.T) {
			for round := range test.rounds {
				var called, running, answered atomic.Int64
				body := string(make([]byte, rand.IntN(100_000)))
				enough := make(chan struct{})
				signal := sync.OnceFunc(func() { close(enough) })
				until := int64(rand.IntN(50))
				handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					running.Add(1)
					defer running.Add(-1)
					if called.Add(1) > until {
						signal()
					}
					io.WriteString(w, body[:len(body)/2])
					w.(http.Flusher).Flush()
					io.WriteString(w, body[len(body)/2:])
				})
				addr := make(chan string, 1)
				task := start(httptask.Serve(func(context.Context) (*http.Server, error) {
					return &http.Server{Handler: handler, ErrorLog: discard}, nil
				}, free(addr), httptask.WithDrain(time.Hour), test.opt))
				url := fmt.Sprintf("%s://%s", test.scheme, <-addr)
				stopped := make(chan struct{})
				var clients sync.WaitGroup
				for range 4 {
					clients.Go(func() {
						transport := &http.Transport{
							TLSClientConfig:   &tls.Config{RootCAs: trusted},
							ForceAttemptHTTP2: true,
							DisableKeepAlives: rand.IntN(4) == 0,
						}
						defer transport.CloseIdleConnections()
						client := &http.Client{Transport: transport}
						for {
							select {
							case <-stopped:
								return
							default:
							}
							got, err := post(client, url)
							if err == nil && got != body {
								t.Error("an answer is not whole")
							}
							if err == nil {
								answered.Add(1)
							}
						}
					})
				}
				<-enough
				err := task.end()
				if n := running.Load(); err != errStop || n != 0 {
					t.Errorf("round %d: it ended with %v, %d handlers are running", round, err, n)
				}
				close(stopped)
				clients.Wait()
				if answered.Load() != called.Load() {
					t.Errorf("round %d: %d of %d requests got an answer", round, answered.Load(), called.Load())
				}
			}
		})
	}
}

// post sends a request that a client does not send again by itself.
func post(client *http.Client, url string) (string, error) {
	resp, err := client.Post(url, "text/plain", nil)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}
