package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"blog-deploy-pipeline/lambdas/internal/invalidation"
	"blog-deploy-pipeline/lambdas/internal/invalidation/invalidationtest"
	"blog-deploy-pipeline/lambdas/internal/invocation/invocationtest"
	"blog-deploy-pipeline/rehearse/functiontest"
)

// binary is this command, compiled for the machine that runs the tests.
var binary string

func TestMain(m *testing.M) { os.Exit(functiontest.Main(m, &binary)) }

// fakeCodeDeploy keeps the reports it gets, and answers with what fail says.
type fakeCodeDeploy struct {
	mu      sync.Mutex
	reports []*codedeploy.PutLifecycleEventHookExecutionStatusInput
	fail    func(context.Context) error
}

func (f *fakeCodeDeploy) PutLifecycleEventHookExecutionStatus(ctx context.Context, in *codedeploy.PutLifecycleEventHookExecutionStatusInput, _ ...func(*codedeploy.Options)) (*codedeploy.PutLifecycleEventHookExecutionStatusOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reports = append(f.reports, in)
	if f.fail != nil {
		return nil, f.fail(ctx)
	}
	return &codedeploy.PutLifecycleEventHookExecutionStatusOutput{}, ctx.Err() // a report must come on a context that is alive
}

type world struct {
	deploy  *fakeCodeDeploy
	edge    *invalidationtest.CloudFront
	handler *handler
	log     invocationtest.Log
}

// theService is the environment of the function under test; what is given replaces it.
func theService(env map[string]string) func(string) string {
	all := map[string]string{
		"SERVICE":       "shop",
		"DISTRIBUTIONS": `[{"DistributionId":"E2EXAMPLE","Paths":["/posts/*","/index.html"]}]`,
		"DEADLINE":      "10m0s",
	}
	maps.Copy(all, env)
	return func(name string) string { return all[name] }
}

// newWorld returns a world in which CloudFront does what edge does.
func newWorld(edge *invalidationtest.CloudFront, env map[string]string) *world {
	w := &world{deploy: &fakeCodeDeploy{}, edge: edge}
	settings, err := parseSettings(theService(env))
	w.handler = &handler{codeDeploy: w.deploy, cloudFront: edge, settings: settings, misconfigured: err, log: w.log.Logger()}
	return w
}

// two are two distributions.
var two = map[string]string{"DISTRIBUTIONS": `[{"DistributionId":"E2EXAMPLE"},{"DistributionId":"E3EXAMPLE"}]`}

func (w *world) invoke(t *testing.T, limit time.Duration, event []byte) ([]byte, error) {
	t.Helper()
	return invocationtest.Invoke(t, w.handler, limit, event)
}

// codeDeploy is one invocation by CodeDeploy, with the timeout that goes with the
// deadline of ten minutes; it returns what was reported.
func (w *world) codeDeploy(t *testing.T, event string) types.LifecycleEventStatus {
	t.Helper()
	answer, err := w.invoke(t, 640*time.Second, invocationtest.Event(t, event))
	if err != nil || string(answer) != "null" {
		t.Fatalf("Invoke: %s, %v, want null and no error", answer, err)
	}
	if len(w.deploy.reports) != 1 {
		t.Fatalf("sent %d reports, want exactly 1", len(w.deploy.reports))
	}
	return w.deploy.reports[0].Status
}

// answer is what ECS reads.
type answer struct {
	HookStatus    string                     `json:"hookStatus"`
	CallBackDelay *int                       `json:"callBackDelay"`
	HookDetails   map[string]json.RawMessage `json:"hookDetails"`
}

// ecs is one invocation by ECS.
func (w *world) ecs(t *testing.T, event []byte) answer {
	t.Helper()
	payload, err := w.invoke(t, invocationtest.Limit, event)
	if err != nil {
		t.Fatalf("Invoke: %v, want an answer: ECS takes an error for a crash", err)
	}
	if len(w.deploy.reports) != 0 {
		t.Errorf("told CodeDeploy of ECS's hook")
	}
	return readAnswer(t, payload)
}

