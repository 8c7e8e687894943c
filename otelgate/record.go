package otelgate

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"

	"github.com/holdfast-go/holdfast/gate"
)

// The names of the log records that are events.
const (
	crashEvent   = "holdfast.task.crash"
	giveUpEvent  = "holdfast.task.give_up"
	abandonEvent = "holdfast.run.abandoned"
)

// record is a kind of log record.
type record struct {
	name     string
	severity log.Severity
	body     string
}

// The records that there are. A crash is a warning, as the task is run again, until
// it is one of a crash loop.
var (
	crashing     = record{crashEvent, log.SeverityWarn, "task crashed"}
	crashLooping = record{crashEvent, log.SeverityError, "task crashed"}
	givingUp     = record{giveUpEvent, log.SeverityError, "task gave up"}
	abandoning   = record{abandonEvent, log.SeverityError, "task does not stop"}
)

func crashRecord(p gate.Phase) *record {
	if p > gate.BackingOff {
		return &crashLooping
	}
	return &crashing
}

func (o *Observer) log(ctx context.Context, r *record, at time.Time, attrs []attribute.KeyValue) {
	var out log.Record
	out.SetEventName(r.name)
	out.SetTimestamp(at)
	out.SetSeverity(r.severity)
	out.SetSeverityText(r.severity.String())
	out.SetBody(attribute.StringValue(r.body))
	out.AddAttributes(attrs...)
	o.guard(&o.logFault, func() { o.logger.Emit(ctx, out) })
}
