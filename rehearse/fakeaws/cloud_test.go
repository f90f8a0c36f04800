package fakeaws_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"blog-deploy-pipeline/rehearse/fakeaws"
)

const distARN = "arn:aws:cloudfront::123456789012:distribution/" + distID

// subject holds the objects on which the operations work.
type subject struct {
	invalidationID string
	job            *fakeaws.Job
	hook           *fakeaws.DeploymentHook
}

func newSubject(t *testing.T, w *world) *subject {
	t.Helper()
	return &subject{job: w.startAction(t), hook: startDeployment(t, w.cloud, "AfterAllowTraffic").Next()}
}

// operations lists the operations of the cloud. Each has a call that succeeds, and a function that shows whether the cloud
// has processed it.
var operations = []struct {
	action, resource string
	status           string // Call.Status
	call             func(ctx context.Context, w *world, s *subject) error
	processed        func(w *world, s *subject) bool
}{
	{
		"cloudfront:CreateInvalidation", distARN, "",
		func(ctx context.Context, w *world, _ *subject) error {
			_, err := w.cloudFront.CreateInvalidation(ctx, createInput("job-2", "/b"))
			return err
		},
		func(w *world, _ *subject) bool { return len(w.cloud.Invalidations(distID)) == 2 },
	},
	{
		"cloudfront:GetInvalidation", distARN, "",
		func(ctx context.Context, w *world, s *subject) error {
			_, err := w.cloudFront.GetInvalidation(ctx, &cloudfront.GetInvalidationInput{DistributionId: aws.String(distID), Id: &s.invalidationID})
			return err
		},
		func(w *world, _ *subject) bool { return w.cloud.Invalidations(distID)[0].Status == "Completed" },
	},
	{
		"codepipeline:PutJobSuccessResult", "*", "Succeeded",
		func(ctx context.Context, w *world, s *subject) error {
			_, err := w.codePipeline.PutJobSuccessResult(ctx, success(s.job.ID()))
			return err
		},
		func(_ *world, s *subject) bool { return len(s.job.Reports()) == 1 },
	},
	{
		"codepipeline:PutJobFailureResult", "*", "Failed",
		func(ctx context.Context, w *world, s *subject) error {
			_, err := w.codePipeline.PutJobFailureResult(ctx, failure(s.job.ID(), nil))
			return err
		},
		func(_ *world, s *subject) bool { return len(s.job.Reports()) == 1 },
	},
	{
		"codedeploy:PutLifecycleEventHookExecutionStatus", groupARN, "Failed",
		func(ctx context.Context, w *world, s *subject) error {
			out, err := w.codeDeploy.PutLifecycleEventHookExecutionStatus(ctx, hookReport(s.hook, cdtypes.LifecycleEventStatusFailed))
			if err == nil && out.LifecycleEventHookExecutionId == nil {
				return errors.New("no id in the output")
			}
			return err
		},
		func(_ *world, s *subject) bool { return len(s.hook.Reports()) == 1 },
	},
}