func readAnswer(t *testing.T, payload []byte) answer {
	t.Helper()
	var a answer
	if err := json.Unmarshal(payload, &a); err != nil {
		t.Fatalf("answer %s: %v", payload, err)
	}
	if goesOn := a.HookStatus == "IN_PROGRESS"; goesOn != (a.CallBackDelay != nil) || goesOn != (a.HookDetails != nil) {
		t.Errorf("answer is %s, want a delay and details with IN_PROGRESS and only then", payload)
	}
	return a
}

// next is ECS's next call of the same hook.
func next(t *testing.T, event []byte, a answer) []byte {
	t.Helper()
	return edit(t, event, func(fields map[string]any) { fields["hookDetails"] = a.HookDetails })
}

func edit(t *testing.T, event []byte, change func(map[string]any)) []byte {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal(event, &fields); err != nil {
		t.Fatal(err)
	}
	change(fields)
	changed, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return changed
}

var denied = invalidationtest.APIError(http.StatusForbidden, "AccessDenied", "not authorized")

// endCase is a way for an invalidation to end.
type endCase struct {
	name     string
	edge     func() *invalidationtest.CloudFront
	env      map[string]string
	passes   bool
	counted  string // see invalidationtest.Counted
	wantText []string
}

// ends are all the ways that an invalidation can end, for both callers.
var ends = []endCase{
	{"completed", func() *invalidationtest.CloudFront { return invalidationtest.CompletesAfter(20 * time.Second) }, nil,
		true, "0 0 true", []string{"E2EXAMPLE: invalidation I2J0I21PCUYOIK is completed"}},
	{"created, which is enough", func() *invalidationtest.CloudFront { return invalidationtest.Says("InProgress") }, map[string]string{"WAIT_FOR": "created"},
		true, "0 0 false", []string{"E2EXAMPLE: invalidation I2J0I21PCUYOIK is created"}},
	{"refused by CloudFront", func() *invalidationtest.CloudFront { return invalidationtest.Refuses(denied) }, nil,
		false, "1 0 false", []string{"role must allow", "deploy the service again, or clear by hand: aws cloudfront create-invalidation --distribution-id E2EXAMPLE --paths '/posts/*' '/index.html'"}},
	{"late", func() *invalidationtest.CloudFront { return invalidationtest.Says("InProgress") }, map[string]string{"DEADLINE": "1m"},
		false, "1 1 false", []string{"was not completed within 1m0s", "raise the service's Hook.Deadline", "aws cloudfront create-invalidation"}},
	{"late, with the pipeline's choice in the environment", func() *invalidationtest.CloudFront { return invalidationtest.Says("InProgress") }, map[string]string{"DEADLINE": "1m", "AFTER_DEADLINE": "warn"},
		false, "1 1 false", []string{"was not completed within 1m0s"}},
	{"never accepted", func() *invalidationtest.CloudFront {
		return invalidationtest.Refuses(invalidationtest.APIError(http.StatusBadRequest, "TooManyInvalidationsInProgress", "too many"))
	}, map[string]string{"DEADLINE": "1m"}, false, "1 0 false", []string{"accepted no invalidation within 1m0s", "TooManyInvalidationsInProgress"}},
	{"panic", func() *invalidationtest.CloudFront { return invalidationtest.Panics("the sky is falling") }, nil,
		false, "1 0 false", []string{"the sky is falling", "clear by hand"}},
	{"settings", func() *invalidationtest.CloudFront { return invalidationtest.Says("Completed") }, map[string]string{"DEADLINE": "soon"},
		false, "1 0 false", []string{`DEADLINE is \"soon\"`, "deploy the service again"}},
	{"one of two refused", func() *invalidationtest.CloudFront {
		return invalidationtest.Each(map[string]*invalidationtest.CloudFront{"E2EXAMPLE": invalidationtest.CompletesAfter(20 * time.Second)})
	}, two, false, "1 0 false", []string{"E3EXAMPLE: CloudFront refused: NoSuchDistribution", "E2EXAMPLE: invalidation I2J0I21PCUYOIK is completed"}},
	{"both completed", func() *invalidationtest.CloudFront {
		return invalidationtest.Each(map[string]*invalidationtest.CloudFront{"E2EXAMPLE": invalidationtest.CompletesAfter(0), "E3EXAMPLE": invalidationtest.CompletesAfter(50 * time.Second)})
	}, two, true, "0 0 true", []string{"E2EXAMPLE: invalidation", "E3EXAMPLE: invalidation"}},
}

