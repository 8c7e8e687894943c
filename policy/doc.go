// Package policy holds the rules by which a crashing task is restarted: how
// long it is held after each crash, when a series of crashes is a crash loop,
// when to give up, and what earns it a fresh slate.
//
// A [Policy] is a pure function of a task's [History]. It has no state, clock,
// lock or goroutine, so one value serves any number of tasks. Policies are
// composed: a base says how long ([Exponential], [Constant], [Steps],
// [FromBackOff]), and decorators around it add one rule each.
//
//	p := policy.Compose(
//		policy.Exponential(100*time.Millisecond, 2, 30*time.Second),
//		policy.Jitter(policy.FullJitter, 30*time.Second),
//		policy.CrashLoop(5, time.Minute, 5*time.Minute),
//		policy.StableRun(time.Minute),
//	)
//
// The last decorator sees a run first:
//
//	run ended ─► StableRun ─► CrashLoop ─► Jitter ─► Exponential
//
// [Default] is such a stack, and [Config] makes one from a JSON file.
// [Simulate] shows what any policy does to a series of runs, without waiting.
//
// # Which rule for what
//
//   - a dependency that comes back by itself: [Exponential] and [Jitter]
//   - a task that fails at once, every time: [CrashLoop]
//   - a task that must not restart more than n times: [MaxCrashes]
//   - an error that no restart can cure: [PermanentErrors]
//   - a server that says when to come back: [RetryAfter]
//   - errors of different kinds: [Match]
//   - many tasks that fall together: [Budget]
//
// # Combinations that defeat themselves
//
// A rule that counts crashes in a window can only trip if the delays let that
// many crashes happen in it. The first n−1 delays of Exponential(d, f, max) sum
// up to d × (f^(n−1) − 1) / (f − 1) as long as none reaches max. With the
// default delays, five crashes of a task that fails at once span
// 0.5 + 1 + 2 + 4 = 7.5 s, well inside the minute of the crash loop. Ten of them
// span 183.5 s: CrashLoop(10, time.Minute, …) would never trip. [Config.Validate]
// refuses such a configuration; stacks composed by hand are not checked.
//
// StableRun with a threshold shorter than the task's usual time to crash wipes
// the slate each time, and the delay never grows: a task that crashes every
// 10 s under StableRun(5*time.Second) restarts after the initial delay for ever.
//
// MaxCrashes counts the crashes since the slate was last clean. Beside CrashLoop,
// whose end cleans the slate, it must trip first to trip at all: MaxCrashes(n, …)
// with n at or above the crash loop's threshold seldom does.
package policy
