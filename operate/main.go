// Command operate asks AWS about what the app has deployed: `make status`. It uses the owner's AWS credentials, as the CDK
// CLI does.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
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
	status := run(ctx, os.Args[1:], terminal{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, sleep: sleep})
	stop()
	os.Exit(status)
}

// sleep waits for some time, or until ctx is done.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// commands holds what operate does, by the first argument.
var commands = map[string]func(context.Context, call) error{
	"status": showStatus,
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
		return nil, c, fmt.Errorf("dist/operate has the command status, and got %q; `make status` starts it", strings.Join(args, " "))
	}
	set := flag.NewFlagSet(args[0], flag.ContinueOnError)
	set.SetOutput(io.Discard) // complain prints the error.
	set.Func("pipelines", "the pipelines, as `dist/app pipelines` prints them", func(text string) error {
		return json.Unmarshal([]byte(text), &c.pipelines)
	})
	set.BoolVar(&c.watch, "watch", false, "follow the pipeline until its execution ends")
	switch err := set.Parse(args[1:]); {
	case err != nil:
		return nil, c, err
	case set.NArg() > 0:
		return nil, c, fmt.Errorf("%q is not a flag", set.Arg(0))
	case len(c.pipelines) == 0:
		return nil, c, errors.New("there is no pipeline: list a blog in blogs.go, or a service with a pipeline in services.go")
	case c.watch && len(c.pipelines) > 1:
		return nil, c, errors.New("which blog or service? WATCH=1 follows one pipeline: name it with BLOG=name or SERVICE=name")
	}
	return commands[args[0]], c, nil
}

func complain(w io.Writer, err error, status int) int {
	_, _ = fmt.Fprintln(w, err) // The exit status says so, too.
	return status
}