// eachEnd tries every way to end with both of the owner's choices, in virtual time.
func eachEnd(t *testing.T, test func(t *testing.T, tt endCase, w *world, rolledBack bool)) {
	t.Helper()
	for _, tt := range ends {
		for _, choice := range []onFailure{proceed, rollBack} {
			t.Run(tt.name+", "+string(choice), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					env := map[string]string{"ON_FAILURE": string(choice)}
					maps.Copy(env, tt.env)
					w := newWorld(tt.edge(), env)
					test(t, tt, w, !tt.passes && choice == rollBack)
				})
			})
		}
	}
}

func TestEveryEndForCodeDeploy(t *testing.T) {
	eachEnd(t, func(t *testing.T, tt endCase, w *world, rolledBack bool) {
		want := types.LifecycleEventStatusSucceeded
		if rolledBack {
			want = types.LifecycleEventStatusFailed
		}
		if got := w.codeDeploy(t, "codedeploy"); got != want {
			t.Errorf("reported %s, want %s", got, want)
		}
		report := w.deploy.reports[0]
		if *report.DeploymentId != "d-ABCDEF123" || !strings.HasPrefix(*report.LifecycleEventHookExecutionId, "eyJ") {
			t.Errorf("reported to %s %s, want the event's ids", *report.DeploymentId, *report.LifecycleEventHookExecutionId)
		}
		w.checkEnd(t, tt.passes, tt.counted, string(want), tt.wantText)
	})
}

func TestEveryEndForECS(t *testing.T) {
	eachEnd(t, func(t *testing.T, tt endCase, w *world, rolledBack bool) {
		want := "SUCCEEDED"
		if rolledBack {
			want = "FAILED"
		}
		event := invocationtest.Event(t, "ecs-first")
		start, calls := time.Now(), 1
		got := w.ecs(t, event)
		for ; got.HookStatus == "IN_PROGRESS" && calls < 20; calls++ {
			time.Sleep(time.Duration(*got.CallBackDelay) * time.Second)
			got = w.ecs(t, next(t, event, got))
		}
		if got.HookStatus != want {
			t.Errorf("answered %s after %d calls, want %s", got.HookStatus, calls, want)
		}
		if took := time.Since(start); took > 61*time.Second {
			t.Errorf("took %v, want no more than the deadline", took)
		}
		w.checkEnd(t, tt.passes, tt.counted, want, tt.wantText)
	})
}

// checkEnd checks the one line that says how the hook ended.
func (w *world) checkEnd(t *testing.T, passes bool, wantCounted, wantTold string, wantText []string) {
	t.Helper()
	counted, level := invalidationtest.Counted(t, w.log.Lines(t))
	if wantLevel := map[bool]string{true: "INFO", false: "ERROR"}[passes]; counted != wantCounted || level != wantLevel {
		t.Errorf("counted %q at %q, want %q at %q", counted, level, wantCounted, wantLevel)
	}
	for _, want := range append(wantText, `"told":"`+wantTold+`"`, `"service":"shop"`) {
		if !strings.Contains(w.log.String(), want) {
			t.Errorf("log has no %q:\n%s", want, w.log.String())
		}
	}
	if strings.Contains(w.log.String(), "retry this stage") || strings.Contains(w.log.String(), "the blog's") {
		t.Errorf("log has a pipeline's words:\n%s", w.log.String())
	}
}

// references returns the caller references that were sent for a distribution.
func (w *world) references(distribution string) (all []string) {
	for _, in := range w.edge.Created() {
		if *in.DistributionId == distribution {
			all = append(all, *in.InvalidationBatch.CallerReference)
		}
	}
	return slices.Compact(all)
}

