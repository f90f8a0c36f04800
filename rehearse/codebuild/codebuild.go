// Package codebuild runs a buildspec on this machine as AWS CodeBuild would: the
// same phases in the same order, the same rules after a failure, the same
// variables, and the artifact that the next stage gets.
//
// The commands of the buildspec really run, as the user that runs this process,
// in a folder and with an environment of their own. That is no sandbox: a command
// that names a path outside reaches it.
//
//	spec, err := codebuild.Parse(text)
//	…
//	result, err := codebuild.Run(ctx, codebuild.Build{
//		Spec:   spec,
//		Source: "examples/blog",
//		Dir:    filepath.Join(dir, "build"), // gone when Run returns
//		Artifacts: dir,
//		Path:   os.Getenv("PATH"),
//		Env:    project, // with what Network(os.Environ()) finds, behind a proxy
//		Output: func(l codebuild.Line) { fmt.Println(l.Phase, l.Text) },
//	})
//	…
//	if result.Status != codebuild.Succeeded { … result.Failure() … }
//	os.Rename(result.Artifact.Zip, "site.zip")
//
// What CodeBuild documents is followed to the letter:
// https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html,
// https://docs.aws.amazon.com/codebuild/latest/userguide/view-build-details-phases.html,
// https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html.
// Where that leaves a choice, the logs that people publish decide, and the comment
// says so. What cannot be done here is an error that names it, or a [Result.Notes]
// where leaving it out does no harm.
package codebuild

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"blog-deploy-pipeline/buildspec/curated"
	"blog-deploy-pipeline/rehearse/leftovers"
)

// DefaultTimeout is that of a CodeBuild project which sets none.
const DefaultTimeout = time.Hour

// Build is one build to run.
type Build struct {
	// Spec is what [Parse] returned. Required.
	Spec *Buildspec
	// Source is a folder that is copied to CODEBUILD_SRC_DIR, with its symbolic links; those that lead out
	// of it lead nowhere in the copy. Required.
	Source string
	// Dir is the build's folder, which must be absent or empty. Everything the
	// build writes by itself goes there: the source to Dir/src, HOME is Dir/home,
	// TMPDIR is Dir/tmp. It is removed when Run returns. Required.
	Dir string
	// Artifacts is an existing folder for the artifacts' zip files, which stay there. Required where the
	// buildspec has artifacts.
	Artifacts string
	// Keep leaves Dir for a look at what the build did.
	Keep bool
	// Path is the PATH of the commands. Required.
	Path string
	// Home replaces Dir/home, and is never removed. A folder that is kept from
	// one build to the next does what the buildspec's cache does.
	Home string
	// Env is set on the project, and wins over the buildspec's env.variables. It
	// also replaces what Run makes up, such as CODEBUILD_BUILD_NUMBER or LANG.
	Env map[string]string
	// Secrets are the values of env.parameter-store and env.secrets-manager, by
	// the name of the variable. They do not appear in Output.
	Secrets map[string]string
	// Project is the project's name. Default: rehearsal.
	Project string
	// Account and Region are those of the project. Default: 123456789012, us-east-1.
	Account, Region string
	// Image is the name of the project's image. It is told to the commands, and if it
	// is one of CodeBuild's, runtime-versions can select what that has; what runs is
	// this machine's. Default: aws/codebuild/standard:7.0.
	Image string
	// Initiator started the build. Default: codepipeline/<Project>.
	Initiator string
	// SourceVersion is the commit of Source. Default: none, as for a source that
	// has no versions.
	SourceVersion string
	// Timeout is the project's, for the whole build. Default: [DefaultTimeout].
	Timeout time.Duration
	// Prepare, where set, is called before each command, with those variables of PrepareFrom that are set by
	// then. It may provide what the command needs. Its time is not the build's, nor of its timeout. An error
	// means that the build cannot be run here.
	Prepare     func(ctx context.Context, variables map[string]string) error
	PrepareFrom []string
	// Output gets each line as it appears, never two at a time. Nil drops them.
	Output func(Line)
	// Shell is what stands in for sh, CodeBuild's default shell. Default: /bin/sh.
	// {"bash", "--posix"} is what AWS's Amazon Linux images have for it, and dash
	// what its Ubuntu ones have.
	Shell []string
	// OneShell runs all commands of a version 0.2 buildspec in one process, which
	// is what AWS documents. The default is what its agent is seen to do: a process
	// for each command, which starts with the variables and the folder that the
	// one before ended with. They differ in what a command leaves behind that is
	// neither: shell options, functions, traps, and variables that are not exported
	// (one shell does not pass those to programs). A buildspec should be right either
	// way.
	OneShell bool
}

