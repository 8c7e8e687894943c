package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// told is what README.md tells of the fleet.
const told = `policy                  most starts/s while down  most starts/s once back  all up after  starts in vain
back-off alone          100000                    100000                   6s            1500000
with jitter             173490                    3203                     1m1s          2551612
with jitter and budget  1756                      1076                     2m31s         592970
`

// TestFleetIsAsTold tells that the command says what is told of it, each time, and
// draws the picture that is in the repository.
func TestFleetIsAsTold(t *testing.T) {
	drawn := filepath.Join(t.TempDir(), "fleet.svg")
	var out bytes.Buffer
	if err := run(&out, drawn, fleetSize); err != nil {
		t.Fatal(err)
	}
	if out.String() != told {
		t.Errorf("it says\n%s", &out)
	}
	got, err := os.ReadFile(drawn)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("fleet.svg")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("the picture is not fleet.svg; draw it again: go run ./examples/fleet -svg examples/fleet/fleet.svg")
	}
}

func TestPictureCannotBeWritten(t *testing.T) {
	if err := run(new(bytes.Buffer), t.TempDir(), 1); err == nil {
		t.Error("a directory was written as a picture")
	}
}
