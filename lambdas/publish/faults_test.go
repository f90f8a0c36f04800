package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/release"
	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/functiontest"
)

const (
	toClaim     = "PutObject of the state, to claim"
	toIntend    = "PutObject of the state, to intend"
	toPutPage   = "PutObject of a page"
	toCommit    = "PutObject of the state, to commit"
	toKeepBuild = "CopyObject of the build"
	toManifest  = "PutObject of the manifest"
	toContinue  = "PutJobSuccessResult, to continue"
	ofFailure   = "PutJobFailureResult"
)

// awsCalls are the calls that the function makes.
var awsCalls = []functiontest.Call{
	{Name: "GetObject of the state", Match: functiontest.Operation("GetObject", contract.EnvReleases, contract.ReleaseState)},
	{Name: toClaim, Match: functiontest.Operation("PutObject", contract.EnvReleases, contract.ReleaseState)},
	{Name: "GetObject of the manifest", Match: functiontest.Operation("GetObject", contract.EnvReleases, contract.ReleaseManifests+"*")},
	{Name: "ListObjectsV2", Match: functiontest.Operation("ListObjectsV2", contract.EnvSiteBucket, "")},
	{Name: "GetObject of the build", Match: functiontest.Operation("GetObject", envBuilds, "")},
	{Name: toIntend, Match: functiontest.Operation("PutObject", contract.EnvReleases, contract.ReleaseState)},
	{Name: "PutObject of a style", Match: functiontest.Operation("PutObject", contract.EnvSiteBucket, "css/*")},
	{Name: toPutPage, Match: functiontest.Operation("PutObject", contract.EnvSiteBucket, "posts/*/index.html")},
	{Name: "PutObject of the home page", Match: functiontest.Operation("PutObject", contract.EnvSiteBucket, "index.html")},
	{Name: "DeleteObjects", Match: functiontest.Operation("DeleteObjects", contract.EnvSiteBucket, "")},
	{Name: toKeepBuild, Match: functiontest.Operation("CopyObject", contract.EnvReleases, contract.ReleaseArtifacts+"*")},
	{Name: toManifest, Match: functiontest.Operation("PutObject", contract.EnvReleases, contract.ReleaseManifests+"*")},
	{Name: toCommit, Match: functiontest.Operation("PutObject", contract.EnvReleases, contract.ReleaseState)},
	{Name: toContinue, Match: functiontest.Reports("codepipeline:PutJobSuccessResult", "InProgress"), Report: true},
	{Name: "PutJobSuccessResult, at the end", Match: functiontest.Reports("codepipeline:PutJobSuccessResult", "Succeeded"), Report: true},
	{Name: ofFailure, Match: functiontest.Calls("codepipeline:PutJobFailureResult"), Report: true},
}

// stateWrites says which write of the state each of these calls is.
var stateWrites = map[string]int32{toClaim: 1, toIntend: 2, toCommit: 3}

// wantEnd returns how the action must end if the fault strikes the call once, or always.
func wantEnd(c *functiontest.Case) string {
	normal := "success"
	if c.Call.Name == ofFailure {
		normal = "ConfigurationError"
	}
	processed := c.Fault.Processed()
	switch {
	case c.Fault.Again, c.Call.Report && processed, c.Call.Name == toCommit && processed:
		// A commit of which the function does not know is found by its next look.
		return normal
	case c.Call.Name == toContinue:
		// If it cannot continue, it waits in Lambda's next try.
		return normal
	case c.Always && (c.Call.Report || c.Fault.Fatal()):
		// Lambda tries three times, and CodePipeline fails the action after 20 minutes.
		return functiontest.NoReport
	case c.Call.Report, c.Call.Name == toKeepBuild:
		return normal // without the build, with a warning
	case c.Fault.Refused():
		return "PermissionError"
	case !c.Always:
		return normal
	case c.Fault.Kind == fakeaws.MalformedBody && stateWrites[c.Call.Name] > 0, c.Fault.Body != "" && c.Call.Name == toManifest:
		// S3 has written what it answers nonsense to. A second write of the state, which has
		// a condition, shows that.
		return normal
	default:
		return "SystemUnavailable"
	}
}

