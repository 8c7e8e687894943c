// Package machine decides what a supervisor does. It has no goroutine, channel, clock,
// lock or callback: each Step takes one thing that happened, and returns what is to be
// done about it.
//
// There are two machines. A [Life] is that of one task while a worker serves it: it
// settles, for example, whether a run ended before it was abandoned. A [Tree] is that
// of a supervisor: in which order tasks start and stop, and who is restarted with whom.
// A crash under OneForOne passes the Life alone.
//
// The shell around them is package supervise. It calls Step while it holds a lock, and
// performs the effects after that, outside of any lock.
//
// The transcripts in testdata show both at work; begin with life.txt and strategies.txt.
//
// To add an input: name it in the list of kinds, give it a case in Step or take, write a
// scenario in testdata, have the naive model in the tests know of it, and post it from
// the shell.
package machine
