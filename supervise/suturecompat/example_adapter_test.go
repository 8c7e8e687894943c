package suturecompat_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/holdfast-go/holdfast/policy"
	"github.com/holdfast-go/holdfast/supervise"
	"github.com/holdfast-go/holdfast/supervise/suturecompat"
)

// They stand for suture.ErrDoNotRestart and suture.ErrTerminateSupervisorTree, which are
// handed in while suture is still there, and are yours afterwards.
var (
	errNoRestart = errors.New("service should not be restarted")
	errEndTree   = errors.New("tree should be terminated")
)

// importer reads pages until there is none left.
type importer struct{ page, pages int }

func (im *importer) Serve(context.Context) error {
	if im.page == im.pages {
		fmt.Println("imported")
		return errNoRestart
	}
	im.page++
	fmt.Println("page", im.page)
	return nil // one page a run: suture starts it again
}

func (im *importer) String() string { return "importer" }

// licence ends the program.
type licence struct{ expired <-chan struct{} }

func (l *licence) Serve(ctx context.Context) error {
	select {
	case <-l.expired:
		return fmt.Errorf("the licence has expired: %w", errEndTree)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *licence) String() string { return "licence" }

// Services that were written for suture run as they are.
func ExampleAdapter() {
	compat := &suturecompat.Adapter{DoNotRestart: errNoRestart, Terminate: errEndTree}
	root := supervise.New("root",
		supervise.WithPolicy(compat.Policy(policy.Constant(0))), // nil is policy.Default
		supervise.WithLogger(slog.New(slog.DiscardHandler)))

	importing, _ := compat.Add(root, &importer{pages: 2})
	expired := make(chan struct{})
	compat.Add(root, &licence{expired})
	go func() {
		fmt.Println(importing.Name(), importing.Wait(context.Background()))
		close(expired)
	}()
	err := root.Run(context.Background())
	fmt.Println(err)
	fmt.Println(errors.Is(err, errEndTree))
	// Output:
	// page 1
	// page 2
	// imported
	// root/importer <nil>
	// supervise: gave up on task "root/licence" after 1 crash: the licence has expired: tree should be terminated
	// true
}
