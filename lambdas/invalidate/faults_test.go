package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"text/tabwriter"
	"time"

	"blog-deploy-pipeline/rehearse/fakeaws"
)

// awsCall is one of the calls that the function makes.
type awsCall struct {
	name  string
	match func(fakeaws.Call) bool
	// refused makes the function report a failure, in whose way the fault then is.
	refused bool
}

var awsCalls = []awsCall{
	{name: "CreateInvalidation", match: func(c fakeaws.Call) bool { return c.Action == "cloudfront:CreateInvalidation" }},
	{name: "GetInvalidation", match: func(c fakeaws.Call) bool { return c.Action == "cloudfront:GetInvalidation" }},
	{name: "PutJobSuccessResult, to continue", match: func(c fakeaws.Call) bool {
		return c.Action == "codepipeline:PutJobSuccessResult" && c.Status == "InProgress"
	}},
	{name: "PutJobSuccessResult, at the end", match: func(c fakeaws.Call) bool {
		return c.Action == "codepipeline:PutJobSuccessResult" && c.Status == "Succeeded"
	}},
	{name: "PutJobFailureResult", match: func(c fakeaws.Call) bool { return c.Action == "codepipeline:PutJobFailureResult" }, refused: true},
}

func (c awsCall) isReport() bool { return strings.HasPrefix(c.name, "PutJob") }

// fault is something that goes wrong with a call.
type fault struct {
	name string
	kind fakeaws.FaultKind
	kill bool // the process dies at that moment
	body string
	// again has the event delivered a second time at that moment.
	again bool
}

var faults = []fault{
	{name: "throttled", kind: fakeaws.Throttle},
	{name: "error 500", kind: fakeaws.ServerError},
	{name: "access denied", kind: fakeaws.AccessDenied},
	{name: "connection reset", kind: fakeaws.ConnectionReset},
	{name: "no answer", kind: fakeaws.Hang},
	{name: "answer cut off", kind: fakeaws.MalformedBody},
	{name: "answer of nonsense", kind: fakeaws.MalformedBody, body: "no tag"},
	{name: "killed before", kind: fakeaws.Before, kill: true},
	{name: "killed after", kind: fakeaws.After, kill: true},
	{name: "delivered twice", again: true},
}

// outcome is how the action must end if the fault strikes the call once, or always.
func outcome(c awsCall, f fault, always bool) string {
	normal := "success"
	if c.refused {
		normal = "ConfigurationError"
	}
	// The call itself was processed; only its answer is lost.
	processed := f.kind == fakeaws.MalformedBody || f.kind == fakeaws.After
	switch {
	case f.again, c.isReport() && processed:
		return normal
	case !c.isReport() && f.kind == fakeaws.AccessDenied:
		return "PermissionError"
	case !always, c.name == "PutJobSuccessResult, to continue":
		// Where it cannot continue, Lambda's next try finds the invalidation completed.
		return normal
	case c.isReport(), f.kill:
		// Nothing gets through: Lambda tries three times, and CodePipeline fails the
		// action after 20 minutes.
		return "no report"
	case c.name == "CreateInvalidation":
		return "SystemUnavailable"
	default:
		return "JobFailed" // late
	}
}

type matrixCase struct {
	call   awsCall
	fault  fault
	always bool
}

func (c matrixCase) name() string {
	if c.always {
		return c.call.name + "/" + c.fault.name + "/always"
	}
	return c.call.name + "/" + c.fault.name + "/once"
}

type matrixResult struct {
	outcome string
	broken  []string
	struck  int32 // how often the fault struck
	logs    string
	err     error
}

