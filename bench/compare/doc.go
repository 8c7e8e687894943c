// Package compare does the same work with this module and with its peers, so
// that they can be measured side by side in one run:
//
//	go run ./report
//
// Each peer is set up as its own documentation advises for the job, with
// logging silenced, and with holds and back-off turned off where the cost of a
// restart is measured. RESULTS.md, which the report writes, says what cannot be
// compared.
package compare
