// Package interop has no code of its own. Its tests use policies together with other
// libraries, in versions that the core does not depend on: the errors and types of
// github.com/cenkalti/backoff from v4 to v7, and two libraries that read YAML. It is a
// module of its own, which nothing imports.
package interop
