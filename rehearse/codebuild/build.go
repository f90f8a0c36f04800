package codebuild

import (
	"context"
	"time"
)

// DefaultTimeout is the timeout of a CodeBuild project that sets none.
const DefaultTimeout = time.Hour

// Build is one build to run.
type Build struct {
	// Spec is a buildspec that [Parse] returned. Required.
	Spec *Buildspec
	// Source is the folder that Run copies to CODEBUILD_SRC_DIR, with its symbolic links. A link that leads out of Source
	// leads nowhere in the copy. Required.
	Source string
	// Dir is the build's folder, which must be absent or empty. It contains CODEBUILD_SRC_DIR (Dir/src), HOME (Dir/home)
	// and TMPDIR (Dir/tmp). Run removes it before it returns. Required.
	Dir string
	// Artifacts is an existing folder for the zip files of the artifacts, which remain there. Required if the buildspec
	// has artifacts.
	Artifacts string
	// Keep says that Run must not remove Dir, so that a person can look at it.
	Keep bool
	// Path is the PATH of the commands. Required.
	Path string
	// Home replaces Dir/home. Run does not remove it. A folder that several builds share has the effect of the buildspec's
	// cache. Optional.
	Home string
	// Env holds the project's environment variables, which override the buildspec's env.variables. They also override the
	// variables that Run sets itself, such as CODEBUILD_BUILD_NUMBER and LANG.
	Env map[string]string
	// Secrets holds the values of env.parameter-store and env.secrets-manager by the name of the variable. Output masks
	// them.
	Secrets map[string]string
	// Project is the project's name. Default: rehearsal.
	Project string
	// Account and Region are those of the project. Default: 123456789012, us-east-1.
	Account, Region string
	// Image is the name of the project's image. Commands can read it. If it is one of CodeBuild's images, runtime-versions
	// must name versions that the image has. The programs are always those of this machine. Default:
	// aws/codebuild/standard:7.0.
	Image string
	// Initiator names what started the build. Default: codepipeline/<Project>.
	Initiator string
	// SourceVersion is the commit of Source. Default: none, as for a source without versions.
	SourceVersion string
	// Timeout is the project's timeout for the whole build. Default: [DefaultTimeout].
	Timeout time.Duration
	// Prepare is called before each command, with the present values of the variables that PrepareFrom names. It may
	// install what the command needs. Its time does not count for the build and its timeout. An error means that the
	// build cannot run here. Optional.
	Prepare     func(ctx context.Context, variables map[string]string) error
	PrepareFrom []string
	// Output receives each line when it appears. Calls do not overlap. Optional.
	Output func(Line)
	// Shell is the command that stands for sh, CodeBuild's default shell. AWS's images of Amazon Linux use
	// {"bash", "--posix"}, and those of Ubuntu use dash. Default: /bin/sh.
	Shell []string
	// OneShell runs all commands of a version 0.2 buildspec in one process, as AWS documents. By default each command has
	// a process that starts with the variables and the folder of the command before, as CodeBuild's agent has been
	// observed to work. The two differ in shell options, functions, traps and variables that are not exported. A buildspec
	// should be right in both cases.
	OneShell bool
}

// Line is a line of a build's log.
type Line struct {
	Phase string // such as PRE_BUILD
	Text  string // without the line's end
	Agent bool   // whether the line comes from CodeBuild and not from a command
}

// Status is the state of a build or of a phase. Its values are those of CodeBuild.
// https://docs.aws.amazon.com/codebuild/latest/APIReference/API_BuildPhase.html
type Status string

// The final states of builds and phases.
const (
	Succeeded Status = "SUCCEEDED"
	Failed    Status = "FAILED"
	TimedOut  Status = "TIMED_OUT"
	Stopped   Status = "STOPPED" // The context was cancelled.
)

// PhaseResult is the result of a phase.
type PhaseResult struct {
	Name     string
	Status   Status
	Code     string   // such as COMMAND_EXECUTION_ERROR; "" after success
	Message  string   // CodeBuild's message, such as "Error while executing command: …. Reason: exit status 1"
	Command  *Command // the first command that failed, or nil
	Cause    string   // the error in the command's output, in one line or two; "" if there is no output
	Duration time.Duration
}

// Context returns the phase's context as the console shows it.
func (p PhaseResult) Context() string {
	if p.Code == "" {
		return ""
	}
	return p.Code + ": " + p.Message
}

// Result is the result of a build.
type Result struct {
	Status Status
	// Phases holds the phases that the build reached, in order.
	Phases []PhaseResult
	// Artifact is nil if the buildspec has no artifacts, and if UPLOAD_ARTIFACTS was not reached or failed.
	Artifact *Artifact
	// Secondary holds the secondary artifacts by identifier.
	Secondary map[string]*Artifact
	// Exported holds the env.exported-variables that are set at the end of the build.
	Exported map[string]string
	// Notes say how the build differs from one at CodeBuild.
	Notes []string
	// Warnings tell the blog's owner what may be unexpected, such as files that are not in the artifact.
	Warnings []string
}

// Failure returns the first phase that did not succeed, or nil.
func (r Result) Failure() *PhaseResult {
	for i, p := range r.Phases {
		if p.Status != Succeeded {
			return &r.Phases[i]
		}
	}
	return nil
}

// Artifact is an artifact that UPLOAD_ARTIFACTS has made.
type Artifact struct {
	// Name is the evaluated name in the buildspec. A pipeline does not use it.
	Name string
	// Files are the paths in Zip, sorted.
	Files []string
	// Zip is the path of the zip file in Build.Artifacts. It contains the files in this order. All times are the same, so
	// that equal files make an equal zip file.
	Zip string
}
