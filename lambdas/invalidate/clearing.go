package main

import (
	"context"
	"errors"
	"fmt"

	smithy "github.com/aws/smithy-go"

	"blog-deploy-pipeline/lambdas/internal/changes"
	"blog-deploy-pipeline/lambdas/internal/failure"
	"blog-deploy-pipeline/lambdas/internal/invalidation"
	"blog-deploy-pipeline/lambdas/internal/s3client"
)

// finder is a [changes.Finder].
type finder interface {
	Find(context.Context) (changes.Plan, error)
	Done(ctx context.Context, number int64) error
	Everything(changes.Plan) changes.Plan
}

// clearing is what has to be known of an invalidation of what has changed, from its
// beginning to its end. The items are only known to the call that has found them.
type clearing struct {
	// Number is that of the last publication when the items were found.
	Number    int64  `json:"n"`
	Release   string `json:"release,omitempty"`
	Items     int    `json:"items"`
	All       bool   `json:"all,omitempty"`
	Changed   int    `json:"changed"`
	Unchanged int    `json:"unchanged"`
	Needless  int    `json:"needless,omitempty"`
}

// find finds the paths to clear. There is none if nothing has changed.
func (t *task) find(ctx context.Context) *failure.Failure {
	found, err := t.changes.Find(ctx)
	if err == nil && len(found.Items) == 0 && found.Changed > 0 {
		err = t.changes.Done(ctx, found.Number) // the distribution serves none of it
	}
	if err != nil {
		return s3client.Failure(fmt.Errorf("find what has changed: %w", err), s3client.Words{Again: words.Again})
	}
	t.clears(found)
	t.log.Info("found what has changed", "release", found.Release, "items", found.Items,
		"changed", found.Changed, "unchanged", found.Unchanged, "needless", found.Needless)
	return nil
}

// clears makes a plan what the task clears.
func (t *task) clears(p changes.Plan) {
	t.plan, t.request.Paths = p, p.Items
	t.clearing = &clearing{p.Number, p.Release, len(p.Items), p.All, p.Changed, p.Unchanged, p.Needless}
}

// advance does as much of the invalidation as one call can.
func (t *task) advance(ctx context.Context) (invalidation.Outcome, error) {
	request := t.request
	if t.clearing != nil {
		// The same items after another publication are another invalidation.
		request.Execution = fmt.Sprintf("%s %d", request.Execution, t.clearing.Number)
	}
	progress, outcome, err := t.invalidator.Advance(ctx, t.log, request, t.progress)
	t.progress = progress
	if t.clearing == nil || progress.InvalidationID != "" || !isRefusalOfItems(err) {
		return outcome, err
	}
	everything := t.changes.Everything(t.plan)
	if everything.Items[0] == t.plan.Items[0] {
		return outcome, err
	}
	// One file's name must not keep the readers from all others.
	t.log.Warn("cloudfront refuses the items, so everything is cleared", "items", t.plan.Items, "error", err.Error())
	t.clears(everything)
	request.Paths = everything.Items
	t.progress, outcome, err = t.invalidator.Advance(ctx, t.log, request, progress)
	return outcome, err
}

// isRefusalOfItems reports whether CloudFront has refused an item of an invalidation.
func isRefusalOfItems(err error) bool {
	f, ok := errors.AsType[*failure.Failure](err)
	if !ok || f.Kind != failure.Configuration {
		return false
	}
	var api smithy.APIError
	return errors.As(f.Err, &api) && api.ErrorCode() == "InvalidArgument"
}
