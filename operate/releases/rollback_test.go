package releases

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/fakeaws"
)

// functionDouble answers direct requests, and keeps them.
type functionDouble struct {
	answer   func(contract.Direct) contract.DirectAnswer
	requests []contract.Direct
	// crashes is how many invocations end without an answer, with this as Lambda's payload.
	crashes int
	payload string
	// before runs before an answer to work that is no look.
	before func()
}

// invoke implements fakeaws.Function.
func (f *functionDouble) invoke(_ context.Context, event []byte) ([]byte, bool) {
	var e contract.DirectEvent
	if err := json.Unmarshal(event, &e); err != nil {
		panic(err) // which fails the test
	}
	f.requests = append(f.requests, e.Direct)
	if isWork(e.Direct) {
		if f.before != nil {
			f.before()
		}
		if f.crashes > 0 {
			f.crashes--
			return []byte(f.payload), true
		}
	}
	answer := f.answer(e.Direct)
	if answer.Summary == "garbage" {
		return []byte(`"garbage"`), false
	}
	text, err := json.Marshal(answer)
	if err != nil {
		panic(err)
	}
	return text, false
}

func isWork(d contract.Direct) bool { return !d.DryRun && d.List == 0 }

// works returns the requests for work.
func (f *functionDouble) works() []contract.Direct {
	return slices.DeleteFunc(slices.Clone(f.requests), func(d contract.Direct) bool { return !isWork(d) })
}

// world is a blog's pipeline with doubles of its functions.
type world struct {
	cloud               *fakeaws.Cloud
	publish, invalidate *functionDouble
	rollback            Rollback
	told, asked         []string
	agrees              bool
	clock               time.Time
}

// The UserParameters of the actions, as GetPipeline returns them.
var (
	publishParameters = contract.JSON(contract.PublishParameters{
		PipelineName: "my-blog", Execution: "#{codepipeline.PipelineExecutionId}", Revision: "#{Source.CommitId}", AllowDeletions: "#{variables." + contract.VariableAllowDeletions + "}",
	})
	invalidateParameters = contract.JSON(contract.UserParameters{PipelineName: "my-blog", Distribution: contract.Distribution{ID: "EDFDVBD6EXAMPLE"}})
)

const me = "arn:aws:iam::123456789012:user/me"

// newWorld returns a blog with three releases, of which the last one is live.
func newWorld(t *testing.T, opts fakeaws.Options) *world {
	t.Helper()
	w := &world{agrees: true, clock: noon.Add(time.Hour)}
	w.publish = &functionDouble{answer: func(d contract.Direct) contract.DirectAnswer {
		switch {
		case d.List > 0:
			return contract.DirectAnswer{Releases: releasesOf(t, "3* 2 1")}
		case d.DryRun:
			return contract.DirectAnswer{Summary: "Would put 2 (1.2 kB) and remove 1.", Difference: &contract.Difference{Put: 2, Removed: 1, Bytes: 1200, Touched: []string{"index.html", "a/index.html", "b/index.html"}}}
		}
		return contract.DirectAnswer{Summary: "Published release " + id(5) + ": 2 put (1.2 kB), 7 unchanged, 1 removed."}
	}}
	w.invalidate = &functionDouble{answer: func(d contract.Direct) contract.DirectAnswer {
		if d.DryRun {
			return contract.DirectAnswer{Summary: "Would clear 3 items.", Clearing: &contract.Clearing{Items: 3}}
		}
		return contract.DirectAnswer{Summary: "Invalidation I1 is completed. 3 of 3 live at FRA56-P4, seen 5 s after the upload."}
	}}
	w.cloud = fakeaws.New(opts)
	server := httptest.NewServer(w.cloud)
	t.Cleanup(server.Close)
	w.cloud.AddFunction("my-blog-Publish", w.publish.invoke)
	w.cloud.AddFunction("my-blog-Invalidate", w.invalidate.invoke)
	w.pipeline(t, lambdaAction("Deploy", "my-blog-Publish", publishParameters, "Site"), lambdaAction("Invalidate", "my-blog-Invalidate", invalidateParameters))
	w.execution(t, "Succeeded")

	key := w.cloud.Issue(me, 0)
	config := aws.Config{
		Region: "us-east-1", BaseEndpoint: &server.URL, Retryer: func() aws.Retryer { return aws.NopRetryer{} },
		Credentials: credentials.NewStaticCredentialsProvider(key.AccessKeyID, key.SecretAccessKey, ""),
	}
	w.rollback = Rollback{
		Blog: Blog{
			CodePipeline: codepipeline.NewFromConfig(config), Lambda: lambda.NewFromConfig(config), Name: "my-blog",
			Tell: func(line string) { w.told = append(w.told, line) },
			Now:  func() time.Time { return w.clock },
			Sleep: func(ctx context.Context, d time.Duration) error {
				w.clock = w.clock.Add(d)
				return ctx.Err()
			},
		},
		By: me,
		Ask: func(_ context.Context, question string) (bool, error) {
			w.asked = append(w.asked, question)
			return w.agrees, nil
		},
	}
	return w
}

