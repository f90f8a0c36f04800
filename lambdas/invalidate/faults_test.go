package main

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/functiontest"
)

// awsCalls are the calls that the function makes.
var awsCalls = []functiontest.Call{
	{Name: toAssume, Match: functiontest.Calls("sts:AssumeRole")},
	{Name: "CreateInvalidation", Match: functiontest.Calls("cloudfront:CreateInvalidation")},
	{Name: toAsk, Match: functiontest.Calls("cloudfront:GetInvalidation")},
	{Name: toContinue, Match: functiontest.Reports("codepipeline:PutJobSuccessResult", "InProgress"), Report: true},
	{Name: "PutJobSuccessResult, at the end", Match: functiontest.Reports("codepipeline:PutJobSuccessResult", "Succeeded"), Report: true},
	{Name: ofFailure, Match: functiontest.Calls("codepipeline:PutJobFailureResult"), Report: true},
}

const (
	toAssume   = "AssumeRole"
	toAsk      = "GetInvalidation"
	toContinue = "PutJobSuccessResult, to continue"
	ofFailure  = "PutJobFailureResult"
)

// wantEnd returns how the action must end if the fault strikes the call once, or always.
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
		// If it cannot continue, Lambda's next try finds the invalidation completed.
		return normal
	case c.Call.Report, c.Fault.Fatal():
		// Lambda tries three times, and CodePipeline fails the action after 20 minutes.
		return functiontest.NoReport
	case c.Call.Name == "CreateInvalidation", c.Call.Name == toAssume:
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
		started: func(d *functiontest.Action) {
			c.World, c.Redeliver = d.World, func() { d.DeliverAgain(ctx) }
		},
	}
	if c.Call.Name == toAssume {
		s.role = edgeRole
	}
	if c.Call.Name == ofFailure {
		s.params = parameters("E1NOTTHERE0000")
	}
	if c.Always {
		// AWS does not document whether CodePipeline keeps a job's id, so half of the cases
		// have each.
		s.keepJobID = !c.Fault.Again
		s.env = map[string]string{contract.EnvDeadline: "1500ms"}
	}
	switch c.Call.Name {
	case toContinue:
		s.edge.CompleteAfter = functiontest.Soon
		s.env = functiontest.OneCall
	case toAsk:
		s.edge.CompleteAfterGets = 1 // a slow machine would not have to ask
	}
	if c.Always && c.Fault.Fatal() && !c.Call.Report {
		// Otherwise a retry on a slow machine finds the invalidation completed, and makes no
		// more calls.
		s.edge.CompleteAfter = time.Hour
	}
	d, err := s.deliver(ctx)
	if err != nil {
		return functiontest.Outcome{}, err
	}
	broken := brokenRules(d, s.edge)
	// There may be a second report only if an answer was lost or an event came twice.
	if n := d.ReportedTwice(); n > 0 && !c.Fault.Processed() && !c.Fault.Again && !d.MissedAnswer() {
		broken = append(broken, fmt.Sprintf("rule 1: %d jobs were reported twice", n))
	}
	// A process that dies each time cannot count.
	ended := d.Ended()
	if failed := ended != "success" && ended != functiontest.NoReport; failed && (!c.Fault.Fatal() || !c.Always) && !strings.Contains(d.Function.Logs(), `"`+contract.MetricFailed+`":1`) {
		broken = append(broken, "a failure was not counted")
	}
	return functiontest.Outcome{Ended: ended, Broken: broken, Logs: d.Function.Logs()}, nil
}

// TestFaultMatrix strikes every call that the function makes with every fault, once
// and always, and checks the rules that never bend and how the action ends.
func TestFaultMatrix(t *testing.T) {
	functiontest.Matrix{Name: "lambdas/invalidate", Calls: awsCalls, Faults: functiontest.Faults, Run: tryAction, Want: wantEnd}.Test(t)
}
