package pipeline

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/rehearse/checkout"
	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/iam"
	"blog-deploy-pipeline/rehearse/lambdaruntime"
	"blog-deploy-pipeline/rehearse/readers"
	"blog-deploy-pipeline/rehearse/rehearsal"
	"blog-deploy-pipeline/rehearse/s3"
)

// Options configure a rehearsal.
type Options struct {
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
	// Data is an existing folder for the bucket's files, of which nothing stays, either. Its file system must have extended
	// attributes; see s3.Options. Default: Dir.
	Data string
	// State is a folder that keeps the bucket from one rehearsal to the next. Default: the bucket is empty at first.
	State string
	// Project is the folder of this project, with what was compiled in dist/. Default: the working directory.
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

// world holds what stands for AWS in a rehearsal.
type world struct {
	Options

	template *assembly.Template
	id       string // of the execution
	session  string // of the roles that it assumes
	record   *rehearsal.Record
	clock    *clock
	dir      string // for temporary work
	account  *iam.Account
	cloud    *fakeaws.Cloud          // the services that functions call
	endpoint string                  // the cloud's URL
	binaries map[*Function]string    // the compiled functions
	invoked  atomic.Pointer[invoked] // the function that runs now
	checkout checkout.Checkout       // only for a pipeline, as s3
	s3       *s3.Server

	mu      sync.Mutex // guards closers
	closers []func() error
}

// invoked is a function that runs.
type invoked struct {
	*Function
	*lambdaruntime.Runtime
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

// struck tells that the fault of a part has struck.
func (w *world) struck(part, on string) { w.record.Struck(w.Faults.name(part), on) }

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
