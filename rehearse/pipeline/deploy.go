package pipeline

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"blog-deploy-pipeline/rehearse/amount"
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
	p, err := j.publication(ctx, rehearsal.Site{Bucket: j.Configuration["BucketName"], CacheControl: j.Configuration["CacheControl"]},
		strings.Trim(j.Configuration["ObjectKey"], "/"), input.zip)
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
		return done, p.fail(ctx, j.deployFailure(err))
	}
	p.what.Uploaded, p.what.Bytes = result.Objects, result.Bytes
	done.summary = fmt.Sprintf("%s, %s", amount.Count(result.Objects, "object"), amount.Size(result.Bytes))
	return done, p.succeed(ctx, &done)
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
