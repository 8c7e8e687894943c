// Package history is what drives a [policy.History]: the record of what happened
// to one task, which gates and simulators write and policies read.
//
//	Log    what happened: written with the Observe methods and Apply
//	View   the same, read-only, perhaps with a clean slate: what a policy gets
//	Record the same as data, to be saved
//
// It is internal so that a policy that changes its history does not compile.
package history
