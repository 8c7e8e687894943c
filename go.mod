module github.com/holdfast-go/holdfast

go 1.26.0

require github.com/cenkalti/backoff/v4 v4.3.0

require (
	go.uber.org/goleak v1.3.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
	pgregory.net/rapid v1.3.0 // indirect
)
