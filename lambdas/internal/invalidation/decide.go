package invalidation

import (
	"fmt"
	"time"
)

// decide says where an invalidation stands after one call to CloudFront, which
// answered with a status or with an error.
func decide(status string, err error, progress Progress, atDeadline AfterDeadline, now time.Time) (Outcome, error) {
	if status == completed {
		return Completed, nil
	}
	if failure := refused(err); failure != nil {
		return Pending, failure
	}
	if now.Before(progress.Deadline) {
		return Pending, nil
	}

	allowed := progress.Deadline.Sub(progress.Started).Round(time.Second)
	if progress.InvalidationID == "" {
		// Nothing was cleared and nothing will be: no choice of the owner's makes
		// that a success.
		return Pending, &Failure{Kind: Unavailable, Err: err, Message: fmt.Sprintf(
			"CloudFront accepted no invalidation within %s, so readers may still see the old pages. Last answer: %v. Retry this stage; if it happens again, look at the distribution's invalidations in the CloudFront console",
			allowed, err)}
	}
	if err != nil {
		return Pending, &Failure{Kind: Late, Err: err, Message: fmt.Sprintf(
			"invalidation %s was not seen completed within %s, because CloudFront did not say. Last answer: %v. Check its status in the console, and retry this stage",
			progress.InvalidationID, allowed, err)}
	}
	if atDeadline == Warn {
		return Overdue, nil
	}
	return Pending, &Failure{Kind: Late, Message: fmt.Sprintf(
		"invalidation %s was not completed within %s. CloudFront goes on with it: check its status in the console, and retry this stage when it is done, or allow more time with the blog's Invalidate.Deadline",
		progress.InvalidationID, allowed)}
}
