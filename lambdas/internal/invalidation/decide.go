package invalidation

import (
	"fmt"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/failure"
)

// decide returns where an invalidation stands after one call to CloudFront, which
// returned a status or an error.
func decide(status string, err error, progress Progress, settings Settings, words Words, now time.Time) (Outcome, error) {
	if status == completed {
		return Completed, nil
	}
	if settings.WaitFor == contract.WaitForCreated && progress.InvalidationID != "" {
		return Created, nil
	}
	if refusal := refused(err, words); refusal != nil {
		return Pending, refusal
	}
	if now.Before(progress.Deadline) {
		return Pending, nil
	}

	allowed := progress.Deadline.Sub(progress.Started).Round(time.Second)
	switch {
	case progress.InvalidationID == "":
		what := "CloudFront accepted no invalidation"
		if answered(err) == sts {
			what = "STS gave the function no credentials of the role " + words.role
		}
		return Pending, &failure.Failure{Kind: failure.Unavailable, Err: err, Message: fmt.Sprintf(
			"%s within %s, so readers may still see the old pages. Last answer: %s. Look at the distribution's invalidations in the CloudFront console, and %s",
			what, allowed, quote(err.Error()), words.Again)}
	case err != nil:
		return Pending, &failure.Failure{Kind: failure.Late, Err: err, Message: fmt.Sprintf(
			"CloudFront did not say within %s whether the invalidation %s is completed. Last answer: %s. Check its status in the console, and %s",
			allowed, progress.InvalidationID, quote(err.Error()), words.Again)}
	default:
		return Pending, &failure.Failure{Kind: failure.Late, Message: fmt.Sprintf(
			"invalidation %s was not completed within %s. CloudFront goes on with it: check its status in the console. If it is not completed soon, %s; to allow more time, raise %s",
			progress.InvalidationID, allowed, words.Again, words.Deadline)}
	}
}
