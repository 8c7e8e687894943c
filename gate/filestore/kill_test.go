package filestore_test

func runAsChild() bool { return false }
