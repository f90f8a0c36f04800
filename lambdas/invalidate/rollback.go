package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	smithy "github.com/aws/smithy-go"
	smithytime "github.com/aws/smithy-go/time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/awsenv"
	"blog-deploy-pipeline/lambdas/internal/failure"
	"blog-deploy-pipeline/lambdas/internal/pipelinejob"
	"blog-deploy-pipeline/lambdas/internal/redact"
)

// rollback is the way back to the release before, if readers do not have what was
// published. It begins when that is clear, and goes on in later calls of the action.
type rollback struct {
	// Execution is the id of the action's first job.
	Execution string `json:"job"`
	// Answered is when publish has answered last, or when this began, in milliseconds since
	// 1970.
	Answered int64 `json:"answered"`
	// Failed is the release that readers do not have as it was published, and Why says so.
	Failed string `json:"failed"`
	Why    string `json:"why"`
	// To is the release that is published again, and Token the last one of publish. To is
	// "" before the release is chosen.
	To    string `json:"to,omitempty"`
	Token string `json:"token,omitempty"`
	// Published is the release as which To was published again; "" before that.
	Published string `json:"published,omitempty"`
}

const (
	// maxWhy limits Why, because a token may have 2,048 characters.
	maxWhy = 400
	// listed is how many releases are searched for the one before.
	listed = 20
	// givesUp is how long publish may fail to answer. For as long as it answers it decides
	// itself when it has waited for too long.
	givesUp = 20 * time.Minute
)

// asker is a [publisher].
type asker interface {
	ask(ctx context.Context, d contract.Direct) (contract.DirectAnswer, error)
}

// publish chooses the release before, or goes on until it is published again or ctx ends. It
// returns how far that is; "" if it is done.
func (r *rollback) publish(ctx context.Context, publish asker, blog string, pause time.Duration) (far string, err error) {
	parameters := contract.JSON(contract.PublishParameters{PipelineName: blog, AllowDeletions: contract.AllowDeletionsYes})
	for {
		answer, err := publish.ask(ctx, contract.Direct{Job: "rollback-" + r.Execution, UserParameters: parameters,
			Release: r.To, Current: r.Failed, By: "Invalidate.OnFailure", Token: r.Token, List: r.searches()})
		switch {
		case err != nil && ctx.Err() != nil:
			return cmp.Or(far, "it is at work."), nil //nolint:nilerr // The function that was asked goes on.
		case err != nil && (isFinal(err) || time.Since(time.UnixMilli(r.Answered)) > givesUp):
			return "", fmt.Errorf("%w. Deploy the stack again if somebody has changed a function or its role", err)
		case err != nil:
			far = err.Error()
		case answer.Failure != "":
			return "", errors.New(strings.TrimRight(answer.Message, "."))
		case r.To == "":
			// Only the next call publishes. If it is delivered a second time after a crash,
			// its token still says what it has begun.
			return "it was chosen.", r.choose(answer.Releases)
		case answer.Token == "":
			r.Token, r.Published = "", answer.Variables["Release"]
			return "", nil
		default:
			r.Token, r.Answered, far = answer.Token, time.Now().UnixMilli(), answer.Summary
		}
		if smithytime.SleepWithContext(ctx, pause) != nil {
			return far, nil //nolint:nilerr // The next call goes on.
		}
	}
}

// searches returns how many releases publish has to list.
func (r *rollback) searches() int {
	if r.To == "" {
		return listed
	}
	return 0
}

// choose chooses the release to publish again.
func (r *rollback) choose(releases contract.Releases) error {
	current, previous := releases.Current(), releases.Previous()
	switch {
	case current == nil || current.ID != r.Failed:
		return errors.New("another publication has begun since")
	case previous == nil:
		return errors.New("there is no release before it whose build is kept")
	}
	r.To = previous.ID
	return nil
}

// isFinal reports whether a repetition does not help against an error. It may help a function
// that has crashed, or that is being deployed: "The resource already exists, or another
// operation is in progress."
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
func isFinal(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() != "ResourceConflictException" && !awsenv.Retryable(err)
}

// continued returns the report of a way back that goes on in the next call.
func (r *rollback) continued(far, token string) pipelinejob.Report {
	what := "the release before " + r.Failed + " again"
	if r.To != "" {
		what = fmt.Sprintf("release %s again, in place of %s", r.To, r.Failed)
	}
	return pipelinejob.Report{Summary: fmt.Sprintf("Publishing %s: %s", what, far), ContinuationToken: token}
}

// ended returns the report of an action that has gone back, or could not, of which another
// report tells. The action fails: what was to be published is not what readers have.
func (r *rollback) ended(how pipelinejob.Report) pipelinejob.Report {
	message := fmt.Sprintf("readers did not have release %s as it was published: %s. ", r.Failed, r.Why)
	switch {
	case r.Published == "":
		message += fmt.Sprintf("No release could be published in its place: %s. Look at the site, and push what mends it, or publish an earlier release by hand: make rollback", how.Message)
	case how.Failed():
		message += fmt.Sprintf("So release %s was published again, as %s, but: %s", r.To, r.Published, how.Message)
	default:
		message += fmt.Sprintf("So release %s was published again, as %s. %s Find out why, and push again: the next push publishes as usual", r.To, r.Published, how.Summary)
	}
	report := pipelinejob.Failed(&failure.Failure{Kind: failure.Other, Message: message})
	report.ExternalID = how.ExternalID
	return report
}

// newRollback returns the way back from a release.
func newRollback(execution, failed, why string) *rollback {
	return &rollback{Execution: execution, Answered: time.Now().UnixMilli(), Failed: failed, Why: redact.Line(why, maxWhy)}
}