// tryAction publishes a second build with a fault, and then once more without it.
func tryAction(ctx context.Context, c *functiontest.Case) (outcome functiontest.Outcome, err error) {
	var armed atomic.Bool
	var writes atomic.Int32
	strike := func(call fakeaws.Call) fakeaws.Fault {
		if !armed.Load() {
			return fakeaws.Fault{}
		}
		if first := stateWrites[c.Call.Name]; first > 0 && c.Call.Match(call) && writes.Add(1) < first {
			return fakeaws.Fault{}
		}
		return c.Strike(call)
	}
	b := secondBuild
	if c.Call.Name == ofFailure {
		b = secondBuild.with(build{"index.html": ""})
	}
	timeout := 32 * time.Second
	if c.Fault.Kind == fakeaws.Hang && !c.Always {
		timeout = 40 * time.Second // S3's client waits 20 seconds for an answer
	}
	if c.Fault.Freeze {
		timeout = 16 * time.Second // for which the process is frozen
	}
	err = withSite(fakeaws.Options{Fault: strike}, timeout, func(s site) error {
		defer func() { outcome.Logs = s.Function.Logs() }()
		if err := s.put(ctx, contract.EnvSiteBucket, foreign, []byte(both[foreign])); err != nil {
			return err
		}
		if first, err := s.publish(ctx, firstBuild); err != nil || first.Ended() != "success" {
			report, _ := first.Last()
			return fmt.Errorf("the first publication: %w, %s", err, report.FailureMessage)
		}
		if c.Call.Name == toContinue {
			if err := s.lend(ctx, timeout/2); err != nil {
				return err
			}
		}
		action, err := s.start(ctx, b)
		if err != nil {
			return err
		}
		c.World, c.Redeliver = s.World, func() { action.DeliverAgain(ctx) }
		armed.Store(true)
		if err := action.Deliver(ctx); err != nil {
			return err
		}
		s.Wait()
		armed.Store(false)
		outcome.Ended = action.Ended()
		if outcome.Broken, err = s.brokenRules(ctx, action, 2); err != nil {
			return err
		}
		// There may be a second report only if an answer was lost or an event came twice.
		if n := s.ReportedTwice(); n > 0 && !c.Fault.Processed() && !c.Fault.Again && !s.MissedAnswer() {
			outcome.Broken = append(outcome.Broken, fmt.Sprintf("rule 1: %d jobs were reported twice", n))
		}
		return s.repair(ctx, &outcome)
	})
	return outcome, err
}

// lend gives the lease to another job for some time.
func (s site) lend(ctx context.Context, d time.Duration) error {
	state, err := s.state(ctx)
	if err != nil {
		return err
	}
	if err := state.Claim(release.Holder{Job: "another", Run: "1"}, time.Now(), time.Now().Add(d)); err != nil {
		return err
	}
	return s.put(ctx, contract.EnvReleases, contract.ReleaseState, []byte(contract.JSON(state)))
}

// repair publishes the second build without a fault: the bucket must then have it,
// whatever happened before.
func (s site) repair(ctx context.Context, outcome *functiontest.Outcome) error {
	again, err := s.publish(ctx, secondBuild)
	if err != nil {
		return err
	}
	report, _ := again.Last()
	if again.Ended() != "success" {
		outcome.Broken = append(outcome.Broken, fmt.Sprintf("the next publication ended as %s: %s", again.Ended(), report.FailureMessage))
		return nil
	}
	files, err := s.files(ctx, contract.EnvSiteBucket)
	if err != nil {
		return err
	}
	if differs := files.differs(both); differs != "" {
		outcome.Broken = append(outcome.Broken, "after the next publication "+differs)
	}
	if outcome.Ended == "success" && report.OutputVariables["Put"] != "0" {
		outcome.Broken = append(outcome.Broken, "the next publication of the same build put "+report.OutputVariables["Put"]+" files")
	}
	return nil
}

// TestFaultMatrix strikes every call that the function makes with every fault, once
// and always, and checks the rules that never bend and how the action ends.
func TestFaultMatrix(t *testing.T) {
	functiontest.Matrix{Name: "lambdas/publish", Calls: awsCalls, Faults: functiontest.Faults, Run: tryAction, Want: wantEnd}.Test(t)
}

// A process that is frozen has its lease until Lambda ends it, at most. The next try then
// publishes.
func TestFreezes(t *testing.T) {
	var running sync.WaitGroup
	for _, call := range awsCalls {
		for _, fault := range functiontest.Freezes {
			if call.Name != toIntend && call.Name != toCommit && call.Name != toPutPage {
				continue
			}
			running.Go(func() {
				outcome, err := tryAction(t.Context(), &functiontest.Case{Call: call, Fault: fault})
				if err != nil || outcome.Ended != "success" || len(outcome.Broken) > 0 {
					t.Errorf("%s, %s: ended as %s, %v, %q, want success\n%s", call.Name, fault.Name, outcome.Ended, err, outcome.Broken, outcome.Logs)
				}
			})
		}
	}
	running.Wait()
}