// TestFaults injects every fault into every operation.
func TestFaults(t *testing.T) {
	noReply := func(err error) bool {
		return httpStatus(err) == 0 && (strings.Contains(err.Error(), "EOF") || errors.Is(err, syscall.ECONNRESET))
	}
	apiError := func(status int, codes ...string) func(error) bool {
		return func(err error) bool { return httpStatus(err) == status && slices.Contains(codes, errorCode(err)) }
	}
	tests := []struct {
		kind          fakeaws.FaultKind
		wantProcessed bool
		wantDo        bool
		wantErr       map[string]func(error) bool // by service; "" stands for all others, and nil for success
	}{
		{fakeaws.NoFault, true, false, nil},
		{fakeaws.Throttle, false, true, map[string]func(error) bool{
			"cloudfront": apiError(400, "Throttling"), "": apiError(400, "ThrottlingException")}},
		{fakeaws.ServerError, false, true, map[string]func(error) bool{"": apiError(500, "InternalFailure")}},
		{fakeaws.AccessDenied, false, true, map[string]func(error) bool{
			"cloudfront": apiError(403, "AccessDenied"), "": apiError(400, "AccessDeniedException")}},
		{fakeaws.ConnectionReset, false, true, map[string]func(error) bool{
			"": func(err error) bool { return errors.Is(err, syscall.ECONNRESET) }}},
		{fakeaws.Hang, false, true, map[string]func(error) bool{
			"": func(err error) bool { return errors.Is(err, context.DeadlineExceeded) }}},
		{fakeaws.MalformedBody, true, true, map[string]func(error) bool{
			"codepipeline": nil, // The SDK does not read the reply.
			"":             func(err error) bool { return strings.Contains(err.Error(), "deserialization failed") }}},
		{fakeaws.Before, false, true, map[string]func(error) bool{"": noReply}},
		{fakeaws.After, true, true, map[string]func(error) bool{"": noReply}},
		{fakeaws.BadSignature, false, true, map[string]func(error) bool{
			"cloudfront": apiError(403, "SignatureDoesNotMatch"), "sts": apiError(403, "SignatureDoesNotMatch"), "": apiError(400, "InvalidSignatureException")}},
		{fakeaws.BadSignatureLine, false, true, map[string]func(error) bool{
			"cloudfront": apiError(403, "SignatureDoesNotMatch"), "sts": apiError(403, "SignatureDoesNotMatch"), "": apiError(400, "InvalidSignatureException")}},
	}
	for _, test := range tests {
		for _, op := range operations {
			t.Run(test.kind.String()+"/"+op.action, func(t *testing.T) {
				var w *world
				var s *subject
				var armed, done, processedAtDo atomic.Bool
				w = newWorld(t, fakeaws.Options{Fault: func(fakeaws.Call) fakeaws.Fault {
					if !armed.Load() {
						return fakeaws.Fault{}
					}
					return fakeaws.Fault{Kind: test.kind, Do: func() {
						processedAtDo.Store(op.processed(w, s))
						done.Store(true)
					}}
				}})
				w.cloud.AddDistribution(fakeaws.Distribution{ID: distID, CompleteAfterGets: 1})
				out, err := w.create(t, "job-1", "/a")
				if err != nil {
					t.Fatalf("CreateInvalidation: %v", err)
				}
				s = newSubject(t, w)
				s.invalidationID = *out.Invalidation.Id
				armed.Store(true)

				ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
				defer cancel()
				err = op.call(ctx, w, s)
				service, _, _ := strings.Cut(op.action, ":")
				matches, ok := test.wantErr[service]
				if !ok {
					matches = test.wantErr[""]
				}
				if matches == nil {
					if err != nil {
						t.Errorf("error: got %v, want none", err)
					}
				} else if err == nil || !matches(err) {
					t.Errorf("error: got %v, want one fitting %v", err, test.kind)
				}
				if got := op.processed(w, s); got != test.wantProcessed {
					t.Errorf("processed: got %v, want %v", got, test.wantProcessed)
				}
				if done.Load() != test.wantDo {
					t.Errorf("Do ran: got %v, want %v", done.Load(), test.wantDo)
				}
				if test.wantDo && processedAtDo.Load() != test.wantProcessed {
					t.Errorf("processed when Do ran: got %v, want %v", processedAtDo.Load(), test.wantProcessed)
				}
				calls := w.cloud.Calls()
				last := calls[len(calls)-1]
				if last.Action != op.action || last.Resource != op.resource || last.Principal != roleARN || last.Status != op.status || last.Fault != test.kind {
					t.Errorf("recorded call: got %+v, want %s %q on %s with %v", last, op.action, op.status, op.resource, test.kind)
				}
				wantCode := ""
				if status := httpStatus(err); status >= 400 {
					wantCode = errorCode(err)
				}
				if last.Err != wantCode {
					t.Errorf("recorded error: got %q, want %q", last.Err, wantCode)
				}
			})
		}
	}
}

