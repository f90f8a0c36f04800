package pipeline

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"blog-deploy-pipeline/rehearse/edge"
	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/iampolicy"
	"blog-deploy-pipeline/rehearse/leftovers"
	"blog-deploy-pipeline/rehearse/s3"
)

// defaultCompletion is how long an invalidation takes. AWS: less than 25 s in 95 of 100.
const defaultCompletion = 3 * time.Second

// Options configure a rehearsal.
type Options struct {
	// Plan is what is rehearsed; see [Read]. Required.
	Plan *Plan
	// Source is a checkout of the repository, or a folder in it. The last commit of the whole repository is
	// what the pipeline gets. Required.
	Source string
	// Alone says that Source stands for a repository by itself, although it is a folder of another one.
	Alone bool
	// WorkingTree takes the files as they are on disk, but for those that Git ignores.
	WorkingTree bool
	// Dir is an existing folder for temporary work, which is as it was at the end. It must not be below this
	// project: npm and Node.js look for packages in the folders above, and a build would find this
	// project's. Default: the system's.
	Dir string
	// Data is one for the bucket's files, on a file system with extended attributes; see s3.Options.
	// Default: Dir.
	Data string
	// State is a folder that keeps the bucket from one rehearsal to the next. Default: each begins with an
	// empty bucket.
	State string
	// Project is the folder of this project, with what was compiled in dist/. Default: the working
	// directory.
	Project string
	// Path is the PATH of a build's commands. Required.
	Path string
	// Env are variables that a build's commands get besides those that CodeBuild sets, for a way to the
	// network; see [Network].
	Env map[string]string
	// Hugo is the Hugo to use. Default: the one on Path if it is the wanted version, else one that is
	// installed into HugoCache.
	Hugo string
	// HugoCache is a folder that keeps what was installed, such as ".cache/bin". Default: Hugo is not
	// installed.
	HugoCache string
	// HugoReleases is where Hugo is installed from; see hugo.Installer.
	HugoReleases string
	// Faults are what goes wrong on purpose.
	Faults Faults
	// CompleteAfter is how long CloudFront takes for an invalidation. Default 3 s.
	CompleteAfter time.Duration
	// Serve has Run return only when ctx is cancelled, and until then lets the site be looked at.
	Serve bool

	// compile makes a function that runs on this machine of an asset. Tests have one at hand.
	compile func(ctx context.Context, asset, binary string) error
}

// rehearsal is one that is under way.
type rehearsal struct {
	Options
	plan  *Plan
	clock *clock
	dir   string

	account  *account
	s3       *s3.Server
	cloud    *fakeaws.Cloud
	cloudURL string
	// function is the one that is being invoked.
	function atomic.Pointer[invoked]

	checkout  checkout
	binaries  map[*Function]string
	artifacts map[string]artifact
	variables map[string]map[string]string // by namespace
	readers   *readers

	execution string
	session   string // of the roles
	closers   []func() error

	mu     sync.Mutex // guards what follows, and calls of tell
	tell   func(Event)
	result Result
}

// artifact is what one action hands to the next.
type artifact struct {
	zip   string // a file
	clone string // or a folder, a clone of the repository
	key   string // in the bucket of the artifacts
}

// Run rehearses a pipeline, and tells how it goes. A pipeline that fails is no error: its Result says so.
// An error means that the rehearsal itself could not be run to its end. When Run returns, nothing that
// it started is running, and Options.Dir is as it was; also when ctx was cancelled, at which the
// pipeline is Stopped.
func Run(ctx context.Context, opts Options, tell func(Event)) (_ Result, err error) {
	r := &rehearsal{
		Options: opts, plan: opts.Plan, clock: &clock{}, tell: tell,
		binaries: map[*Function]string{}, artifacts: map[string]artifact{}, variables: map[string]map[string]string{},
		execution: uuid(), session: strconv.FormatInt(time.Now().UnixMilli(), 10),
	}
	if r.compile == nil {
		r.compile = func(ctx context.Context, asset, binary string) error { return compile(ctx, r.Project, asset, binary) }
	}
	if r.CompleteAfter == 0 {
		r.CompleteAfter = defaultCompletion
	}
	// Children end with it, also when this function returns early.
	ctx, cancel := context.WithCancel(ctx)
	defer func() {
		cancel()
		err = errors.Join(err, r.close())
	}()
	r.begin()
	readied := r.readying()
	err = r.prepare(ctx)
	readied()
	if err != nil {
		if ctx.Err() != nil {
			r.result.Status, err = Stopped, nil
		}
		return r.finish(err), err
	}
	if r.plan.Deployment != nil {
		err = r.service(ctx)
	} else {
		r.stages(ctx)
		err = r.save(ctx)
	}
	if broken := r.account.failed(); broken != nil && ctx.Err() == nil {
		err = errors.Join(err, broken)
	}
	serves := r.Serve && r.readers != nil && ctx.Err() == nil
	if serves {
		r.result.Served = &r.readers.served
	}
	result := r.finish(err)
	if serves {
		r.emit(Event{Kind: Serving, Served: *result.Served})
		<-ctx.Done()
	}
	return result, err
}

