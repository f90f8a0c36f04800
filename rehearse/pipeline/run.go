package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/rehearse/checkout"
	"blog-deploy-pipeline/rehearse/iam"
	"blog-deploy-pipeline/rehearse/iampolicy"
	"blog-deploy-pipeline/rehearse/lambdaruntime"
	"blog-deploy-pipeline/rehearse/leftovers"
	"blog-deploy-pipeline/rehearse/rehearsal"
	"blog-deploy-pipeline/rehearse/s3"
)

// defaultCompletion is the time that an invalidation needs. On AWS it is less than 25 s for 95 of 100.
const defaultCompletion = 3 * time.Second

// Options configure a rehearsal.
type Options struct {
	// Plan is what is rehearsed; see [Read] and [ReadDeployment]. Required.
	Plan *Plan
	// Source is a checkout of the repository, or a folder in it. The pipeline gets the last commit of the whole
	// repository. Required for a pipeline.
	Source string
	// Alone says that Source stands for a repository of its own, although it is a folder of another one.
	Alone bool
	// WorkingTree gives the pipeline the files as they are on disk, except those that Git ignores.
	WorkingTree bool
	// Dir is an existing folder for temporary work, of which nothing stays. It must not be below this project: npm and
	// Node.js look for packages in the folders above, and a build would find this project's. Default: the system's.
	Dir string
	// Data is another one, for the bucket's files. Its file system must have extended attributes; see s3.Options.
	// Default: Dir.
	Data string
	// State is a folder that keeps the bucket from one rehearsal to the next. Default: the bucket is empty at first.
	State string
	// Project is the folder of this project, with what was compiled in dist/. Default: the working
	// directory.
	Project string
	// Path is the PATH of a build's commands. Required.
	Path string
	// Env has variables that a build's commands get besides those that CodeBuild sets, for a way to the network; see
	// codebuild.Network.
	Env map[string]string
	// Hugo is the Hugo to build with. Default: the one on Path if it is the wanted version, else one that is installed
	// into HugoCache.
	Hugo string
	// HugoCache is a folder for installed Hugos, such as ".cache/bin". Default: none is installed.
	HugoCache string
	// HugoReleases is where Hugo is installed from; see hugo.Installer.
	HugoReleases string
	// Faults says what goes wrong on purpose.
	Faults Faults
	// CompleteAfter is the time that CloudFront needs for an invalidation. Default 3 s.
	CompleteAfter time.Duration
	// Serve keeps the site up at the end: Run returns only when ctx is cancelled.
	Serve bool

	// compile compiles the function of an asset for this machine. Tests replace it.
	compile func(ctx context.Context, asset, binary string) error
}

// world is what stands for AWS in a rehearsal.
type world struct {
	Options
	lambda

	template *assembly.Template
	id       string // of the execution
	session  string // of the roles that it assumes
	record   *rehearsal.Record
	clock    *clock
	dir      string // for temporary work
	account  *iam.Account
	checkout checkout.Checkout // only for a pipeline, as s3
	s3       *s3.Server

	mu      sync.Mutex // guards closers
	closers []func() error
}

// Run rehearses a plan, and tells each event. A pipeline that fails is no error: the Result says so. An error means that
// this machine could not rehearse it to its end.
//
// When Run returns, nothing that it started is running, and Options.Dir is as it was. This also holds if ctx was
// cancelled, which stops the pipeline.
func Run(ctx context.Context, opts Options, tell func(rehearsal.Event)) (_ rehearsal.Result, err error) {
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
	plan, process, t := opts.Plan, opts.Plan.process(), opts.Plan.Template
	w := &world{
		Options: opts, lambda: lambda{binaries: map[*Function]string{}}, template: t, clock: &clock{},
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
		Execution: w.id, Status: rehearsal.InProgress, Stages: process.stages(),
	}, tell)
	for _, note := range plan.Notes {
		w.record.Note("%s", note)
	}
	prepared := w.record.Prepare()
	err = w.prepare(ctx)
	prepared()
	var ended ending
	if err == nil {
		ended, err = process.run(ctx, w)
		if ctx.Err() == nil {
			err = errors.Join(err, w.account.Err())
		}
	} else if ctx.Err() != nil {
		ended.status, err = rehearsal.Stopped, nil
	}
	return w.end(ctx, ended, err), err
}

// end completes the result. If the site is to be looked at, it waits for ctx to be cancelled.
func (w *world) end(ctx context.Context, ended ending, err error) rehearsal.Result {
	serves := w.Serve && ended.site != nil && ctx.Err() == nil
	result := w.record.End(func(r *rehearsal.Result) {
		r.Status = ended.status
		if err != nil {
			r.Status, r.Error = rehearsal.Failed, err.Error()
		}
		r.Skipped = w.clock.Skipped()
		if w.cloud != nil {
			r.Invalidations = w.invalidations()
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

// invalidations returns those of all distributions that the functions clear.
func (w *world) invalidations() []rehearsal.Invalidation {
	var all []rehearsal.Invalidation
	for _, id := range w.Plan.process().clears() {
		for _, made := range w.cloud.Invalidations(id) {
			invalidation := rehearsal.Invalidation{ID: made.ID, Distribution: id, Paths: made.Paths, Status: made.Status}
			if made.Status == "Completed" {
				invalidation.Took = w.Faults.distribution(id, w.CompleteAfter).CompleteAfter
			}
			all = append(all, invalidation)
		}
	}
	return all
}

// prepare starts everything that a process needs around it.
func (w *world) prepare(ctx context.Context) error {
	dir, remove, err := leftovers.TempDir(w.Dir, "rehearsal")
	if err != nil {
		return fmt.Errorf("make a folder for temporary work: %w", err)
	}
	w.dir = dir
	w.onClose(remove)
	w.Data = cmp.Or(w.Data, dir)
	process := w.Plan.process()
	preparing, err := process.open(ctx, w)
	if err != nil {
		return err
	}
	w.record.Preparing("%s", preparing)
	// The doubles live as long as ctx. The compilation also ends when a double does not start.
	starting, compiling := errgroup.WithContext(ctx)
	starting.Go(func() error { return process.prepare(ctx, w) })
	starting.Go(func() error {
		evaluator, err := iampolicy.Start(ctx)
		if err != nil {
			return err
		}
		w.onClose(evaluator.Close)
		w.account = iam.NewAccount(ctx, evaluator, w.record.Note)
		return nil
	})
	starting.Go(func() error { return w.compileFunctions(compiling, w.Plan.Functions) })
	if err := starting.Wait(); err != nil {
		return err
	}
	return w.startCloud()
}

// onClose adds what must be closed at the end.
func (w *world) onClose(c func() error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closers = append(w.closers, c)
}

// close closes everything in the reverse order of its start.
func (w *world) close() error {
	var errs []error
	for _, c := range slices.Backward(w.closers) {
		errs = append(errs, c())
	}
	return errors.Join(errs...)
}