// Line is a line of a build's log.
type Line struct {
	Phase string // such as PRE_BUILD
	Text  string // without the line's end
	Agent bool   // said by CodeBuild, not by a command
}

// Status is the state of a build or of a phase, in CodeBuild's words.
// https://docs.aws.amazon.com/codebuild/latest/APIReference/API_BuildPhase.html
type Status string

// The states that a build or a phase ends in.
const (
	Succeeded Status = "SUCCEEDED"
	Failed    Status = "FAILED"
	TimedOut  Status = "TIMED_OUT"
	Stopped   Status = "STOPPED" // the context was cancelled
)

// The phases of a build that Run has, in this order. SUBMITTED, QUEUED and
// PROVISIONING come before them in CodeBuild, FINALIZING and COMPLETED after.
const (
	DownloadSource  = "DOWNLOAD_SOURCE"
	Install         = "INSTALL"
	PreBuild        = "PRE_BUILD"
	BuildPhase      = "BUILD"
	PostBuild       = "POST_BUILD"
	UploadArtifacts = "UPLOAD_ARTIFACTS"
)

// PhaseResult is how a phase ended.
type PhaseResult struct {
	Name     string
	Status   Status
	Code     string   // such as COMMAND_EXECUTION_ERROR; "" where all is well
	Message  string   // of CodeBuild, such as "Error while executing command: …. Reason: exit status 1"
	Command  *Command // the first that failed, or nil
	Cause    string   // what its output says of the error: a line, or two; "" where it said nothing
	Duration time.Duration
}

// Context is the phase's context as the console shows it.
func (p PhaseResult) Context() string {
	if p.Code == "" {
		return ""
	}
	return p.Code + ": " + p.Message
}

