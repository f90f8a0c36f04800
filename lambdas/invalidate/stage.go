package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	smithy "github.com/aws/smithy-go"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/changes"
	"blog-deploy-pipeline/lambdas/internal/failure"
	"blog-deploy-pipeline/lambdas/internal/invalidation"
	"blog-deploy-pipeline/lambdas/internal/metrics"
	"blog-deploy-pipeline/lambdas/internal/pipelinejob"
	"blog-deploy-pipeline/lambdas/internal/proof"
	"blog-deploy-pipeline/lambdas/internal/s3client"
	"blog-deploy-pipeline/lambdas/internal/strictjson"
)

// words are the names in blogs.go and in CodePipeline's console.
var words = invalidation.Words{
	Distribution: "the blog's Invalidate.DistributionID",
	Paths:        "the blog's Invalidate.Paths",
	Deadline:     "the blog's Invalidate.Deadline",
	Again:        pipelinejob.Again,
}

// maxNamed is how many items the log names. An invalidation may have 3,000, and a line of
// the log that is too long is cut.
const maxNamed = 40

// finder is a [changes.Finder].
type finder interface {
	Find(context.Context) (changes.Plan, error)
	Foresee(ctx context.Context, touched []string) (changes.Plan, error)
	Published(ctx context.Context, number int64) (changes.Published, error)
	Done(ctx context.Context, number int64) error
	Everything(changes.Plan) changes.Plan
}

// stage is the pipeline's Invalidate stage, which turns each job into a task.
type stage struct {
	invalidator invalidation.Invalidator
	onFailure   contract.OnFailure
	// changes finds what to clear for jobs that do not say it. If it is nil, they clear
	// everything.
	changes finder
	// prover looks whether readers have what has changed. If it is nil, nobody looks.
	prover *proof.Prover
	// publish is the function that publishes the release before again if readers do not have
	// what was published. If it is nil, the action only fails.
	publish asker
}

// task is the invalidation of one job.
type task struct {
	*stage
	clearing
	blog string
	// direct is what a direct request asks for; nil for a job of the pipeline.
	direct *contract.Direct
	// began is when the call did.
	began time.Time
	// unproven is true if readers do not have what was published. The invalidation has not
	// failed then.
	unproven bool
	// notCleared is true if what a rollback has changed was not cleared.
	notCleared bool
	// plan is what has changed, in the call that has found it.
	plan changes.Plan
	// result is for the metrics. Only an invalidation that has ended has one.
	result invalidation.Result
	log    *slog.Logger
}

// read implements pipelinejob.Handler's Read.
func (s *stage) read(log *slog.Logger, job pipelinejob.Job) (pipelinejob.Task, error) {
	parameters, err := decodeParameters(job.UserParameters)
	t := &task{
		stage:    s,
		clearing: clearing{request: invalidation.Request{Distribution: parameters.Distribution, Execution: job.ID}},
		blog:     parameters.PipelineName,
		direct:   job.Direct,
		log:      log.With(contract.DimensionBlog, parameters.PipelineName, "distribution", parameters.ID),
	}
	if err == nil && job.ContinuationToken != "" {
		err = t.decodeToken(job.ContinuationToken)
		if err != nil {
			err = fmt.Errorf("%w; %s to start again", err, pipelinejob.Again)
		}
	}
	if len(t.request.Paths) == 0 && t.changed == nil && (s.changes == nil || t.progress.InvalidationID != "") {
		t.request.Paths = []string{contract.AllPaths}
	}
	return t, errors.Join(err, checkDirect(job.Direct))
}

func decodeParameters(text string) (contract.UserParameters, error) {
	var parameters contract.UserParameters
	if err := strictjson.Decode(text, &parameters); err != nil {
		example := contract.UserParameters{PipelineName: "my-blog", Distribution: contract.Distribution{ID: "E2EXAMPLE", Paths: []string{contract.AllPaths}}}
		return parameters, fmt.Errorf("decode UserParameters %.1000q: %w; must be JSON such as %s", text, err, contract.JSON(example))
	}
	var errs []error
	if parameters.PipelineName == "" {
		errs = append(errs, errors.New("UserParameters has no PipelineName"))
	}
	if parameters.ID == "" {
		errs = append(errs, errors.New("UserParameters has no DistributionId"))
	}
	return parameters, errors.Join(errs...)
}

