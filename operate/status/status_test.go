package status

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/fakeaws"
)

const (
	first  = "11111111-abcd-1111-abcd-111111abcdef"
	second = "22222222-abcd-2222-abcd-222222abcdef"
	third  = "33333333-abcd-3333-abcd-333333abcdef"
)

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// world is CodePipeline with the pipeline of a blog.
type world struct {
	cloud  *fakeaws.Cloud
	client *codepipeline.Client
	ahead  time.Duration // of AWS's clock, as its answers tell it
}

func newWorld(t *testing.T, opts fakeaws.Options) *world {
	t.Helper()
	w := &world{cloud: fakeaws.New(opts)}
	server := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, r *http.Request) {
		answer.Header().Set("Date", time.Now().Add(w.ahead).UTC().Format(http.TimeFormat))
		w.cloud.ServeHTTP(answer, r)
	}))
	t.Cleanup(server.Close)
	key := w.cloud.Issue("arn:aws:iam::123456789012:user/me", 0)
	w.client = codepipeline.New(codepipeline.Options{
		Region: "us-east-1", BaseEndpoint: &server.URL, Retryer: onlyLost(),
		Credentials: credentials.NewStaticCredentialsProvider(key.AccessKeyID, key.SecretAccessKey, ""),
	})
	var stages []fakeaws.PipelineStage
	for _, stage := range []string{"Source", "Build", "Deploy", "Invalidate"} {
		stages = append(stages, fakeaws.PipelineStage{Name: stage, Actions: []fakeaws.PipelineAction{{Name: stage}}})
	}
	if err := w.cloud.AddPipeline(fakeaws.Pipeline{Name: "my-blog", Stages: stages}); err != nil {
		t.Fatal(err)
	}
	return w
}

// execution returns an execution whose stages have these states, in order. at is when it began, in minutes before noon.
func execution(id, status string, at int, stages ...string) fakeaws.Execution {
	e := fakeaws.Execution{
		ID: id, Status: status, Started: noon.Add(-time.Duration(at) * time.Minute), TriggerType: "WebhookV2",
		Revisions: []fakeaws.SourceRevision{{ActionName: "Source", RevisionID: id[:1] + "234567890abcdef", RevisionSummary: `{"ProviderType":"GitHub","CommitMessage":"Write ` + id[:1] + `\n\nMore"}`}},
	}
	e.Updated = e.Started.Add(time.Minute)
	for i, state := range stages {
		name := []string{"Source", "Build", "Deploy", "Invalidate"}[i]
		e.Actions = append(e.Actions, fakeaws.ActionExecution{Stage: name, Action: name, Status: state, Started: e.Started, Updated: e.Updated})
	}
	return e
}

func (w *world) set(t *testing.T, e fakeaws.Execution) {
	t.Helper()
	if err := w.cloud.SetExecution("my-blog", e); err != nil {
		t.Fatal(err)
	}
}