// TestBadSignatureEchoes checks that the refusal of a signature contains the session token.
func TestBadSignatureEchoes(t *testing.T) {
	for kind, wantLines := range map[fakeaws.FaultKind]bool{fakeaws.BadSignature: true, fakeaws.BadSignatureLine: false} {
		w := newWorld(t, fakeaws.Options{Fault: func(fakeaws.Call) fakeaws.Fault { return fakeaws.Fault{Kind: kind} }})
		_, err := w.create(t, "job-1", "/a")
		message := errorMessage(err)
		if !strings.Contains(message, "x-amz-security-token:") || strings.Contains(message, "\n") != wantLines {
			t.Errorf("%v: message is %q, want the token's header in it, in lines of its own: %v", kind, message, wantLines)
		}
	}
}

// TestEndless reads more than a valid reply contains.
func TestEndless(t *testing.T) {
	w := newWorld(t, fakeaws.Options{Fault: func(fakeaws.Call) fakeaws.Fault { return fakeaws.Fault{Kind: fakeaws.Endless} }})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if n, err := io.CopyN(io.Discard, response.Body, 8<<20); err != nil || response.StatusCode != http.StatusBadRequest {
		t.Errorf("read %d bytes of a %d, %v, want as many as one likes of a 400", n, response.StatusCode, err)
	}
}

// TestMalformedBodyOfChoice shows that the SDK accepts a body without a tag as a success; see Fault.Body.
func TestMalformedBodyOfChoice(t *testing.T) {
	w := newWorld(t, fakeaws.Options{Fault: func(fakeaws.Call) fakeaws.Fault {
		return fakeaws.Fault{Kind: fakeaws.MalformedBody, Body: "no tag at all"}
	}})
	w.cloud.AddDistribution(fakeaws.Distribution{ID: distID})
	out, err := w.create(t, "job-1", "/a")
	if err != nil || out.Invalidation != nil {
		t.Errorf("got %+v, %v, want an empty output and no error", out, err)
	}
	// A refusal keeps its own body.
	_, err = w.create(t, "job-2", "a")
	if got, want := errorCode(err), "InvalidArgument"; got != want {
		t.Errorf("refused request: got %q, want %q", got, want)
	}
}

func TestFaultKindString(t *testing.T) {
	for kind, want := range map[fakeaws.FaultKind]string{fakeaws.NoFault: "NoFault", fakeaws.After: "After", 99: "FaultKind(99)", -1: "FaultKind(-1)"} {
		if got := kind.String(); got != want {
			t.Errorf("FaultKind(%d): got %q, want %q", int(kind), got, want)
		}
	}
}

func TestAuthorizeDecides(t *testing.T) {
	for _, op := range operations {
		t.Run(op.action, func(t *testing.T) {
			var asked []string
			w := newWorld(t, fakeaws.Options{Authorize: func(call fakeaws.Call) error {
				asked = append(asked, call.Principal+" "+call.Action+" "+call.Resource)
				return errors.New("the policy is empty")
			}})
			w.cloud.AddDistribution(fakeaws.Distribution{ID: distID})
			s := newSubject(t, w)
			s.invalidationID = "I1"
			err := op.call(t.Context(), w, s)
			want := "AccessDeniedException"
			if strings.HasPrefix(op.action, "cloudfront:") {
				want = "AccessDenied"
			}
			if got := errorCode(err); got != want {
				t.Errorf("code: got %q, want %q", got, want)
			}
			for _, want := range []string{roleARN, op.action, op.resource, "the policy is empty"} {
				if got := errorMessage(err); !strings.Contains(got, want) {
					t.Errorf("message: got %q, want it to contain %q", got, want)
				}
			}
			if want := []string{roleARN + " " + op.action + " " + op.resource}; !slices.Equal(asked, want) {
				t.Errorf("asked: got %q, want %q", asked, want)
			}
			if len(w.cloud.Invalidations(distID)) != 0 || len(s.job.Reports()) != 0 || len(s.hook.Reports()) != 0 {
				t.Error("the denied call was processed")
			}
		})
	}
}

