// Command jaeger runs a small service tree whose tasks crash in different ways,
// and sends the traces of that to Jaeger, which must be running; see README.md.
//
//	go run .
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/holdfast-go/holdfast/supervise"
)

func main() {
	var c config
	flag.StringVar(&c.service, "service", "shop", "the `name` of the service in Jaeger; OTEL_SERVICE_NAME goes before it")
	flag.StringVar(&c.jaeger, "jaeger", "http://localhost:16686", "the `URL` of Jaeger's pages, to print links and to read traces from")
	flag.DurationVar(&c.length, "for", 5*time.Second, "how long the service runs")
	svg := flag.String("svg", "", "read the traces back from Jaeger, and draw them to this `file`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	spans, err := run(ctx, os.Stdout, c)
	if err == nil && *svg != "" {
		err = draw(ctx, *svg, c, spans)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "jaeger:", err)
		os.Exit(1)
	}
}

// config is what the flags say.
type config struct {
	service, jaeger string
	length          time.Duration
	observer        supervise.Observer // a further one; nil for none
}

var errOver = errors.New("the show is over")

// run runs the service for its time, and sends all of its traces. It returns how
// many spans they have.
func run(ctx context.Context, out io.Writer, c config) (spans int64, err error) {
	tel, err := newTelemetry(ctx, c.service)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.length, errOver)
	defer cancel()
	crashes := &crashLog{out: out}
	err = newShop(tel, crashes, c.observer).Run(ctx)
	if errors.Is(err, errOver) || errors.Is(err, context.Canceled) {
		err = nil
	}
	// The supervisor has told its observers all; what is left is to send it.
	if e := tel.shutdown(); e != nil {
		return 0, errors.Join(err, fmt.Errorf("the traces were not sent; is Jaeger running? %w", e))
	}
	crashes.print(c.jaeger)
	fmt.Fprintf(out, "\nall of them: %s/search?service=%s\n", c.jaeger, tel.service)
	return tel.spans.ended.Load(), err
}