func lambdaAction(name, function, parameters string, inputs ...string) fakeaws.PipelineStage {
	a := fakeaws.PipelineAction{
		Name: name, ActionTypeID: fakeaws.ActionTypeID{Category: "Invoke", Provider: "Lambda"},
		Configuration: map[string]string{"FunctionName": function, "UserParameters": parameters},
	}
	for _, input := range inputs {
		a.InputArtifacts = append(a.InputArtifacts, fakeaws.ArtifactName{Name: input})
	}
	return fakeaws.PipelineStage{Name: name, Actions: []fakeaws.PipelineAction{a}}
}

// pipeline sets the stages after Source.
func (w *world) pipeline(t *testing.T, stages ...fakeaws.PipelineStage) {
	t.Helper()
	source := fakeaws.PipelineStage{Name: "Source", Actions: []fakeaws.PipelineAction{{Name: "Source", ActionTypeID: fakeaws.ActionTypeID{Category: "Source", Provider: "CodeStarSourceConnection"}}}}
	if err := w.cloud.AddPipeline(fakeaws.Pipeline{Name: "my-blog", Stages: append([]fakeaws.PipelineStage{source}, stages...)}); err != nil {
		t.Fatal(err)
	}
}

// execution sets the execution of the last commit.
func (w *world) execution(t *testing.T, state string) {
	t.Helper()
	err := w.cloud.SetExecution("my-blog", fakeaws.Execution{
		ID: "11111111-abcd-1111-abcd-111111abcdef", Status: state, Started: noon, TriggerType: "WebhookV2",
		Revisions: []fakeaws.SourceRevision{{ActionName: "Source", RevisionID: "3abcdef0123456789", RevisionSummary: "Break the home page\n\nMore"}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

var clockPattern = regexp.MustCompile(`(?m)^\d\d:\d\d:\d\d`)

// run rolls back, and returns what it has told, without times of the clock.
func (w *world) run(ctx context.Context) (Result, string, error) {
	result, err := w.rollback.Run(ctx)
	return result, clockPattern.ReplaceAllString(strings.Join(w.told, "\n"), "TIME"), err
}

func TestRollbackPublishesTheReleaseBefore(t *testing.T) {
	w := newWorld(t, fakeaws.Options{})
	result, told, err := w.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := "  live     " + id(3) + ", 3abcdef0 Break the home page, 57 min ago\n" +
		"  back to  " + id(2) + ", 2abcdef0, 58 min ago\n" +
		"  Deploy: Would put 2 (1.2 kB) and remove 1.\n" +
		"  Invalidate: Would clear 3 items.\n" +
		"TIME  Deploy: publishing release " + id(2) + "\n" +
		"TIME  Deploy: Published release " + id(5) + ": 2 put (1.2 kB), 7 unchanged, 1 removed.\n" +
		"TIME  Invalidate: clearing CloudFront's cache\n" +
		"TIME  Invalidate: Invalidation I1 is completed. 3 of 3 live at FRA56-P4, seen 5 s after the upload.\n" +
		"my-blog is back at release " + id(2) + ", after 0 s.\n" +
		"The next push publishes as usual. If it still has the commit 3abcdef0 Break the home page, what you took back comes back: revert it, or mend it."
	if told != want {
		t.Errorf("told\n%s\nwant\n%s", told, want)
	}
	if fmt.Sprint(w.asked) != "[Publish "+id(2)+" again?]" {
		t.Errorf("asked %q", w.asked)
	}
	if result.From.ID != id(3) || result.To.ID != id(2) || result.Difference.Put != 2 || result.Clearing.Items != 3 || !strings.Contains(result.Proof, "3 of 3 live") {
		t.Errorf("the result is %+v", result)
	}
	parameters := contract.JSON(contract.PublishParameters{PipelineName: "my-blog", AllowDeletions: contract.AllowDeletionsYes})
	for _, r := range w.publish.requests {
		if r.UserParameters != parameters || r.Job == "" || r.List == 0 && (r.Release != id(2) || r.By != me || r.Current != id(3)) {
			t.Errorf("publish was asked for %+v", r)
		}
	}
	for _, r := range w.invalidate.requests {
		if r.UserParameters != invalidateParameters || r.Job == "" || r.DryRun != (len(r.Touched) == 3) {
			t.Errorf("invalidate was asked for %+v", r)
		}
	}
	if p, i := w.publish.requests, w.invalidate.requests; len(p) != 3 || len(i) != 2 || p[1].Job == p[2].Job || p[2].Job == i[1].Job {
		t.Errorf("publish was asked for %+v, and invalidate for %+v", p, i)
	}
}

// look changes what a dry run of publish answers.
func (w *world) look(change func(*contract.DirectAnswer)) {
	answer := w.publish.answer
	w.publish.answer = func(d contract.Direct) contract.DirectAnswer {
		a := answer(d)
		if d.DryRun {
			change(&a)
		}
		return a
	}
}

// pending has the blog publish these releases, of which the current one is not cleared.
func (w *world) pending(all []contract.Release) {
	all[0].Pending = true
	w.lists(all)
}

// lists has the blog publish these releases.
func (w *world) lists(all []contract.Release) {
	answer := w.publish.answer
	w.publish.answer = func(d contract.Direct) contract.DirectAnswer {
		if d.List > 0 {
			return contract.DirectAnswer{Releases: all}
		}
		return answer(d)
	}
}

// since has the blog have these releases as soon as publish was asked for work.
func (w *world) since(all []contract.Release) {
	answer := w.publish.answer
	w.publish.answer = func(d contract.Direct) contract.DirectAnswer {
		if d.List > 0 && len(w.publish.works()) > 0 {
			return contract.DirectAnswer{Releases: all}
		}
		return answer(d)
	}
}

// ends changes how the work of a function ends.
func ends(f *functionDouble, change func(contract.Direct, *contract.DirectAnswer)) {
	answer := f.answer
	f.answer = func(d contract.Direct) contract.DirectAnswer {
		a := answer(d)
		if isWork(d) {
			change(d, &a)
		}
		return a
	}
}

func denies(action string) func(fakeaws.Call) error {
	return func(c fakeaws.Call) error {
		if c.Action == action {
			return errors.New("no identity-based policy allows the action")
		}
		return nil
	}
}

// once makes the first call for work fail in a way.
func once(kind fakeaws.FaultKind) fakeaws.Options {
	return fakeaws.Options{Fault: func(c fakeaws.Call) fakeaws.Fault {
		if c.Action == "lambda:InvokeFunction" && c.N == 4 {
			return fakeaws.Fault{Kind: kind}
		}
		return fakeaws.Fault{}
	}}
}

func TestRollback(t *testing.T) {
	goOn := "To go on with the rollback: make rollback BLOG=my-blog TO=" + id(2)
	fails := func(_ contract.Direct, a *contract.DirectAnswer) {
		*a = contract.DirectAnswer{Failure: "JobFailed", Message: "S3 refuses; run the command again"}
	}
	for _, tt := range []struct {
		name                 string
		opts                 fakeaws.Options
		before               func(*testing.T, *world)
		told, err            string // one of the lines, or several; "" for no error
		published, clearings int    // the requests for work
	}{
		{name: "to a commit", before: func(_ *testing.T, w *world) { w.rollback.To = "1abc" }, told: "  back to  " + id(1) + ", 1abcdef0, 59 min ago\n", published: 1, clearings: 1},
		{name: "what was not cleared goes on", before: func(t *testing.T, w *world) { w.pending(releasesOf(t, "4=2* 3 2 1")) },
			told: "  the rollback to " + id(2) + " is live, but its changes are not cleared yet: this goes on with it. TO= names another release\n", published: 1, clearings: 1},
		{name: "what was not cleared goes on, and names no commit of its own", before: func(t *testing.T, w *world) { w.pending(releasesOf(t, "4=2* 3 2 1")) },
			told: "The next push publishes as usual. If it still has what you took back, that comes back: revert it, or mend it.\n", published: 1, clearings: 1},
		{name: "what was not cleared goes on, and fails again", before: func(t *testing.T, w *world) {
			w.pending(releasesOf(t, "4=2* 3 2 1"))
			ends(w.publish, fails)
		}, told: goOn, err: "Deploy: S3 refuses; run the command again", published: 1},
		{name: "from an unfinished publication", before: func(t *testing.T, w *world) { w.lists(releasesOf(t, "3 2 1")) },
			told: "  live     parts of a release whose publication is not finished\n  back to  " + id(3), published: 1, clearings: 1},
		{name: "invalidate does not say what it would clear", before: func(_ *testing.T, w *world) {
			answer := w.invalidate.answer
			w.invalidate.answer = func(d contract.Direct) contract.DirectAnswer {
				a := answer(d)
				a.Clearing = nil
				return a
			}
		}, told: "  what Invalidate would clear is unknown: the function my-blog-Invalidate does not say it\n", published: 1, clearings: 1},
		{name: "to another one, although that was not cleared", before: func(t *testing.T, w *world) {
			w.pending(releasesOf(t, "4=2* 3 2 1"))
			w.rollback.To = "1abc"
		}, told: "  back to  " + id(1), published: 1, clearings: 1},
		{name: "a push that was not cleared", before: func(t *testing.T, w *world) { w.pending(releasesOf(t, "3* 2 1")) }, told: "  back to  " + id(2), published: 1, clearings: 1},
		{name: "to what is not there", before: func(_ *testing.T, w *world) { w.rollback.To = "x" }, err: `"x" is the beginning of the id or the commit of none of the last 3`},
		{name: "the answer is no", before: func(_ *testing.T, w *world) { w.agrees = false }, told: "Would clear 3 items.", err: "nothing was published, because the answer was no"},
		{name: "nobody answers", before: func(_ *testing.T, w *world) {
			w.rollback.Ask = func(context.Context, string) (bool, error) { return true, errors.New("there is no terminal") }
		}, err: "there is no terminal"},
		{name: "a guard refuses", before: func(_ *testing.T, w *world) {
			w.look(func(a *contract.DirectAnswer) {
				a.Failure, a.Message = "ConfigurationError", "The build has no index.html."
			})
		}, err: "Deploy: The build has no index.html."},
		{name: "it is live already, and nothing is left", before: func(_ *testing.T, w *world) {
			w.look(func(a *contract.DirectAnswer) { a.Difference = &contract.Difference{} })
			w.invalidate.answer = func(contract.Direct) contract.DirectAnswer {
				return contract.DirectAnswer{Clearing: &contract.Clearing{}}
			}
		}, told: "there is nothing to do"},
		{name: "it is live already, but was not cleared", before: func(_ *testing.T, w *world) {
			w.look(func(a *contract.DirectAnswer) { a.Difference = &contract.Difference{} })
		}, told: "Would clear 3 items.\n", published: 1, clearings: 1},
		{name: "a warning", before: func(_ *testing.T, w *world) {
			ends(w.invalidate, func(_ contract.Direct, a *contract.DirectAnswer) { a.Summary = "WARNING: " + a.Summary })
		}, told: "TIME  Invalidate: WARNING: Invalidation I1", published: 1, clearings: 1},
		{name: "invalidate cannot look", before: func(_ *testing.T, w *world) {
			answer := w.invalidate.answer
			w.invalidate.answer = func(d contract.Direct) contract.DirectAnswer {
				if d.DryRun {
					return contract.DirectAnswer{Failure: "PermissionError", Message: "S3 refuses."}
				}
				return answer(d)
			}
		}, told: "what Invalidate would clear is unknown: Invalidate: S3 refuses.\n", published: 1, clearings: 1},
		{name: "in several calls", before: func(_ *testing.T, w *world) {
			ends(w.publish, func(d contract.Direct, a *contract.DirectAnswer) {
				switch d.Token {
				case "":
					a.Summary, a.Token = "Waiting for another publication of this blog.", "t1"
				case "t1":
					a.Summary, a.Token = "Waiting for another publication of this blog.", "t2"
				}
			})
		}, told: "TIME  Deploy: Waiting for another publication of this blog.\nTIME  Deploy: Published", published: 3, clearings: 1},
		{name: "without an end", before: func(_ *testing.T, w *world) {
			ends(w.publish, func(_ contract.Direct, a *contract.DirectAnswer) {
				a.Token = "t"
				w.clock = w.clock.Add(time.Hour)
			})
		}, told: "What Deploy has put so far stays. " + goOn, err: "Deploy: the function my-blog-Publish has not ended within 3h0m0s", published: 3},
		{name: "publish fails", before: func(_ *testing.T, w *world) { ends(w.publish, fails) },
			told: "What Deploy has put so far stays. " + goOn, err: "Deploy: S3 refuses; run the command again", published: 1},
		{name: "publish fails, but another rollback to the same release was faster", before: func(t *testing.T, w *world) {
			ends(w.publish, fails)
			w.since(releasesOf(t, "4=2* 3 2 1"))
		}, told: "TIME  Deploy: S3 refuses; run the command again; but the files of " + id(2) + " are published by now\nTIME  Invalidate: clearing", published: 1, clearings: 1},
		{name: "publish fails, and a push was faster", before: func(t *testing.T, w *world) {
			ends(w.publish, fails)
			w.since(releasesOf(t, "4* 3 2 1"))
		}, told: goOn, err: "Deploy: S3 refuses", published: 1},
		{name: "invalidate fails", before: func(_ *testing.T, w *world) { ends(w.invalidate, fails) },
			told: "Deploy has published the release. " + goOn, err: "Invalidate: S3 refuses; run the command again", published: 1, clearings: 1},
		{name: "publish crashes once", before: func(_ *testing.T, w *world) {
			w.publish.crashes, w.publish.payload = 1, `{"errorType":"Runtime.ExitError","errorMessage":"exit status 2"}`
		}, told: "TIME  Deploy: the function my-blog-Publish has ended without an answer (Unhandled: Runtime.ExitError: exit status 2); its log says more: in the console of Lambda, under Monitor: trying again\n" +
			"TIME  Deploy: Published", published: 2, clearings: 1},
		{name: "publish always crashes", before: func(_ *testing.T, w *world) { w.publish.crashes, w.publish.payload = 9, `{}` },
			told: goOn, err: "my-blog-Publish has ended without an answer", published: 3},
		{name: "functions of an older release", before: func(_ *testing.T, w *world) {
			w.invalidate.crashes, w.invalidate.payload = 9, `{"errorType":"failure","errorMessage":"event has no \"CodePipeline.job\" with an id"}`
		}, told: goOn, err: "the deployed function my-blog-Invalidate is older than this command: run make deploy BLOG=my-blog, and then this again", published: 1, clearings: 1},
		{name: "another function", before: func(_ *testing.T, w *world) {
			ends(w.publish, func(_ contract.Direct, a *contract.DirectAnswer) { *a = contract.DirectAnswer{} })
		}, err: "Deploy: the function my-blog-Publish does not say what it has done", published: 1},
		{name: "another answer", before: func(_ *testing.T, w *world) {
			ends(w.publish, func(_ contract.Direct, a *contract.DirectAnswer) { a.Summary = "garbage" })
		}, err: `the function my-blog-Publish has answered "\"garbage\"", which is no answer to this command`, published: 3},
		{name: "a look without a difference", before: func(_ *testing.T, w *world) {
			w.look(func(a *contract.DirectAnswer) { a.Difference = nil })
		}, err: "the function my-blog-Publish does not say what it would do: run make deploy"},
		{name: "the connection ends before the call", opts: once(fakeaws.ConnectionReset), told: "trying again\nTIME  Deploy: Published", published: 1, clearings: 1},
		{name: "the answer is lost", opts: once(fakeaws.After), told: "trying again\nTIME  Deploy: Published", published: 2, clearings: 1},
		{name: "the answer ends early", opts: once(fakeaws.MalformedBody), told: "which is no answer to this command: unexpected end of JSON input: trying again\nTIME  Deploy: Published", published: 2, clearings: 1},
		{name: "the call is denied", opts: once(fakeaws.AccessDenied), told: goOn, err: "AccessDenied"},
		{name: "no messages of commits", opts: fakeaws.Options{Authorize: denies("codepipeline:ListPipelineExecutions")},
			told:      "  the commits' messages, and who started what, are left out: User: " + me + " is not authorized to perform: codepipeline:ListPipelineExecutions on resource: arn:aws:codepipeline:us-east-1:123456789012:my-blog",
			published: 1, clearings: 1},
		{name: "the pipeline may not be read", opts: fakeaws.Options{Authorize: denies("codepipeline:GetPipeline")}, err: "codepipeline:GetPipeline"},
		{name: "the pipeline runs", before: func(t *testing.T, w *world) { w.execution(t, "InProgress") },
			told: "  the pipeline is running (3abcdef0 Break the home page): if it publishes first, this publishes nothing\n", published: 1, clearings: 1},
		{name: "by the S3 action", before: func(t *testing.T, w *world) {
			w.pipeline(t, lambdaAction("Invalidate", "my-blog-Invalidate", invalidateParameters))
		}, err: "my-blog has no releases, because CodePipeline's S3 action publishes it (Deploy.By: props.DeployByS3Action)"},
		{name: "a service", before: func(t *testing.T, w *world) {
			w.pipeline(t, fakeaws.PipelineStage{Name: "Deploy", Actions: []fakeaws.PipelineAction{{Name: "ECS", ActionTypeID: fakeaws.ActionTypeID{Category: "Deploy", Provider: "ECS"}}}})
		}, err: "so it is no blog's: only blogs have releases"},
		{name: "an action of somebody else's", before: func(t *testing.T, w *world) {
			w.pipeline(t, lambdaAction("Deploy", "my-blog-Publish", "all", "Site"), lambdaAction("Invalidate", "my-blog-Invalidate", invalidateParameters))
		}, err: `the UserParameters of the pipeline's action are "all"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, tt.opts)
			if tt.before != nil {
				tt.before(t, w)
			}
			_, told, err := w.run(t.Context())
			if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) || !strings.Contains(told+"\n", tt.told) {
				t.Errorf("got %v\n%s\nwant %q\n%s", err, told, tt.err, tt.told)
			}
			published, cleared := w.publish.works(), w.invalidate.works()
			if len(published) != tt.published || len(cleared) != tt.clearings {
				t.Errorf("publish was asked for %+v, and invalidate for %+v, want %d and %d requests", published, cleared, tt.published, tt.clearings)
			}
			for i, request := range published {
				if request.Job != published[0].Job || i > 0 && tt.name == "in several calls" && request.Token != fmt.Sprint("t", i) {
					t.Errorf("request %d is %+v, want the job and the token of the answer before", i, request)
				}
			}
			if done := tt.err == "" && tt.published > 0; done != strings.Contains(told, "is back at release") {
				t.Errorf("says that the release is back: %v, want %v\n%s", !done, done, told)
			}
		})
	}
}

// TestCtrlC stops while publish works.
func TestCtrlC(t *testing.T) {
	w := newWorld(t, fakeaws.Options{})
	ctx, stop := context.WithCancel(t.Context())
	w.publish.before = stop
	_, told, err := w.run(ctx)
	if want := "Stopped, but the function that was called goes on. To go on with the rollback: make rollback BLOG=my-blog TO=" + id(2); !errors.Is(err, context.Canceled) || !strings.HasSuffix(told, want) {
		t.Errorf("got %v\n%s\nwant %s", err, told, want)
	}
	if len(w.invalidate.works()) > 0 {
		t.Error("invalidate was called after the end")
	}
}

// stopped ends its caller's context before the pipeline's executions are read.
type stopped struct {
	CodePipeline

	stop context.CancelFunc
}

func (s stopped) ListPipelineExecutions(ctx context.Context, in *codepipeline.ListPipelineExecutionsInput, options ...func(*codepipeline.Options)) (*codepipeline.ListPipelineExecutionsOutput, error) {
	s.stop()
	return s.CodePipeline.ListPipelineExecutions(ctx, in, options...)
}

// TestCtrlCAtTheExecutions stops where a list would go on without the executions.
func TestCtrlCAtTheExecutions(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	w := newWorld(t, fakeaws.Options{})
	w.rollback.CodePipeline = stopped{w.rollback.CodePipeline, stop}
	if err := w.rollback.List(ctx); !errors.Is(err, context.Canceled) || len(w.told) > 0 {
		t.Errorf("got %v and %q, want the end", err, w.told)
	}
}

// bare has a pipeline whose actions have no type.
type bare struct{ CodePipeline }

func (bare) GetPipeline(context.Context, *codepipeline.GetPipelineInput, ...func(*codepipeline.Options)) (*codepipeline.GetPipelineOutput, error) {
	return &codepipeline.GetPipelineOutput{Pipeline: &types.PipelineDeclaration{Stages: []types.StageDeclaration{{Actions: []types.ActionDeclaration{{}}}}}}, nil
}

func TestABarePipelineIsNoBlogs(t *testing.T) {
	w := newWorld(t, fakeaws.Options{})
	w.rollback.CodePipeline = bare{w.rollback.CodePipeline}
	if err := w.rollback.List(t.Context()); err == nil || !strings.Contains(err.Error(), "so it is no blog's") {
		t.Errorf("got %v", err)
	}
}

// TestCurrentIsNoneWithoutReleases has CodePipeline's S3 action publish the blog.
func TestCurrentIsNoneWithoutReleases(t *testing.T) {
	w := newWorld(t, fakeaws.Options{})
	if current, err := w.rollback.Current(t.Context()); err != nil || current == nil || !current.Current {
		t.Errorf("with releases: got %v, %v, want the current one", current, err)
	}
	w.pipeline(t, fakeaws.PipelineStage{Name: "Deploy", Actions: []fakeaws.PipelineAction{{Name: "S3"}}}, lambdaAction("Invalidate", "invalidate", "{}"))
	if current, err := w.rollback.Current(t.Context()); err != nil || current != nil {
		t.Errorf("without releases: got %v, %v, want none", current, err)
	}
}

func TestList(t *testing.T) {
	w := newWorld(t, fakeaws.Options{})
	if err := w.rollback.List(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := "  " + id(3) + "  57 min ago  3    1                    live   3abcdef0 Break the home page\n"
	if told := strings.Join(w.told, "\n") + "\n"; !strings.Contains(told, want) || len(w.told) != 4 || w.publish.requests[0].List != 20 {
		t.Errorf("told\n%s\nwant 3 releases with\n%s", told, want)
	}
	w.told, w.publish.answer = nil, func(contract.Direct) contract.DirectAnswer { return contract.DirectAnswer{} }
	if err := w.rollback.List(t.Context()); err != nil || len(w.told) != 1 || !strings.Contains(w.told[0], "nothing has been published yet") {
		t.Errorf("got %v and %q", err, w.told)
	}
	w.publish.answer = func(contract.Direct) contract.DirectAnswer {
		return contract.DirectAnswer{Failure: "PermissionError", Message: "No."}
	}
	if err := w.rollback.List(t.Context()); err == nil || err.Error() != "Deploy: No." {
		t.Errorf("got %v", err)
	}
}
