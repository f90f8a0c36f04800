package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/functiontest"
)

// ask asks the function directly for the blog.
func (s site) ask(ctx context.Context, d contract.Direct, onEvent func([]byte)) (functiontest.Asked, error) {
	d.UserParameters = contract.JSON(parameters())
	return s.Ask(ctx, d, onEvent)
}

// must asks, and ends the test unless the function succeeds.
func (s site) must(t *testing.T, d contract.Direct) contract.DirectAnswer {
	t.Helper()
	a, err := s.ask(t.Context(), d, nil)
	if err != nil || a.Ended() != "success" {
		t.Fatalf("%+v: ended as %s, %v, %+v\n%s", d, a.Ended(), err, a.Answer, s.Function.Logs())
	}
	return a.Answer
}

// bothBack is what the bucket has after the second build was rolled back: the new style
// stays for readers of new pages.
var bothBack = firstBuild.with(build{"css/" + newStyle: secondBuild["css/"+newStyle], foreign: both[foreign]})

// The owner's commands list the releases, look, and publish the one before again. The next
// push goes on.
func TestBinaryRollsBack(t *testing.T) {
	in(t, fakeaws.Options{}, func(s site) {
		first := s.publishes(t, firstBuild, 1, "5 put").OutputVariables["Release"]
		second := s.publishes(t, secondBuild, 2, "4 put").OutputVariables["Release"]
		list := func() []contract.Release { return s.must(t, contract.Direct{List: 10}).Releases }
		releases := list()
		if len(releases) != 2 || releases[0].ID != second || releases[1].ID != first {
			t.Fatalf("listed %+v, want %s and %s", releases, second, first)
		}
		if now := releases[0]; !now.Current || !now.Pending || !now.Kept || now.Execution != "e-1" || now.Revision != "0123456" || now.Files != 5 || now.Put != 4 || now.Removed != 1 || time.Since(now.Time) > time.Hour {
			t.Errorf("the current release is listed as %+v", now)
		}
		writes := s.Count(functiontest.Calls("s3:PutObject"))
		look := s.must(t, contract.Direct{Release: first, DryRun: true})
		want := []string{"css/" + oldStyle, "index.html", "old/index.html", "posts/a/index.html", "posts/b/index.html"}
		if d := look.Difference; d == nil || d.Put != 4 || d.Removed != 1 || !slices.Equal(d.Touched, want) {
			t.Errorf("the difference is %+v, want 4 put, 1 removed, and %q", d, want)
		}
		if s.Count(functiontest.Calls("s3:PutObject")) != writes {
			t.Error("a look writes")
		}

		back := s.must(t, contract.Direct{Job: "back-1", Release: first, By: "arn:me"})
		if !strings.HasPrefix(back.Summary, "Published release "+first+" again, as ") || back.Variables["Put"] != "4" || back.Variables["Removed"] != "1" {
			t.Errorf("answered %+v", back)
		}
		if files, err := s.files(t.Context(), contract.EnvSiteBucket); err != nil || files.differs(bothBack) != "" {
			t.Error(err, files.differs(bothBack))
		}
		releases = list()
		if len(releases) != 3 || releases[0].Restores != first || releases[0].By != "arn:me" || !releases[0].Current || !releases[0].Kept || releases[0].ID != back.Variables["Release"] {
			t.Errorf("listed %+v, want the restored release first", releases)
		}
		if again := s.must(t, contract.Direct{Job: "back-1", Release: first, By: "arn:me"}); !maps.Equal(again.Variables, back.Variables) {
			t.Errorf("asked again it answers %v, want %v", again.Variables, back.Variables)
		}
		if nothing := s.must(t, contract.Direct{Job: "back-2", Release: first}); !strings.HasPrefix(nothing.Summary, "Nothing has changed") {
			t.Errorf("answered %+v, want nothing to do", nothing)
		}
		s.publishes(t, secondBuild, 5, "4 put")
		if n := s.Count(functiontest.Calls("codepipeline:PutJobSuccessResult")); n != 3 {
			t.Errorf("sent %d reports to CodePipeline, want those of the three pushes", n)
		}
	})
}

// rollbackCalls are the calls of a rollback that differ from those of the pipeline's job, or
// at which a crash must not spoil anything.
var rollbackCalls = []functiontest.Call{
	{Name: "GetObject of the manifest", Match: functiontest.Operation("GetObject", contract.EnvReleases, contract.ReleaseManifests+"*")},
	{Name: toClaim, Match: functiontest.Operation("PutObject", contract.EnvReleases, contract.ReleaseState)},
	{Name: "GetObject of the build that was kept", Match: functiontest.Operation("GetObject", contract.EnvReleases, contract.ReleaseArtifacts+"*")},
	{Name: toPutPage, Match: functiontest.Operation("PutObject", contract.EnvSiteBucket, "posts/*/index.html")},
	{Name: toKeepBuild, Match: functiontest.Operation("CopyObject", contract.EnvReleases, contract.ReleaseArtifacts+"*")},
	{Name: toManifest, Match: functiontest.Operation("PutObject", contract.EnvReleases, contract.ReleaseManifests+"*")},
	{Name: toCommit, Match: functiontest.Operation("PutObject", contract.EnvReleases, contract.ReleaseState)},
}

