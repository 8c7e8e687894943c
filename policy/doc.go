// Package policy holds the rules by which a crashing task is restarted: how long it
// is held after each crash, when a series of crashes is a crash loop, when to give up,
// and what earns it a clean slate.
//
// A [Policy] is a pure function of a task's [History], which it can only read. It has
// no state, clock, lock or goroutine, so one value serves any number of tasks. Policies
// are composed: a base says how long ([Exponential], [Constant], [Steps],
// [FromBackOff]), and decorators around it add one rule each.
//
//	p := policy.Compose(
//		policy.Exponential(100*time.Millisecond, 2, 30*time.Second),
//		policy.CrashLoop(5, time.Minute, 30*time.Second),
//		policy.Probation(time.Minute, 5*time.Minute),
//		policy.StableRun(time.Minute),
//		policy.Spread(0.1),
//	)
//
// The last decorator sees a run first, and a policy prints in that order:
//
//	Spread(10%) ─► StableRun(1m) ─► Probation(1m, 5m) ─► CrashLoop(5 in 1m: 30s) ─► Exponential(100ms ×2 ≤ 30s)
//
// [Default] is such a stack, [Classic] one with fewer rules. [Config] makes one from
// JSON, an environment variable or a flag, and [File] one for each task of a program.
// [Simulate] shows what any policy does to a series of runs, without waiting, and [Vet]
// warns of stacks that defeat themselves.
//
// # Which rule for what
//
//   - a dependency that comes back by itself: [Exponential], and [Spread] or [Jitter]
//   - a task that fails at once, every time: [CrashLoop], and [Probation]
//   - a task that must not crash more than n times an hour: [MaxCrashes]
//   - an error that no restart can cure: [PermanentErrors]
//   - a server that says when to come back: [RetryAfter]
//   - a planned restart, which is no crash: [Ignore]
//   - errors of different kinds: [Match]
//   - many tasks that fall together: [Spread], or [Budget] for a strict bound
//   - a configuration that is reloaded: [Switch]
//
// # Combinations that defeat themselves
//
// A rule that counts crashes in a window can only trip if the holds let that many
// crashes happen in it. The first n−1 delays of Exponential(d, f, max) sum up to
// d × (f^(n−1) − 1) / (f − 1) as long as none reaches max. With the default delays, five
// crashes of a task that fails at once span 0.5 + 1 + 2 + 4 = 7.5 s, well inside the
// minute of the crash loop. Ten of them span 183.5 s: CrashLoop(10, time.Minute, …)
// would never trip. [Config.Validate] refuses such a configuration.
//
// MaxCrashes counts across clean slates, so its window must leave room for the
// cool-downs of a crash loop, too.
//
// StableRun wipes the slate for the rules inside it, and not for those outside; Spread
// lengthens the holds of the rules inside it. Both are worth being last.
//
// [Vet] finds these. It cannot know how long your tasks run: StableRun with a threshold
// shorter than the usual time to crash wipes the slate each time, and the delay never
// grows. A task that crashes every 10 s under StableRun(5*time.Second) restarts after
// the initial delay forever.
package policy
