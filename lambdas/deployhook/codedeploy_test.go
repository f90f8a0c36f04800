package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/invalidation/invalidationtest"
	"blog-deploy-pipeline/lambdas/internal/invocation"
	"blog-deploy-pipeline/lambdas/internal/invocation/invocationtest"
)

// The function reports before Lambda stops it, however long the work would take.
func TestReportsBeforeLambdasDeadline(t *testing.T) {
	for _, limit := range invocationtest.Limits {
		for name, edge := range map[string]*invalidationtest.CloudFront{"in progress": invalidationtest.Says("InProgress"), "no answer": {Hang: true}} {
			t.Run(limit.String()+", "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(edge, map[string]string{contract.EnvDeadline: "1h", contract.EnvOnFailure: fail})
					start := time.Now()
					w.deploy.fail = func(ctx context.Context) error {
						invocationtest.CheckReport(t, ctx, start, limit)
						return nil
					}
					if _, err := w.invoke(t, limit, invocationtest.Event(t, "codedeploy")); err != nil {
						t.Fatal(err)
					}
					if len(w.deploy.reports) != 1 || w.deploy.reports[0].Status != types.LifecycleEventStatusFailed {
						t.Errorf("reports are %v, want one that says Failed", w.deploy.reports)
					}
					if want := "timeout comes before its deadline"; !strings.Contains(w.log.String(), want) {
						t.Errorf("log has no %q:\n%s", want, w.log.String())
					}
				})
			})
		}
	}
}

// An invocation that Lambda cancels early is a failure.
func TestCancelledCallIsAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(invalidationtest.Says("InProgress"), map[string]string{contract.EnvOnFailure: fail})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(10*time.Second, cancel)
		if _, err := w.handler.Invoke(ctx, invocationtest.Event(t, "codedeploy")); err != nil {
			t.Fatal(err)
		}
		if got := w.deploy.reports[0].Status; got != types.LifecycleEventStatusFailed || !strings.Contains(w.log.String(), "was not completed before this call had to end") {
			t.Errorf("reported %s, want Failed:\n%s", got, w.log.String())
		}
	})
}

func TestUnsentReportIsAnError(t *testing.T) {
	for name, broken := range map[string]error{
		"connection":         errors.New("connection reset by peer"),
		"unknown deployment": &types.DeploymentDoesNotExistException{},
		"unknown hook":       &types.InvalidLifecycleEventHookExecutionIdException{},
		"not for servers":    &types.UnsupportedActionForDeploymentTypeException{},
	} {
		w := newWorld(invalidationtest.Says("Completed"), nil)
		w.deploy.fail = func(context.Context) error { return broken }
		_, err := w.invoke(t, invocationtest.Limit, invocationtest.Event(t, "codedeploy"))
		if !errors.Is(err, broken) {
			t.Errorf("%s: error is %v, want the one of the report, so that Lambda tries again", name, err)
		}
		if strings.Contains(w.log.String(), "_aws") {
			t.Errorf("%s: counted a result that was not reported", name)
		}
	}
}

// The hook's token is as secret as a credential.
func TestTokenIsRedacted(t *testing.T) {
	w := newWorld(invalidationtest.Says("Completed"), nil)
	w.deploy.fail = func(context.Context) error {
		return errors.New("Value '" + *w.deploy.reports[0].LifecycleEventHookExecutionId + "' failed to satisfy a constraint")
	}
	_, err := invocationtest.Invoke(t, invocation.Redacted(w.handler.log, w.handler), invocationtest.Limit, invocationtest.Event(t, "codedeploy"))
	if want := "Value '[redacted]' failed"; err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(w.log.String(), want) {
		t.Errorf("error is %v, want %q in it and in the log:\n%s", err, want, w.log.String())
	}
}

func TestSecondReportIsHarmless(t *testing.T) {
	w := newWorld(invalidationtest.Says("Completed"), nil)
	w.deploy.fail = func(context.Context) error { return &types.LifecycleEventAlreadyCompletedException{} }
	w.codeDeploy(t, "codedeploy")
	if strings.Contains(w.log.String(), "_aws") || !strings.Contains(w.log.String(), "reported before") {
		t.Errorf("want a line and no count:\n%s", w.log.String())
	}
}

// The same event, delivered again, creates no invalidation. Another hook of the same
// deployment does.
func TestOneInvalidationForEachHook(t *testing.T) {
	w := newWorld(invalidationtest.Says("Completed"), nil)
	for range 2 {
		w.deploy.reports = nil
		w.codeDeploy(t, "codedeploy")
	}
	if got := w.references("E2EXAMPLE"); len(got) != 1 {
		t.Errorf("a repeated delivery used the references %q, want one", got)
	}
	w.deploy.reports = nil
	w.codeDeploy(t, "codedeploy-another-hook")
	if got := w.references("E2EXAMPLE"); len(got) != 2 {
		t.Errorf("two hooks used the references %q, want two", got)
	}
}
