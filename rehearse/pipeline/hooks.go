package pipeline

import (
	"cmp"
	"context"
	"time"

	"blog-deploy-pipeline/rehearse/iam"
	"blog-deploy-pipeline/rehearse/lambdaruntime"
	"blog-deploy-pipeline/rehearse/rehearsal"
)

// hooks runs the hooks of a deployment, and tells how its stages go.
type hooks struct {
	*world
	*Deployment

	runtime *lambdaruntime.Runtime
	next    int // the index of the next stage
}

// hookRun is one hook that runs.
type hookRun struct {
	began  time.Time
	before map[string]int // the number of each distribution's invalidations
	work   time.Duration  // the time that the function needed
}

// begin begins a hook.
func (h *hooks) begin() *hookRun {
	run := &hookRun{began: time.Now(), before: map[string]int{}}
	for _, id := range h.Distributions {
		run.before[id] = len(h.cloud.Invalidations(id))
	}
	return run
}

// uncleared says which distributions a hook has not cleared, as the end of its summary.
func (h *hooks) uncleared(run *hookRun) string {
	var left []string
	for _, id := range h.Distributions {
		if !h.cleared(id, run.before[id]) {
			left = append(left, id)
		}
	}
	return although(left)
}

// allowed asks whether the deployer may call the function. name is how AWS's messages call it, and service its principal.
func (h *hooks) allowed(name, service string) error {
	if h.invoker == nil {
		return nil
	}
	if err := h.account.Serve(name, service, h.invoker); err != nil {
		return err
	}
	return h.account.Allow(iam.Call{Role: h.invoker, Session: h.session, Action: "lambda:InvokeFunction", On: h.Function.ARN})
}

// reach passes the stages before the named one, which have no hook, and starts it.
func (h *hooks) reach(name string) {
	for h.next < len(h.deployer.lifecycle()) && h.deployer.lifecycle()[h.next] != name {
		h.pass()
	}
	if h.next < len(h.deployer.lifecycle()) {
		h.record.StartStage(name)
		h.record.StartAction(name, hook)
	}
}

// pass passes a stage without a hook. A stage that the deployment skips is not run.
func (h *hooks) pass() {
	name := h.deployer.lifecycle()[h.next]
	h.next++
	if !h.deployer.skipped(name) {
		h.record.StartStage(name)
		h.record.EndStage(name, rehearsal.Succeeded, 0)
	}
}

// rest passes the stages after the last hook of a deployment that succeeded.
func (h *hooks) rest(succeeded bool) {
	for succeeded && h.next < len(h.deployer.lifecycle()) {
		h.pass()
	}
}

// end ends the stage that was reached.
func (h *hooks) end(ctx context.Context, run *hookRun, summary string, err error) {
	a := h.action()
	a.Duration = time.Since(run.began)
	a.Overhead, a.Summary = max(0, a.Duration-run.work), summary
	a.End(ctx, cmp.Or(h.account.Err(), err))
	stage := h.deployer.lifecycle()[h.next]
	h.next++
	h.record.EndAction(stage, a)
	h.record.EndStage(stage, a.Status, a.Duration)
}