func TestLines(t *testing.T) {
	published := execution(first, "Succeeded", 60, "Succeeded", "Succeeded", "Succeeded", "Succeeded")
	published.Actions[2].Variables = map[string]string{"Release": "20261127-110000-1a2b3c4d"}
	published.Actions[2].Summary = "Published release 20261127-110000-1a2b3c4d: 12 put."
	failed := execution(second, "Failed", 10, "Succeeded", "Succeeded", "Failed")
	failed.Actions[2].ErrorCode, failed.Actions[2].ErrorMessage = "ConfigurationError", "The build has no index.html: add a home page."
	odd := execution(third, "Failed", 5, "Succeeded", "Failed")
	odd.Revisions[0].RevisionSummary = "Add \x1b[31mred\x07\tand\u202e " + strings.Repeat("ワイド", 30)
	odd.Actions[0].Summary = `{"ProviderType":"GitHub","CommitMessage":"Add ` + strings.Repeat("a", 72) + `\n\nMore"}`
	odd.Actions[1].ErrorMessage = "hugo: \x1b[2Jno theme\r\nadd one\n"
	stopped := execution(second, "Stopped", 10, "Succeeded", "Abandoned")
	running := execution(third, "InProgress", 1, "Succeeded", "InProgress")
	waiting := execution(third, "InProgress", 1, "Succeeded")
	waiting.Waits = "Build"
	proven := execution(second, "Succeeded", 30, "Succeeded", "Succeeded", "Succeeded", "Succeeded")
	proven.Actions[2].Variables = map[string]string{"Release": "20261127-113000-1a2b3c4d"}
	proven.Actions[3].Variables = map[string]string{"Live": "21", "Checked": "22", "Edge": "FRA56-P4"}
	const live = "  Live        12345678 Write 1, for 59 min (release 20261127-110000-1a2b3c4d)"
	tests := []struct {
		name       string
		executions []fakeaws.Execution
		want       []string
	}{
		{"new", nil, []string{
			"  Source      not run yet",
			"  Build       not run yet",
			"  Deploy      not run yet",
			"  Invalidate  not run yet",
			"  Executions  none yet: push a commit, or press Release change in the console",
		}},
		{"published", []fakeaws.Execution{published}, []string{
			"  Source      succeeded 59 min ago",
			"  Build       succeeded 59 min ago",
			"  Deploy      succeeded 59 min ago: Published release 20261127-110000-1a2b3c4d: 12 put.",
			"  Invalidate  succeeded 59 min ago",
			live,
		}},
		{"proven", []fakeaws.Execution{published, proven}, []string{
			"  Source      succeeded 29 min ago",
			"  Build       succeeded 29 min ago",
			"  Deploy      succeeded 29 min ago",
			"  Invalidate  succeeded 29 min ago",
			"  Live        22345678 Write 2, for 29 min (release 20261127-113000-1a2b3c4d)",
			"  Proof       21 of 22 live at FRA56-P4",
		}},
		{"then failed", []fakeaws.Execution{published, failed}, []string{
			"  Source      succeeded 9 min ago",
			"  Build       succeeded 9 min ago",
			"  Deploy      failed 9 min ago",
			"  Invalidate  succeeded 59 min ago, in an earlier execution",
			live,
			"  Failed      22345678 Write 2, 9 min ago",
			"              Deploy/Deploy: ConfigurationError: The build has no index.html: add a home page.",
		}},
		{"then failed twice", []fakeaws.Execution{published, failed, execution(third, "Failed", 5, "Failed")}, []string{
			"  Source      failed 4 min ago",
			"  Build       succeeded 9 min ago, in an earlier execution",
			"  Deploy      failed 9 min ago, in an earlier execution",
			"  Invalidate  succeeded 59 min ago, in an earlier execution",
			live,
			"  Failed      32345678 Write 3, 4 min ago",
			"              Source/Source",
		}},
		{"then stopped", []fakeaws.Execution{published, stopped}, []string{
			"  Source      succeeded 9 min ago",
			"  Build       stopped 9 min ago",
			"  Deploy      succeeded 59 min ago, in an earlier execution",
			"  Invalidate  succeeded 59 min ago, in an earlier execution",
			"  Stopped     22345678 Write 2, 9 min ago",
			live,
		}},
		{"in the words of somebody else", []fakeaws.Execution{published, odd}, []string{
			"  Source      succeeded 4 min ago: Add " + strings.Repeat("a", 67) + "…",
			"  Build       failed 4 min ago",
			"  Deploy      succeeded 59 min ago, in an earlier execution",
			"  Invalidate  succeeded 59 min ago, in an earlier execution",
			live,
			"  Failed      32345678 Add [31mred and " + strings.Repeat("ワイド", 9) + "…, 4 min ago",
			"              Build/Build: hugo: [2Jno theme",
			"              add one",
		}},
		{"then running", []fakeaws.Execution{published, failed, running}, []string{
			"  Source      succeeded 0 s ago",
			"  Build       in progress for 0 s",
			"  Deploy      failed 9 min ago, in an earlier execution",
			"  Invalidate  succeeded 59 min ago, in an earlier execution",
			"  Running     32345678 Write 3, for 1 min",
			live,
			"  Failed      22345678 Write 2, 9 min ago",
			"              Deploy/Deploy: ConfigurationError: The build has no index.html: add a home page.",
		}},
		{"waiting", []fakeaws.Execution{published, waiting}, []string{
			"  Source      succeeded 0 s ago",
			"  Build       succeeded 59 min ago, in an earlier execution; execution 33333333 waits to enter",
			"  Deploy      succeeded 59 min ago, in an earlier execution",
			"  Invalidate  succeeded 59 min ago, in an earlier execution",
			"  Running     32345678 Write 3, for 1 min",
			live,
		}},
		{"failed before it was published", []fakeaws.Execution{execution(second, "Failed", 90, "Failed"), published}, []string{
			"  Source      succeeded 59 min ago",
			"  Build       succeeded 59 min ago",
			"  Deploy      succeeded 59 min ago: Published release 20261127-110000-1a2b3c4d: 12 put.",
			"  Invalidate  succeeded 59 min ago",
			live,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, fakeaws.Options{})
			for _, e := range tt.executions {
				w.set(t, e)
			}
			s, err := Read(t.Context(), w.client, "my-blog")
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Lines(noon); !slices.Equal(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

// TestCurrentRelease has the bucket have what no execution that succeeded has published.
func TestCurrentRelease(t *testing.T) {
	const published, later = "20261127-110000-1a2b3c4d", "20261127-115500-5e6f7a8b"
	succeeded := execution(first, "Succeeded", 60, "Succeeded", "Succeeded", "Succeeded", "Succeeded")
	succeeded.Actions[2].Variables = map[string]string{"Release": published}
	succeeded.Actions[3].Variables = map[string]string{"Live": "2", "Checked": "2"}
	of := func(r contract.Release) *contract.Release {
		r.Time = noon.Add(-5 * time.Minute)
		return &r
	}
	for _, tt := range []struct {
		name    string
		then    []fakeaws.Execution
		current *contract.Release
		want    []string // from the line Live on
	}{
		{"unknown", nil, nil, []string{"Live        12345678 Write 1, for 59 min (release " + published + ")", "Proof       2 of 2 live"}},
		{"that of the execution", nil, of(contract.Release{ID: published}), []string{"Live        12345678 Write 1, for 59 min (release " + published + ")", "Proof       2 of 2 live"}},
		{"rolled back", nil, of(contract.Release{ID: later, Restores: "20261126-100000-00000000", By: "arn:aws:iam::123456789012:user/me"}),
			[]string{"Live        release " + later + ", which a rollback by me made of the files of 20261126-100000-00000000, for 5 min"}},
		{"published, and not cleared", []fakeaws.Execution{execution(second, "Failed", 6, "Succeeded", "Succeeded", "Succeeded", "Failed")}, of(contract.Release{ID: later, Execution: second}),
			[]string{"Live        release " + later + ", of the execution that failed later, for 5 min", "Failed      22345678 Write 2, 5 min ago", "            Invalidate/Invalidate"}},
		{"not cleared", nil, of(contract.Release{ID: published, Pending: true}), []string{"Live        12345678 Write 1, for 59 min (release " + published + "); CloudFront is not cleared yet", "Proof       2 of 2 live"}},
		{"rolled back by root, and not cleared", nil, of(contract.Release{ID: later, Restores: "20261126-100000-00000000", By: "arn:aws:iam::123456789012:root", Pending: true}),
			[]string{"Live        release " + later + ", which a rollback by root made of the files of 20261126-100000-00000000, for 5 min; CloudFront is not cleared yet"}},
		{"published, and being cleared", []fakeaws.Execution{execution(second, "InProgress", 6, "Succeeded", "Succeeded", "Succeeded", "InProgress")}, of(contract.Release{ID: later, Execution: second}),
			[]string{"Live        release " + later + ", of the execution that runs, for 5 min"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, fakeaws.Options{})
			for _, e := range append([]fakeaws.Execution{succeeded}, tt.then...) {
				w.set(t, e)
			}
			s, err := Read(t.Context(), w.client, "my-blog")
			if err != nil {
				t.Fatal(err)
			}
			s.Current = tt.current
			var got []string
			for _, line := range s.Lines(noon) {
				if strings.HasPrefix(line, "  Live") || len(got) > 0 {
					got = append(got, strings.TrimPrefix(line, "  "))
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

// TestRetriedActionsCountOnce has an action fail, and succeed when its stage is retried.
func TestRetriedActionsCountOnce(t *testing.T) {
	w := newWorld(t, fakeaws.Options{})
	e := execution(first, "Failed", 10, "Succeeded", "Failed")
	e.Actions = append(e.Actions, fakeaws.ActionExecution{Stage: "Build", Action: "Build", Status: "Failed", Started: noon, ErrorMessage: "again"})
	w.set(t, e)
	s, err := Read(t.Context(), w.client, "my-blog")
	if err != nil || !slices.Equal(s.Failed.Reasons, []string{"Build/Build: again"}) {
		t.Errorf("got %q, %v, want the last attempt's reason", s.Failed.Reasons, err)
	}
}

// backwards lists the oldest first, since AWS does not document the order of its lists.
type backwards struct{ CodePipeline }

func (b backwards) ListPipelineExecutions(ctx context.Context, in *codepipeline.ListPipelineExecutionsInput, _ ...func(*codepipeline.Options)) (*codepipeline.ListPipelineExecutionsOutput, error) {
	out, err := b.CodePipeline.ListPipelineExecutions(ctx, in)
	if err == nil {
		slices.Reverse(out.PipelineExecutionSummaries)
	}
	return out, err
}

func (b backwards) ListActionExecutions(ctx context.Context, in *codepipeline.ListActionExecutionsInput, _ ...func(*codepipeline.Options)) (*codepipeline.ListActionExecutionsOutput, error) {
	out, err := b.CodePipeline.ListActionExecutions(ctx, in)
	if err == nil {
		slices.Reverse(out.ActionExecutionDetails)
	}
	return out, err
}

func TestNoOrderIsExpected(t *testing.T) {
	w := newWorld(t, fakeaws.Options{})
	w.set(t, execution(first, "Succeeded", 60, "Succeeded", "Succeeded"))
	e := execution(second, "Failed", 10, "Succeeded", "Failed")
	e.Actions = append(e.Actions, fakeaws.ActionExecution{Stage: "Build", Action: "Build", Status: "Failed", Started: noon, ErrorMessage: "again"})
	w.set(t, e)
	s, err := Read(t.Context(), backwards{w.client}, "my-blog")
	if err != nil || s.Newest.ID != second || s.Live.ID != first || !slices.Equal(s.Failed.Reasons, []string{"Build/Build: again"}) {
		t.Errorf("got %+v, %v, want the newest execution and its last attempt", s, err)
	}
}

// TestWatchByTheClockOfAWS has this machine's clock be wrong by some minutes: what has ended three minutes before is of an
// earlier push.
func TestWatchByTheClockOfAWS(t *testing.T) {
	for _, ahead := range []time.Duration{-4 * time.Minute, 0, 4 * time.Minute} {
		w := newWorld(t, fakeaws.Options{})
		w.ahead = ahead
		of := func(id string, ago time.Duration) fakeaws.Execution {
			e := execution(id, "Succeeded", 0, "Succeeded")
			e.Started = noon.Add(ahead - ago)
			return e
		}
		w.set(t, of(first, 3*time.Minute))
		lines, err := watched(t, w, func() { w.set(t, of(second, 0)) })
		if err != nil || len(lines) != 3 || lines[0] != "waiting for an execution to begin" || !strings.HasPrefix(lines[1], "execution 22222222 began ") {
			t.Errorf("if AWS is %v ahead: got %q, %v", ahead, lines, err)
		}
	}
}

func TestSpans(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0 s", 59 * time.Second: "59 s", time.Minute: "1 min", 59*time.Minute + 59*time.Second: "59 min", 90 * time.Minute: "1 h", 50 * time.Hour: "50 h",
	} {
		if got := Span(d); got != want {
			t.Errorf("Span(%v): got %s, want %s", d, got, want)
		}
	}
	if got, want := At(noon.Add(-50*time.Hour), noon), noon.Add(-50*time.Hour).Local().Format("2006-01-02 15:04"); got != want {
		t.Errorf("at 50 hours before: got %s, want %s", got, want)
	}
}

// watched follows the pipeline of a world. Each look is followed by the next step, until there is none.
func watched(t *testing.T, w *world, steps ...func()) (lines []string, err error) {
	t.Helper()
	now := noon
	err = Watcher{
		Client: w.client, Pipeline: contract.Pipeline{Name: "my-blog"}, Tell: func(line string) { lines = append(lines, line[len("12:00:00  "):]) },
		Now: func() time.Time { return now },
		Sleep: func(context.Context, time.Duration) error {
			now = now.Add(lookEvery)
			if len(steps) > 0 {
				steps[0]()
				steps = steps[1:]
			}
			return nil
		},
	}.Watch(t.Context())
	return lines, err
}

func TestWatch(t *testing.T) {
	old := execution(first, "Succeeded", 60, "Succeeded", "Succeeded", "Succeeded", "Succeeded")
	at := func(status string, stages ...string) fakeaws.Execution {
		return execution(second, status, 0, stages...)
	}
	publishing := at("InProgress", "Succeeded", "Succeeded", "InProgress")
	publishing.Actions[2].Summary = "Publishing: 3 put so far."
	failed := at("Failed", "Succeeded", "Failed")
	failed.Actions[1].ErrorMessage = "hugo: no theme"
	tests := []struct {
		name    string
		steps   []fakeaws.Execution
		want    []string
		wantErr string
	}{
		{"begins and succeeds", []fakeaws.Execution{
			old, at("InProgress", "InProgress"), at("InProgress", "Succeeded", "InProgress"), publishing,
			at("Succeeded", "Succeeded", "Succeeded", "Succeeded", "Succeeded"),
		}, []string{
			"waiting for an execution to begin",
			"execution 22222222 began 3 s ago: 22345678 Write 2",
			"Source in progress", "Source succeeded", "Build in progress", "Build succeeded",
			"Deploy in progress: Publishing: 3 put so far.", "Deploy succeeded", "Invalidate succeeded",
		}, ""},
		{"has begun and fails", []fakeaws.Execution{at("InProgress", "Succeeded", "InProgress"), failed}, []string{
			"execution 22222222 began 0 s ago: 22345678 Write 2", "Source succeeded", "Build in progress", "Build failed",
		}, "execution 22222222 failed after 1 min\nBuild/Build: hugo: no theme"},
		{"has ended just now", []fakeaws.Execution{failed}, []string{
			"execution 22222222 began 0 s ago: 22345678 Write 2", "Source succeeded", "Build failed",
		}, "execution 22222222 failed after 1 min\nBuild/Build: hugo: no theme"},
		{"is superseded", []fakeaws.Execution{
			at("InProgress", "Succeeded"), at("Superseded", "Succeeded"), execution(third, "Succeeded", 0, "Succeeded"),
		}, []string{
			"execution 22222222 began 0 s ago: 22345678 Write 2", "Source succeeded",
			"execution 33333333 began 6 s ago: 32345678 Write 3", "Source succeeded",
		}, ""},
		{"one before it ends first", []fakeaws.Execution{
			execution(first, "InProgress", 5, "Succeeded", "InProgress"), execution(first, "Succeeded", 5, "Succeeded", "Succeeded"),
			execution(first, "Succeeded", 5, "Succeeded", "Succeeded"), at("InProgress", "InProgress"), at("Succeeded", "Succeeded"),
		}, []string{
			"execution 11111111 began 5 min ago: 12345678 Write 1", "Source succeeded", "Build in progress", "Build succeeded",
			"execution 22222222 began 9 s ago: 22345678 Write 2", "Source in progress", "Source succeeded",
		}, ""},
		{"one before it is the last", []fakeaws.Execution{
			execution(first, "InProgress", 5, "InProgress"), execution(first, "Failed", 5, "Failed"),
		}, []string{
			"execution 11111111 began 5 min ago: 12345678 Write 1", "Source in progress", "Source failed",
		}, "execution 11111111 failed after 1 min\nSource/Source"},
		{"is stopped", []fakeaws.Execution{at("InProgress", "Succeeded", "InProgress"), at("Stopped", "Succeeded", "Abandoned")}, []string{
			"execution 22222222 began 0 s ago: 22345678 Write 2", "Source succeeded", "Build in progress", "Build stopped",
		}, "execution 22222222 stopped after 1 min"},
		{"does not begin", []fakeaws.Execution{old}, []string{"waiting for an execution to begin"},
			"no execution of my-blog has begun for 2 min: does the pipeline watch the branch that you have pushed?"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, fakeaws.Options{})
			var steps []func()
			for _, e := range tt.steps {
				steps = append(steps, func() { w.set(t, e) })
			}
			steps[0]()
			lines, err := watched(t, w, steps[1:]...)
			if !slices.Equal(lines, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(tt.want, "\n"))
			}
			if got := fmt.Sprint(err); got != tt.wantErr && (err != nil || tt.wantErr != "") {
				t.Errorf("got %v, want %s", err, tt.wantErr)
			}
		})
	}
}

// TestWatchGoesOn has some looks fail, and too many.
func TestWatchGoesOn(t *testing.T) {
	for failures, wantErr := range map[int]bool{4: false, 5: true} {
		struck := 0
		w := newWorld(t, fakeaws.Options{Fault: func(c fakeaws.Call) fakeaws.Fault {
			if c.Action == "codepipeline:GetPipelineState" && c.N > 1 && struck < failures {
				struck++
				return fakeaws.Fault{Kind: fakeaws.Throttle}
			}
			return fakeaws.Fault{}
		}})
		w.set(t, execution(second, "InProgress", 0, "InProgress"))
		_, err := watched(t, w, func() { w.set(t, execution(second, "Succeeded", 0, "Succeeded")) })
		if (err != nil) != wantErr || struck != failures {
			t.Errorf("after %d failures of %d: got %v, want an error: %v", struck, failures, err, wantErr)
		}
	}
}

// TestWatchNeedsAFirstLook refuses the first look, which a wait does not mend.
func TestWatchNeedsAFirstLook(t *testing.T) {
	looks := 0
	w := newWorld(t, fakeaws.Options{Authorize: func(fakeaws.Call) error {
		looks++
		return errors.New("no identity-based policy allows it")
	}})
	if lines, err := watched(t, w); err == nil || looks != 1 || len(lines) > 0 {
		t.Errorf("got %v after %d looks and %q, want the first refusal", err, looks, lines)
	}
}

// TestWatchEndsWithItsContext stops a watch, as Ctrl-C does.
func TestWatchEndsWithItsContext(t *testing.T) {
	w := newWorld(t, fakeaws.Options{})
	w.set(t, execution(second, "InProgress", 0, "InProgress"))
	stopped := Watcher{
		Client: w.client, Pipeline: contract.Pipeline{Name: "my-blog"}, Tell: func(string) {}, Now: time.Now,
		Sleep: func(context.Context, time.Duration) error { return context.Canceled },
	}
	if err := stopped.Watch(t.Context()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
