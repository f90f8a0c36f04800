package main

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/functiontest"
)

// awsCalls are the calls that the function makes.
var awsCalls = []functiontest.Call{
	{Name: toTakeOn, Match: functiontest.Calls("sts:AssumeRole")},
	{Name: "CreateInvalidation", Match: functiontest.Calls("cloudfront:CreateInvalidation")},
	{Name: "GetInvalidation", Match: functiontest.Calls("cloudfront:GetInvalidation")},
	{Name: toContinue, Match: functiontest.Reports("codepipeline:PutJobSuccessResult", "InProgress"), Report: true},
	{Name: "PutJobSuccessResult, at the end", Match: functiontest.Reports("codepipeline:PutJobSuccessResult", "Succeeded"), Report: true},
	{Name: ofFailure, Match: functiontest.Calls("codepipeline:PutJobFailureResult"), Report: true},
}

const (
	toTakeOn   = "AssumeRole"
	toContinue = "PutJobSuccessResult, to continue"
	ofFailure  = "PutJobFailureResult"
)

// wantEnd is how the action must end if the fault strikes the call once, or always.
func wantEnd(c *functiontest.Case) string {
	normal := "success"
	if c.Call.Name == ofFailure {
		normal = "ConfigurationError"
	}
	switch {
	case c.Fault.Again, c.Call.Report && c.Fault.Processed():
		return normal
	case !c.Call.Report && c.Fault.Refused():
		return "PermissionError"
	case !c.Always, c.Call.Name == toContinue:
		// Where it cannot continue, Lambda's next try finds the invalidation completed.
		return normal
	case c.Call.Report, c.Fault.Fatal():
		// Nothing gets through: Lambda tries three times, and CodePipeline fails the
		// action after 20 minutes.
		return "no report"
	case c.Call.Name == "CreateInvalidation", c.Call.Name == toTakeOn:
		return "SystemUnavailable"
	default:
		return "JobFailed" // late
	}
}

// tryAction runs one action in which the fault strikes.
func tryAction(ctx context.Context, c *functiontest.Case) (functiontest.Outcome, error) {
	s := scenario{
		cloud: fakeaws.Options{Fault: c.Strike},
		edge:  fakeaws.Distribution{ID: distribution, CompleteAfter: 400 * time.Millisecond},
		started: func(d *delivery) {
			c.World, c.Redeliver = d.World, func() { d.again(ctx) }
		},
	}
	if c.Call.Name == toTakeOn {
		s.role = edgeRole
	}
	if c.Call.Name == ofFailure {
		s.params = strings.Replace(params, distribution, "E1NOTTHERE0000", 1)
	}
	if c.Always {
		// Whether CodePipeline keeps a job's id is not documented: half the cases each.
		s.keepJobID = !c.Fault.Again
		s.env = map[string]string{"DEADLINE": "1500ms"}
	}
	if c.Always && c.Fault.Fatal() && !c.Call.Report {
		// Else a retry on a slow machine finds it completed, and asks no more.
		s.edge.CompleteAfter = time.Hour
	}
	d, err := s.deliver(ctx)
	if err != nil {
		return functiontest.Outcome{}, err
	}
	broken := d.brokenRules(s.edge)
	// Only an answer that was lost, or an event that came twice, excuses a second report.
	if n := d.reportedTwice(); n > 0 && !c.Fault.Processed() && !c.Fault.Again {
		broken = append(broken, fmt.Sprintf("rule 1: %d jobs were reported twice", n))
	}
	// A process that dies each time has no time left to count.
	ended := d.outcome()
	if failed := ended != "success" && ended != "no report"; failed && (!c.Fault.Fatal() || !c.Always) && !strings.Contains(d.Function.Logs(), `"InvalidationFailed":1`) {
		broken = append(broken, "a failure was not counted")
	}
	return functiontest.Outcome{Ended: ended, Broken: broken, Logs: d.Function.Logs()}, nil
}

// TestFaultMatrix strikes every call that the function makes with every fault, once
// and always, and checks the rules that never bend and how the action ends.
func TestFaultMatrix(t *testing.T) {
	functiontest.Matrix{Name: "lambdas/invalidate", Calls: awsCalls, Faults: functiontest.Faults, Run: tryAction, Want: wantEnd}.Test(t)
}
