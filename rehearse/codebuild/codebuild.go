// Package codebuild runs a buildspec on this machine as AWS CodeBuild does. It has the same phases, the same rules after a
// failure, the same variables and the same artifacts.
//
// The commands of the buildspec really run, as the user of this process, with a folder and an environment of their own.
// This is not a sandbox: commands can use every path of the machine.
//
//	spec, err := codebuild.Parse(text)
//	…
//	result, err := codebuild.Run(ctx, codebuild.Build{
//		Spec:   spec,
//		Source: "examples/blog",
//		Dir:    filepath.Join(dir, "build"), // Run removes it.
//		Artifacts: dir,
//		Path:   os.Getenv("PATH"),
//		Env:    project, // including Network(os.Environ()) behind a proxy
//		Output: func(l codebuild.Line) { fmt.Println(l.Phase, l.Text) },
//	})
//	…
//	if result.Status != codebuild.Succeeded { … result.Failure() … }
//	os.Rename(result.Artifact.Zip, "site.zip")
//
// The package follows CodeBuild's documentation:
// https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html,
// https://docs.aws.amazon.com/codebuild/latest/userguide/view-build-details-phases.html,
// https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html.
// Where the documentation is not clear, the package follows build logs that users have published, and a comment says so.
// A feature that it does not support is an error, or one of [Result.Notes] if the build can do without it.
package codebuild

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"blog-deploy-pipeline/buildspec/curated"
	"blog-deploy-pipeline/rehearse/leftovers"
)

// Run runs the build. The Result says whether the build succeeded. Run returns an error if the build cannot run on this
// machine or ctx is cancelled. In the latter case the Result holds the phases so far.
//
// When Run returns, all processes of the build have ended, except those that have started a session of their own (setsid).
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
	defer func() { limit.pause() }() // The timer must not fire after Run.

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

// check returns an error for everything that prevents the build from running here.
func (b *Build) check() error {
	var errs []error
	if b.Spec == nil {
		errs = append(errs, errors.New("field Spec is missing, want a buildspec from Parse"))
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
			errs = append(errs, fmt.Errorf("Env %s has a NUL character, which a variable cannot contain", name))
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
					errs = append(errs, fmt.Errorf("buildspec, env.%s: the value of %s is in %q at AWS; give a value of %s for the rehearsal",
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

// once runs the build once, and reports whether the on-failure of a phase asks for another try.
//
// The reference says that RETRY repeats the build. Here a retry starts with a fresh copy of the source. This is
// unverified, because CodeBuild does not document more.
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

// selectRuntimes reports whether the image has all runtime-versions. In published logs CodeBuild checks them at the end of
// DOWNLOAD_SOURCE, and that phase fails.
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

// argv returns the command line of the shell that runs the commands.
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

// download runs the phase DOWNLOAD_SOURCE. It also prepares the folders and the variables of the commands.
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
		r.warn(fmt.Sprintf("the symbolic link %s leads out of the source, to %s%s: at AWS your files are not there, and here the link leads nowhere", names[0], targets[0], more))
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
		case policy.action == retryBuild && attempt <= policy.retries && policy.matches(result.Context(), r.out.recent()):
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
			// CodeBuild removes the container, so not even finally blocks run.
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

// prepare calls Prepare and returns how long it took. An error cancels the build's context.
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

// finish reads the exported variables and uploads the artifacts.
//
// The reference says that UPLOAD_ARTIFACTS is attempted "even if the BUILD phase fails". Published logs end with the failed
// phase if that is INSTALL or PRE_BUILD.
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

// conclude sets the build's status. The build fails if a phase has failed, even with on-failure CONTINUE. The latter is
// unverified: AWS documents only that the next phase follows.
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

// wanted returns the names of the variables that are needed at the end of the build.
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
			r.note(fmt.Sprintf("env.exported-variables: %s is not exported, because CodeBuild exports no variable whose name starts with AWS_", name))
		case secret:
			r.note(fmt.Sprintf("env.exported-variables: %s is not exported, because CodeBuild exports no secrets", name))
		case !set:
			r.warn(fmt.Sprintf("env.exported-variables: %s is not set at the end of the build", name))
		default:
			r.result.Exported[name] = value
		}
	}
}

// makeEmpty makes dir and returns its path without symbolic links, so that commands see the path that the variables have.
// dir may exist if it is empty.
func makeEmpty(dir string) (string, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	if len(entries) > 0 {
		return "", fmt.Errorf("%s contains %s, want an empty folder", dir, entries[0].Name())
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
