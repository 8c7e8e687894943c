module github.com/holdfast-go/holdfast/policy/interop

go 1.26.0

require (
	github.com/cenkalti/backoff/v4 v4.3.0
	github.com/cenkalti/backoff/v5 v5.0.3
	github.com/cenkalti/backoff/v6 v6.0.1
	github.com/cenkalti/backoff/v7 v7.0.3
	github.com/goccy/go-yaml v1.19.2
	github.com/holdfast-go/holdfast v0.0.0
	go.yaml.in/yaml/v4 v4.0.0
)

replace github.com/holdfast-go/holdfast => ../..
