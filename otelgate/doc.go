// Package otelgate tells OpenTelemetry what happens to the tasks of package
// supervise, and to gates: each crash is a short trace, a few numbers, and a log
// record.
//
//	obs := otelgate.New()
//	err := supervise.Run(ctx, poll, supervise.WithObserver(obs))
//
// It uses the API of OpenTelemetry alone. Without a provider a crash costs some
// nanoseconds more, and a healthy run nothing.
//
// # Traces
//
// A run can last for weeks, so that no span waits for one to end. A crash begins a
// trace of its own, which tells of the time until the next run:
//
//	restart shop/db             from the crash to the next start: the downtime
//	├ crash                     an instant, with status error: what was wrong
//	├ backing off               a hold, or "crash looping"
//	└ gave up                   an instant, with status error, where the policy did
//
// An instant is a microsecond long, as Jaeger takes less for an error. The root
// links to that of the crash before, so that a chain of crashes can be walked.
// [RestartSpanContext] gives it to the run that it ends with. A hold tells how it
// ended (holdfast.hold.outcome): elapsed, forced (by an operator), shutdown,
// restarted (the task was started anyway), crashed (again, before that), restored;
// the root, too (holdfast.restart.outcome): restarted, shutdown, gave_up, ended (a
// task with Once), released (a gate that is watched), crashed, restored. Where
// events were dropped, as there were too many, it is "lost". A hold after a clean
// exit is measured, and not traced.
//
// # Metrics
//
//	holdfast.task.count               {task}     up-down  tasks that are supervised
//	holdfast.task.phase               {task}     up-down  tasks by holdfast.gate.phase
//	holdfast.task.crashes             {crash}    counter  by error.type
//	holdfast.task.restarts            {restart}  counter
//	holdfast.task.holds               {hold}     counter  by holdfast.gate.phase
//	holdfast.task.give_ups            {task}     counter
//	holdfast.task.abandoned_runs      {run}      counter
//	holdfast.run.duration             s          histogram by error.type; none for a run that did not crash
//	holdfast.hold.duration            s          histogram by holdfast.gate.phase and holdfast.hold.outcome
//	holdfast.observer.dropped_events  {event}    counter
//	holdfast.store.failures           {failure}  counter  by error.type
//
// All but holdfast.task.count and the last two have the
// attribute holdfast.task.name: there are about twenty series for each name, and
// one of crashes and one of runs more for each type of its errors. The types are 64
// at most, further ones count as "_OTHER". The names are as many as the program
// gives: where a name holds an identifier, what bounds them is the cardinality
// limit of the SDK. What is kept of a task goes when the task has ended.
//
// The error.type is "panic", "goexit", "watchdog", "not_ready", "process_died", or else that which
// the semantic conventions have for the error: what its method ErrorType returns,
// or its Go type.
//
// # Logs
//
// Each crash is also a record of the event holdfast.task.crash, in the span of the
// crash: a warning, or an error once it is of a crash loop. The policy's giving up
// is holdfast.task.give_up, and a run that does not end holdfast.run.abandoned.
// What package supervise itself writes about a crash, through slog, has the root
// span in its context, for handlers that look there, and in the attributes trace_id,
// span_id and trace_flags, for all others.
//
// # Bounds
//
// A task that supervise runs waits for no exporter. Events that come too fast are
// dropped, and counted in holdfast.observer.dropped_events; spans that the queue of
// the SDK has no room for are counted by the SDK, in
// otel.sdk.processor.span.processed with error.type queue_full.
//
// Texts are cut, and made valid UTF-8: names and types after [MaxName] bytes,
// messages after [MaxMessage], stacks after [MaxStack]. A provider that panics, or
// gives nil, does no harm, and is told to [go.opentelemetry.io/otel.Handle] once.
package otelgate