// A failure of one distribution keeps no other from being cleared, and each has its
// own paths.
func TestDistributionsAreIndependent(t *testing.T) {
	for name, bad := range map[string]*invalidationtest.CloudFront{
		"refused":  invalidationtest.Refuses(denied),
		"panicked": invalidationtest.Panics("x"),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(invalidationtest.Each(map[string]*invalidationtest.CloudFront{"E2EXAMPLE": bad, "E3EXAMPLE": invalidationtest.Says("Completed")}),
				map[string]string{"DISTRIBUTIONS": `[{"DistributionId":"E2EXAMPLE","Paths":["/b","/a"]},{"DistributionId":"E3EXAMPLE"}]`})
			w.codeDeploy(t, "codedeploy")
			paths := map[string][]string{}
			for _, in := range w.edge.Created() {
				paths[*in.DistributionId] = in.InvalidationBatch.Paths.Items
			}
			want := map[string][]string{"E2EXAMPLE": {"/a", "/b"}, "E3EXAMPLE": {"/*"}}
			if fmt.Sprint(paths) != fmt.Sprint(want) {
				t.Errorf("cleared %v, want %v", paths, want)
			}
			if !strings.Contains(w.log.String(), "E3EXAMPLE: invalidation I2J0I21PCUYOIK is completed") {
				t.Errorf("log does not say that the other is clear:\n%s", w.log.String())
			}
		})
	}
}

// Distributions are advanced together: none waits for another one.
func TestDistributionsAreClearedTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		list := `[{"DistributionId":"E1"},{"DistributionId":"E2"},{"DistributionId":"E3"}]`
		edges := map[string]*invalidationtest.CloudFront{}
		for _, id := range []string{"E1", "E2", "E3"} {
			edges[id] = invalidationtest.CompletesAfter(20 * time.Second)
		}
		w := newWorld(invalidationtest.Each(edges), map[string]string{"DISTRIBUTIONS": list})
		start := time.Now()
		w.codeDeploy(t, "codedeploy")
		if took := time.Since(start); took > 32*time.Second {
			t.Errorf("took %v for three of 20 s, want them at the same time", took)
		}
	})
}

func TestRefusedEvents(t *testing.T) {
	tests := map[string][]string{
		"codedeploy-no-hook-id":      {`"DeploymentId", "Secret"`, "neither"},
		"codedeploy-empty-id":        {"DeploymentId is empty"},
		"codedeploy-number-id":       {"DeploymentId is empty or no string"},
		"codedeploy-in-another-case": {`"deploymentId", "lifecycleEventHookExecutionId"`, "neither"},
		"codepipeline-job":           {`"CodePipeline.job"`, "neither"},
		"both":                       {`"DeploymentId"`, `"executionId"`, "both"},
		"not-an-object":              {"not a JSON object"},
		"null":                       {"no fields"},
	}
	for event, wants := range tests {
		t.Run(event, func(t *testing.T) {
			w := newWorld(invalidationtest.Says("Completed"), nil)
			_, err := w.invoke(t, invocationtest.Limit, invocationtest.Event(t, event))
			if err == nil {
				t.Fatal("no error, want one that says what came")
			}
			for _, want := range wants {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error is %q, want %q in it", err, want)
				}
			}
			if n := len(w.deploy.reports) + len(w.edge.Created()); n != 0 {
				t.Errorf("made %d calls, want none", n)
			}
		})
	}
}

// Whatever comes, nothing secret is said, and what is said reads well.
func TestWhatIsSaidOfEachEvent(t *testing.T) {
	edges := map[string]*invalidationtest.CloudFront{
		"Completed": invalidationtest.Says("Completed"), "InProgress": invalidationtest.Says("InProgress"), "panic": invalidationtest.Panics("The sky is falling."),
		"refusal": invalidationtest.Refuses(denied), "silence": {Hang: true},
	}
	for _, name := range invocationtest.Events(t) {
		for state, edge := range edges {
			t.Run(name+", "+state, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(edge, nil)
					_, err := w.invoke(t, invocationtest.Limit, invocationtest.Event(t, name))
					w.log.CheckSecrets(t, []string{"SECRET", "eyJlbmNyeXB0ZWREYXRhIjoi", "hookDetails\":", `"job":"`, "executionDetails\":", "LifecycleEventHookExecutionId\":"}, err)
					messages, bad := functiontest.Messages(w.log.String())
					if bad != nil {
						t.Error(bad)
					}
					for _, message := range messages {
						if slip := functiontest.Slip(message); slip != "" {
							t.Errorf("a message has %s: %s", slip, message)
						}
					}
				})
			})
		}
	}
}