// begin tells what will be done.
func (r *rehearsal) begin() {
	t := r.plan.Template
	r.result = Result{
		Name: r.plan.Name, Stack: t.Name, Account: t.Account, Region: t.Region,
		Execution: r.execution, Status: InProgress, Started: time.Now(),
	}
	for _, stage := range r.plan.Stages {
		s := StageResult{Name: stage.Name, Status: NotRun}
		for _, a := range stage.Actions {
			s.Actions = append(s.Actions, ActionResult{Name: a.Name, Provider: a.Provider, Target: a.target(), Status: NotRun})
		}
		r.result.Stages = append(r.result.Stages, s)
	}
	r.emit(Event{Kind: Started, Result: r.snapshot()})
	for _, note := range r.plan.Notes {
		r.note("%s", note)
	}
}

// target is what an action is about.
func (a *Action) target() string {
	switch a.Provider {
	case sourceConnection:
		return a.Configuration["FullRepositoryId"] + "@" + a.Configuration["BranchName"]
	case sourceGitHub:
		return a.Configuration["Owner"] + "/" + a.Configuration["Repo"] + "@" + a.Configuration["Branch"]
	case providerBuild:
		return a.Configuration["ProjectName"]
	case providerS3:
		return a.Configuration["BucketName"]
	default:
		return a.Configuration["FunctionName"]
	}
}

// emit tells one event. Events come one at a time.
func (r *rehearsal) emit(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e.At = time.Now()
	r.tell(e)
}

func (r *rehearsal) preparing(format string, args ...any) {
	r.emit(Event{Kind: Preparing, Text: fmt.Sprintf(format, args...)})
}

// note tells the owner where the rehearsal knows or does less than AWS, once.
func (r *rehearsal) note(format string, args ...any) { r.remark(&r.result.Notes, Noted, format, args) }

// warn tells the owner what is to be looked at, although nothing failed, once.
func (r *rehearsal) warn(format string, args ...any) {
	r.remark(&r.result.Warnings, Warned, format, args)
}

func (r *rehearsal) remark(known *[]string, kind Kind, format string, args []any) {
	text := fmt.Sprintf(format, args...)
	r.mu.Lock()
	told := slices.Contains(*known, text)
	if !told {
		*known = append(*known, text)
	}
	r.mu.Unlock()
	if !told {
		r.emit(Event{Kind: kind, Text: text})
	}
}

// readying counts the time until it is called as preparation.
func (r *rehearsal) readying() (done func()) {
	began := time.Now()
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.result.Preparation += time.Since(began)
	}
}

// stopwatch measures time, but for what is preparation.
func (r *rehearsal) stopwatch() (elapsed func() time.Duration) {
	began, before := time.Now(), r.result.Preparation
	return func() time.Duration { return time.Since(began) - (r.result.Preparation - before) }
}

// watch tells how far an action's step has come, each second after the first two, until it is stopped;
// size is how much is done, or nil.
func (r *rehearsal) watch(a *Action, phase, step string, size func() int64) (stop func()) {
	done := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		for next := time.After(2 * time.Second); ; next = time.After(time.Second) {
			select {
			case <-done:
				return
			case <-next:
			}
			e := Event{Kind: Progressed, Stage: a.Stage, Action: a.Name, Phase: phase, Text: step}
			if size != nil {
				e.Bytes = size()
			}
			r.emit(e)
		}
	})
	return func() { close(done); watching.Wait() }
}

// sizeOf is how large a file is by now.
func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// snapshot is a copy of the result that does not change any more.
func (r *rehearsal) snapshot() *Result {
	r.mu.Lock()
	defer r.mu.Unlock()
	result := r.result
	result.Stages = slices.Clone(result.Stages)
	for i := range result.Stages {
		result.Stages[i].Actions = slices.Clone(result.Stages[i].Actions)
	}
	result.Visits, result.Warnings, result.Notes = slices.Clone(result.Visits), slices.Clone(result.Warnings), slices.Clone(result.Notes)
	return &result
}

