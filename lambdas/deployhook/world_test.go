package main

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/invalidation/invalidationtest"
	"blog-deploy-pipeline/lambdas/internal/invocation/invocationtest"
	"blog-deploy-pipeline/rehearse/functiontest"
)

// binary is this command, compiled for the machine that runs the tests.
var binary string

func TestMain(m *testing.M) { os.Exit(functiontest.Main(m, &binary)) }

// The owner's choices for ON_FAILURE.
const (
	proceed = string(contract.OnFailureProceed)
	fail    = string(contract.OnFailureFail)
)

// fakeCodeDeploy keeps the reports that it gets, and returns what fail returns.
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
	return &codedeploy.PutLifecycleEventHookExecutionStatusOutput{}, ctx.Err() // a report must be sent on a context that has not ended
}

type world struct {
	deploy  *fakeCodeDeploy
	edge    *invalidationtest.CloudFront
	handler *handler
	log     invocationtest.Log
}

// variables returns the variables of the function under test; env replaces some of them.
func variables(env map[string]string) func(string) string {
	all := map[string]string{
		contract.EnvService:       "shop",
		contract.EnvDistributions: distributions(contract.Distribution{ID: "E2EXAMPLE", Paths: []string{"/posts/*", "/index.html"}}),
		contract.EnvDeadline:      "10m0s",
	}
	maps.Copy(all, env)
	return func(name string) string { return all[name] }
}

// distributions returns the value of a variable with these distributions.
func distributions(all ...contract.Distribution) string { return contract.JSON(all) }

// newWorld returns a function and the AWS that it calls.
func newWorld(edge *invalidationtest.CloudFront, env map[string]string) *world {
	w := &world{deploy: &fakeCodeDeploy{}, edge: edge}
	settings, err := readSettings(variables(env))
	w.handler = &handler{hook: hook{cloudFront: edge, settings: settings, misconfigured: err}, codeDeploy: w.deploy, log: w.log.Logger()}
	return w
}

// two are two distributions.
var two = map[string]string{contract.EnvDistributions: distributions(contract.Distribution{ID: "E2EXAMPLE"}, contract.Distribution{ID: "E3EXAMPLE"})}

func (w *world) invoke(t *testing.T, limit time.Duration, event []byte) ([]byte, error) {
	t.Helper()
	return invocationtest.Invoke(t, w.handler, limit, event)
}

// codeDeploy calls the function as CodeDeploy does, with the timeout for a deadline of ten
// minutes, and returns the reported status.
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

// answer has the fields of the function's answer that ECS reads.
type answer struct {
	HookStatus    string                     `json:"hookStatus"`
	CallBackDelay *int                       `json:"callBackDelay"`
	HookDetails   map[string]json.RawMessage `json:"hookDetails"`
}

// ecs calls the function as ECS does.
func (w *world) ecs(t *testing.T, event []byte) answer {
	t.Helper()
	payload, err := w.invoke(t, invocationtest.Limit, event)
	if err != nil {
		t.Fatalf("Invoke: %v, want an answer", err)
	}
	if len(w.deploy.reports) != 0 {
		t.Errorf("reported a hook of ECS to CodeDeploy")
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

// next returns the event of ECS's next call of the same hook.
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

// references returns the caller references that were sent for a distribution.
func (w *world) references(distribution string) (all []string) {
	for _, in := range w.edge.Created() {
		if *in.DistributionId == distribution {
			all = append(all, *in.InvalidationBatch.CallerReference)
		}
	}
	return slices.Compact(all)
}

// checkEnd checks the line that says how the hook ended.
func (w *world) checkEnd(t *testing.T, passes bool, wantCounted, wantTold string, wantText []string) {
	t.Helper()
	counted, level := invalidationtest.Counted(t, w.log.Lines(t))
	if wantLevel := map[bool]string{true: "INFO", false: "ERROR"}[passes]; counted != wantCounted || level != wantLevel {
		t.Errorf("counted %q at %q, want %q at %q", counted, level, wantCounted, wantLevel)
	}
	for _, want := range append(wantText, `"told":"`+wantTold+`"`, `"`+contract.DimensionService+`":"shop"`) {
		if !strings.Contains(w.log.String(), want) {
			t.Errorf("log has no %q:\n%s", want, w.log.String())
		}
	}
	if strings.Contains(w.log.String(), "retry this stage") || strings.Contains(w.log.String(), "the blog's") {
		t.Errorf("log has a pipeline's words:\n%s", w.log.String())
	}
}