// Work implements pipelinejob.Task.
func (t *task) Work(ctx context.Context) pipelinejob.Report {
	t.began = time.Now()
	switch {
	case t.looks():
		return t.look(ctx)
	case t.back != nil:
		return t.goBack(ctx)
	}
	report := t.clear(ctx)
	if !report.Failed() || !t.unproven || t.publish == nil || t.direct != nil { // a person decides about a rollback
		return report
	}
	first, _ := t.seen.First()
	t.back = newRollback(t.request.Execution, t.changed.Release, t.seen.notLive(first)+t.seen.after())
	t.named().Warn("goes back to the release before", "why", t.back.Why)
	return t.goBack(ctx)
}

// goBack publishes the release before again, clears what that changes, and looks at it.
func (t *task) goBack(ctx context.Context) pipelinejob.Report {
	if t.back.Published == "" {
		if t.publish == nil { // the stack has changed meanwhile
			return t.back.ended(pipelinejob.Report{Message: "the function may not do that any more"})
		}
		far, err := t.back.publish(ctx, t.publish, t.blog, t.invalidator.Settings.PollEvery)
		switch {
		case err != nil:
			return t.back.ended(pipelinejob.Report{Message: err.Error()})
		case t.back.Published == "":
			return t.back.continued(far, t.encodeToken())
		}
		// What is to be cleared now has nothing to do with what was.
		t.clearing = clearing{request: invalidation.Request{Distribution: contract.Distribution{ID: t.request.ID}, Execution: t.back.Execution}, back: t.back}
		t.result, t.unproven = invalidation.Result{}, false
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < t.invalidator.Settings.PollFor {
			return pipelinejob.Report{Summary: fmt.Sprintf("Published release %s again, as %s, and clears it now.", t.back.To, t.back.Published), ContinuationToken: t.encodeToken()}
		}
		t.began = time.Now()
	}
	report := t.clear(ctx)
	if report.ContinuationToken != "" {
		return report
	}
	t.notCleared = report.Failed() && !t.unproven
	return t.back.ended(report)
}

// clear does as much of the clearing, and of the look at it, as one call can.
func (t *task) clear(ctx context.Context) pipelinejob.Report {
	if t.changed != nil && t.changed.Completed > 0 { // by CloudFront, in an earlier call
		return t.cleared(ctx)
	}
	if len(t.request.Paths) == 0 && t.changed == nil {
		if f := t.find(ctx); f != nil {
			return pipelinejob.Failed(f)
		}
		if len(t.request.Paths) == 0 {
			return t.nothing()
		}
	}
	outcome, err := t.advance(ctx)
	took := t.took()
	if f, ok := errors.AsType[*failure.Failure](err); ok {
		t.result.Late = f.Kind == failure.Late
		if t.forgives(f) {
			return t.overdue(took)
		}
		report := pipelinejob.Failed(f)
		report.ExternalID = t.progress.InvalidationID
		return report
	}
	if outcome != invalidation.Completed {
		return t.continued()
	}
	if t.changed != nil {
		t.changed.Completed = time.Now().UnixMilli()
	}
	return t.cleared(ctx)
}

// cleared ends an action, or a call, whose invalidation CloudFront has completed.
func (t *task) cleared(ctx context.Context) pipelinejob.Report {
	took := t.took()
	t.result.Took = took
	if t.changed == nil || t.changes == nil { // the stack may have changed meanwhile
		return t.completed(took)
	}
	t.prove(ctx)
	first, _ := t.seen.First()
	inTime := time.Now().Before(t.progress.Deadline)
	t.unproven = first.Kind == proof.Stale || first.Kind == proof.Wrong
	switch interrupted := ctx.Err() != nil && !t.seen.isLive(); {
	case inTime && (first.Kind == proof.Stale || interrupted): // the next call looks again
		return t.continued()
	case t.unproven && t.onFailure != contract.OnFailureProceed:
		report := pipelinejob.Failed(t.seen.failure(t.progress.InvalidationID))
		report.ExternalID = t.progress.InvalidationID
		return report
	case t.seen.Has(proof.Stale):
		return t.completed(took) // and what was touched stays to be cleared
	}
	if err := t.changes.Done(ctx, t.changed.Number); err != nil {
		if ctx.Err() != nil && inTime { // the next call finds it completed, too
			return t.continued()
		}
		return t.notNoted(took, err)
	}
	return t.completed(took)
}

// prove looks whether readers have what was published.
func (t *task) prove(ctx context.Context) {
	if t.prover == nil {
		return
	}
	published, err := t.changes.Published(ctx, t.changed.Number)
	if err != nil {
		t.seen.err = err
		return
	}
	stop := t.began.Add(t.invalidator.Settings.PollFor)
	if t.progress.Deadline.Before(stop) {
		stop = t.progress.Deadline
	}
	t.seen = seen{Result: t.prover.Prove(ctx, t.named(), published, t.progress.Started, stop), committed: published.Time}
	if t.seen.isLive() && !t.seen.Has(proof.Newer) {
		return
	}
	// Another publication may have begun since.
	if published, err := t.changes.Published(ctx, t.changed.Number); err == nil {
		t.seen.Result = t.seen.Overtaken(published)
	}
}

