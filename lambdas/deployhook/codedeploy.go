package main

import (
	"context"
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

// codeDeploy is what this function needs of the CodeDeploy client.
type codeDeploy interface {
	PutLifecycleEventHookExecutionStatus(context.Context, *codedeploy.PutLifecycleEventHookExecutionStatusInput, ...func(*codedeploy.Options)) (*codedeploy.PutLifecycleEventHookExecutionStatusOutput, error)
}

// runForCodeDeploy does the whole work in one call, because CodeDeploy's protocol
// has no continuation, and reports how it ended.
func (h *handler) runForCodeDeploy(working, reporting context.Context, log *slog.Logger, d deployment) error {
	log = d.log(log)
	redact.Learn(d.hookExecution) // with it anybody in the account could report in this hook's name
	end := invocation.Guard(func() *slog.Logger { return log }, func() ending { return h.clearNow(working, log, d) }, refused)

	verdict := h.judge(end, false) // a rollback of CodeDeploy's is a deployment of its own
	status := types.LifecycleEventStatusSucceeded
	if !verdict.passes {
		status = types.LifecycleEventStatusFailed
	}
	counts, err := invocation.Reported(log, end.result.Failed, report(reporting, h.codeDeploy, d, status))
	if counts {
		h.logEnd(log, end, verdict, string(status))
	}
	return err
}

// clearNow clears all distributions, or gives up in time.
func (h *handler) clearNow(ctx context.Context, log *slog.Logger, d deployment) ending {
	if err := h.ready(); err != nil {
		return refused(err.Error())
	}
	all := start(h.settings.distributions, d.execution())
	began := time.Now()
	deadline := h.deadline(ctx, log, began)
	settings := h.settings.invalidation
	settings.PollFor = deadline.Sub(began)
	for i := range all {
		all[i].progress = invalidation.Progress{Started: began, Deadline: deadline}
	}
	h.advanceAll(ctx, log, settings, all)
	for i := range all {
		if c := &all[i]; c.state == pending {
			c.fail(late, fmt.Sprintf("invalidation %s was not completed before this call had to end, after %s", c.progress.InvalidationID, time.Since(began).Round(time.Second)))
		}
	}
	end, _ := summarise(all)
	return end
}

// lastCheck is the time that the check at the deadline may take.
const lastCheck = 5 * time.Second

// deadline is the owner's, or an earlier one that leaves time for the last check.
func (h *handler) deadline(ctx context.Context, log *slog.Logger, now time.Time) time.Time {
	wanted := now.Add(h.settings.invalidation.Deadline)
	end, limited := ctx.Deadline()
	if !limited {
		return wanted
	}
	possible := end.Add(-min(end.Sub(now)/10, lastCheck))
	if wanted.After(possible) {
		log.Warn("the function's timeout leaves less than its DEADLINE", "wanted", h.settings.invalidation.Deadline.String(), "left", possible.Sub(now).Round(time.Second).String())
		return possible
	}
	return wanted
}

// report tells CodeDeploy, or returns [invocation.ErrReportedBefore].
//
// https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_PutLifecycleEventHookExecutionStatus.html
func report(ctx context.Context, client codeDeploy, d deployment, status types.LifecycleEventStatus) error {
	_, err := client.PutLifecycleEventHookExecutionStatus(ctx, &codedeploy.PutLifecycleEventHookExecutionStatusInput{
		DeploymentId:                  aws.String(d.id),
		LifecycleEventHookExecutionId: aws.String(d.hookExecution),
		Status:                        status,
	})
	if reported := (*types.LifecycleEventAlreadyCompletedException)(nil); errors.As(err, &reported) {
		return invocation.ErrReportedBefore
	}
	if err != nil {
		return fmt.Errorf("report %s of a hook of deployment %s to CodeDeploy: %w", status, d.id, err)
	}
	return nil
}
