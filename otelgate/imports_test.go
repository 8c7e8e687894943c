package otelgate_test

import (
	"go/build"
	"strings"
	"testing"
)

// TestImports holds that the package needs the API of OpenTelemetry alone, and not
// an SDK or an exporter.
func TestImports(t *testing.T) {
	p, err := build.ImportDir(".", 0)
	if err != nil {
		t.Fatal(err)
	}
	allowed := []string{
		"github.com/holdfast-go/holdfast/gate",
		"github.com/holdfast-go/holdfast/supervise",
		"go.opentelemetry.io/otel",
		"go.opentelemetry.io/otel/attribute",
		"go.opentelemetry.io/otel/codes",
		"go.opentelemetry.io/otel/log",
		"go.opentelemetry.io/otel/metric",
		"go.opentelemetry.io/otel/semconv",
		"go.opentelemetry.io/otel/trace",
	}
	for _, path := range p.Imports {
		if first, _, _ := strings.Cut(path, "/"); !strings.Contains(first, ".") {
			continue
		}
		path = strings.TrimSuffix(path, "/noop")
		if before, _, ok := strings.Cut(path, "/semconv/"); ok {
			path = before + "/semconv"
		}
		found := false
		for _, a := range allowed {
			found = found || path == a
		}
		if !found {
			t.Errorf("it imports %s", path)
		}
	}
}