// looks reports whether the task changes nothing.
func (t *task) looks() bool { return t.direct != nil && t.direct.DryRun }

// look answers a dry run. It does not call CloudFront.
func (t *task) look(ctx context.Context) pipelinejob.Report {
	if len(t.request.Paths) > 0 {
		return looked(t.request.Paths, 0, contract.AllPaths)
	}
	plan, err := t.changes.Foresee(ctx, t.direct.Touched)
	if err != nil {
		return pipelinejob.Failed(notFound(err))
	}
	return looked(plan.Items, plan.Needless, t.changes.Everything(plan).Items[0])
}

// notFound returns the failure of a search for what has changed.
func notFound(err error) *failure.Failure {
	return s3client.Failure(fmt.Errorf("find what has changed: %w", err), s3client.Words{Again: words.Again})
}

// find finds the paths to clear. There is none if nothing has changed.
func (t *task) find(ctx context.Context) *failure.Failure {
	found, err := t.changes.Find(ctx)
	if err == nil && len(found.Items) == 0 && found.Changed > 0 {
		err = t.changes.Done(ctx, found.Number) // the distribution serves none of it
	}
	if err != nil {
		return notFound(err)
	}
	t.clears(found)
	t.named().Info("found what has changed", "items", len(found.Items), "first", found.Items[:min(len(found.Items), maxNamed)], "changed", found.Changed, "unchanged", found.Unchanged, "needless", found.Needless)
	return nil
}

// clears makes a plan what the task clears.
func (t *task) clears(p changes.Plan) {
	t.plan, t.request.Paths = p, p.Items
	t.changed = &changed{Number: p.Number, Release: p.Release, Items: len(p.Items), All: p.All, Changed: p.Changed, Unchanged: p.Unchanged, Needless: p.Needless}
}

// advance does as much of the invalidation as one call can.
func (t *task) advance(ctx context.Context) (invalidation.Outcome, error) {
	request := t.request
	if t.changed != nil {
		// The same items after another publication are another invalidation.
		request.Execution = fmt.Sprintf("%s %d", request.Execution, t.changed.Number)
	}
	progress, outcome, err := t.invalidator.Advance(ctx, t.named(), request, t.progress)
	t.progress = progress
	if t.changed == nil || progress.InvalidationID != "" || !isRefusalOfItems(err) {
		return outcome, err
	}
	everything := t.changes.Everything(t.plan)
	if everything.Items[0] == t.plan.Items[0] {
		return outcome, err
	}
	// One file's name must not keep the readers from all others.
	t.named().Warn("cloudfront refuses the items, so everything is cleared", "items", len(t.plan.Items), "first", t.plan.Items[:min(len(t.plan.Items), maxNamed)], "error", err.Error())
	t.clears(everything)
	request.Paths = everything.Items
	t.progress, outcome, err = t.invalidator.Advance(ctx, t.named(), request, progress)
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

// forgives reports whether the deployment succeeds in spite of a failure: CloudFront has
// accepted the invalidation and still works on it, and the owner lets that pass.
func (t *task) forgives(f *failure.Failure) bool {
	return t.onFailure == contract.OnFailureProceed && f.Kind == failure.Late && f.Err == nil
}

// Log implements pipelinejob.Task.
func (t *task) Log() *slog.Logger { return t.named().With("invalidation", t.progress.InvalidationID) }

// named returns a logger that names the release, if it is known.
func (t *task) named() *slog.Logger {
	if t.changed == nil {
		return t.log
	}
	return t.log.With("release", t.changed.Release)
}

// Metrics implements pipelinejob.Task.
func (t *task) Metrics(report pipelinejob.Report) slog.Attr {
	if t.looks() {
		return slog.Attr{}
	}
	result, more := t.result, []metrics.Metric(nil)
	result.Failed = report.Failed() && !t.unproven
	if t.changed != nil && !result.Failed {
		more = append(t.seen.metrics(),
			metrics.Count(contract.MetricInvalidationItems, t.changed.Items),
			metrics.Count(contract.MetricNeedlessEvictions, t.changed.Needless))
	}
	if t.back != nil {
		result.Failed, more = t.notCleared, []metrics.Metric{metrics.Count(contract.MetricProofFailed, 1)}
	}
	return invalidation.Metrics(contract.DimensionBlog, t.blog, result, more...)
}