func TestCallsAreCountedByAction(t *testing.T) {
	now := newClock()
	w := newWorld(t, fakeaws.Options{Now: now.Now})
	w.cloud.AddDistribution(fakeaws.Distribution{ID: distID})
	for range 2 {
		if _, err := w.create(t, "job-1", "/a"); err != nil {
			t.Fatalf("CreateInvalidation: %v", err)
		}
		now.advance(time.Second)
		_, _ = w.get(t, "INONE")
	}
	var got []string
	for _, call := range w.cloud.Calls() {
		got = append(got, fmt.Sprintf("%s %d %s %s", strings.TrimPrefix(call.Action, "cloudfront:"), call.N, call.At.Format("05"), call.Err))
	}
	want := []string{
		"CreateInvalidation 1 00 ", "GetInvalidation 1 01 NoSuchInvalidation",
		"CreateInvalidation 2 01 ", "GetInvalidation 2 02 NoSuchInvalidation",
	}
	if !slices.Equal(got, want) {
		t.Errorf("calls: got %q, want %q", got, want)
	}
}

func TestUnknownRequestsAreRefusedAndRecorded(t *testing.T) {
	tests := []struct{ method, path string }{
		{http.MethodGet, "/2020-05-31/distribution"},
		{http.MethodGet, "/2020-05-31/distribution/" + distID + "/invalidation"}, // ListInvalidations
		{http.MethodPut, "/2020-05-31/distribution/" + distID + "/invalidation"},
		{http.MethodPost, "/2019-03-26/distribution/" + distID + "/invalidation"},
		{http.MethodGet, "/2020-05-31/distribution/" + distID + "/invalidation/I1/x"},
		{http.MethodGet, "/"},
	}
	for _, test := range tests {
		t.Run(test.method+" "+test.path, func(t *testing.T) {
			w := newWorld(t, fakeaws.Options{})
			w.cloud.AddDistribution(fakeaws.Distribution{ID: distID})
			status, answer, _ := w.raw(t, test.method, test.path, nil, "", nil)
			if status != http.StatusNotFound || !strings.Contains(answer, "UnknownOperationException") {
				t.Errorf("got %d %s, want 404 UnknownOperationException", status, answer)
			}
			calls := w.cloud.Calls()
			if len(calls) != 1 || calls[0].Err != "UnknownOperationException" || !strings.Contains(calls[0].Action, test.path) {
				t.Errorf("calls: got %+v, want one that names %s", calls, test.path)
			}
		})
	}
}

func TestConcurrentUse(t *testing.T) {
	w := newWorld(t, fakeaws.Options{})
	w.cloud.AddDistribution(fakeaws.Distribution{ID: distID, CompleteAfterGets: 2})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			// Eight goroutines create the same invalidation at once.
			out, err := w.create(t, "job-1", "/a")
			if err != nil {
				t.Errorf("CreateInvalidation: %v", err)
				return
			}
			if _, err := w.get(t, *out.Invalidation.Id); err != nil {
				t.Errorf("GetInvalidation: %v", err)
			}
			job, err := w.cloud.StartAction(fakeaws.Action{FunctionName: "f"})
			if err != nil {
				t.Errorf("StartAction: %v", err)
				return
			}
			if _, err := w.codePipeline.PutJobSuccessResult(t.Context(), success(job.ID(), withToken("t"))); err != nil {
				t.Errorf("PutJobSuccessResult: %v", err)
			}
			job.Next().Reports()
			d := startDeployment(t, w.cloud, "BeforeInstall", "AfterAllowTraffic")
			if _, err := w.codeDeploy.PutLifecycleEventHookExecutionStatus(t.Context(), hookReport(d.Next(), cdtypes.LifecycleEventStatusSucceeded)); err != nil {
				t.Errorf("PutLifecycleEventHookExecutionStatus: %v", err)
			}
			d.Status()
			w.cloud.Calls()
			w.cloud.Secrets()
		})
	}
	wg.Wait()
	if got := len(w.cloud.Invalidations(distID)); got != 1 {
		t.Errorf("invalidations: got %d, want 1", got)
	}
	if got, want := len(w.cloud.Calls()), 32; got != want {
		t.Errorf("calls: got %d, want %d", got, want)
	}
}
