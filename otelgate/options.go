package otelgate

import (
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// Option is an option of [New]. Of several of one kind the last one counts, but
// for [WithAttributes], which adds. Safe for concurrent use.
type Option interface{ apply(*config) }

type option func(*config)

func (o option) apply(c *config) { o(c) }

type config struct {
	tracers    trace.TracerProvider
	meters     metric.MeterProvider
	loggers    log.LoggerProvider
	attributes []attribute.KeyValue
}

func newConfig(opts []Option) config {
	c := config{
		tracers: otel.GetTracerProvider(),
		meters:  otel.GetMeterProvider(),
		loggers: otel.GetLoggerProvider(),
	}
	for _, opt := range opts {
		if opt != nil {
			opt.apply(&c)
		}
	}
	return c
}

// WithTracerProvider sets where traces go.
// Defaults to the global provider, as does nil.
func WithTracerProvider(p trace.TracerProvider) Option {
	return option(func(c *config) {
		if p != nil {
			c.tracers = p
		}
	})
}

// WithMeterProvider sets where metrics go.
// Defaults to the global provider, as does nil.
func WithMeterProvider(p metric.MeterProvider) Option {
	return option(func(c *config) {
		if p != nil {
			c.meters = p
		}
	})
}

// WithLoggerProvider sets where log records go.
// Defaults to the global provider, as does nil.
func WithLoggerProvider(p log.LoggerProvider) Option {
	return option(func(c *config) {
		if p != nil {
			c.loggers = p
		}
	})
}

// WithAttributes adds attributes to all spans, metrics and log records. Those
// that are not valid are left out; long texts are cut as package documentation
// says.
func WithAttributes(attributes ...attribute.KeyValue) Option {
	return option(func(c *config) {
		for _, kv := range attributes {
			if kv.Valid() {
				c.attributes = append(c.attributes, tidy(kv))
			}
		}
	})
}
