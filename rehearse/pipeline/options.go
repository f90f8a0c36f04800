package pipeline

import (
	"context"
	"time"

	"blog-deploy-pipeline/rehearse/iampolicy"
)

// Options configure a rehearsal.
type Options struct {
	// Source is a checkout of the repository, or a folder in it. The pipeline gets the last commit of the whole
	// repository. Required for a pipeline.
	Source string
	// SourceIsRepository says that Source stands for a repository of its own, although it is a folder of another one.
	SourceIsRepository bool
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
	// HugoReleases is the address that Hugo is installed from; see hugo.Installer.
	HugoReleases string
	// Faults says what goes wrong on purpose.
	Faults Faults
	// CompleteAfter is the time that CloudFront needs for an invalidation. Default 3 s.
	CompleteAfter time.Duration
	// Serve keeps the site up at the end: Run returns only when ctx is cancelled.
	Serve bool

	// Ask asks the owner whether a release is to be taken back; see Plan.AddRollback. Default: it is.
	Ask func(ctx context.Context, question string) (yes bool, err error)

	// compile compiles the function of an asset for this machine. Tests replace it.
	compile func(ctx context.Context, asset, binary string) error
	// evaluator evaluates policies. Tests share one. Default: one is started.
	evaluator *iampolicy.Evaluator
}
