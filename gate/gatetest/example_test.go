package gatetest_test

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/gate"
	"github.com/holdfast-go/holdfast/gate/gatetest"
	"github.com/holdfast-go/holdfast/policy"
)

func ExampleRecorder() {
	var rec gatetest.Recorder
	g := gate.New(policy.Classic(), gate.OnTransition(rec.Observe))

	at := time.Date(2026, time.January, 2, 12, 0, 0, 0, time.UTC)
	g.ObserveCrash(at, errors.New("exit status 1"))
	g.MaybeRelease(at.Add(time.Second))

	fmt.Println("passed through crash looping:", slices.Contains(rec.Phases(), gate.CrashLooping))
	for _, t := range rec.Transitions() {
		fmt.Printf("%d: %v, by %v\n", t.Seq, t.To, t.Cause)
	}
	fmt.Println("broken:", rec.Check())
	// Output:
	// passed through crash looping: false
	// 1: backing off until 2026-01-02T12:00:00.5Z, by crash
	// 2: idle, by elapsed
	// broken: <nil>
}
