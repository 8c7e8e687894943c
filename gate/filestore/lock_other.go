//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package filestore

import "os"

// lock leaves it to bbolt, which locks the file after it has been verified.
func lock(*os.File) error { return nil }

// syncFolder does nothing: these systems have no such thing, or do it themselves.
func syncFolder(string) error { return nil }

// unlock leaves that to the end of the process.
func unlock(*os.File) error { return nil }
