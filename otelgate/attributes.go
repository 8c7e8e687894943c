package otelgate

import "go.opentelemetry.io/otel/attribute"

// The keys of what this package tells beyond the semantic conventions.
const (
	taskKey           = attribute.Key("holdfast.task.name")
	runKey            = attribute.Key("holdfast.run.number")
	runDurationKey    = attribute.Key("holdfast.run.duration") // seconds
	streakKey         = attribute.Key("holdfast.crash.streak")
	phaseKey          = attribute.Key("holdfast.gate.phase")
	holdDelayKey      = attribute.Key("holdfast.hold.delay") // seconds
	holdOutcomeKey    = attribute.Key("holdfast.hold.outcome")
	restartOutcomeKey = attribute.Key("holdfast.restart.outcome")
)

// outcome is how a hold or a restart ended.
type outcome string

const (
	elapsed   outcome = "elapsed"   // a hold: its time was up
	forced    outcome = "forced"    // a hold: an operator released it
	crashed   outcome = "crashed"   // a hold: another crash came before its end
	restored  outcome = "restored"  // a hold: a saved state took its place
	restarted outcome = "restarted" // a hold: someone started the task anyway; a restart: the next run began
	shutdown  outcome = "shutdown"  // both: the task was stopped
	released  outcome = "released"  // a restart: the gate opened, of a gate that is watched
	gaveUp    outcome = "gave_up"   // a restart: the policy gave up
	ended     outcome = "ended"     // a restart: none was to follow
	lost      outcome = "lost"      // a restart: the events that tell of its end were dropped
)
