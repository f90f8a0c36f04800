package main

import (
	"fmt"
	"strconv"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/failure"
	"blog-deploy-pipeline/lambdas/internal/metrics"
	"blog-deploy-pipeline/lambdas/internal/pipelinejob"
	"blog-deploy-pipeline/lambdas/internal/proof"
)

// seen is what was seen at the blog's address after the invalidation was completed.
type seen struct {
	proof.Result
	// committed is when the release was; the zero time if that is unknown.
	committed time.Time
	// err is why nobody could look.
	err error
}

// isLive reports whether nothing else was seen than what was published.
func (s seen) isLive() bool { return s.err == nil && s.Live() == s.Checked() }

// counted returns how much is live and where, such as "22 of 22 live at FRA56-P4".
func (s seen) counted() string {
	text := fmt.Sprintf("%d of %d live", s.Live(), s.Checked())
	if edge := s.Edge(); edge != "" {
		text += " at " + edge
	}
	return text
}

// after returns how long after the upload that was seen, if it is known.
func (s seen) after() string {
	if s.committed.IsZero() {
		return ""
	}
	return fmt.Sprintf(", seen %s after the upload", s.At.Sub(s.committed).Round(time.Second))
}

// sentence returns what was seen for the summary of a success, with a space before it, and
// whether that is a warning.
func (s seen) sentence() (text string, warning bool) {
	first, _ := s.First()
	switch {
	case s.err != nil:
		return fmt.Sprintf(" Nobody has looked whether readers have it: %s.", s.err), true
	case s.Checked() == 0:
		return "", false
	case s.isLive():
		return fmt.Sprintf(" %s%s.", s.counted(), s.after()), false
	case first.Kind == proof.Wrong, first.Kind == proof.Stale:
		text = fmt.Sprintf(" %s%s. The pipeline goes on, because the blog's Invalidate.OnFailure is %s.", s.notLive(first), s.after(), contract.OnFailureProceed)
		if s.Has(proof.Stale) {
			text += " The next invalidation clears the same once more."
		}
		return text, true
	default:
		return fmt.Sprintf(" It is not known whether readers have all of it: %s. %s.", s.notLive(first), advice[first.Kind]), true
	}
}

// notLive says how much is live, and what came first that is not.
func (s seen) notLive(first proof.Sight) string {
	return fmt.Sprintf("%s, but %s %s", s.counted(), first.Address, first.Answer)
}

// advice says what to do about an address at which it cannot be seen what readers have.
var advice = map[proof.Kind]string{
	proof.Redirected:  "Set the blog's Invalidate.Verify to the address at which readers have it, or to props.NoVerify",
	proof.Private:     "The function knows no password: set the blog's Invalidate.Verify to props.NoVerify",
	proof.Blocked:     "Let requests with the User-Agent of this function pass, which is \"" + proof.UserAgent + "\", or set the blog's Invalidate.Verify to props.NoVerify",
	proof.Busy:        "If it stays so, let requests with the User-Agent \"" + proof.UserAgent + "\" pass, or set the blog's Invalidate.Verify to props.NoVerify",
	proof.Unreachable: "Look at the address with a browser: its name in DNS and its certificate must be those of the distribution. To look at another one or at none, set the blog's Invalidate.Verify",
}

// failure returns that of an action after which readers do not have what was published.
func (s seen) failure(invalidation string) *failure.Failure {
	first, _ := s.First()
	kind, todo := failure.Other, "Look which behaviour, function or origin of the distribution answers there"
	if first.Kind == proof.Stale {
		kind, todo = failure.Late, "Look for another cache between the readers and the bucket, if it stays so"
	}
	return &failure.Failure{Kind: kind, Message: fmt.Sprintf(
		"readers do not have what was published, although invalidation %s is completed: %s%s. %s, and %s, which clears and looks again. To let that pass, set the blog's Invalidate.OnFailure to %s; to look at another address or at none, set its Invalidate.Verify",
		invalidation, s.notLive(first), s.after(), todo, pipelinejob.Again, contract.OnFailureProceed)}
}

// variables returns what later actions can read.
func (s seen) variables() map[string]string {
	if s.Checked() == 0 {
		return nil
	}
	return map[string]string{"Live": strconv.Itoa(s.Live()), "Checked": strconv.Itoa(s.Checked()), "Edge": s.Edge()}
}

// metrics returns what the log counts. It counts nothing if it is not known what readers
// have.
func (s seen) metrics() []metrics.Metric {
	first, _ := s.First()
	switch {
	case s.err != nil, s.Checked() == 0:
		return nil
	case first.Kind == proof.Wrong, first.Kind == proof.Stale:
		return []metrics.Metric{metrics.Count(contract.MetricProofFailed, 1)}
	case !s.isLive():
		return nil
	case s.committed.IsZero():
		return []metrics.Metric{metrics.Count(contract.MetricProofFailed, 0)}
	default:
		return []metrics.Metric{metrics.Count(contract.MetricProofFailed, 0), metrics.Seconds(contract.MetricSecondsToLive, s.At.Sub(s.committed))}
	}
}