// finish completes the result and tells it. An error means that there was no whole rehearsal.
func (r *rehearsal) finish(err error) Result {
	if err != nil {
		r.result.Status, r.result.Error = Failed, err.Error()
	}
	r.result.Duration, r.result.Skipped = time.Since(r.result.Started)-r.result.Preparation, r.clock.Skipped()
	if r.cloud != nil {
		r.result.Invalidations = r.invalidations()
	}
	if r.account != nil {
		r.result.Permissions = r.account.permissions()
	}
	result := r.snapshot()
	r.emit(Event{Kind: Ended, Result: result})
	return *result
}

// invalidations are those of all distributions that the pipeline clears.
func (r *rehearsal) invalidations() []Invalidation {
	var all []Invalidation
	for _, id := range r.plan.distributions() {
		for _, made := range r.cloud.Invalidations(id) {
			invalidation := Invalidation{ID: made.ID, Distribution: id, Paths: made.Paths, Status: made.Status}
			if made.Status == "Completed" {
				invalidation.Took = r.Faults.distribution(id, r.CompleteAfter).CompleteAfter
			}
			all = append(all, invalidation)
		}
	}
	return all
}

// close ends everything in the reverse order of its start.
func (r *rehearsal) close() error {
	var errs []error
	for _, c := range slices.Backward(r.closers) {
		errs = append(errs, c())
	}
	return errors.Join(errs...)
}

func (r *rehearsal) onClose(c func() error) { r.closers = append(r.closers, c) }

// prepare starts what the pipeline needs around it.
func (r *rehearsal) prepare(ctx context.Context) error {
	dir, remove, err := leftovers.TempDir(r.Dir, "rehearsal")
	if err != nil {
		return fmt.Errorf("make a folder for temporary work: %w", err)
	}
	r.dir = dir
	r.onClose(remove)
	data := cmp.Or(r.Data, r.dir)
	isService := r.plan.Deployment != nil
	if isService {
		r.preparing("Starting the policy evaluator and the doubles of CloudFront and the deployment; compiling the function for this machine")
	} else {
		if r.checkout, err = openCheckout(ctx, r.Source, r.Alone); err != nil {
			return err
		}
		r.preparing("Starting S3 (versitygw), the policy evaluator and CloudFront's double; compiling the functions for this machine")
	}
	t := r.plan.Template
	r.account = &account{ctx: ctx, note: r.note}
	// What starts lives on, with ctx; the compilation ends when something else does not start.
	starting, compiling := errgroup.WithContext(ctx)
	starting.Go(func() (err error) {
		if isService {
			return nil
		}
		r.s3, err = s3.Start(ctx, s3.Options{Dir: data, Region: t.Region})
		return err
	})
	starting.Go(func() (err error) {
		r.account.iam, err = iampolicy.Start(ctx)
		return err
	})
	starting.Go(func() error { return r.functions(compiling) })
	err = starting.Wait()
	if r.s3 != nil {
		r.onClose(r.s3.Close)
	}
	if r.account.iam != nil {
		r.onClose(r.account.iam.Close)
	}
	if err != nil {
		return err
	}
	if err := r.startCloud(); err != nil {
		return err
	}
	return r.load(ctx)
}

// functions compiles each function of the plan for this machine.
func (r *rehearsal) functions(ctx context.Context) error {
	for _, stage := range r.plan.Stages {
		for _, a := range stage.Actions {
			if a.Function == nil || r.binaries[a.Function] != "" {
				continue
			}
			binary := filepath.Join(r.dir, "function-"+a.Function.ID, "bootstrap")
			if err := os.MkdirAll(filepath.Dir(binary), 0o750); err != nil {
				return err
			}
			if err := r.compile(ctx, a.Function.Asset, binary); err != nil {
				return fmt.Errorf("stage %s, action %s: %w", a.Stage, a.Name, err)
			}
			r.binaries[a.Function] = binary
		}
	}
	return nil
}

// startCloud serves the doubles of CloudFront and CodePipeline.
func (r *rehearsal) startCloud() error {
	t := r.plan.Template
	r.cloud = fakeaws.New(fakeaws.Options{
		Account: t.Account, Region: t.Region, Now: r.clock.Now,
		Authorize: func(c fakeaws.Call) error {
			f := r.function.Load()
			if f == nil {
				return errors.New("no function is being invoked")
			}
			asked := call{role: f.function.Role, session: f.function.Name, action: c.Action, on: c.Resource}
			if taken := f.function.TakesOn; taken != nil {
				if c.Principal == principal(taken, f.function.Name) {
					asked.role = taken
				} else if c.Resource == taken.ARN {
					asked.trust = taken.Trust
				}
			}
			if r.Faults.denies(c.Action) {
				return r.account.denied(asked, explicitly)
			}
			return r.account.allow(asked)
		},
		Fault: func(c fakeaws.Call) fakeaws.Fault {
			f := r.function.Load()
			if f == nil {
				return fakeaws.Fault{}
			}
			return r.Faults.strike(c, f.runtime.Kill, f.runtime.Freeze)
		},
	})
	url, err := r.serve(r.cloud)
	r.cloudURL = url
	return err
}

