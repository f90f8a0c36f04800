package iampolicy

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
)

//go:embed simulate.mjs
var script string

// Evaluator is a Node.js process that evaluates policies until it is closed. It is safe for concurrent use, and runs
// one evaluation at a time.
type Evaluator struct {
	cancel  context.CancelFunc
	stopped func() error // returns an error after the process was told to stop
	cmd     *exec.Cmd
	stdin   io.WriteCloser
	stderr  bytes.Buffer // written by cmd until Wait has returned

	mu      sync.Mutex // held during a request and its answer
	answers *json.Decoder
	broken  error // why no further evaluation is possible

	wait func() error // cmd.Wait, which it calls once
}

// Start starts the node that is on PATH. The process ends with Close or when ctx is done.
//
// Node.js looks for iam-simulate in the working directory and in the folders above it. The program must therefore run
// inside the project, where `npm ci` has installed iam-simulate.
func Start(ctx context.Context) (*Evaluator, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, fmt.Errorf("start policy evaluator: %w: run `make build` (or `npm ci`, and put node_modules/.bin on PATH)", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	e := &Evaluator{cancel: cancel, stopped: ctx.Err}
	// The script is an argument, because the standard input has the requests. Imports of a script after --eval are
	// resolved from the working directory. A script in a temporary folder would not find node_modules.
	e.cmd = exec.CommandContext(ctx, node, "--input-type=module", "--eval", script)
	e.cmd.Stderr = &e.stderr
	e.wait = sync.OnceValue(e.cmd.Wait)
	stdout, err := e.cmd.StdoutPipe()
	if err != nil {
		cancel()
		return nil, fmt.Errorf("start policy evaluator: %w", err)
	}
	e.answers = json.NewDecoder(stdout)
	if e.stdin, err = e.cmd.StdinPipe(); err != nil {
		cancel()
		return nil, fmt.Errorf("start policy evaluator: %w", err)
	}
	if err := e.cmd.Start(); err != nil {
		cancel()
		return nil, fmt.Errorf("start policy evaluator: %w", err)
	}
	return e, nil
}

// Evaluate is the package's [Evaluate] in the evaluator's process. If ctx is done before the answer, Evaluate stops the
// process, and later calls fail.
func (e *Evaluator) Evaluate(ctx context.Context, policies []json.RawMessage, requests []Request) ([]Decision, error) {
	for i, p := range policies {
		// Marshal would return an error, too, but would not name the policy.
		if !json.Valid(p) {
			return nil, fmt.Errorf("evaluate policies: policy %d is not JSON: %.60s", i, p)
		}
	}
	for _, r := range requests {
		if r.ResourcePolicy != nil && !json.Valid(r.ResourcePolicy) {
			return nil, fmt.Errorf("evaluate policies: %s on %s: resource policy is not JSON: %.60s", r.Action, r.Resource, r.ResourcePolicy)
		}
	}
	verdicts, err := e.exchange(ctx, policies, requests)
	if err != nil {
		return nil, fmt.Errorf("evaluate policies: %w", err)
	}
	if len(verdicts) != len(requests) {
		return nil, fmt.Errorf("evaluate policies: got %d decisions for %d requests", len(verdicts), len(requests))
	}
	decisions := make([]Decision, len(requests))
	for i, v := range verdicts {
		if decisions[i], err = v.decision(requests[i]); err != nil {
			return nil, fmt.Errorf("evaluate policies: %w", err)
		}
	}
	return decisions, nil
}

// exchange sends a line to the process and reads the answer.
func (e *Evaluator) exchange(ctx context.Context, policies []json.RawMessage, requests []Request) ([]verdict, error) {
	if policies == nil {
		policies = []json.RawMessage{} // A nil slice would be null in JavaScript.
	}
	if requests == nil {
		requests = []Request{}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.broken != nil {
		return nil, e.broken
	}
	// If ctx is done, the process stops, because a line may be half written or an answer unread. That also ends a blocked
	// write or read.
	stop := context.AfterFunc(ctx, e.cancel)
	defer stop()

	line := struct {
		Policies []json.RawMessage `json:"policies"`
		Requests []Request         `json:"requests"`
	}{policies, requests}
	err := json.NewEncoder(e.stdin).Encode(line)
	var answer struct {
		Decisions []verdict
		Error     string
	}
	if err == nil {
		err = e.answers.Decode(&answer)
	}
	if err != nil {
		e.broken = e.died(ctx, err)
		return nil, e.broken
	}
	if answer.Error != "" {
		return nil, errors.New(answer.Error)
	}
	return answer.Decisions, nil
}

// died returns the reason why the process does not answer. pipe is the error of its pipes, which is seldom the cause.
func (e *Evaluator) died(ctx context.Context, pipe error) error {
	stopped := e.stopped()
	e.cancel()
	exit := e.wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if stopped != nil {
		return stopped
	}
	if exit == nil {
		exit = pipe
	}
	return e.explain(exit)
}

// explain adds the process's standard error to an error. The process must have ended.
func (e *Evaluator) explain(exit error) error {
	stderr := strings.TrimSpace(e.stderr.String())
	if strings.Contains(stderr, "ERR_MODULE_NOT_FOUND") && strings.Contains(stderr, "@cloud-copilot/iam-simulate") {
		return errors.New("npm package @cloud-copilot/iam-simulate is not installed in this folder or above: run `make build` (or `npm ci`) in the project")
	}
	if stderr == "" {
		return fmt.Errorf("node ended: %w", exit)
	}
	return fmt.Errorf("node ended: %w: %s", exit, stderr)
}

// Close ends the process and waits for its end. A running evaluation finishes first.
func (e *Evaluator) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	defer e.cancel()
	if e.broken != nil {
		return nil // The process has ended, and Evaluate has returned the error.
	}
	e.broken = errors.New("evaluator is closed")
	// The script ends at the end of its input.
	if err := e.stdin.Close(); err != nil {
		return fmt.Errorf("close policy evaluator: %w", err)
	}
	if err := e.wait(); err != nil && e.stopped() == nil {
		return fmt.Errorf("close policy evaluator: %w", e.explain(err))
	}
	return nil
}

// Evaluate returns the decisions for the requests under a role's identity policies. It starts a Node.js process, which
// takes about 0.1 s. Use [Start] for several calls.
//
// Evaluate returns an error, and not a denial, for an invalid policy, for an action that IAM does not have (in a
// request or written out in a policy), for an ARN that the action does not support, and for a condition key that the
// action does not have.
func Evaluate(ctx context.Context, policies []json.RawMessage, requests []Request) ([]Decision, error) {
	e, err := Start(ctx)
	if err != nil {
		return nil, err
	}
	decisions, err := e.Evaluate(ctx, policies, requests)
	return decisions, errors.Join(err, e.Close())
}
