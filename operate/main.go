// Command operate looks after what the app has deployed: `make status`, `make releases` and `make rollback`. It uses the
// owner's AWS credentials, as the CDK CLI does.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	smithytime "github.com/aws/smithy-go/time"
	"golang.org/x/term"

	"blog-deploy-pipeline/lambdas/contract"
)

// The exit statuses. A shell gives the last to a program that Ctrl-C ended.
const (
	exitSucceeded = 0
	exitFailed    = 1
	exitUsage     = 2
	exitStopped   = 130
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], terminal{os.Stdin, term.IsTerminal(int(os.Stdin.Fd())), os.Stdout, os.Stderr, widthOf(os.Stdout), smithytime.SleepWithContext})
	stop()
	os.Exit(status)
}

// widthOf returns how many cells a line of a terminal has; 0 for another file.
func widthOf(f *os.File) int {
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// commands holds what operate does, by the first argument.
var commands = map[string]func(context.Context, call) error{
	"releases": listReleases,
	"rollback": rollBack,
	"status":   showStatus,
}

func run(ctx context.Context, args []string, t terminal) int {
	command, c, err := parse(args)
	if err != nil {
		return complain(t.stderr, err, exitUsage)
	}
	c.terminal = t
	switch err := command(ctx, c); {
	case ctx.Err() != nil:
		return exitStopped
	case err != nil:
		return complain(t.stderr, err, exitFailed)
	}
	return exitSucceeded
}

func parse(args []string) (command func(context.Context, call) error, c call, err error) {
	if len(args) == 0 || commands[args[0]] == nil {
		return nil, c, fmt.Errorf("dist/operate has the commands %s, and got %q; make starts them", strings.Join(slices.Sorted(maps.Keys(commands)), ", "), strings.Join(args, " "))
	}
	set := flag.NewFlagSet(args[0], flag.ContinueOnError)
	set.SetOutput(io.Discard) // complain prints the error.
	set.Func("pipelines", "the pipelines, as `dist/app pipelines` prints them", func(text string) error {
		return json.Unmarshal([]byte(text), &c.pipelines)
	})
	set.BoolVar(&c.watch, "watch", false, "follow the pipeline until its execution ends")
	set.StringVar(&c.to, "to", "", "the release to go back to, by the beginning of its id or its commit")
	set.BoolVar(&c.yes, "yes", false, "do not ask")
	err = set.Parse(args[1:])
	ofBlogs := args[0] != "status"
	if ofBlogs {
		c.pipelines = slices.DeleteFunc(c.pipelines, func(p contract.Pipeline) bool { return p.Service != nil })
	}
	switch {
	case err != nil:
		return nil, c, err
	case set.NArg() > 0:
		return nil, c, fmt.Errorf("%q is not a flag", set.Arg(0))
	case len(c.pipelines) == 0 && ofBlogs:
		return nil, c, errors.New("there is no blog, and only blogs have releases: list one in blogs.go")
	case len(c.pipelines) == 0:
		return nil, c, errors.New("there is no pipeline: list a blog in blogs.go, or a service in services.go")
	case len(c.pipelines) > 1 && ofBlogs:
		return nil, c, fmt.Errorf("which blog? Name it: make %s BLOG=name", args[0])
	case c.watch && len(c.pipelines) > 1:
		return nil, c, errors.New("which blog or service? WATCH=1 follows one pipeline: name it with BLOG=name or SERVICE=name")
	}
	return commands[args[0]], c, nil
}

func complain(w io.Writer, err error, status int) int {
	_, _ = fmt.Fprintln(w, err) // The exit status says so, too.
	return status
}
