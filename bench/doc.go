// Package bench holds the benchmarks of this module's hot paths. Each is named
// so that benchstat can pivot it:
//
//	go test -run '^$' -bench . -count 10 ./bench | tee new.txt
//	benchstat -col /crashes new.txt
//
// BenchmarkNow is the yardstick: what it costs to ask for the time, on the same
// machine in the same run. Those of a gate.Set, which fill it with a million keys,
// are beside it in package gate; bench/scale measures very many tasks; and
// bench/compare measures the same work in other libraries, and writes
// RESULTS.md.
package bench
