package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"blog-deploy-pipeline/lambdas/internal/invalidation"
	"blog-deploy-pipeline/lambdas/internal/invocation"
	"blog-deploy-pipeline/lambdas/internal/redact"
)

// codeDeployClient has the method of the CodeDeploy client that this function calls.
type codeDeployClient interface {
	PutLifecycleEventHookExecutionStatus(context.Context, *codedeploy.PutLifecycleEventHookExecutionStatusInput, ...func(*codedeploy.Options)) (*codedeploy.PutLifecycleEventHookExecutionStatusOutput, error)
}

// codeDeployEvent is CodeDeploy's event. It does not say which lifecycle event the hook
// belongs to.
type codeDeployEvent struct {
	deployment string
	// hookExecution is an encrypted token. Anybody in the account who has it can report
	// in the name of the hook, so it is not logged.
	hookExecution string
}

// codeDeployFields are the fields by which decodeEvent recognises the event.
var codeDeployFields = []string{"DeploymentId", "LifecycleEventHookExecutionId"}

func decodeCodeDeploy(fields map[string]json.RawMessage) (*codeDeployEvent, error) {
	var e codeDeployEvent
	for i, into := range []*string{&e.deployment, &e.hookExecution} {
		if err := json.Unmarshal(fields[codeDeployFields[i]], into); err != nil || *into == "" {
			return nil, fmt.Errorf("event's %s is empty or no string: the function cannot report without it", codeDeployFields[i])
		}
	}
	redact.Learn(e.hookExecution)
	return &e, nil
}

// execution names this run of the hook. Lambda's retries and duplicates have the same
// ids, and every other hook and deployment has others.
func (e codeDeployEvent) execution() string {
	return "codedeploy/" + fingerprint(e.deployment, e.hookExecution)
}

func (e codeDeployEvent) log(log *slog.Logger) *slog.Logger {
	return log.With("deployment", e.deployment)
}

// runForCodeDeploy does all the work in one call, because CodeDeploy's protocol has no
// continuation, and reports how it ended.
func (h *hook) runForCodeDeploy(working, reporting context.Context, client codeDeployClient, log *slog.Logger, e codeDeployEvent) error {
	log = e.log(log)
	end := invocation.Guard(func() *slog.Logger { return log }, func() ending { return h.clearInOneCall(working, log, e) }, refused)

	verdict := h.judge(end, false) // CodeDeploy rolls back by another deployment
	status := types.LifecycleEventStatusSucceeded
	if !verdict.passes {
		status = types.LifecycleEventStatusFailed
	}
	counts, err := invocation.Reported(log, end.result.Failed, report(reporting, client, e, status))
	if counts {
		h.logEnd(log, end, verdict, string(status))
	}
	return err
}

// clearInOneCall clears all distributions, or gives up before the call has to end.
func (h *hook) clearInOneCall(ctx context.Context, log *slog.Logger, e codeDeployEvent) ending {
	if err := h.ready(); err != nil {
		return refused(err.Error())
	}
	all := start(h.settings.distributions, e.execution())
	began := time.Now()
	deadline := h.deadline(ctx, log, began)
	settings := h.settings.invalidation
	settings.PollFor = deadline.Sub(began)
	for i := range all {
		all[i].progress = invalidation.Progress{Started: began, Deadline: deadline}
	}
	h.advanceAll(ctx, log, settings, all)
	for i, c := range all {
		if c.state == pending {
			all[i] = h.fail(c, late, fmt.Sprintf("invalidation %s was not completed before this call had to end, after %s", c.progress.InvalidationID, time.Since(began).Round(time.Second)))
		}
	}
	end, _ := summarise(all)
	return end
}

// lastCheck is the time for the last check of an invalidation, at the deadline.
const lastCheck = 5 * time.Second

// deadline returns the owner's deadline, or an earlier one that leaves time for the last
// check.
func (h *hook) deadline(ctx context.Context, log *slog.Logger, now time.Time) time.Time {
	wanted := now.Add(h.settings.invalidation.Deadline)
	end, limited := ctx.Deadline()
	if !limited {
		return wanted
	}
	possible := end.Add(-min(end.Sub(now)/10, lastCheck))
	if wanted.After(possible) {
		log.Warn("the function's timeout comes before its deadline", "wanted", h.settings.invalidation.Deadline.String(), "left", possible.Sub(now).Round(time.Second).String())
		return possible
	}
	return wanted
}

// report reports to CodeDeploy, or returns [invocation.ErrReportedBefore].
//
// https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_PutLifecycleEventHookExecutionStatus.html
func report(ctx context.Context, client codeDeployClient, e codeDeployEvent, status types.LifecycleEventStatus) error {
	_, err := client.PutLifecycleEventHookExecutionStatus(ctx, &codedeploy.PutLifecycleEventHookExecutionStatusInput{
		DeploymentId:                  aws.String(e.deployment),
		LifecycleEventHookExecutionId: aws.String(e.hookExecution),
		Status:                        status,
	})
	if reported := (*types.LifecycleEventAlreadyCompletedException)(nil); errors.As(err, &reported) {
		return invocation.ErrReportedBefore
	}
	if err != nil {
		return fmt.Errorf("report %s of a hook of deployment %s to CodeDeploy: %w", status, e.deployment, err)
	}
	return nil
}
