package pipeline

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"blog-deploy-pipeline/rehearse/lambdaruntime"
	"blog-deploy-pipeline/rehearse/s3"
)

// function is the binary of lambdas/invalidate for this machine.
var function string

func TestMain(m *testing.M) {
	s3.Main()
	if text := os.Getenv(victim); text != "" {
		fmt.Fprintln(os.Stderr, live(text))
		os.Exit(1)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "pipeline")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }() // A temporary folder that stays breaks no test.
	function = filepath.Join(dir, "bootstrap")
	if err := lambdaruntime.Compile(context.Background(), "../../lambdas/invalidate", function); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	// No process that this one started may be left.
	if left, err := running(os.Getpid()); err != nil || len(left) > 0 {
		fmt.Fprintf(os.Stderr, "still running: %v\n%s", err, strings.Join(left, "\n"))
		return 1
	}
	return code
}

// nap is the number of seconds that some builds of tests sleep, and nothing else.
const nap = "86391"

// running lists the processes that have a parent, or one of the marks in their command line.
func running(parent int, marks ...string) ([]string, error) {
	ps := exec.CommandContext(context.Background(), "ps", "-axo", "ppid=,pid=,args=")
	out, err := ps.Output()
	if err != nil {
		return nil, err
	}
	var found []string
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		if len(fields) < 3 || fields[1] == strconv.Itoa(ps.Process.Pid) {
			continue
		}
		if fields[0] == strconv.Itoa(parent) || slices.ContainsFunc(marks, func(m string) bool { return strings.Contains(line, m) }) {
			found = append(found, line[:min(len(line), 200)])
		}
	}
	return found, nil
}
