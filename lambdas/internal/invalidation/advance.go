package invalidation

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront/types"
	smithytime "github.com/aws/smithy-go/time"

	"blog-deploy-pipeline/lambdas/internal/redact"
)

// CloudFront has the methods of the CloudFront client that this package calls.
type CloudFront interface {
	CreateInvalidation(context.Context, *cloudfront.CreateInvalidationInput, ...func(*cloudfront.Options)) (*cloudfront.CreateInvalidationOutput, error)
	GetInvalidation(context.Context, *cloudfront.GetInvalidationInput, ...func(*cloudfront.Options)) (*cloudfront.GetInvalidationOutput, error)
}

// Invalidator creates invalidations and polls their status.
type Invalidator struct {
	CloudFront CloudFront
	Settings   Settings
	Words      Words
}

// Advance does as much of an invalidation as one call can. It creates the invalidation
// if progress has none, and polls until the invalidation is as far as Settings.WaitFor
// says, until Settings.PollFor has passed or until ctx ends. It waits through throttling,
// server errors, broken connections and a full quota of invalidations in progress.
//
// The error is a [*failure.Failure]: CloudFront refused for a reason that waiting does
// not remove, or the deadline has passed. It wraps nothing if CloudFront said until the
// deadline that the invalidation is in progress.
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
			log.Warn("cloudfront call failed", "invalidation", progress.InvalidationID, "error", err.Error())
			// The error of a call that was interrupted says less than the previous one.
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
		if remaining := stop.Sub(now); remaining <= 0 || smithytime.SleepWithContext(ctx, min(jitter(wait), remaining)) != nil {
			return progress, Pending, nil //nolint:nilerr // The next call goes on.
		}
	}
}

// words returns the caller's words, with the role that some messages name.
func (i Invalidator) words() Words {
	words := i.Words
	words.role, words.roleAccount = i.Settings.RoleARN, i.Settings.RoleAccount()
	return words
}

// step makes one call to CloudFront, which creates the invalidation or asks for its
// status.
func (i Invalidator) step(ctx context.Context, req Request, progress *Progress) (status string, err error) {
	if progress.InvalidationID == "" {
		paths := sortedUnique(req.Paths)
		out, err := i.CloudFront.CreateInvalidation(ctx, &cloudfront.CreateInvalidationInput{
			DistributionId: aws.String(req.ID),
			InvalidationBatch: &types.InvalidationBatch{
				CallerReference: aws.String(callerReference(req.Execution, req.ID, paths)),
				Paths:           &types.Paths{Items: paths, Quantity: aws.Int32(int32(len(paths)))}, //nolint:gosec // an action's parameters and a function's environment hold a few thousand characters, so there are far fewer paths
			},
		})
		if err != nil {
			return "", err
		}
		return read(out.Invalidation, progress)
	}
	out, err := i.CloudFront.GetInvalidation(ctx, &cloudfront.GetInvalidationInput{
		DistributionId: aws.String(req.ID),
		Id:             aws.String(progress.InvalidationID),
	})
	if err != nil {
		return "", err
	}
	return read(out.Invalidation, progress)
}

// maxName limits an id or a status. CloudFront's have about 30 characters, and a
// continuation token has to hold an id.
const maxName = 200

// isName reports whether text may be an id or a status. They go into logs, reports and
// tokens, and tokens are not redacted, so a credential must not pass for one.
func isName(text string) bool {
	return text != "" && len(text) <= maxName && redact.Text(text) == text
}

// read reads id and status from an answer. An answer without them, or about another
// invalidation, is a fault of the connection or the service; the caller asks again.
func read(inv *types.Invalidation, progress *Progress) (status string, err error) {
	if inv == nil || !isName(aws.ToString(inv.Id)) || !isName(aws.ToString(inv.Status)) {
		return "", errIncompleteAnswer
	}
	if progress.InvalidationID != "" && *inv.Id != progress.InvalidationID {
		return "", errOtherInvalidation
	}
	progress.InvalidationID = *inv.Id
	// CloudFront returns an older invalidation if an earlier delivery of the same event
	// created it.
	if inv.CreateTime != nil {
		progress.Started = earliest(progress.Started, *inv.CreateTime)
	}
	return *inv.Status, nil
}

// maxPollInterval keeps the number of requests low: CloudFront throttles after a few
// quick calls, and counts the calls of all pipelines of the account together.
const maxPollInterval = 10 * time.Second

// jitter changes a wait by up to 20 %, so that blogs that are deployed at the same time
// do not poll at the same time.
func jitter(d time.Duration) time.Duration {
	return d*4/5 + rand.N(d*2/5+1)
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
