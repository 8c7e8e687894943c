package httptask_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
	"github.com/holdfast-go/holdfast/supervise/httptask"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	errStop = errors.New("the operator stops it")
	errBoom = errors.New("boom")

	discard = log.New(io.Discard, "", 0)

	quiet  = supervise.WithLogger(slog.New(slog.DiscardHandler))
	atOnce = supervise.WithPolicy(policy.Constant(0))
)

// hello answers each request with a word.
var hello = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") })

// with returns a build of servers with a handler.
func with(h http.Handler) func(context.Context) (*http.Server, error) {
	return func(context.Context) (*http.Server, error) { return &http.Server{Handler: h}, nil }
}

// free listens on a free port of 127.0.0.1, and reports which to addr each time.
func free(addr chan<- string) httptask.Option {
	return httptask.WithListen(func(context.Context) (net.Listener, error) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err == nil {
			addr <- l.Addr().String()
		}
		return l, err
	})
}

// task is a function that runs.
type task struct {
	stop context.CancelCauseFunc
	err  chan error
}

// start runs a function until the test stops it.
func start(fn func(context.Context) error) *task {
	ctx, cancel := context.WithCancelCause(context.Background())
	task := &task{cancel, make(chan error, 1)}
	go func() { task.err <- fn(ctx) }()
	return task
}

// supervised runs a function under supervise.Run.
func supervised(fn func(context.Context) error, opts ...supervise.RunOption) func(context.Context) error {
	return func(ctx context.Context) error {
		return supervise.Run(ctx, fn, append([]supervise.RunOption{supervise.WithName("web"), quiet, atOnce}, opts...)...)
	}
}

// end stops the task and returns its error.
func (task *task) end() error {
	task.stop(errStop)
	return <-task.err
}

// pipes is a listener in memory, for tests in a bubble, with a client for it.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
	client *http.Client
}

func newPipes(t *testing.T) *pipes {
	p := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return p.dial() }}
	p.client = &http.Client{Transport: transport}
	t.Cleanup(transport.CloseIdleConnections)
	return p
}

func (p *pipes) dial() (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return pipeAddr{} }

func (p *pipes) listen() httptask.Option {
	return httptask.WithListen(func(context.Context) (net.Listener, error) { return p, nil })
}

// get requests a page, and returns its body or an error.
func (p *pipes) get(path string) (string, error) { return get(p.client, "http://pipe"+path) }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }

// get requests a page, and returns its body or an error.
func get(client *http.Client, url string) (string, error) {
	resp, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, body)
	}
	return string(body), err
}

// once is a client whose connections serve one request each.
func once(t *testing.T) *http.Client {
	transport := &http.Transport{DisableKeepAlives: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// send writes a request to a connection, and returns what follows.
func send(t *testing.T, c net.Conn, path string) *bufio.Reader {
	t.Helper()
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path); err != nil {
		t.Fatal(err)
	}
	return bufio.NewReader(c)
}

// lines is a logger's output.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// logger returns a logger that writes no times.
func (l *lines) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}

// mustContain reports which of the texts is missing.
func mustContain(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not in %q", part, text)
		}
	}
}
