// Package httptask makes a task of an http.Server: one that can be restarted, and that
// lets requests finish when it is stopped.
//
//	web := httptask.Serve(func(ctx context.Context) (*http.Server, error) {
//		return &http.Server{Addr: ":8080", Handler: mux}, nil
//	})
//	err := supervise.Run(ctx, web, supervise.WithName("web"))
//
// # A run
//
// An http.Server cannot serve again after its Shutdown, so each run builds a new one. The
// run is ready ([supervise.Ready]) when the server accepts connections. It ends in one of
// these ways:
//
//	it cannot listen, or build fails   a crash
//	accepting connections fails        a crash, after the drain
//	its context is done                the drain, then the cause of the context, or a *CutError
//	the program calls srv.Shutdown     the drain, then a clean exit
//
// # The drain
//
// First the listener is closed. Idle connections are closed, too, and requests under way
// may finish; see [WithDrain] for how long. When they have, or that time is over, the
// contexts of all requests are cancelled with [ErrCut], the connections that are left are
// closed, and their handlers get up to a second to return. If all goes well the run ends
// when the last request has finished. If not, the error is a [*CutError].
//
// As with every http.Server, a new connection on which no request has arrived holds up
// the drain for five seconds.
//
// # The context of a request
//
// It has the values of the run's context, so that a handler can call [supervise.Go],
// [supervise.FromContext] or [supervise.Alive] with it. It is not cancelled when the run
// is to stop, only when the drain is over, so that requests can finish. What is to stop
// at once uses the context that build was called with. As always, the context of a request
// is also cancelled when its handler returns: work that outlives the request belongs to
// the run when it is started by supervise.Go with the context of build.
//
// # The user's server
//
// All fields of the server keep their meaning. Its Handler, BaseContext and ConnState are
// wrapped; its TLSConfig is cloned. With a BaseContext, requests are also cancelled when
// that one is, and its values come before those of the run. A nil ErrorLog is replaced by
// the task's logger, at level Warn. A panic in ConnState is logged there. A panic in a handler
// is contained by net/http as usual: it ends the connection, and is no crash of the task.
// A panic in a function of RegisterOnShutdown ends the process, since net/http calls it on
// a goroutine of its own.
//
// Connections that a handler has hijacked, such as websockets, are not the server's any
// more: the drain does not wait for them and nothing closes them. Close them in a function
// that is registered by RegisterOnShutdown, or when the context of build is done. A handler
// that still serves such a connection when the drain is over sees its context cancelled.
//
// Nothing here calls Alive. A task with [supervise.WithWatchdog] has to show that it works:
// for instance by a function that build starts with supervise.Go, which requests a page
// every few seconds and calls Alive when it gets it.
package httptask
