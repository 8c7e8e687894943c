// Package process makes tasks of child processes, for package
// [github.com/holdfast-go/holdfast/supervise]:
//
//	err := supervise.Run(ctx, process.Run(func(ctx context.Context) *exec.Cmd {
//		return exec.Command("redis-server", "--port", "6380")
//	}))
//
// [Run] returns the function of a task. Each call of it runs one process from its
// start to its end: it logs what the process prints, stops it when the context is
// done, kills it if it does not stop, and leaves no orphan behind. How the process
// ended is the error: nil for exit status 0, or an [*ExitError].
//
// The function needs no supervisor. Without one it logs to [slog.Default].
package process
