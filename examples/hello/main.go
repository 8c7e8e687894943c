// Command hello is the example of the README: a task that cannot reach what it
// needs. It ends by itself after ten seconds.
package main

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/holdfast-go/holdfast/supervise"
)

func main() {
	ctx, stop := context.WithTimeout(context.Background(), 10*time.Second)
	defer stop()
	err := supervise.Run(ctx, func(ctx context.Context) error {
		conn, err := net.Dial("tcp", "127.0.0.1:1") // nobody answers there
		if err != nil {
			return err
		}
		return conn.Close()
	}, supervise.WithName("dial"))
	fmt.Println("ended:", err)
}
