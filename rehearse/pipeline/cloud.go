package pipeline

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/iam"
	"blog-deploy-pipeline/rehearse/loopback"
	"blog-deploy-pipeline/rehearse/rehearsal"
)

// startCloud serves the doubles of the services that functions call.
func (w *world) startCloud() error {
	options := fakeaws.Options{
		Account: w.template.Account, Region: w.template.Region, Now: w.clock.Now, Authorize: w.authorize, Fault: w.fault, Written: w.written,
	}
	if w.s3 != nil {
		options.S3 = w.s3.Unsigned()
	}
	w.cloud = fakeaws.New(options)
	server, url, err := loopback.Serve(w.cloud)
	if err != nil {
		return err
	}
	w.onClose(server.Close)
	w.endpoint = url
	return nil
}

// authorize decides whether the function that runs may make a call, by its role or the role that it assumes.
func (w *world) authorize(c fakeaws.Call) error {
	if c.Principal == w.ownerARN() {
		return ownerMay(c)
	}
	f := w.callers.by(c.Principal)
	if f == nil {
		return errors.New("no function is being invoked")
	}
	asked := iam.Call{Role: f.Role, Session: f.Name, Action: c.Action, On: c.Resource, Context: c.Context}
	if other := f.Assumes; other != nil {
		if c.Principal == other.Principal(f.Name) {
			asked.Role = other
		} else if c.Resource == other.ARN {
			asked.Trust = other.Trust
		}
	}
	if part, denied := w.Faults.denies(c.Action); denied {
		w.struck(part, c.Action)
		return iam.Denied(asked)
	}
	if err := w.account.Allow(asked); err != nil {
		return err
	}
	if part, unusual := w.Faults.answers(c.Action); unusual {
		w.struck(part, c.Action)
	}
	return nil
}

// written passes on that a function has put or removed an object.
func (w *world) written(change fakeaws.Write) {
	if look := w.publishing.Load(); look != nil {
		(*look)(change)
	}
}

// fault returns what goes wrong on purpose with a call of the function that runs.
func (w *world) fault(c fakeaws.Call) fakeaws.Fault {
	f := w.callers.by(c.Principal)
	if f == nil {
		return fakeaws.Fault{}
	}
	part, fault := w.Faults.strike(c, f.Kill, f.Freeze)
	if fault.Kind == fakeaws.NoFault {
		return fault
	}
	do := fault.Do
	fault.Do = func() {
		w.struck(part, c.Action)
		if do != nil {
			do()
		}
	}
	return fault
}

// addDistribution adds a distribution to the account in which the function clears it.
func (w *world) addDistribution(id string, f *Function) {
	d := w.Faults.distribution(id, w.CompleteAfter)
	if f.Assumes != nil {
		d.Account = f.Assumes.Account()
	}
	w.cloud.AddDistribution(d)
}

// invalidationCompleted is CloudFront's status of an invalidation that has reached all edge locations.
const invalidationCompleted = "Completed"

// invalidations returns all invalidations of some distributions.
func (w *world) invalidations(distributions []string) []rehearsal.Invalidation {
	var all []rehearsal.Invalidation
	for _, id := range distributions {
		for _, made := range w.cloud.Invalidations(id) {
			invalidation := rehearsal.Invalidation{ID: made.ID, Distribution: id, Paths: made.Paths, Status: made.Status}
			if made.Status == invalidationCompleted {
				invalidation.Took = w.Faults.distribution(id, w.CompleteAfter).CompleteAfter
			}
			all = append(all, invalidation)
		}
	}
	return all
}

// cleared reports whether an invalidation of a distribution is completed. Those that were there before do not count.
func (w *world) cleared(distribution string, before int) bool {
	for n, made := range w.cloud.Invalidations(distribution) {
		if n >= before && made.Status == invalidationCompleted {
			return true
		}
	}
	return false
}

// butNotClear says which distributions are not clear, as the end of an action's summary.
func butNotClear(uncleared []string) string {
	switch len(uncleared) {
	case 0:
		return ""
	case 1:
		return ", although " + uncleared[0] + " is not clear"
	}
	return ", although " + strings.Join(uncleared, ", ") + " are not clear"
}

// ownerActions lists what `make releases` and `make rollback` need; docs/permissions.md says so, too.
var ownerActions = []string{"codepipeline:GetPipeline", "codepipeline:ListPipelineExecutions", "lambda:InvokeFunction"}

// ownerARN is who the owner is to AWS.
func (w *world) ownerARN() string {
	return fmt.Sprintf("arn:%s:iam::%s:user/you", w.template.Partition, w.template.Account)
}

// ownerMay decides whether the owner may make a call: the documented permissions of the commands, and no other ones.
func ownerMay(c fakeaws.Call) error {
	if slices.Contains(ownerActions, c.Action) {
		return nil
	}
	return fmt.Errorf("the owner's commands call %s, which docs/permissions.md does not name", c.Action)
}
