package invalidation

import (
	"fmt"
	"time"
)

// decide says where an invalidation stands after one call to CloudFront, which
// answered with a status or with an error.
func decide(status string, err error, progress Progress, settings Settings, words Words, now time.Time) (Outcome, error) {
	if status == completed {
		return Completed, nil
	}
	if settings.WaitFor == UntilCreated && progress.InvalidationID != "" {
		return Created, nil
	}
	if failure := refused(err, words); failure != nil {
		return Pending, failure
	}
	if now.Before(progress.Deadline) {
		return Pending, nil
	}

	allowed := progress.Deadline.Sub(progress.Started).Round(time.Second)
	if progress.InvalidationID == "" {
		// Nothing was cleared and nothing will be: no choice of the owner's makes
		// that a success.
		what := "CloudFront accepted no invalidation"
		if answered(err) == sts {
			what = "STS gave the function no credentials of the role " + words.role
		}
		return Pending, &Failure{Kind: Unavailable, Err: err, Message: fmt.Sprintf(
			"%s within %s, so readers may still see the old pages. Last answer: %s. Look at the distribution's invalidations in the CloudFront console, and %s",
			what, allowed, quote(err.Error()), words.Again)}
	}
	if err != nil {
		return Pending, &Failure{Kind: Late, Err: err, Message: fmt.Sprintf(
			"invalidation %s was not seen completed within %s, because CloudFront did not say. Last answer: %s. Check its status in the console, and %s",
			progress.InvalidationID, allowed, quote(err.Error()), words.Again)}
	}
	if settings.AfterDeadline == Warn {
		return Overdue, nil
	}
	return Pending, &Failure{Kind: Late, Message: fmt.Sprintf(
		"invalidation %s was not completed within %s. CloudFront goes on with it: check its status in the console. If it is not done soon, %s; to allow more time, raise %s",
		progress.InvalidationID, allowed, words.Again, words.Deadline)}
}
