package compare

import (
	"context"
	"log/slog"

	"github.com/avast/retry-go/v4"
	"github.com/cenkalti/backoff/v4"
	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
)

// Retry calls a function until it returns nil, without delay.
type Retry struct {
	Name     string
	Recovers bool // it goes on after a panic
	Run      func(fn func() error) error
}

// Retries are the ways to call one function again and again.
var Retries = []Retry{
	{"holdfast-run", true, func(fn func() error) error {
		return supervise.Run(context.Background(), func(context.Context) error { return fn() },
			supervise.WithPolicy(policy.Constant(0)), supervise.WithLogger(slog.New(slog.DiscardHandler)))
	}},
	{"failsafe-retry", false, func(fn func() error) error {
		return failsafe.With[any](retrypolicy.NewBuilder[any]().WithMaxRetries(-1).Build()).Run(fn)
	}},
	{"backoff-retry", false, func(fn func() error) error {
		return backoff.Retry(fn, &backoff.ZeroBackOff{})
	}},
	{"retry-go", false, func(fn func() error) error {
		return retry.Do(fn, retry.UntilSucceeded(), retry.LastErrorOnly(true),
			retry.Delay(0), retry.DelayType(retry.FixedDelay))
	}},
	{"errgroup-each-run", false, func(fn func() error) error {
		for {
			var group errgroup.Group
			group.Go(fn)
			if err := group.Wait(); err == nil {
				return nil
			}
		}
	}},
}