func TestLogLinesNameTheirHook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(invalidationtest.CompletesAfter(5*time.Second), nil)
		w.codeDeploy(t, "codedeploy")
		w.log.CheckLines(t, 3, map[string]string{"service": "shop", "deployment": "d-ABCDEF123"})
	})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(invalidationtest.CompletesAfter(time.Minute), nil)
		w.ecs(t, invocationtest.Event(t, "ecs-first"))
		w.log.CheckLines(t, 3, map[string]string{"service": "shop", "stage": "POST_PRODUCTION_TRAFFIC_SHIFT",
			"execution":  "a1b2c3d4-5678-90ab-cdef-111111111111",
			"deployment": "arn:aws:ecs:us-east-1:111122223333:service-deployment/production/shop/TM44erGFVBw1XNpdOMxpp"})
		lines := w.log.Lines(t)
		for _, line := range lines[:len(lines)-1] { // all but the last are about one distribution
			if line["distribution"] != "E2EXAMPLE" || line["invalidation"] != invalidationtest.ID {
				t.Errorf("line names no distribution or no invalidation: %v", line)
			}
		}
	})
}

func TestPanicLogsItsStack(t *testing.T) {
	w := newWorld(invalidationtest.Panics("x"), nil)
	w.codeDeploy(t, "codedeploy")
	if !strings.Contains(w.log.String(), "invalidationtest.go") {
		t.Errorf("log has no stack: %s", w.log.String())
	}
}

// A panic outside of a distribution's own work is an end like any other.
func TestPanicElsewhere(t *testing.T) {
	broken := func(word string) *world {
		w := newWorld(invalidationtest.Says("Completed"), map[string]string{"ON_FAILURE": "roll-back", "DEADLINE": "1h"})
		w.handler.log = slog.New(slog.NewJSONHandler(panicWriter{&w.log, word}, nil))
		return w
	}
	w := broken("timeout leaves less")
	if got := w.codeDeploy(t, "codedeploy"); got != types.LifecycleEventStatusFailed {
		t.Errorf("reported %s, want Failed", got)
	}
	w.checkEnd(t, false, "1 0 false", "Failed", []string{"the function panicked: no words"})

	w = broken("state of another firing")
	there := newWorld(invalidationtest.Says("InProgress"), map[string]string{"POLL_FOR": "1ms", "POLL_EVERY": "1ms"}).ecs(t, invocationtest.Event(t, "ecs-shift"))
	if got := w.ecs(t, next(t, invocationtest.Event(t, "ecs-first"), there)); got.HookStatus != "FAILED" {
		t.Errorf("answered %s, want FAILED", got.HookStatus)
	}
	w.checkEnd(t, false, "1 0 false", "FAILED", []string{"the function panicked: no words"})
}

// panicWriter panics instead of writing a line with a word.
type panicWriter struct {
	io.Writer
	word string
}

func (w panicWriter) Write(p []byte) (int, error) {
	if strings.Contains(string(p), w.word) {
		panic("no words")
	}
	return w.Writer.Write(p)
}