// Result is what a build led to.
type Result struct {
	Status Status
	// Phases are those that were reached, in order.
	Phases []PhaseResult
	// Artifact is nil where the buildspec has no artifacts, and where
	// UPLOAD_ARTIFACTS was not reached or failed.
	Artifact *Artifact
	// Secondary holds the secondary artifacts by identifier.
	Secondary map[string]*Artifact
	// Exported holds the env.exported-variables that are set at the build's end.
	Exported map[string]string
	// Notes say what differs from CodeBuild.
	Notes []string
	// Warnings say what the blog's owner may not expect, such as files that were left out.
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

// run is a build that is under way.
type run struct {
	Build
	limit  *limit
	cancel context.CancelCauseFunc
	src    string
	env    map[string]string // at the build's start
	shell  *shell
	out    *output
	result Result
}

// Run runs the build. A build that fails is no error: its Result says so. An
// error means that the build could not be run here, or that ctx was cancelled,
// in which case the Result tells how far it came.
//
// When Run returns nothing that the build started is running, except processes
// that have made themselves a session of their own (setsid).
func Run(ctx context.Context, b Build) (_ Result, err error) {
	b.setDefaults()
	if err := b.check(); err != nil {
		return Result{}, err
	}
	if b.Dir, err = makeEmpty(b.Dir); err != nil {
		return Result{}, fmt.Errorf("make the build's folder: %w", err)
	}
	if !b.Keep {
		defer func() { err = errors.Join(err, leftovers.RemoveAll(b.Dir)) }()
	}
	limited, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	limit := newLimit(b.Timeout, func() { cancel(errTimedOut) })
	defer func() { limit.pause() }() // For good.

	for attempt := 1; ; attempt++ {
		r := run{Build: b, limit: limit, cancel: cancel}
		again, err := r.once(limited, attempt)
		if errors.Is(context.Cause(limited), errTimedOut) {
			r.result.Status, err = TimedOut, nil
		}
		if !again || err != nil {
			return r.result, err
		}
		if err := emptyDir(b.Dir); err != nil {
			return r.result, fmt.Errorf("empty the build's folder for another try: %w", err)
		}
	}
}

// limit calls a function after some time, in which pauses do not count. It is for one goroutine.
type limit struct {
	timer *time.Timer
	left  time.Duration
	since time.Time
}

func newLimit(after time.Duration, call func()) *limit {
	return &limit{timer: time.AfterFunc(after, call), left: after, since: time.Now()}
}

func (l *limit) pause() (resume func()) {
	if !l.timer.Stop() {
		return func() {} // It is over.
	}
	l.left -= time.Since(l.since)
	return func() {
		l.since = time.Now()
		l.timer.Reset(max(0, l.left))
	}
}

var errTimedOut = errors.New("the build has timed out")

func (b *Build) setDefaults() {
	setDefault(&b.Project, "rehearsal")
	setDefault(&b.Account, "123456789012")
	setDefault(&b.Region, "us-east-1")
	setDefault(&b.Image, "aws/codebuild/standard:7.0")
	setDefault(&b.Initiator, "codepipeline/"+b.Project)
	if b.Timeout == 0 {
		b.Timeout = DefaultTimeout
	}
	var mu sync.Mutex
	emit := b.Output
	b.Output = func(l Line) {
		mu.Lock()
		defer mu.Unlock()
		if emit != nil {
			emit(l)
		}
	}
	if len(b.Shell) == 0 {
		b.Shell = []string{"/bin/sh"}
	}
}

func setDefault(field *string, value string) {
	if *field == "" {
		*field = value
	}
}

// check reports all that keeps the build from running here.
func (b *Build) check() error {
	var errs []error
	if b.Spec == nil {
		errs = append(errs, errors.New("field Spec is missing, want what Parse returned"))
	}
	if b.Source == "" {
		errs = append(errs, errors.New("field Source is missing, want a folder"))
	}
	if b.Dir == "" {
		errs = append(errs, errors.New("field Dir is missing, want a folder that is absent or empty"))
	}
	if b.Path == "" {
		errs = append(errs, errors.New("field Path is missing, want a PATH for the commands"))
	}
	if b.Artifacts == "" && b.Spec != nil && b.Spec.Artifacts != nil {
		errs = append(errs, errors.New("field Artifacts is missing, want a folder for the zip files of the artifacts"))
	}
	for _, name := range slices.Sorted(maps.Keys(b.Env)) {
		if !isName(name) {
			errs = append(errs, fmt.Errorf("Env has the name %q, want letters, digits and _", name))
		}
		if strings.ContainsRune(b.Env[name], 0) {
			errs = append(errs, fmt.Errorf("Env %s has a NUL character, which no variable can hold", name))
		}
	}
	if b.Spec != nil {
		for _, from := range []struct {
			key    string
			values map[string]string
		}{{"parameter-store", b.Spec.Env.ParameterStore}, {"secrets-manager", b.Spec.Env.SecretsManager}} {
			for _, name := range slices.Sorted(maps.Keys(from.values)) {
				_, given := b.Secrets[name]
				if _, set := b.Env[name]; !given && !set {
					errs = append(errs, fmt.Errorf("buildspec, env.%s: %s comes from %q, which only AWS has; give a value for %s to use here",
						from.key, name, from.values[name], name))
				}
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("cannot run the build: %w", err)
	}
	return nil
}

// once runs the build from its start, and reports whether a phase's on-failure
// asks for another try.
//
// The reference says that RETRY repeats the build, so that is what happens here:
// everything starts anew, from a fresh copy of the source. Unverified: CodeBuild
// publishes no more about it.
func (r *run) once(ctx context.Context, attempt int) (again bool, err error) {
	r.note(specNotes(r.Spec)...)
	if attempt > 1 {
		r.note(fmt.Sprintf("on-failure: RETRY: this is try %d of the build", attempt))
	}
	if err := r.download(ctx); err != nil {
		return false, err
	}
	r.out, err = newOutput(r.Output, r.Secrets)
	if err != nil {
		return false, fmt.Errorf("make a pipe for the commands: %w", err)
	}
	defer r.out.close()
	if !r.selectRuntimes() {
		r.conclude()
		return false, nil
	}
	argv, err := r.argv()
	if err != nil {
		return false, err
	}
	r.shell, err = startShell(filepath.Join(r.Dir, "agent"), r.src, argv, r.env, r.out.w, r.mode())
	if err != nil {
		return false, fmt.Errorf("start the build's processes: %w", err)
	}
	defer r.shell.close()

	last, again := r.phases(ctx, attempt)
	if ctx.Err() == nil && !again {
		if err := r.finish(ctx, last); err != nil {
			return false, err
		}
	}
	r.conclude()
	if ctx.Err() != nil {
		return false, fmt.Errorf("run the build: %w", context.Cause(ctx))
	}
	return again, nil
}

func (r *run) mode() mode {
	switch {
	case r.Spec.Version == "0.1":
		return isolated
	case r.OneShell:
		return oneProcess
	default:
		return processEach
	}
}

// selectRuntimes reports whether the image has what runtime-versions names. Published
// logs have CodeBuild look at the end of DOWNLOAD_SOURCE, and fail that.
func (r *run) selectRuntimes() bool {
	image, known := curated.Find(r.Image)
	if !known || r.Spec.Phases.Install == nil {
		return true
	}
	phase := &r.result.Phases[len(r.result.Phases)-1]
	wanted := r.Spec.Phases.Install.RuntimeVersions
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		version := expand(wanted[name], r.env)
		r.say(phase.Name, fmt.Sprintf("Selecting '%s' runtime version '%s' based on manual selections...", name, version))
		if message := image.Refuses(name, version); message != "" {
			phase.Status, phase.Code, phase.Message = Failed, "YAML_FILE_ERROR", message
			r.say(phase.Name, "Phase complete: "+phase.Name+" State: "+string(phase.Status))
			r.say(phase.Name, "Phase context status code: "+phase.Code+" Message: "+phase.Message)
			return false
		}
	}
	return true
}

// argv is the shell of the commands.
func (r *run) argv() ([]string, error) {
	argv := slices.Clone(r.Shell)
	if r.Spec.Env.Shell == "bash" {
		argv = []string{"bash"}
	}
	path, err := lookPath(argv[0], r.Path)
	if err != nil {
		return nil, fmt.Errorf("find the shell of the commands: %w", err)
	}
	argv[0] = path
	return argv, nil
}

// download is the phase that CodeBuild calls DOWNLOAD_SOURCE: it also sets up
// what the commands find.
func (r *run) download(ctx context.Context) error {
	began := time.Now()
	r.src = filepath.Join(r.Dir, "src")
	home := r.Home
	if home == "" {
		home = filepath.Join(r.Dir, "home")
	}
	tmp := filepath.Join(r.Dir, "tmp")
	for _, dir := range []string{r.src, home, tmp, filepath.Join(r.Dir, "agent")} {
		if err := os.MkdirAll(dir, 0o750); err != nil {
			return fmt.Errorf("make the build's folders: %w", err)
		}
	}
	if err := copySource(ctx, r.Source, r.src); err != nil {
		return fmt.Errorf("copy the source to the build: %w", err)
	}
	names, targets, err := containLinks(r.src)
	if err != nil {
		return err
	}
	if n := len(names); n > 0 {
		more := ""
		if n > 1 {
			more = fmt.Sprintf(" (and %d more)", n-1)
		}
		r.warn(fmt.Sprintf("the symbolic link %s leads out of the source, to %s%s: at AWS nothing of yours is there, and here it leads nowhere", names[0], targets[0], more))
	}
	r.env = r.environment(began, home, tmp)
	r.note(r.runtimeNotes(ctx)...)
	r.result.Phases = append(r.result.Phases, PhaseResult{Name: DownloadSource, Status: Succeeded, Duration: time.Since(began)})
	return nil
}

// phases runs the commands, and returns the last phase that ran.
func (r *run) phases(ctx context.Context, attempt int) (last string, again bool) {
	succeeding := true
	for _, p := range r.Spec.phases() {
		result := r.phase(ctx, p, &succeeding)
		r.result.Phases = append(r.result.Phases, result)
		r.say(p.name, "Phase complete: "+p.name+" State: "+string(result.Status))
		r.say(p.name, "Phase context status code: "+result.Code+" Message: "+result.Message)
		if ctx.Err() != nil {
			return p.name, false
		}
		if result.Status == Succeeded {
			continue
		}
		policy, err := parseOnFailure(p.OnFailure)
		if err != nil {
			panic("a buildspec that Parse did not check: " + err.Error())
		}
		switch {
		case policy.action == retryBuild && attempt <= policy.retries && policy.matches(result, r.out.recent()):
			return p.name, true
		case policy.action == abortBuild:
			return p.name, false
		case policy.action == continueBuild:
			continue
		case p.name == Install || p.name == PreBuild:
			return p.name, false
		}
	}
	return PostBuild, false
}

// phase runs one phase: its commands until one fails, then its finally block.
func (r *run) phase(ctx context.Context, p namedPhase, succeeding *bool) PhaseResult {
	began := time.Now()
	result := PhaseResult{Name: p.name, Status: Succeeded}
	r.out.phase(p.name)
	r.say(p.name, "Entering phase "+p.name)
	var preparing time.Duration
	for _, c := range p.commands() {
		if c.Finally || result.Status == Succeeded {
			preparing += r.prepare(ctx)
			if ctx.Err() == nil {
				r.command(ctx, c, &result, succeeding)
			}
		}
		if ctx.Err() != nil {
			// The container is gone: not even finally blocks run.
			result.Status, result.Code, result.Message = Stopped, "BUILD_STOPPED", "Build was stopped."
			if errors.Is(context.Cause(ctx), errTimedOut) {
				result.Status, result.Code, result.Message = TimedOut, "BUILD_TIMED_OUT", "Build has timed out."
			}
			break
		}
	}
	result.Duration = time.Since(began) - preparing
	return result
}

// prepare calls Prepare, and tells how long that took. An error ends ctx.
func (r *run) prepare(ctx context.Context) time.Duration {
	if r.Prepare == nil || ctx.Err() != nil {
		return 0
	}
	began := time.Now()
	resume := r.limit.pause()
	defer resume()
	variables, err := r.shell.peek(ctx, r.PrepareFrom)
	if err == nil {
		err = r.Prepare(ctx, variables)
	}
	if err != nil {
		r.cancel(err)
	}
	return time.Since(began)
}

func (r *run) command(ctx context.Context, c Command, result *PhaseResult, succeeding *bool) {
	text := strings.TrimSpace(c.Text)
	r.say(result.Name, "Running command "+text)
	r.out.forget()
	reason := r.shell.run(ctx, c.Text, *succeeding)
	r.out.sync()
	if reason == "" {
		return
	}
	*succeeding = false
	r.say(result.Name, "Command did not exit successfully "+text+" "+reason)
	if result.Status == Succeeded {
		result.Status, result.Command, result.Cause = Failed, &c, r.out.mask(cause(r.out.recent()))
		result.Code, result.Message = "COMMAND_EXECUTION_ERROR", "Error while executing command: "+text+". Reason: "+reason
	}
}

// finish reads what the build exports, and uploads its artifacts.
//
// The reference has UPLOAD_ARTIFACTS attempted "even if the BUILD phase fails".
// After a failed INSTALL or PRE_BUILD published logs end with that phase.
func (r *run) finish(ctx context.Context, last string) error {
	values, err := r.shell.values(ctx, r.wanted())
	if err != nil {
		return fmt.Errorf("read the build's variables: %w", err)
	}
	r.export(values)
	if failed := r.result.Failure(); failed != nil && (last == Install || last == PreBuild) {
		return nil
	}
	began := time.Now()
	r.out.phase(UploadArtifacts)
	phase := PhaseResult{Name: UploadArtifacts, Status: Succeeded}
	if err := r.upload(ctx, values); err != nil {
		if client := (clientError)(""); errors.As(err, &client) {
			phase.Status, phase.Code, phase.Message = Failed, "CLIENT_ERROR", string(client)
			r.result.Artifact, r.result.Secondary = nil, nil
		} else {
			return fmt.Errorf("collect the artifacts: %w", err)
		}
	}
	phase.Duration = time.Since(began)
	r.result.Phases = append(r.result.Phases, phase)
	r.say(UploadArtifacts, "Phase complete: "+UploadArtifacts+" State: "+string(phase.Status))
	r.say(UploadArtifacts, "Phase context status code: "+phase.Code+" Message: "+phase.Message)
	return nil
}

// conclude sets the state of the build. One phase that failed fails it, also
// where on-failure is CONTINUE (unverified: AWS says no more than that the next
// phase follows).
func (r *run) conclude() {
	r.result.Status = Succeeded
	if failed := r.result.Failure(); failed != nil {
		r.result.Status = failed.Status
	}
	if n := len(r.result.Phases); n > 0 {
		if last := r.result.Phases[n-1].Status; last == TimedOut || last == Stopped {
			r.result.Status = last
		}
	}
}

// wanted are the variables whose values at the end of the build count.
func (r *run) wanted() []string {
	names := slices.Clone(r.Spec.Env.ExportedVariables)
	for _, a := range r.Spec.artifacts() {
		for _, text := range slices.Concat([]string{a.BaseDirectory}, a.Files, a.ExcludePaths) {
			for _, m := range variable.FindAllStringSubmatch(text, -1) {
				names = append(names, m[1]+m[2])
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (r *run) export(values map[string]string) {
	r.result.Exported = make(map[string]string)
	for _, name := range r.Spec.Env.ExportedVariables {
		value, set := values[name]
		_, secret := r.Secrets[name]
		switch {
		case strings.HasPrefix(name, "AWS_"):
			r.note(fmt.Sprintf("env.exported-variables: %s is not exported: CodeBuild exports no variable that starts with AWS_", name))
		case secret:
			r.note(fmt.Sprintf("env.exported-variables: %s is not exported: CodeBuild exports no secret", name))
		case !set:
			r.warn(fmt.Sprintf("env.exported-variables: %s is not set at the build's end", name))
		default:
			r.result.Exported[name] = value
		}
	}
}

func (r *run) note(notes ...string) { addNew(&r.result.Notes, notes) }

func (r *run) warn(warnings ...string) { addNew(&r.result.Warnings, warnings) }

func addNew(known *[]string, texts []string) {
	for _, text := range texts {
		if !slices.Contains(*known, text) {
			*known = append(*known, text)
		}
	}
}

// say logs what CodeBuild itself would say.
func (r *run) say(phase, text string) {
	for line := range strings.SplitSeq(strings.TrimRight(text, " \n"), "\n") {
		r.Output(Line{Phase: phase, Text: r.out.mask(line), Agent: true})
	}
}

// makeEmpty makes dir, which may be there if it is empty, and returns it without
// symbolic links: what commands see as their folder is what they are told.
func makeEmpty(dir string) (string, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	if len(entries) > 0 {
		return "", fmt.Errorf("%s has %s in it, want it empty", dir, entries[0].Name())
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(dir)
}

func emptyDir(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := leftovers.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

var namePattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func isName(s string) bool { return namePattern.MatchString(s) }
