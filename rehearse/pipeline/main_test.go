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
	"sync"
	"testing"

	"blog-deploy-pipeline/rehearse/iampolicy"
	"blog-deploy-pipeline/rehearse/lambdaruntime"
	"blog-deploy-pipeline/rehearse/s3"
)

// shared has what tests share: they only read it.
var shared struct {
	// dir is a folder for compiled functions.
	dir string
	// evaluator is the policy evaluator of rehearsals that nobody stops. A rehearsal that is stopped stops its evaluator,
	// too, and so has one of its own.
	evaluator *iampolicy.Evaluator
}

// invalidate, publish and deployHook return the functions' binaries for this machine.
var (
	invalidate = compiled("invalidate")
	publish    = compiled("publish")
	deployHook = compiled("deployhook")
)

// compiled compiles a function once, when a test first needs it.
func compiled(function string) func() (binary string, err error) {
	return sync.OnceValues(func() (string, error) {
		binary := filepath.Join(shared.dir, function)
		return binary, lambdaruntime.Compile(context.Background(), "../../lambdas/"+function, binary)
	})
}

// linkOfPipeline is an Options.compile that has compiled the functions of a pipeline before.
func linkOfPipeline(ctx context.Context, asset, binary string) error {
	function := invalidate
	if strings.HasPrefix(filepath.Base(filepath.Dir(binary)), "function-Publish") {
		function = publish
	}
	return link(function)(ctx, asset, binary)
}

// link returns an Options.compile that has compiled a function before.
func link(function func() (string, error)) func(ctx context.Context, asset, binary string) error {
	return func(_ context.Context, _, binary string) error {
		compiled, err := function()
		if err != nil {
			return err
		}
		return os.Link(compiled, binary)
	}
}

func TestMain(m *testing.M) {
	s3.Main()
	if text := os.Getenv(victim); text != "" {
		fmt.Fprintln(os.Stderr, live(text))
		os.Exit(1)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	var err error
	if shared.dir, err = os.MkdirTemp("", "pipeline"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(shared.dir) }() // A temporary folder that stays breaks no test.
	if shared.evaluator, err = iampolicy.Start(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if err := shared.evaluator.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
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
