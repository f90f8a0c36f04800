// Command rehearse runs a blog's synthesised pipeline on this machine: `make rehearse`.
package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"blog-deploy-pipeline/buildspec"
	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/rehearse/codebuild"
	"blog-deploy-pipeline/rehearse/hugo"
	"blog-deploy-pipeline/rehearse/leftovers"
	"blog-deploy-pipeline/rehearse/pipeline"
	"blog-deploy-pipeline/rehearse/rehearsal"
	"blog-deploy-pipeline/rehearse/s3"
	"blog-deploy-pipeline/rehearse/show"
)

// The exit statuses. A shell gives the last to a program that Ctrl-C ended.
const (
	exitSucceeded = 0
	exitFailed    = 1
	exitUsage     = 2
	exitStopped   = 130
)

func main() {
	s3.Main()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	// SIGPIPE is caught and has no effect: it also comes when a browser closes a connection, and output ends the rehearsal
	// when the reader of stdout has left. Ignoring the signal would not do: builds would inherit that.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	status := command(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// command runs clean or hugo if that is the only argument, and rehearses otherwise.
func command(ctx context.Context, args []string, stdout, stderr *os.File) int {
	if len(args) != 1 {
		return run(ctx, args, stdout, stderr)
	}
	switch args[0] {
	case "clean":
		return exit(clean(), stderr)
	case "hugo":
		return exit(installHugo(ctx, stderr), stderr)
	default:
		return run(ctx, args, stdout, stderr)
	}
}

// hugoCache is the folder for installed Hugos.
var hugoCache = filepath.Join(".cache", "bin")

// hugoReleases is the environment variable that names a mirror of Hugo's releases.
const hugoReleases = "HUGO_RELEASES"

// installHugo installs the recipe's default Hugo, with which the tests build the example blog.
func installHugo(ctx context.Context, progress io.Writer) error {
	i := hugo.Installer{Cache: hugoCache, Releases: os.Getenv(hugoReleases), Tell: func(format string, args ...any) {
		_, _ = fmt.Fprintf(progress, format+"\n", args...) // Only an error matters.
	}}
	_, err := i.Install(ctx, hugo.Wanted{Version: buildspec.DefaultHugoVersion, Extended: buildspec.DefaultHugoExtended == "true"})
	return err
}

// clean removes what killed rehearsals have left.
func clean() error { return errors.Join(leftovers.Sweep(os.TempDir()), leftovers.Sweep(dataDir)) }

func exit(err error, stderr io.Writer) int {
	if err != nil {
		complain(stderr, err)
		return exitFailed
	}
	return exitSucceeded
}

// dataDir is the folder of the bucket's files. /tmp may have no extended attributes.
var dataDir = filepath.Join(".cache", "rehearse")

// output passes on what the display writes. It ends the rehearsal when nobody reads any longer.
type output struct {
	io.Writer

	left context.CancelFunc
}

// Write implements io.Writer.
func (o output) Write(p []byte) (int, error) {
	n, err := o.Writer.Write(p)
	if errors.Is(err, syscall.EPIPE) {
		o.left()
	}
	return n, err
}

// example is the blog that is rehearsed by default. It stands for a repository of its own, and not for this project.
var example = filepath.Join("examples", "blog")

// flags holds the command's flags.
type flags struct {
	app, synth, blog, service, source, state, variables, fault, hugo string
	workingTree, sourceIsRepository, rollback, serve, json, verbose  bool
}

func parse(args []string, stderr io.Writer) (flags, error) {
	var f flags
	set := flag.NewFlagSet("rehearse", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.StringVar(&f.app, "app", "cdk.out", "the cloud assembly, as `make synth` writes it")
	set.StringVar(&f.synth, "synth", "", "the app, which writes the cloud assembly anew, to a folder of this rehearsal's own")
	set.StringVar(&f.blog, "blog", "", "the blog to rehearse (default: the first)")
	set.StringVar(&f.service, "service", "", "the service to rehearse")
	set.StringVar(&f.source, "source", "", "a checkout of the blog's repository (default: the blog in "+example+")")
	set.BoolVar(&f.workingTree, "working-tree", false, "use the source's files as they are on disk, not the last commit's")
	set.StringVar(&f.state, "state", "", "a folder that keeps the buckets and the edge's copies from one rehearsal to the next")
	set.StringVar(&f.variables, "variables", "", "values of the pipeline's variables, separated by commas: "+contract.VariableAllowDeletions+"="+contract.AllowDeletionsYes)
	set.BoolVar(&f.rollback, "rollback", false, "publish a broken home page after the pipeline, and take it back; with -serve, wait before that for a key")
	set.BoolVar(&f.serve, "serve", false, "keep the site up at the end, to look at it in a browser")
	set.BoolVar(&f.json, "json", false, "print the result as JSON, and nothing else, on stdout")
	set.StringVar(&f.fault, "fault", "", "what goes wrong on purpose, separated by commas:\n"+pipeline.DescribeFaults())
	set.StringVar(&f.hugo, "hugo", "", "the Hugo to build with (default: the machine's if it is the wanted version, else one is installed once)")
	set.BoolVar(&f.verbose, "v", false, "show all output of the build and the functions")
	if err := set.Parse(args); err != nil {
		return f, err
	}
	if set.NArg() > 0 {
		return f, fmt.Errorf("%q is not a flag; --help lists the flags", set.Arg(0))
	}
	if f.blog != "" && f.service != "" {
		return f, fmt.Errorf("-blog %s and -service %s: name one of them", f.blog, f.service)
	}
	f.sourceIsRepository = f.source == "" || sameFolder(f.source, example)
	if f.source == "" {
		f.source = example
	}
	return f, nil
}

func sameFolder(a, b string) bool {
	one, err := os.Stat(a)
	other, otherErr := os.Stat(b)
	return err == nil && otherErr == nil && os.SameFile(one, other)
}

func run(ctx context.Context, args []string, stdout, stderr *os.File) int {
	f, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return exitSucceeded
	}
	var plan *pipeline.Plan
	var faults pipeline.Faults
	if err == nil {
		faults, err = pipeline.ParseFaults(f.fault)
	}
	if err == nil && f.synth != "" {
		var remove func() error
		if f.app, remove, err = leftovers.TempDir("", "templates"); err == nil {
			defer func() { _ = remove() }() // A later rehearsal sweeps what stays.
			if !f.json {
				_, _ = fmt.Fprintln(stderr, "Synthesising the templates") // Only the app's errors matter.
			}
			err = synthesise(ctx, f, stderr)
		}
	}
	if ctx.Err() != nil {
		return end(f, rehearsal.Result{Status: rehearsal.Stopped}, errors.New("stopped while the app wrote its templates: nothing is rehearsed"), exitStopped, stdout, stderr)
	}
	if err == nil {
		if plan, err = read(f); err == nil {
			err = plan.Set(f.variables)
		}
		if err == nil && f.rollback {
			err = plan.AddRollback()
		}
	}
	if err != nil {
		return end(f, rehearsal.Result{Status: rehearsal.Failed}, err, exitUsage, stdout, stderr)
	}
	result, told, err := rehearse(ctx, f, plan, faults, stdout, stderr)
	if told {
		f.json = false
	}
	status := exitSucceeded
	switch {
	case result.Status == rehearsal.Stopped:
		status = exitStopped
	case result.Status != rehearsal.Succeeded || err != nil:
		status = exitFailed
	}
	return end(f, result, err, status, stdout, stderr)
}

// synthesise runs the app, which writes its templates, and shows its output only if it fails. The app's temporary files,
// 20 to 30 MB of jsii's, are in the same folder, so that they are removed even if the app is killed.
func synthesise(ctx context.Context, f flags, stderr io.Writer) error {
	var said bytes.Buffer
	app := exec.CommandContext(ctx, f.synth)
	app.Env = append(os.Environ(), "CDK_OUTDIR="+f.app, "TMPDIR="+f.app)
	app.Stdout, app.Stderr = &said, &said
	if err := leftovers.Run(app); err != nil && ctx.Err() == nil {
		return errors.Join(fmt.Errorf("nothing is rehearsed: %s: %w", f.synth, err), write(stderr, said.Bytes()))
	}
	return nil
}

func write(w io.Writer, content []byte) error {
	_, err := w.Write(content)
	return err
}

// rehearse rehearses a plan, and shows it. told reports whether it has printed the JSON: if the site is served, a script
// needs the address before the end.
func rehearse(ctx context.Context, f flags, plan *pipeline.Plan, faults pipeline.Faults, stdout, stderr *os.File) (_ rehearsal.Result, told bool, err error) {
	if err := os.MkdirAll(dataDir, 0o750); err != nil {
		return rehearsal.Result{Status: rehearsal.Failed}, false, err
	}
	progress := stdout
	if f.json {
		progress = stderr // Scripts read the other.
	}
	options := show.Detect(progress, os.Getenv)
	options.Verbose = f.verbose
	ctx, left := context.WithCancel(ctx)
	defer left()
	display := show.New(output{progress, left}, options)
	defer display.Close()
	var ended *rehearsal.Result
	var unwritten error
	var ask func(context.Context, string) (bool, error)
	if f.serve { // Somebody looks at the site.
		ask = askAt(os.Stdin)
	}
	result, err := pipeline.Run(ctx, plan, pipeline.Options{
		Source: f.source, SourceIsRepository: f.sourceIsRepository, WorkingTree: f.workingTree, Data: dataDir, State: f.state,
		Path: os.Getenv("PATH"), Env: codebuild.Network(os.Environ()),
		Hugo: f.hugo, HugoCache: hugoCache, HugoReleases: os.Getenv(hugoReleases), Faults: faults, Serve: f.serve, Ask: ask,
	}, func(e rehearsal.Event) {
		display.Event(e)
		// The result is shown here, since Run returns later if the site is served.
		switch {
		case e.Kind == rehearsal.Ended && !f.json:
			display.Result(*e.Result)
		case e.Kind == rehearsal.Ended:
			ended = e.Result
		case e.Kind == rehearsal.Serving && f.json:
			if told, unwritten = true, show.JSON(stdout, *ended); unwritten != nil {
				left() // The address is not known to anybody.
			}
		}
	})
	return result, told, errors.Join(err, unwritten)
}

// askAt returns a function that waits for an answer at a terminal. The display has shown the question. Everything but a
// word that begins with n means yes, and so does the end of the input.
func askAt(terminal io.Reader) func(context.Context, string) (bool, error) {
	return func(ctx context.Context, _ string) (yes bool, err error) {
		answered := make(chan string, 1)
		go func() { // It ends with the process if nobody answers.
			answer, _ := bufio.NewReader(terminal).ReadString('\n')
			answered <- answer
		}()
		select {
		case answer := <-answered:
			return !strings.HasPrefix(strings.ToLower(strings.TrimSpace(answer)), "n"), nil
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}

// end prints the error, and with -json the result, and returns the exit status.
func end(f flags, result rehearsal.Result, err error, status int, stdout, stderr *os.File) int {
	if f.json {
		if err != nil {
			result.Error = err.Error()
		}
		err = errors.Join(err, show.JSON(stdout, result))
	}
	if err != nil {
		if f.json || err.Error() != result.Error { // Otherwise the display has shown it.
			complain(stderr, err)
		}
		if status == exitSucceeded {
			return exitFailed
		}
	}
	return status
}

func complain(w io.Writer, err error) {
	_, _ = fmt.Fprintln(w, "rehearse:", err) // The exit status says so, too.
}

// read finds the stack of the wanted blog or service in the assembly, and reads its plan.
func read(f flags) (*pipeline.Plan, error) {
	templates, err := assembly.Load(f.app)
	if err != nil {
		return nil, err
	}
	kind, wanted, stacks, readPlan := "blog", f.blog, []contract.StackKind{contract.StackPipeline}, pipeline.Read
	if f.service != "" {
		kind, wanted, stacks, readPlan = "service", f.service, []contract.StackKind{contract.StackHook, contract.StackService}, pipeline.ReadDeployment
	}
	from := f.app
	if f.synth != "" {
		from = kind + "s.go"
	}
	var known []string
	for _, t := range templates {
		for _, stack := range stacks {
			name, ok := contract.CutStackName(t.Name, stack)
			if !ok {
				continue
			}
			if wanted == "" || wanted == name {
				return readPlan(t)
			}
			known = append(known, name)
		}
	}
	if len(known) == 0 {
		other := map[string]string{"blog": "a service: SERVICE=name", "service": "a blog: BLOG=name"}[kind]
		return nil, fmt.Errorf("%s has no %s: list one in %ss.go, or rehearse %s", from, kind, kind, other)
	}
	return nil, fmt.Errorf("no %s %q in %s; there are: %s", kind, wanted, from, strings.Join(known, " "))
}
