package pipeline

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"blog-deploy-pipeline/rehearse/amount"
	"blog-deploy-pipeline/rehearse/readers"
	"blog-deploy-pipeline/rehearse/rehearsal"
	"blog-deploy-pipeline/rehearse/s3"
)

// upload is CodePipeline's own action that uploads an artifact to a bucket.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-S3Deploy.html
type upload struct{}

func readUpload(i *inspection, what string, a *Action) kind {
	if len(a.Inputs) != 1 {
		i.Problem("%s: it has %d input artifacts, want one", what, len(a.Inputs))
	}
	a.Publishes = a.Configuration["BucketName"]
	return upload{}
}

func (upload) target(configuration map[string]string) string { return configuration["BucketName"] }

// run uploads the artifact. Readers visit the site before and after.
func (upload) run(ctx context.Context, j *job) (done outcome, err error) {
	input := j.input[j.Inputs[0]]
	if err := j.allow("s3:GetObject", input.arn); err != nil {
		return done, err
	}
	published := rehearsal.Site{Bucket: j.Configuration["BucketName"], CacheControl: j.Configuration["CacheControl"]}
	done.site, err = j.openSite(ctx, &published, strings.Trim(j.Configuration["ObjectKey"], "/"), input.zip)
	if err == nil && done.site != nil {
		err = done.site.Visit(ctx, rehearsal.BeforeDeploy)
	}
	if err != nil {
		return done, err
	}

	began := time.Now()
	result, err := s3.Deploy(ctx, j.s3.Client(), s3.Action{
		Configuration: j.Configuration,
		Authorize:     j.allow,
		Progress: func(p s3.Progress) {
			e := j.event(rehearsal.Progressed, p.Key)
			e.Done, e.Total, e.Bytes = p.Objects, p.Total, p.Bytes
			j.record.Tell(e)
		},
	}, input.zip)
	done.work = time.Since(began)
	for _, note := range result.Types {
		j.record.Note("%s", note)
	}
	for _, warning := range result.Warnings {
		j.record.Warn("%s", warning)
	}
	if err != nil {
		err = j.deployFailure(err)
		if done.site != nil && ctx.Err() == nil {
			err = errors.Join(err, done.site.RemoveStandIns(ctx))
		}
		return done, err
	}
	published.Uploaded, published.Bytes = result.Objects, result.Bytes
	j.record.Change(func(r *rehearsal.Result) { r.Site = &published })
	done.summary = fmt.Sprintf("%s, %s", amount.Count(result.Objects, "object"), amount.Size(result.Bytes))
	if done.site != nil {
		err = done.site.Visit(ctx, rehearsal.AfterDeploy)
	}
	return done, err
}

// deployFailure words why an upload failed.
func (j *job) deployFailure(err error) error {
	if denied := (*rehearsal.Failure)(nil); errors.As(err, &denied) {
		return denied
	}
	if refused := (*s3.Error)(nil); errors.As(err, &refused) {
		return &rehearsal.Failure{Code: refused.Code, Reason: refused.Message, Look: j.lookAtConfiguration() + ", and the artifact " + j.Inputs[0]}
	}
	return err
}

// openSite compares an artifact with the bucket that it is about to be published to, and opens the site for readers. It
// returns nil if nobody visits it.
func (j *job) openSite(ctx context.Context, published *rehearsal.Site, prefix, artifact string) (*readers.Site, error) {
	build, err := readers.OpenBuild(artifact, prefix)
	if err != nil {
		return nil, err
	}
	defer build.Close()
	objects, err := j.s3.Objects(ctx, published.Bucket)
	if err != nil {
		return nil, err
	}
	if err := build.Compare(objects, published); err != nil {
		return nil, err
	}
	if j.front.id == "" {
		j.record.Note("readers do not visit the site: no action says which distribution it clears")
		return nil, nil //nolint:nilnil // Nobody visits it.
	}
	if j.visited {
		j.record.Note("readers visit the site of the first deploy action only")
		return nil, nil //nolint:nilnil // Nobody visits it.
	}
	site, err := readers.Open(ctx, readers.Options{
		Record: j.record, S3: j.s3, Bucket: published.Bucket, CacheControl: published.CacheControl,
		DistributionID: j.front.id, Distribution: j.front.distribution, Invalidations: j.cloud, Now: j.clock.Now,
		Account: j.account, Early: j.front.early, Unique: j.id[:8], Secure: j.Serve,
	}, build)
	if err != nil {
		return nil, err
	}
	j.onClose(site.Close)
	return site, nil
}
