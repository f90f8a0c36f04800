package publication

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"blog-deploy-pipeline/lambdas/internal/failure"
	"blog-deploy-pipeline/lambdas/internal/release"
)

// restored completes a request that names a release to publish again.
func (p Publisher) restored(ctx context.Context, req Request) (Request, error) {
	if req.Restores == "" {
		return req, nil
	}
	if !release.IsID(req.Restores) {
		return req, refusedRelease("%.100q is no id of a release, such as %s", req.Restores, release.NewID(time.Now(), req.Job))
	}
	head, err := p.Releases.Head(ctx, req.Restores)
	switch {
	case err != nil:
		return req, err
	case head == nil:
		return req, refusedRelease("there is no release %s", req.Restores)
	case head.Unfinished:
		return req, refusedRelease("the release %s is only a part of a build, because its publication was not finished then", req.Restores)
	}
	req.Bucket, req.Key = p.Releases.Build(head.ID)
	// A release may have been published again before. What matters is where it comes from.
	req.Restores, req.Revision = cmp.Or(head.Restores, head.ID), head.Revision
	return req, nil
}

// refusedRelease returns the failure of a request for a release that cannot be published.
func refusedRelease(format string, args ...any) *failure.Failure {
	return &failure.Failure{Kind: failure.Configuration, Message: "nothing was published: " + fmt.Sprintf(format, args...) + ". Choose one from the list of releases"}
}

// notKept returns the failure of a request for a release without its build.
func notKept(req Request) *failure.Failure {
	return refusedRelease("the build s3://%s/%s is not there any more: builds are kept for the blog's Deploy.KeepDays. To have this release again, revert the commits after it and push", req.Bucket, req.Key)
}
