package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"blog-deploy-pipeline/rehearse/iam"
	"blog-deploy-pipeline/rehearse/iampolicy"
	"blog-deploy-pipeline/rehearse/lambdaruntime"
	"blog-deploy-pipeline/rehearse/leftovers"
	"blog-deploy-pipeline/rehearse/rehearsal"
)

// defaultCompletion is the time that an invalidation needs. On AWS it is less than 25 s for 95 of 100.
const defaultCompletion = 3 * time.Second

// Run rehearses a plan, and tells each event. A pipeline that fails is no error: the Result says so. An error means that
// this machine could not rehearse it to its end.
//
// When Run returns, nothing that it started is running, and Options.Dir is as it was. This also holds if ctx was
// cancelled, which stops the pipeline.
func Run(ctx context.Context, plan *Plan, opts Options, tell func(rehearsal.Event)) (_ rehearsal.Result, err error) {
	if opts.compile == nil {
		opts.compile = func(ctx context.Context, asset, binary string) error {
			pkg, err := lambdaruntime.PackageOf(cmp.Or(opts.Project, "."), asset)
			if err != nil {
				return err
			}
			return lambdaruntime.Compile(ctx, pkg, binary)
		}
	}
	opts.CompleteAfter = cmp.Or(opts.CompleteAfter, defaultCompletion)
	process, t := plan.process(), plan.Template
	w := &world{
		Options: opts, template: t, clock: &clock{}, binaries: map[*Function]string{},
		id: uuid.NewString(), session: strconv.FormatInt(time.Now().UnixMilli(), 10),
	}
	// All child processes end with ctx, also if this function returns early.
	ctx, cancel := context.WithCancel(ctx)
	defer func() {
		cancel()
		err = errors.Join(err, w.close())
	}()
	w.record = rehearsal.Begin(rehearsal.Result{
		Name: plan.Name, Stack: t.Name, Account: t.Account, Region: t.Region,
		Execution: w.id, Status: rehearsal.InProgress, Faults: opts.Faults.planned(), Stages: process.stages(),
	}, tell)
	for _, note := range plan.Notes {
		w.record.Note("%s", note)
	}
	prepared := w.record.Prepare()
	err = w.prepare(ctx, plan)
	prepared()
	var ended ending
	if err == nil {
		ended, err = process.run(ctx, w)
		if ctx.Err() == nil {
			err = errors.Join(err, w.account.Err())
			w.warnOfMissedFaults()
		}
	} else if ctx.Err() != nil {
		ended.status, err = rehearsal.Stopped, nil
	}
	return w.end(ctx, process.clears(), ended, err), err
}

// end completes the result. If the site is to be looked at, it waits for ctx to be cancelled.
func (w *world) end(ctx context.Context, cleared []string, ended ending, err error) rehearsal.Result {
	serves := w.Serve && ended.site != nil && ctx.Err() == nil
	result := w.record.End(func(r *rehearsal.Result) {
		r.Status = ended.status
		if err != nil {
			r.Status, r.Error = rehearsal.Failed, err.Error()
		}
		r.Skipped = w.clock.Skipped()
		if w.cloud != nil {
			r.Invalidations = w.invalidations(cleared)
		}
		if w.account != nil {
			r.Permissions = w.account.Permissions()
		}
		if serves {
			served := ended.site.Served()
			r.Served = &served
		}
	})
	if serves {
		w.record.Tell(rehearsal.Event{Kind: rehearsal.Serving})
		<-ctx.Done()
	}
	return result
}

// warnOfMissedFaults warns of faults that never struck: the rehearsal says nothing about them.
func (w *world) warnOfMissedFaults() {
	for _, fault := range w.record.Result().Faults {
		if len(fault.Strikes) == 0 {
			part, _, _ := strings.Cut(fault.Name, "=")
			w.record.Warn("the fault %s never struck, and so this rehearsal does not show what it leads to: %s", fault.Name, missed[part])
		}
	}
}

// prepare starts everything that a process needs around it.
func (w *world) prepare(ctx context.Context, plan *Plan) error {
	dir, remove, err := leftovers.TempDir(w.Dir, "rehearsal")
	if err != nil {
		return fmt.Errorf("make a folder for temporary work: %w", err)
	}
	w.dir = dir
	w.onClose(remove)
	w.Data = cmp.Or(w.Data, dir)
	process := plan.process()
	preparing, err := process.open(ctx, w)
	if err != nil {
		return err
	}
	w.record.Preparing("%s", preparing)
	// The doubles live as long as ctx. The compilation also ends when a double does not start.
	starting, compiling := errgroup.WithContext(ctx)
	starting.Go(func() error { return process.prepare(ctx, w) })
	starting.Go(func() error {
		evaluator := w.evaluator
		if evaluator == nil {
			started, err := iampolicy.Start(ctx)
			if err != nil {
				return err
			}
			w.onClose(started.Close)
			evaluator = started
		}
		w.account = iam.NewAccount(ctx, evaluator, w.record.Note)
		return nil
	})
	starting.Go(func() error { return w.compileFunctions(compiling, plan.Functions) })
	if err := starting.Wait(); err != nil {
		return err
	}
	if err := w.startCloud(); err != nil {
		return err
	}
	w.addFunctions(ctx, plan.Functions)
	return nil
}
