package supervise_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/supervise"
)

// A task that was forgotten, and is started again, has the path of where it is then.
func TestPathOfAForgottenTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		below := supervise.New("below", quiet)
		task := below.Add("a", waits)
		task.Remove()
		root := supervise.New("root", quiet)
		root.Add("below", below.Run)
		time.AfterFunc(time.Second, func() { task.Restart() })
		var path string
		time.AfterFunc(2*time.Second, func() {
			if found := root.Task("root/below/a"); found != nil {
				path = found.Name()
			}
		})
		if err := root.Run(bubble(t, time.Minute)); err != errStop {
			t.Error(err)
		}
		synctest.Wait()
		if path != "root/below/a" {
			t.Errorf("the path is %q", path)
		}
	})
}