// run runs one action in which the fault strikes.
func (c matrixCase) run(ctx context.Context) (r matrixResult) {
	var struck atomic.Int32
	var d *delivery
	s := scenario{
		edge:    fakeaws.Distribution{ID: distribution, CompleteAfter: 400 * time.Millisecond},
		started: func(early *delivery) { d = early },
	}
	if c.call.refused {
		s.params = `{"PipelineName":"my-blog","DistributionId":"E1NOTTHERE0000"}`
	}
	if c.always {
		// Whether CodePipeline keeps a job's id is not documented: half the cases each.
		s.keepJobID = !c.fault.again
		s.env = map[string]string{"DEADLINE": "1500ms"}
	}
	s.cloud.Fault = func(call fakeaws.Call) fakeaws.Fault {
		if !c.call.match(call) || struck.Load() > 0 && !c.always {
			return fakeaws.Fault{}
		}
		struck.Add(1)
		if c.fault.again {
			if struck.Load() == 1 { // always would be for ever
				d.again(ctx)
			}
			return fakeaws.Fault{}
		}
		f := fakeaws.Fault{Kind: c.fault.kind, Body: c.fault.body}
		if c.fault.kill {
			f.Do = d.function.Kill
		}
		return f
	}
	d, err := s.deliver(ctx)
	if err != nil {
		return matrixResult{err: err}
	}
	broken := d.brokenRules(s.edge)
	// Only an answer that was lost, or an event that came twice, excuses a second report.
	lost := c.fault.kind == fakeaws.MalformedBody || c.fault.kind == fakeaws.After || c.fault.again
	if n := d.reportedTwice(); n > 0 && !lost {
		broken = append(broken, fmt.Sprintf("rule 1: %d jobs were reported twice", n))
	}
	return matrixResult{outcome: d.outcome(), broken: broken, struck: struck.Load(), logs: d.function.Logs()}
}

// TestFaultMatrix strikes every call that the function makes with every fault, once
// and always, and checks the rules that never bend and how the action ends.
func TestFaultMatrix(t *testing.T) {
	var cases []matrixCase
	for _, c := range awsCalls {
		for _, f := range faults {
			cases = append(cases, matrixCase{c, f, false}, matrixCase{c, f, true})
		}
	}
	// The cases wait for the network nearly all of the time.
	results := make([]matrixResult, len(cases))
	var running sync.WaitGroup
	places := make(chan struct{}, 16)
	for i, c := range cases {
		running.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			results[i] = c.run(t.Context())
		})
	}
	running.Wait()

	table := map[string][]string{}
	for i, c := range cases {
		r, want := results[i], outcome(c.call, c.fault, c.always)
		var wrong []string
		switch {
		case r.err != nil:
			wrong = append(wrong, r.err.Error())
		case r.struck == 0:
			wrong = append(wrong, "the fault never struck")
		case r.outcome != want:
			wrong = append(wrong, fmt.Sprintf("ended as %s, want %s", r.outcome, want))
		}
		wrong = append(wrong, r.broken...)
		t.Run(c.name(), func(t *testing.T) {
			for _, w := range wrong {
				t.Error(w)
			}
			if t.Failed() {
				t.Log(r.logs)
			}
		})
		cell := cmp.Or(r.outcome, "error")
		if len(wrong) > 0 {
			cell = "BROKEN"
		}
		table[c.call.name+"\t"+c.fault.name] = append(table[c.call.name+"\t"+c.fault.name], cell)
	}
	if err := printTable(os.Stdout, cases, table); err != nil {
		t.Errorf("print table: %v", err)
	}
}

func printTable(w io.Writer, cases []matrixCase, table map[string][]string) error {
	var text strings.Builder
	fmt.Fprintf(&text, "\nFault matrix of lambdas/invalidate: %d calls × %d faults × 2 = %d cases\n\n", len(awsCalls), len(faults), len(cases))
	fmt.Fprintln(&text, "call\tfault\tonce: the action ends as\talways")
	var rows []string
	for _, c := range cases {
		key := c.call.name + "\t" + c.fault.name
		if row := key + "\t" + strings.Join(table[key], "\t"); !slices.Contains(rows, row) {
			rows = append(rows, row)
			fmt.Fprintln(&text, row)
		}
	}
	fmt.Fprintln(&text)

	columns := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	if _, err := io.WriteString(columns, text.String()); err != nil {
		return err
	}
	return columns.Flush()
}