// tryRollback publishes two builds, and rolls back with a fault. Then the same command
// without it must have the first build, and a push the second one.
func tryRollback(ctx context.Context, c *functiontest.Case) (outcome functiontest.Outcome, err error) {
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
	err = withSite(fakeaws.Options{Fault: strike}, 32*time.Second, func(s site) error {
		defer func() { outcome.Logs = s.Function.Logs() }()
		if err := s.put(ctx, contract.EnvSiteBucket, foreign, []byte(both[foreign])); err != nil {
			return err
		}
		first := ""
		for _, b := range []build{firstBuild, secondBuild} {
			action, err := s.publish(ctx, b)
			if err != nil || action.Ended() != "success" {
				return fmt.Errorf("before the rollback: ended as %s, %w", action.Ended(), err)
			}
			if report, _ := action.Last(); first == "" {
				first = report.OutputVariables["Release"]
			}
		}
		var event []byte
		c.World, c.Redeliver = s.World, func() { s.Again(ctx, event) }
		armed.Store(true)
		got, err := s.ask(ctx, contract.Direct{Job: "back-1", Release: first}, func(e []byte) { event = e })
		if err != nil {
			return err
		}
		s.Wait()
		armed.Store(false)
		outcome.Ended = got.Ended()
		outcome.Broken = s.BrokenRules(got.Record(c.Fault.Fatal()))
		return s.healed(ctx, first, &outcome)
	})
	return outcome, err
}

// healed runs a rollback to a release once more, without a fault, and a push.
func (s site) healed(ctx context.Context, first string, outcome *functiontest.Outcome) error {
	broken := func(format string, args ...any) {
		outcome.Broken = append(outcome.Broken, fmt.Sprintf(format, args...))
	}
	files, err := s.files(ctx, contract.EnvSiteBucket)
	if err != nil {
		return err
	}
	outcome.Broken = append(outcome.Broken, files.broken()...)
	state, err := s.state(ctx)
	if err != nil {
		return err
	}
	if n := commits(state); outcome.Ended == "success" && n != 3 {
		broken("rule 2: %d publications were committed, want 3", n)
	}
	again, err := s.ask(ctx, contract.Direct{Job: "back-2", Release: first}, nil)
	if err != nil {
		return err
	}
	if again.Ended() != "success" {
		broken("the command run again ended as %s: %s", again.Ended(), again.Answer.Message)
	}
	if outcome.Ended == "success" && again.Answer.Variables["Put"] != "0" {
		broken("the command run again put %s files", again.Answer.Variables["Put"])
	}
	if files, err = s.files(ctx, contract.EnvSiteBucket); err != nil {
		return err
	}
	if differs := files.differs(bothBack); differs != "" {
		broken("after the command was run again %s", differs)
	}
	push, err := s.publish(ctx, secondBuild)
	if err != nil {
		return err
	}
	if files, err = s.files(ctx, contract.EnvSiteBucket); err != nil {
		return err
	}
	if differs := files.differs(both); push.Ended() != "success" || differs != "" {
		broken("the next push ended as %s: %s", push.Ended(), differs)
	}
	return nil
}

// wantRollbackEnd returns how the rollback must end if the fault strikes the call once, or
// always.
func wantRollbackEnd(c *functiontest.Case) string {
	switch {
	case c.Fault.Again, c.Call.Name == toCommit && c.Fault.Processed():
		return "success"
	case c.Always && c.Fault.Fatal():
		return functiontest.NoReport
	case c.Call.Name == toKeepBuild:
		return "success"
	case c.Fault.Refused():
		return "PermissionError"
	case !c.Always:
		return "success"
	case c.Fault.Kind == fakeaws.MalformedBody && stateWrites[c.Call.Name] > 0, c.Fault.Body != "" && c.Call.Name == toManifest:
		return "success" // as for the pipeline's job
	default:
		return "SystemUnavailable"
	}
}

// TestRollbackFaultMatrix strikes a rollback, once and always. Wherever it is interrupted,
// the next run and the next push heal it.
func TestRollbackFaultMatrix(t *testing.T) {
	functiontest.Matrix{Name: "lambdas/publish, rollback", Calls: rollbackCalls, Faults: functiontest.FewFaults(), Run: tryRollback, Want: wantRollbackEnd}.Test(t)
}

// A list that S3 refuses says so, and one that S3 answers late is there.
func TestBinaryListFaults(t *testing.T) {
	for name, tt := range map[string]struct {
		kind fakeaws.FaultKind
		once bool
		want string
	}{
		"denied":    {kind: fakeaws.AccessDenied, want: "PermissionError"},
		"reset":     {kind: fakeaws.ConnectionReset, once: true, want: "success"},
		"cut off":   {kind: fakeaws.MalformedBody, once: true, want: "success"},
		"throttled": {kind: fakeaws.Throttle, want: "SystemUnavailable"},
	} {
		var struck atomic.Int32
		lists := functiontest.Operation("ListObjectsV2", contract.EnvReleases, "")
		cloud := fakeaws.Options{Fault: func(call fakeaws.Call) fakeaws.Fault {
			if !lists(call) || struck.Add(1) > 1 && tt.once {
				return fakeaws.Fault{}
			}
			return fakeaws.Fault{Kind: tt.kind}
		}}
		in(t, cloud, func(s site) {
			s.publishes(t, firstBuild, 1, "5 put")
			a, err := s.ask(t.Context(), contract.Direct{List: 3}, nil)
			if err != nil || a.Ended() != tt.want || a.Ended() == "success" && len(a.Answer.Releases) != 1 || struck.Load() == 0 {
				t.Errorf("%s: ended as %s with %+v, %v, want %s", name, a.Ended(), a.Answer, err, tt.want)
			}
			if a.Ended() != "success" && (!strings.Contains(a.Answer.Message, "list s3://") || strings.Contains(a.Answer.Message, "retry this stage")) {
				t.Errorf("%s: the message is %q", name, a.Answer.Message)
			}
		})
	}
}