// serve serves a handler on loopback until the end.
func (r *rehearsal) serve(handler http.Handler) (url string, err error) {
	server, listener, err := r.listen(handler)
	if err != nil {
		return "", err
	}
	go func() { _ = server.Serve(listener) }() // Ends with ErrServerClosed, at the end.
	return "http://" + listener.Addr().String(), nil
}

// serveSecurely serves it by https, HTTP/2 included, with a certificate of its own for names.
func (r *rehearsal) serveSecurely(handler http.Handler, names []string) (url string, err error) {
	certificate, err := edge.Certificate(names)
	if err != nil {
		return "", err
	}
	server, listener, err := r.listen(handler)
	if err != nil {
		return "", err
	}
	server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	server.ErrorLog = log.New(io.Discard, "", 0)          // Every browser that does not trust the certificate says so there.
	go func() { _ = server.ServeTLS(listener, "", "") }() // As in serve.
	return "https://" + listener.Addr().String(), nil
}

// listen listens on loopback until the end.
func (r *rehearsal) listen(handler http.Handler) (*http.Server, net.Listener, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, fmt.Errorf("listen on loopback: %w", err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	r.onClose(server.Close)
	return server, listener, nil
}

// stages runs the pipeline.
func (r *rehearsal) stages(ctx context.Context) {
	r.account.use(r.plan.Role, "pipeline")
	status := Succeeded
	for i, stage := range r.plan.Stages {
		if status != Succeeded {
			break
		}
		if ctx.Err() != nil {
			status = Stopped
			break
		}
		elapsed := r.stopwatch()
		r.emit(Event{Kind: StageStarted, Stage: stage.Name})
		for j, action := range stage.Actions {
			result := r.action(ctx, action)
			r.mu.Lock()
			r.result.Stages[i].Actions[j] = result
			r.mu.Unlock()
			r.emit(Event{Kind: ActionEnded, Stage: stage.Name, Action: action.Name, ActionResult: &result})
			if status = result.Status; status != Succeeded {
				break
			}
		}
		r.mu.Lock()
		r.result.Stages[i].Status, r.result.Stages[i].Duration = status, elapsed()
		ended := r.result.Stages[i]
		ended.Actions = slices.Clone(ended.Actions)
		r.mu.Unlock()
		r.emit(Event{Kind: StageEnded, Stage: stage.Name, StageResult: &ended})
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.result.Status = status
}

// service runs a deployment, and says how it ended.
func (r *rehearsal) service(ctx context.Context) error {
	err := r.deployService(ctx)
	status := Succeeded
	for _, stage := range r.snapshot().Stages {
		if stage.Status == Failed || stage.Status == Stopped {
			status = stage.Status
		}
	}
	if denied := (*failure)(nil); errors.As(err, &denied) {
		r.warn("%s: %s", denied.Code, denied.Reason)
		status, err = Failed, nil
	}
	if ctx.Err() != nil {
		status, err = Stopped, nil
	}
	if status == Succeeded {
		r.noteStale()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.result.Status = status
	return err
}

// noteStale says where the deployment went on although readers may get old answers.
func (r *rehearsal) noteStale() {
	for _, id := range r.plan.Deployment.Distributions {
		completed := func(i fakeaws.Invalidation) bool { return i.Status == "Completed" }
		if made := r.cloud.Invalidations(id); !slices.ContainsFunc(made, completed) {
			r.warn("no invalidation of the distribution %s is completed: its readers may get old answers, and the deployment goes on, as the hook is set up", id)
		}
	}
}

// outcome is what a successful action has to say.
type outcome struct {
	summary   string
	variables map[string]string
	// work is the time that was not the rehearsal's own.
	work time.Duration
}

// action runs one action.
func (r *rehearsal) action(ctx context.Context, a *Action) ActionResult {
	elapsed := r.stopwatch()
	r.emit(Event{Kind: ActionStarted, Stage: a.Stage, Action: a.Name})
	result := ActionResult{Name: a.Name, Provider: a.Provider, Target: a.target()}
	done, err := r.act(ctx, a)
	if err == nil && r.isLast(a) && r.readers != nil && !r.readers.proved {
		err = r.visit(ctx, AfterInvalidate)
	}
	result.Duration = elapsed()
	result.Overhead = max(0, result.Duration-done.work)
	if err == nil {
		result.Summary, result.Variables = done.summary, done.variables
	}
	if a.Namespace != "" {
		r.variables[a.Namespace] = done.variables
	}
	if err == nil {
		err = r.account.failed()
	}
	settle(ctx, &result, err)
	return result
}

// isLast reports whether an action is the pipeline's last.
func (r *rehearsal) isLast(a *Action) bool {
	stages := r.plan.Stages
	last := stages[len(stages)-1].Actions
	return len(last) > 0 && a == last[len(last)-1]
}

// settle says how an action ended.
func settle(ctx context.Context, result *ActionResult, err error) {
	result.Status = Succeeded
	switch {
	case err == nil:
		return
	case ctx.Err() != nil:
		result.Status = Stopped
	default:
		result.Status = Failed
		if why := (*failure)(nil); errors.As(err, &why) {
			result.Code, result.Reason, result.Cause, result.Look = why.Code, why.Reason, why.Cause, why.Look
		} else {
			result.Reason, result.Look = err.Error(), "this machine: AWS would not have said so"
		}
	}
	result.Summary = ""
}

func (r *rehearsal) act(ctx context.Context, a *Action) (outcome, error) {
	if err := r.account.serve("CodePipeline", "codepipeline.amazonaws.com", r.plan.Role); err != nil {
		return outcome{}, err
	}
	if a.OwnRole {
		r.account.use(a.Role, "action "+a.String())
		if err := r.account.assume(r.plan.Role, a.Role, r.session); err != nil {
			return outcome{}, err
		}
	}
	configuration, err := r.substitute(a)
	if err != nil {
		return outcome{}, err
	}
	switch a.Provider {
	case sourceConnection, sourceGitHub:
		return r.source(ctx, a, configuration)
	case providerBuild:
		return r.build(ctx, a, configuration)
	case providerS3:
		return r.deploy(ctx, a, configuration)
	default:
		return r.invoke(ctx, a, configuration)
	}
}

// as is a call by the role of an action.
func (r *rehearsal) as(role *Role, action, on string) error {
	return r.account.allow(call{role: role, session: r.session, action: action, on: on})
}

// object is the ARN of an artifact in its bucket.
func (r *rehearsal) object(a artifact) string {
	return fmt.Sprintf("arn:%s:s3:::%s/%s", r.plan.Template.Partition, r.plan.Store, a.key)
}

// newArtifact makes up where CodePipeline puts an artifact: names are cut, the last part is random.
func (r *rehearsal) newArtifact(name string) artifact {
	return artifact{
		key: cut(r.plan.Name, 20) + "/" + cut(name, 10) + "/" + rand.Text()[:7],
		zip: filepath.Join(r.dir, "artifact-"+name+".zip"),
	}
}

func cut(s string, n int) string { return s[:min(n, len(s))] }

// substitute puts values in place of variables, #{namespace.Name}.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-variables.html
func (r *rehearsal) substitute(a *Action) (map[string]string, error) {
	substituted := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(a.Configuration)) {
		var b strings.Builder
		rest := a.Configuration[key]
		for {
			before, after, found := strings.Cut(rest, "#{")
			b.WriteString(before)
			if !found {
				break
			}
			name, end, closed := strings.Cut(after, "}")
			namespace, variable, dotted := strings.Cut(name, ".")
			if !closed || !dotted {
				b.WriteString("#{")
				rest = after
				continue
			}
			value, known := r.variable(namespace, variable)
			if !known {
				return nil, &failure{
					Code:   "InvalidActionConfiguration",
					Reason: fmt.Sprintf("An action in this pipeline references a variable that has not been resolved: #{%s} in %s", name, key),
					Look:   fmt.Sprintf("the configuration of the action %s; no earlier action has put it out", a),
				}
			}
			b.WriteString(value)
			rest = end
		}
		substituted[key] = b.String()
	}
	return substituted, nil
}

func (r *rehearsal) variable(namespace, name string) (value string, known bool) {
	switch namespace {
	case "codepipeline":
		return r.execution, name == "PipelineExecutionId"
	case "variables":
		value, known = r.plan.variables[name]
	default:
		value, known = r.variables[namespace][name]
	}
	return value, known
}

// uuid returns a version 4 UUID.
func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // Never fails (crypto/rand).
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}
