// Command prometheus runs a small service tree whose tasks crash, and shows the
// metrics of that at /metrics; see README.md.
//
//	go run .
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"
)

func main() {
	address := flag.String("listen", "127.0.0.1:9464", "the `address` to show the metrics at")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	l, err := net.Listen("tcp", *address)
	if err == nil {
		fmt.Printf("the metrics are at http://%s/metrics\n", l.Addr())
		err = run(ctx, l)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "prometheus:", err)
		os.Exit(1)
	}
}

// run runs the shop, and shows its metrics, until ctx is done.
func run(ctx context.Context, l net.Listener) error {
	registry := prometheus.NewRegistry()
	reader, err := exporter.New(exporter.WithRegisterer(registry), exporter.WithoutScopeInfo())
	if err != nil {
		return err
	}
	meters := metric.NewMeterProvider(metric.WithReader(reader))
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	// The server is no task of the shop: it is to tell of the shop's end, too.
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()

	shop := make(chan error, 1)
	go func() { shop <- newShop(meters).Run(ctx) }()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	if err := <-shop; !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}
