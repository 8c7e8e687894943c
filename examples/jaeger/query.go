package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// The answer of Jaeger's /api/traces, as far as it is used.
type (
	answer struct {
		Data   []jaegerTrace
		Errors []struct{ Msg string }
	}
	jaegerTrace struct {
		TraceID string
		Spans   []jaegerSpan
	}
	jaegerSpan struct {
		TraceID, SpanID, OperationName string
		References                     []reference
		StartTime, Duration            int64 // microseconds
		Tags                           []tag
		Logs                           []json.RawMessage
		Warnings                       []string
	}
	reference struct{ RefType, TraceID, SpanID string }
	tag       struct {
		Key   string
		Value any
	}
)

// tag returns the value of a tag as text, or "".
func (s jaegerSpan) tag(key string) string {
	for _, t := range s.Tags {
		if t.Key == key {
			return fmt.Sprint(t.Value)
		}
	}
	return ""
}

// refers returns the span that a reference of the kind is to: CHILD_OF in its own
// trace, or FOLLOWS_FROM, which a link is.
func (s jaegerSpan) refers(kind string) string {
	for _, r := range s.References {
		if r.RefType == kind {
			return r.SpanID
		}
	}
	return ""
}

func (s jaegerSpan) start() time.Time { return time.UnixMicro(s.StartTime) }
func (s jaegerSpan) end() time.Time   { return time.UnixMicro(s.StartTime + s.Duration) }

// query asks Jaeger for all traces of a service.
func query(ctx context.Context, jaeger, service string) ([]jaegerTrace, error) {
	ask := jaeger + "/api/traces?" + url.Values{"service": {service}, "limit": {"1000"}, "lookback": {"1h"}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, ask, http.NoBody)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var a answer
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		return nil, fmt.Errorf("%s: %s: %w", ask, resp.Status, err)
	}
	if len(a.Errors) > 0 {
		return nil, fmt.Errorf("%s: %s", ask, a.Errors[0].Msg)
	}
	return a.Data, nil
}

// await asks until there are as many spans: Jaeger takes its time to store them.
func await(ctx context.Context, jaeger, service string, spans int64) ([]jaegerTrace, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for {
		traces, err := query(ctx, jaeger, service)
		if err != nil {
			return nil, err
		}
		var stored int64
		for _, tr := range traces {
			stored += int64(len(tr.Spans))
		}
		if stored >= spans {
			return traces, nil
		}
		if pause(ctx, 100*time.Millisecond) != nil {
			return nil, fmt.Errorf("of %d spans that were sent, Jaeger has %d", spans, stored)
		}
	}
}