func TestParseSettings(t *testing.T) {
	got, err := parseSettings(theService(map[string]string{
		"DISTRIBUTIONS": `[{"DistributionId":"E1","Paths":["/a"]},{"DistributionId":"E2"}]`, "ON_FAILURE": "roll-back", "WAIT_FOR": "created", "DEADLINE": "5m", "AFTER_DEADLINE": "warn",
	}))
	want := settings{
		service:       "shop",
		distributions: []distribution{{ID: "E1", Paths: []string{"/a"}}, {ID: "E2", Paths: []string{"/*"}}},
		onFailure:     rollBack,
		invalidation:  invalidation.Settings{PollFor: 40 * time.Second, PollEvery: 2 * time.Second, Deadline: 5 * time.Minute, AfterDeadline: invalidation.Fail, WaitFor: invalidation.UntilCreated},
	}
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("settings are %v, %v, want %v", got, err, want)
	}

	// Every problem at once, and what is right is there even so.
	got, err = parseSettings(theService(map[string]string{
		"SERVICE": "", "DISTRIBUTIONS": `[{"DistributionId":"E1"},{"DistributionId":"E1"},{}]`, "ON_FAILURE": "roll-back", "WAIT_FOR": "ever", "DEADLINE": "soon",
	}))
	if got.onFailure != rollBack {
		t.Errorf("onFailure is %q, want the owner's choice", got.onFailure)
	}
	for _, want := range []string{"SERVICE is empty", `DISTRIBUTIONS has "E1" twice`, "DISTRIBUTIONS[2] has no DistributionId", `WAIT_FOR is "ever"`, `DEADLINE is "soon"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want %q in it", err, want)
		}
	}
	for name, env := range map[string]map[string]string{
		`DISTRIBUTIONS is ""`:              {"DISTRIBUTIONS": ""},
		"DISTRIBUTIONS has no":             {"DISTRIBUTIONS": "[]"},
		`unknown field "Path"`:             {"DISTRIBUTIONS": `[{"DistributionId":"E1","Path":["/a"]}]`},
		`ON_FAILURE is "explode": must be`: {"ON_FAILURE": "explode"},
	} {
		got, err := parseSettings(theService(env))
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v: error is %v, want %q in it", env, err, name)
		}
		if got.onFailure != proceed {
			t.Errorf("%v: onFailure is %q, want the default", env, got.onFailure)
		}
	}
}

func TestCommandToClearByHand(t *testing.T) {
	for _, tt := range []struct {
		paths []string
		want  string
	}{
		{[]string{"/*"}, `--distribution-id E1 --paths '/*'`},
		{[]string{"/a'b", "#tag"}, `--paths '/a'\''b' '#tag'`},
		{slices.Repeat([]string{"/a"}, 11), `--paths '/*'`},
	} {
		if got := again(distribution{ID: "E1", Paths: tt.paths}); !strings.HasSuffix(got, tt.want) {
			t.Errorf("%d paths: %q, want %q at its end", len(tt.paths), got, tt.want)
		}
	}
	// Whoever reads it has credentials of the service's account at hand.
	got, err := parseSettings(theService(map[string]string{"ROLE_ARN": "arn:aws:iam::210987654321:role/clear-cache"}))
	if err != nil {
		t.Fatal(err)
	}
	if text, want := again(got.distributions[0]), "or clear by hand, with credentials of the account 210987654321: aws cloudfront"; !strings.Contains(text, want) {
		t.Errorf("with a role: %q, want %q in it", text, want)
	}
}

// FuzzInvoke: whatever comes, there is one report, one valid answer to ECS, or an
// error and no call.
func FuzzInvoke(f *testing.F) {
	invocationtest.Seed(f)
	f.Fuzz(func(t *testing.T, event []byte) {
		w := newWorld(invalidationtest.Says("Completed"), map[string]string{"ON_FAILURE": "roll-back"})
		payload, err := w.invoke(t, invocationtest.Limit, event)
		var fields map[string]json.RawMessage
		isObject := json.Unmarshal(event, &fields) == nil
		has := func(names ...string) bool {
			return isObject && !slices.ContainsFunc(names, func(name string) bool { return fields[name] == nil })
		}
		isCodeDeploy, isECS := has("DeploymentId", "LifecycleEventHookExecutionId"), has("executionId", "lifecycleStage")
		switch reports := len(w.deploy.reports); {
		case isECS && !isCodeDeploy:
			if err != nil || reports != 0 {
				t.Fatalf("error %v and %d reports for ECS, want neither", err, reports)
			}
			if a := readAnswer(t, payload); a.HookStatus != "SUCCEEDED" && a.HookStatus != "FAILED" {
				t.Errorf("answered %s", payload)
			}
		case isCodeDeploy && !isECS && err == nil:
			if reports != 1 || string(payload) != "null" {
				t.Errorf("%d reports and %s, want one report", reports, payload)
			}
		case err == nil || reports != 0 || len(w.edge.Created()) != 0:
			t.Errorf("error %v, %d reports and %d invalidations, want an error and no call", err, reports, len(w.edge.Created()))
		}
	})
}
