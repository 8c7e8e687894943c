package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// pollEvery returns a task that asks a server for its health, and crashes when
// it gets no answer.
func pollEvery(interval time.Duration, url string) func(context.Context) error {
	client := &http.Client{Timeout: time.Second}
	return func(ctx context.Context) error {
		for {
			if _, err := get(ctx, client, url); err != nil {
				return err
			}
			if err := pause(ctx, interval); err != nil {
				return err
			}
		}
	}
}

// bill returns a task that sends invoices. A server that does not know us will
// not know us later: that error is permanent.
func bill(url string) func(context.Context) error {
	client := &http.Client{Timeout: time.Second}
	return func(ctx context.Context) error {
		status, err := get(ctx, client, url)
		if status == http.StatusUnauthorized {
			return backoff.Permanent(err)
		}
		return err
	}
}

// mailFrom returns a task that cannot do anything without its configuration.
func mailFrom(config string) func(context.Context) error {
	return func(ctx context.Context) error {
		if _, err := os.ReadFile(config); err != nil {
			return err
		}
		<-ctx.Done()
		return ctx.Err()
	}
}

// queue delivers messages at least once: one whose consumer crashes comes again,
// until it has been delivered three times and is put aside.
type queue struct {
	messages []string
	tries    int // of the first
	console  *console
}

func newQueue(c *console) *queue {
	order := `{"id": %d, "customer": {"name": "Ada"}}`
	q := &queue{console: c}
	for id := range 40 {
		q.messages = append(q.messages, fmt.Sprintf(order, id))
	}
	q.messages[8] = `{"id": 8}` // the poisoned one: it has no customer
	return q
}

const maxTries = 3

// consume is the task. It trusts its input, as code does until it must not.
func (q *queue) consume(ctx context.Context) error {
	type order struct {
		Customer *struct{ Name string }
	}
	for len(q.messages) > 0 {
		if err := pause(ctx, 250*time.Millisecond); err != nil {
			return err
		}
		if q.tries == maxTries {
			q.console.say("queue", "puts "+q.messages[0]+" aside")
			q.next()
		}
		q.tries++
		var o order
		if err := json.Unmarshal([]byte(q.messages[0]), &o); err != nil {
			return err
		}
		_ = strings.ToUpper(o.Customer.Name)
		q.next()
	}
	return nil
}

func (q *queue) next() { q.messages, q.tries = q.messages[1:], 0 }

// get fetches a URL. A status that is not 200 is an error.
func get(ctx context.Context, client *http.Client, url string) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return 0, err
	}
	if resp.StatusCode != http.StatusOK {
		return resp.StatusCode, fmt.Errorf("the server answered %s", resp.Status)
	}
	return resp.StatusCode, nil
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
