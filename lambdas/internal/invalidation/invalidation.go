// Package invalidation clears CloudFront's cache and watches until it is clear.
//
// It knows nothing of who asks. A caller brings a [Request] and the [Progress] of
// the call before (CodePipeline keeps it in a continuation token, ECS in
// hookDetails), and gets the next Progress back with an [Outcome].
package invalidation

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront/types"

	"blog-deploy-pipeline/lambdas/internal/redact"
)

// CloudFront is what this package needs of the CloudFront client.
type CloudFront interface {
	CreateInvalidation(context.Context, *cloudfront.CreateInvalidationInput, ...func(*cloudfront.Options)) (*cloudfront.CreateInvalidationOutput, error)
	GetInvalidation(context.Context, *cloudfront.GetInvalidationInput, ...func(*cloudfront.Options)) (*cloudfront.GetInvalidationOutput, error)
}

// Request says what to clear, and on whose behalf.
type Request struct {
	DistributionID string
	// Paths as CloudFront takes them: "/a/*", or "#tag" for a cache tag.
	Paths []string
	// Execution names the deployment: a retry or a duplicate delivery carries the
	// same name, and so finds the invalidation that the first one created.
	Execution string
}

// Everything is the path that clears all; it counts as one in CloudFront's prices
// and quotas.
const Everything = "/*"

// Progress is what one call leaves for the next. The zero value starts afresh.
type Progress struct {
	// InvalidationID is empty until CloudFront has accepted the invalidation.
	InvalidationID string
	// Started and Deadline are set by the first call.
	Started, Deadline time.Time
	// Attempt counts the calls so far.
	Attempt int
}

// Outcome is where an invalidation stands when a call ends.
type Outcome int

// The outcomes of a call that did not fail.
const (
	// Pending: neither CloudFront nor the deadline is done; call again.
	Pending Outcome = iota
	// Completed: CloudFront said so.
	Completed
	// Overdue: at the deadline CloudFront still said that the invalidation is in
	// progress, with [Warn] as the owner's choice.
	Overdue
	// Created: CloudFront has accepted the invalidation, with [UntilCreated] as the
	// owner's choice.
	Created
)

func (o Outcome) String() string {
	return [...]string{"pending", "completed", "overdue", "created"}[o]
}

// completed is the status as CloudFront writes it; the SDK's own waiter compares
// with the same literal.
const completed = "Completed"

// Invalidator starts invalidations and watches them.
type Invalidator struct {
	CloudFront CloudFront
	Settings   Settings
	Words      Words
}

// Advance takes an invalidation as far as one call can: it creates it where
// progress names none, and polls until it is as far as Settings.WaitFor says, until
// Settings.PollFor is over or until ctx ends. Throttling, server faults and broken connections are
// waited out and never returned; so is a full quota of invalidations in progress.
//
// The error is a [*Failure]: CloudFront refused for a reason that waiting does not
// mend, or the deadline has passed.
func (i Invalidator) Advance(ctx context.Context, log *slog.Logger, req Request, progress Progress) (Progress, Outcome, error) {
	now := time.Now()
	if progress.Deadline.IsZero() {
		progress.Started, progress.Deadline = now, now.Add(i.Settings.Deadline)
	}
	progress.Attempt++

	// The last check comes at the deadline, not after it.
	stop := earliest(now.Add(i.Settings.PollFor), progress.Deadline)
	log = log.With("attempt", progress.Attempt)
	var lastErr error
	for wait := i.Settings.PollEvery; ; wait = max(min(wait*3/2, maxPollInterval), i.Settings.PollEvery) {
		status, err := i.step(ctx, req, &progress)
		if err != nil {
			log.Warn("cloudfront did not take the call", "invalidation", progress.InvalidationID, "error", err.Error())
			// A call that was cut short says less than the one before it.
			if lastErr != nil && ctx.Err() != nil {
				err = lastErr
			}
		} else {
			log.Info("cloudfront answered", "invalidation", progress.InvalidationID, "status", status)
		}
		lastErr = err

		now = time.Now()
		outcome, err := decide(status, err, progress, i.Settings, i.words(), now)
		if err != nil || outcome != Pending {
			return progress, outcome, err
		}
		if remaining := stop.Sub(now); remaining <= 0 || !sleep(ctx, min(jitter(wait), remaining)) {
			return progress, Pending, nil
		}
	}
}

// words are the caller's, with what a message also says.
func (i Invalidator) words() Words {
	words := i.Words
	words.role, words.roleAccount = i.Settings.RoleARN, i.Settings.RoleAccount()
	return words
}

// step makes one call: the one that creates the invalidation, or one that asks how
// far it is.
func (i Invalidator) step(ctx context.Context, req Request, progress *Progress) (status string, err error) {
	if progress.InvalidationID == "" {
		paths := sortedUnique(req.Paths)
		out, err := i.CloudFront.CreateInvalidation(ctx, &cloudfront.CreateInvalidationInput{
			DistributionId: aws.String(req.DistributionID),
			InvalidationBatch: &types.InvalidationBatch{
				CallerReference: aws.String(callerReference(req.Execution, req.DistributionID, paths)),
				Paths:           &types.Paths{Items: paths, Quantity: aws.Int32(int32(len(paths)))}, //nolint:gosec // an action's parameters and a function's environment hold a few thousand characters, so there are far fewer paths
			},
		})
		if err != nil {
			return "", err
		}
		return read(out.Invalidation, progress)
	}
	out, err := i.CloudFront.GetInvalidation(ctx, &cloudfront.GetInvalidationInput{
		DistributionId: aws.String(req.DistributionID),
		Id:             aws.String(progress.InvalidationID),
	})
	if err != nil {
		return "", err
	}
	return read(out.Invalidation, progress)
}

// maxName is far above the length of CloudFront's ids and statuses, about 30 characters.
// A continuation token has to hold an id.
const maxName = 200

// isName says whether text may be an id or a status, which go into logs, reports and
// tokens: not a credential, which a token would hand on as it is.
func isName(text string) bool {
	return text != "" && len(text) <= maxName && redact.Text(text) == text
}

// read takes id and status from an answer. An answer without them, or about another
// invalidation than was asked for, is a fault of the connection or the service, and is
// asked for again.
func read(inv *types.Invalidation, progress *Progress) (status string, err error) {
	if inv == nil || !isName(aws.ToString(inv.Id)) || !isName(aws.ToString(inv.Status)) {
		return "", errIncompleteAnswer
	}
	if progress.InvalidationID != "" && *inv.Id != progress.InvalidationID {
		return "", errOtherInvalidation
	}
	progress.InvalidationID = *inv.Id
	// An earlier delivery of the same event created it, and was cut short.
	if inv.CreateTime != nil {
		progress.Started = earliest(progress.Started, *inv.CreateTime)
	}
	return *inv.Status, nil
}

// maxPollInterval keeps the number of requests down: CloudFront throttles after a
// handful of quick calls, and counts all of the account's pipelines together.
const maxPollInterval = 10 * time.Second

// jitter spreads a wait over ±20 %, so that blogs deployed together do not poll
// together.
func jitter(d time.Duration) time.Duration {
	return d*4/5 + rand.N(d*2/5+1)
}

// sleep reports false when ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
