package pipeline

import (
	"context"

	"blog-deploy-pipeline/rehearse/readers"
	"blog-deploy-pipeline/rehearse/rehearsal"
)

// process is a pipeline or a deployment.
type process interface {
	// stages returns the stages as they are before anything has run.
	stages() []rehearsal.Stage
	// clears returns the ids of the distributions whose cache the functions clear, in order.
	clears() []string
	// open checks what this machine must have, and says what is prepared now.
	open(ctx context.Context, w *world) (preparing string, err error)
	// prepare starts what only this process needs.
	prepare(ctx context.Context, w *world) error
	// run runs the process, and returns how it ended. An error comes from this machine.
	run(ctx context.Context, w *world) (ending, error)
}

// ending says how a process ended.
type ending struct {
	status rehearsal.Status
	site   *readers.Site // that was published; nil for none
}
