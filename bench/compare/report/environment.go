package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// describe says where, when and with what the figures were measured.
func describe(ctx context.Context, cpu string, rounds int) (string, error) {
	const direct = `{{if and .Version (not .Indirect) (not .Replace)}}{{.Path}} {{.Version}}{{end}}`
	cmd := exec.CommandContext(ctx, "go", "list", "-m", "-f", direct, "all")
	cmd.Stderr = os.Stderr
	versions, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("listing the versions: %w", err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s/%s, %d processors of %q, %s. Medians of %d runs with their 95 %% confidence interval, and p of the Mann-Whitney U test, as benchstat has them",
		time.Now().UTC().Format("2 January 2006"), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), cpu, runtime.Version(), rounds)
	b.WriteString("; scale figures are medians of 3. Other programs ran on the same processors: compare within one table.\n\nVersions: ")
	b.WriteString(strings.Join(strings.Split(strings.TrimSpace(string(versions)), "\n"), ", "))
	b.WriteString(".\n")
	return b.String(), nil
}
