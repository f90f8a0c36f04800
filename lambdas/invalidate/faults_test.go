package main

import (
	"context"
	"fmt"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
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

	// Those of a blog whose releases the function knows.
	{Name: toLoad, Match: functiontest.Operation("GetObject", contract.EnvReleases, contract.ReleaseState)},
	{Name: toList, Match: functiontest.Operation("GetObject", contract.EnvReleases, contract.ReleaseManifests+"*")},
	{Name: toCreateChanged, Match: functiontest.Calls("cloudfront:CreateInvalidation")},
	{Name: toAskChanged, Match: functiontest.Calls("cloudfront:GetInvalidation")},
	{Name: toLookState, Match: functiontest.Operation("GetObject", contract.EnvReleases, contract.ReleaseState)},
	{Name: toLookList, Match: functiontest.Operation("GetObject", contract.EnvReleases, contract.ReleaseManifests+"*")},
	{Name: toLoadAgain, Match: functiontest.Operation("GetObject", contract.EnvReleases, contract.ReleaseState)},
	{Name: toNote, Match: functiontest.Operation("PutObject", contract.EnvReleases, contract.ReleaseState)},
	{Name: toReportChanged, Match: functiontest.Reports("codepipeline:PutJobSuccessResult", "Succeeded"), Report: true},
}

const (
	toAssume   = "AssumeRole"
	toAsk      = "GetInvalidation"
	toContinue = "PutJobSuccessResult, to continue"
	ofFailure  = "PutJobFailureResult"

	toLoad          = "GetObject of the state"
	toList          = "GetObject of the manifest"
	toCreateChanged = "CreateInvalidation of what has changed"
	toAskChanged    = "GetInvalidation of what has changed"
	toLookState     = "GetObject of the state, to look at the blog"
	toLookList      = "GetObject of the manifest, to look at the blog"
	toLoadAgain     = "GetObject of the state, to note"
	toNote          = "PutObject of the state, to note"
	toReportChanged = "PutJobSuccessResult, about what has changed"
)

// ofReleases has the calls for a blog whose releases the function knows, and says whether
// S3 answers them.
var ofReleases = map[string]bool{
	toLoad: true, toList: true, toLookState: true, toLookList: true, toLoadAgain: true, toNote: true,
	toCreateChanged: false, toAskChanged: false, toReportChanged: false,
}

// isLook has the calls of a function that looks at the blog afterwards.
var isLook = map[string]bool{toLookState: true, toLookList: true}

// wantEnd returns how the action must end if the fault strikes the call once, or always.
func wantEnd(c *functiontest.Case) string {
	normal := "success"
	if c.Call.Name == ofFailure {
		normal = "ConfigurationError"
	}
	// A note that was written although the process has ended needs no other one.
	isNote, isNoted := isLook[c.Call.Name] || c.Call.Name == toLoadAgain || c.Call.Name == toNote, c.Call.Name == toNote && c.Fault.Processed()
	switch {
	case c.Fault.Again, c.Call.Report && c.Fault.Processed():
		return normal
	case isNote && (!c.Always || !c.Fault.Fatal() || isNoted):
		return normal // readers have the new pages
	case !c.Call.Report && c.Fault.Refused():
		return "PermissionError"
	case !c.Always, c.Call.Name == toContinue:
		// If it cannot continue, Lambda's next try finds the invalidation completed.
		return normal
	case c.Call.Report, c.Fault.Fatal():
		// Lambda tries three times, and CodePipeline fails the action after 20 minutes.
		return functiontest.NoReport
	case c.Call.Name == "CreateInvalidation", c.Call.Name == toAssume, c.Call.Name == toCreateChanged, ofReleases[c.Call.Name]:
		return "SystemUnavailable"
	default:
		return "JobFailed" // late
	}
}

// tryAction runs one action in which the fault strikes.
func tryAction(ctx context.Context, c *functiontest.Case) (functiontest.Outcome, error) {
	var loads atomic.Int32
	strike := func(call fakeaws.Call) fakeaws.Fault {
		if (c.Call.Name == toLoadAgain || isLook[c.Call.Name]) && c.Call.Match(call) && loads.Add(1) == 1 {
			return fakeaws.Fault{} // the first one is to find what has changed
		}
		return c.Strike(call)
	}
	s := scenario{
		cloud: fakeaws.Options{Fault: strike},
		edge:  fakeaws.Distribution{ID: distribution, CompleteAfter: 400 * time.Millisecond},
		started: func(d *functiontest.Action) {
			c.World, c.Redeliver = d.World, func() { d.DeliverAgain(ctx) }
		},
	}
	ofS3, changed := ofReleases[c.Call.Name]
	if changed {
		s.touched = []string{"main.css", "a/index.html"}
	}
	if ofS3 {
		s.timeout = 40 * time.Second // an answer that does not come is given up after 20 seconds
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
	if isLook[c.Call.Name] {
		server := httptest.NewServer(newSite(blogKeys...))
		defer server.Close()
		s.env = maps.Clone(s.env)
		if s.env == nil {
			s.env = map[string]string{}
		}
		s.env[contract.EnvVerify], s.env[contract.EnvVerifyAt] = "https://example.com", server.Listener.Addr().String()
	}
	switch c.Call.Name {
	case toContinue:
		s.edge.CompleteAfter = functiontest.Soon
		s.env = functiontest.OneCall
	case toAsk, toAskChanged:
		s.edge.CompleteAfterGets = 1 // a slow machine would not have to ask
	}
	if c.Always && c.Fault.Fatal() && !c.Call.Report && !ofS3 {
		// Otherwise a retry on a slow machine finds the invalidation completed, and makes no
		// more calls.
		s.edge.CompleteAfter = time.Hour
	}
	var broken []string
	if changed {
		s.ended = func(d *functiontest.Action) (err error) {
			broken, err = checkLeft(ctx, d, len(s.touched))
			return err
		}
	}
	d, err := s.deliver(ctx)
	if err != nil {
		return functiontest.Outcome{}, err
	}
	broken = append(broken, brokenRules(d, s.edge)...)
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

// checkLeft checks that what has changed stays to be cleared exactly until CloudFront has
// cleared it.
func checkLeft(ctx context.Context, d *functiontest.Action, touched int) (broken []string, err error) {
	state, err := releasesOf(d.World).Load(ctx)
	if err != nil {
		return nil, err
	}
	completed := slices.ContainsFunc(d.Cloud.Invalidations(distribution), func(i fakeaws.Invalidation) bool { return i.Status == "Completed" })
	warned := strings.Contains(d.Function.Logs(), "could not be noted")
	switch left := len(state.Touched); {
	case left == 0 && !completed, left != 0 && left != touched:
		return []string{fmt.Sprintf("%d of %d files are still to be cleared, and CloudFront has not cleared the others", left, touched)}, nil
	case left > 0 && d.Ended() == "success" && !warned:
		return []string{"success, and what was cleared was not noted"}, nil
	}
	return nil, nil
}

// TestFaultMatrix strikes every call that the function makes with every fault, once
// and always, and checks the rules that never bend and how the action ends.
func TestFaultMatrix(t *testing.T) {
	functiontest.Matrix{Name: "lambdas/invalidate", Calls: awsCalls, Faults: functiontest.Faults, Run: tryAction, Want: wantEnd}.Test(t)
}
