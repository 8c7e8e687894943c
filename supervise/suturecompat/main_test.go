package suturecompat_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"go.uber.org/goleak"

	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
	"github.com/holdfast-go/holdfast/supervise/suturecompat"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	errDone      = errors.New("do not restart")
	errTerminate = errors.New("terminate the tree")
	errBoom      = errors.New("boom")
	errStop      = errors.New("the operator stops it")

	quiet  = supervise.WithLogger(slog.New(slog.DiscardHandler))
	atOnce = policy.Constant(0)
)

func newAdapter() *suturecompat.Adapter {
	return &suturecompat.Adapter{DoNotRestart: errDone, Terminate: errTerminate}
}

// script is a service whose runs return the errors of a list, one after another, and
// then last until their context is done.
type script struct {
	name string
	ends []error
	runs int
}

func (s *script) Serve(ctx context.Context) error {
	s.runs++
	if s.runs <= len(s.ends) {
		return s.ends[s.runs-1]
	}
	<-ctx.Done()
	return nil
}

func (s *script) String() string { return s.name }

// wrapped is err in another error.
func wrapped(err error) error { return fmt.Errorf("serve: %w", err) }
