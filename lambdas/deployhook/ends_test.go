package main

import (
	"io"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/invalidation/invalidationtest"
	"blog-deploy-pipeline/lambdas/internal/invocation/invocationtest"
)

// endCase is one way in which an invalidation can end.
type endCase struct {
	name     string
	edge     func() *invalidationtest.CloudFront
	env      map[string]string
	passes   bool
	counted  string // see invalidationtest.Counted
	wantText []string
}

// ends are all ways in which an invalidation can end, for both callers.
var ends = []endCase{
	{"completed", func() *invalidationtest.CloudFront { return invalidationtest.CompletesAfter(20 * time.Second) }, nil,
		true, "0 0 true", []string{"E2EXAMPLE: invalidation I2J0I21PCUYOIK is completed"}},
	{"created, and the owner waits for no more", func() *invalidationtest.CloudFront { return invalidationtest.Says("InProgress") }, map[string]string{contract.EnvWaitFor: string(contract.WaitForCreated)},
		true, "0 0 false", []string{"E2EXAMPLE: invalidation I2J0I21PCUYOIK is created"}},
	{"refused by CloudFront", func() *invalidationtest.CloudFront { return invalidationtest.Refuses(denied) }, nil,
		false, "1 0 false", []string{"role must allow", "deploy the service again, or clear by hand: aws cloudfront create-invalidation --distribution-id E2EXAMPLE --paths '/posts/*' '/index.html'"}},
	{"late", func() *invalidationtest.CloudFront { return invalidationtest.Says("InProgress") }, map[string]string{contract.EnvDeadline: "1m"},
		false, "1 1 false", []string{"was not completed within 1m0s", "raise the service's Hook.Deadline", "aws cloudfront create-invalidation"}},
	{"never accepted", func() *invalidationtest.CloudFront {
		return invalidationtest.Refuses(invalidationtest.APIError(http.StatusBadRequest, "TooManyInvalidationsInProgress", "too many"))
	}, map[string]string{contract.EnvDeadline: "1m"}, false, "1 0 false", []string{"accepted no invalidation within 1m0s", "TooManyInvalidationsInProgress"}},
	{"panic", func() *invalidationtest.CloudFront { return invalidationtest.Panics("the sky is falling") }, nil,
		false, "1 0 false", []string{"the sky is falling", "clear by hand"}},
	{"settings", func() *invalidationtest.CloudFront { return invalidationtest.Says("Completed") }, map[string]string{contract.EnvDeadline: "soon"},
		false, "1 0 false", []string{contract.EnvDeadline + ` is \"soon\"`, "deploy the service again"}},
	{"one of two refused", func() *invalidationtest.CloudFront {
		return invalidationtest.Each(map[string]*invalidationtest.CloudFront{"E2EXAMPLE": invalidationtest.CompletesAfter(20 * time.Second)})
	}, two, false, "1 0 false", []string{"E3EXAMPLE: CloudFront refused: NoSuchDistribution", "E2EXAMPLE: invalidation I2J0I21PCUYOIK is completed"}},
	{"both completed", func() *invalidationtest.CloudFront {
		return invalidationtest.Each(map[string]*invalidationtest.CloudFront{"E2EXAMPLE": invalidationtest.CompletesAfter(0), "E3EXAMPLE": invalidationtest.CompletesAfter(50 * time.Second)})
	}, two, true, "0 0 true", []string{"E2EXAMPLE: invalidation", "E3EXAMPLE: invalidation"}},
}

// eachEnd tests every end with both of the owner's choices, in virtual time.
func eachEnd(t *testing.T, test func(t *testing.T, tt endCase, w *world, fails bool)) {
	t.Helper()
	for _, tt := range ends {
		for _, choice := range []string{proceed, fail} {
			t.Run(tt.name+", "+choice, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					env := map[string]string{contract.EnvOnFailure: choice}
					maps.Copy(env, tt.env)
					w := newWorld(tt.edge(), env)
					test(t, tt, w, !tt.passes && choice == fail)
				})
			})
		}
	}
}

func TestEveryEndForCodeDeploy(t *testing.T) {
	eachEnd(t, func(t *testing.T, tt endCase, w *world, fails bool) {
		want := types.LifecycleEventStatusSucceeded
		if fails {
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
	eachEnd(t, func(t *testing.T, tt endCase, w *world, fails bool) {
		want := "SUCCEEDED"
		if fails {
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

func TestPanicLogsItsStack(t *testing.T) {
	w := newWorld(invalidationtest.Panics("x"), nil)
	w.codeDeploy(t, "codedeploy")
	if !strings.Contains(w.log.String(), "invalidationtest.go") {
		t.Errorf("log has no stack: %s", w.log.String())
	}
}

// A panic outside of the work for one distribution is a failure, too.
func TestPanicOutsideOfAClearing(t *testing.T) {
	broken := func(word string) *world {
		w := newWorld(invalidationtest.Says("Completed"), map[string]string{contract.EnvOnFailure: fail, contract.EnvDeadline: "1h"})
		w.handler.log = slog.New(slog.NewJSONHandler(panicWriter{&w.log, word}, nil))
		return w
	}
	w := broken("timeout comes before")
	if got := w.codeDeploy(t, "codedeploy"); got != types.LifecycleEventStatusFailed {
		t.Errorf("reported %s, want Failed", got)
	}
	w.checkEnd(t, false, "1 0 false", "Failed", []string{"the function panicked: no words"})

	w = broken("state of another run")
	there := newWorld(invalidationtest.Says("InProgress"), map[string]string{contract.EnvPollFor: "1ms", contract.EnvPollEvery: "1ms"}).ecs(t, invocationtest.Event(t, "ecs-shift"))
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
