package publication

import (
	"errors"
	"fmt"

	"blog-deploy-pipeline/lambdas/internal/archive"
	"blog-deploy-pipeline/lambdas/internal/failure"
	"blog-deploy-pipeline/lambdas/internal/release"
	"blog-deploy-pipeline/lambdas/internal/s3client"
)

// siteError is an error of the owner's bucket, and not of one of the stack's.
type siteError struct{ error }

func (e *siteError) Unwrap() error { return e.error }

// siteErrorf returns a siteError.
func siteErrorf(format string, args ...any) error { return &siteError{fmt.Errorf(format, args...)} }

// explain returns the failure of an error.
func explain(err error, again string) *failure.Failure {
	words := s3client.Words{Key: "the blog's Deploy.EncryptionKeyARN", Again: again}
	var (
		known  *failure.Failure
		bad    *archive.Invalid
		ofSite *siteError
	)
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &bad):
		// That of a refused archive comes before the first write, and is a failure already.
		return &failure.Failure{Kind: failure.Configuration, Message: "only a part of the build may be published: " + bad.Error() + ". The next build replaces it", Err: err}
	case errors.Is(err, release.ErrOvertaken), errors.Is(err, release.ErrLeaseLost):
		return &failure.Failure{Kind: failure.Other, Message: fmt.Sprintf("%s, and this one must not write over it. If the blog should have this build, %s", err, again), Err: err}
	case errors.As(err, &ofSite):
		words.Bucket = "the blog's Deploy.Bucket"
	}
	return s3client.Failure(err, words)
}
