// Package feed hands values to a receiver that may be slow, may block and may panic,
// from callers that must never wait for it.
//
//	Put ──► pending, at most room ──► Receive, in order, one at a time
//	             │
//	             └─► lost, and counted: the next value that arrives says how many
//
// A [Feed] has no goroutine while nothing is pending. Put starts one, and it ends when
// it has handed over everything. So a feed needs no Close.
//
// What is pending is bounded by [Feed.Grow]'s rule, however long the receiver blocks.
// When there is no more room, a value that ends a story (see [Config]) takes the place
// of the oldest one that does not, or else of the oldest. Any other value is lost.
// Nobody learns of a loss at the time. Each value has a number, and the receiver gets
// the number of those that are missing before it, exactly where they are missing.
package feed
