package main

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/functiontest"
)

// directly asks the compiled function for the blog directly.
func directly(ctx context.Context, w *functiontest.World, d contract.Direct, onEvent func([]byte)) (functiontest.Asked, error) {
	d.UserParameters = parameters(distribution)
	return w.Ask(ctx, d, onEvent)
}

// withChanges opens a world of a blog with two files that have changed.
func withChanges(ctx context.Context, cloud fakeaws.Options, env map[string]string, timeout time.Duration, work func(*functiontest.World) error) error {
	setup := functiontest.Setup{
		Binary: binary, Name: "invalidate", Cloud: cloud, Buckets: []string{contract.EnvReleases}, Timeout: timeout,
		Distributions: []fakeaws.Distribution{{ID: distribution, CompleteAfter: functiontest.Soon}}, Env: []map[string]string{env},
	}
	return functiontest.With(setup, func(w *functiontest.World) error {
		if err := publish(ctx, w, "main.css", "feed.xml"); err != nil {
			return err
		}
		return work(w)
	})
}

// The owner's command looks, which changes nothing, and then clears.
func TestBinaryAnswersDirectly(t *testing.T) {
	err := withChanges(t.Context(), fakeaws.Options{}, nil, 0, func(w *functiontest.World) error {
		look, err := directly(t.Context(), w, contract.Direct{DryRun: true, Touched: []string{"a/index.html"}}, nil)
		if err != nil || look.Answer.Clearing == nil || look.Answer.Clearing.Items != 3 || w.Count(functiontest.Calls("cloudfront:CreateInvalidation")) != 0 {
			t.Errorf("a look answers %+v, %v", look.Answer, err)
		}
		got, err := directly(t.Context(), w, contract.Direct{Job: "back-1"}, nil)
		if err != nil || got.Ended() != "success" || !strings.HasPrefix(got.Answer.Summary, "Cleared 2 items") || got.Answer.Variables["Release"] != releaseID {
			t.Errorf("answered %+v, %v, want two items to be cleared", got.Answer, err)
		}
		record := got.Record(false)
		record.Distributions, record.Success = []fakeaws.Distribution{{ID: distribution}}, time.Now()
		if broken := w.BrokenRules(record); len(broken) > 0 {
			t.Error(broken)
		}
		if n := w.Count(functiontest.Calls("codepipeline:PutJobSuccessResult")); n > 0 {
			t.Errorf("sent %d reports to CodePipeline", n)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// directCalls are the calls of a direct request.
var directCalls = []functiontest.Call{
	{Name: toLoad, Match: functiontest.Operation("GetObject", contract.EnvReleases, contract.ReleaseState)},
	{Name: toList, Match: functiontest.Operation("GetObject", contract.EnvReleases, contract.ReleaseManifests+"*")},
	{Name: toCreateChanged, Match: functiontest.Calls("cloudfront:CreateInvalidation")},
	{Name: toAskChanged, Match: functiontest.Calls("cloudfront:GetInvalidation")},
	{Name: toNote, Match: functiontest.Operation("PutObject", contract.EnvReleases, contract.ReleaseState)},
}

// tryDirect asks with a fault, and then once more without it: the cache must then be clear.
func tryDirect(ctx context.Context, c *functiontest.Case) (outcome functiontest.Outcome, err error) {
	var armed atomic.Bool
	armed.Store(true)
	strike := func(call fakeaws.Call) fakeaws.Fault {
		if !armed.Load() {
			return fakeaws.Fault{}
		}
		return c.Strike(call)
	}
	env := map[string]string{contract.EnvDeadline: "3s"}
	err = withChanges(ctx, fakeaws.Options{Fault: strike}, env, 0, func(w *functiontest.World) error {
		defer func() { outcome.Logs = w.Function.Logs() }()
		var event []byte
		c.World, c.Redeliver = w, func() { w.Again(ctx, event) }
		got, err := directly(ctx, w, contract.Direct{Job: "back-1"}, func(e []byte) { event = e })
		if err != nil {
			return err
		}
		w.Wait()
		armed.Store(false)
		outcome.Ended = got.Ended()
		record := got.Record(c.Fault.Fatal())
		record.Distributions = []fakeaws.Distribution{{ID: distribution}}
		outcome.Broken = w.BrokenRules(record)

		again, err := directly(ctx, w, contract.Direct{Job: "back-2"}, nil)
		if err != nil {
			return err
		}
		state, err := releasesOf(w).Load(ctx)
		if err != nil {
			return err
		}
		if again.Ended() != "success" || len(state.Touched) > 0 || len(w.Cloud.Invalidations(distribution)) == 0 {
			outcome.Broken = append(outcome.Broken, fmt.Sprintf("the command run again ended as %s, %s, and %v is left to be cleared", again.Ended(), again.Answer.Message, state.Touched))
		}
		return nil
	})
	return outcome, err
}

// wantDirectEnd returns how the request must end if the fault strikes the call once, or
// always.
func wantDirectEnd(c *functiontest.Case) string {
	isNoted := c.Call.Name == toNote && c.Fault.Processed()
	switch {
	case c.Fault.Again, !c.Always && !c.Fault.Refused(), isNoted:
		return "success"
	case c.Fault.Fatal() && c.Call.Name == toAskChanged:
		return "success" // the next call is told when it creates the invalidation again
	case c.Fault.Fatal():
		return functiontest.NoReport
	case c.Call.Name == toNote:
		return "success" // readers have the new pages
	case c.Fault.Refused():
		return "PermissionError"
	case c.Call.Name == toAskChanged:
		return "JobFailed" // late
	default:
		return "SystemUnavailable"
	}
}

// TestDirectFaultMatrix strikes the clearing that a rollback asks for, once and always. The
// next request clears what is left.
func TestDirectFaultMatrix(t *testing.T) {
	functiontest.Matrix{Name: "lambdas/invalidate, asked directly", Calls: directCalls, Faults: functiontest.FewFaults(), Run: tryDirect, Want: wantDirectEnd}.Test(t)
}
