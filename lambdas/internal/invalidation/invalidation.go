// Package invalidation clears CloudFront's cache and waits until it is clear.
//
// It does not know its callers. A caller passes a [Request] and the [Progress] of the
// previous call (CodePipeline keeps it in a continuation token, ECS in hookDetails), and
// gets the next Progress with an [Outcome].
package invalidation

import (
	"time"

	"blog-deploy-pipeline/lambdas/contract"
)

// Request says what to clear, and for which deployment.
type Request struct {
	contract.Distribution
	// Execution names the deployment. A retry or a duplicate delivery has the same
	// name, and so finds the invalidation that the first one created.
	Execution string
}

// Progress is the state that one call leaves for the next. The zero value is that of the
// first call.
type Progress struct {
	// InvalidationID is empty until CloudFront has accepted the invalidation.
	InvalidationID string
	// Started and Deadline are set by the first call.
	Started, Deadline time.Time
	// Attempt counts the calls so far.
	Attempt int
}

// Outcome says where an invalidation stands at the end of a call.
type Outcome int

// The outcomes of a call that did not fail.
const (
	// Pending means that the invalidation is not completed and the deadline has not
	// passed: call again.
	Pending Outcome = iota
	// Completed means that CloudFront has completed the invalidation.
	Completed
	// Created means that CloudFront has accepted the invalidation, and that the owner
	// waits for no more.
	Created
)

func (o Outcome) String() string {
	return [...]string{"pending", "completed", "created"}[o]
}

// completed is the status as CloudFront writes it. The SDK's own waiter compares with
// the same literal.
const completed = "Completed"
