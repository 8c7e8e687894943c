package httptask_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"

	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
	"github.com/holdfast-go/holdfast/supervise/httptask"
)

// A server runs as a task. Work that a request starts can belong to the run: its failure is
// a crash of the task, which then serves again on the same port.
func ExampleServe() {
	ready := make(chan string)
	web := httptask.Serve(func(ctx context.Context) (*http.Server, error) {
		info, _ := supervise.FromContext(ctx)
		mux := http.NewServeMux()
		mux.HandleFunc("/run", func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, "run %d, after: %v", info.Run, info.LastErr)
		})
		mux.HandleFunc("/import", func(w http.ResponseWriter, _ *http.Request) {
			_ = supervise.Go(ctx, func(context.Context) error { return errors.New("the file is damaged") })
			fmt.Fprint(w, "the import has started")
		})
		return &http.Server{Handler: mux}, nil
	}, httptask.WithListen(func(context.Context) (net.Listener, error) {
		l, err := net.Listen("tcp", "127.0.0.1:0") // in a program the server's Addr says where
		if err == nil {
			defer func() { ready <- "http://" + l.Addr().String() }()
		}
		return l, err
	}))

	ctx, stop := context.WithCancelCause(context.Background())
	ended := make(chan error)
	go func() {
		ended <- supervise.Run(ctx, web, supervise.WithName("web"),
			supervise.WithPolicy(policy.Constant(0)), supervise.WithLogger(slog.New(slog.DiscardHandler)))
	}()

	url := <-ready
	fmt.Println(fetch(url + "/run"))
	fmt.Println(fetch(url + "/import"))
	url = <-ready
	fmt.Println(fetch(url + "/run"))
	stop(errors.New("the example is over"))
	fmt.Println(<-ended)
	// Output:
	// run 1, after: <nil>
	// the import has started
	// run 2, after: the file is damaged
	// the example is over
}

// fetch returns a page.
func fetch(url string) string {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(url)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	return string(body)
}
