package e2e

import (
	"archive/zip"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/lambdaruntime"
	"blog-deploy-pipeline/rehearse/rehearsal"
	"blog-deploy-pipeline/rehearse/s3"
)

// `make bench` runs these benchmarks. Times differ between machines and runs, so quote the ratios: they compare commands
// that took turns in one run.

// measured is one command of a benchmark, with the time of each of its runs.
type measured struct {
	name string
	run  func() error
	took []time.Duration
}

func (m *measured) median() time.Duration {
	return slices.Sorted(slices.Values(m.took))[len(m.took)/2]
}

// takeTurns runs all commands b.N times, in the order A B A B …, after one run that is not counted.
func takeTurns(b *testing.B, commands []*measured) {
	b.Helper()
	for _, m := range commands {
		if err := m.run(); err != nil {
			b.Fatalf("%s: %v", m.name, err)
		}
	}
	for b.Loop() {
		for _, m := range commands {
			start := time.Now()
			if err := m.run(); err != nil {
				b.Fatalf("%s: %v", m.name, err)
			}
			m.took = append(m.took, time.Since(start))
		}
	}
}

// report prints each median and its ratio to the first command's.
func report(b *testing.B, title string, commands []*measured) {
	b.Helper()
	var text strings.Builder
	for _, m := range commands {
		fmt.Fprintf(&text, "  %s\t%.3f s\t× %.2f\n", m.name, m.median().Seconds(), ratio(m, commands[0]))
	}
	fmt.Printf("\n%s (median of %d)\n", title, len(commands[0].took))
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 3, ' ', 0)
	if _, err := io.WriteString(w, text.String()); err != nil {
		b.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
}

func ratio(a, b *measured) float64 { return a.median().Seconds() / b.median().Seconds() }

// BenchmarkSynth measures `make synth` with nothing to compile.
func BenchmarkSynth(b *testing.B) {
	commands := []*measured{}
	add := func(name string, run func() error) *measured {
		m := &measured{name: name, run: run}
		commands = append(commands, m)
		return m
	}
	synth := func(c checkout, env ...string) func() error {
		return func() error { return failWith(c.make("synth", env...)) }
	}
	listing := func(blogs string) checkout {
		c := newCheckout(b)
		c.lists(blogs, "")
		if out, err := c.build(); err != nil {
			b.Fatalf("make build: %v\n%s", err, out)
		}
		return c
	}
	checked := map[int]*measured{}
	for _, n := range []int{1, 10, 50} {
		c := listing(manyBlogs(n, existingPlace))
		checked[n] = add(fmt.Sprintf("blogs: %d, validated", n), synth(c, "CDK_VALIDATION=true"))
		add(fmt.Sprintf("blogs: %d, not validated", n), synth(c))
	}
	sites := add("blogs: 10, each with a Site, validated", synth(listing(manyBlogs(10, madePlace)), "CDK_VALIDATION=true"))
	// The peer is the way that `cdk init app --language go` sets up, on the machine's own Node.js.
	peer := listing(manyBlogs(1, existingPlace))
	node, path := systemNode(b)
	cdkInit := add("blogs: 1, validated, cdk init's way on Node.js "+node, func() error {
		return failWith(peer.run([]string{"PATH=" + path, "CDK_VALIDATION=true"},
			"node", "node_modules/aws-cdk/bin/cdk", "synth", "--quiet", "--build", "", "--app", "go mod download && go run ."))
	})

	takeTurns(b, commands)
	report(b, "make synth", commands)
	b.ReportMetric(ratio(checked[50], checked[1]), "x(50/1)")
	b.ReportMetric(ratio(checked[1], cdkInit), "x(ours/cdk-init)")
	b.ReportMetric(ratio(sites, checked[10]), "x(sites/existing)")
	b.ReportMetric(0, "ns/op")
}

func failWith(out string, err error) error {
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// These are the places where a blog of manyBlogs goes: a bucket and a distribution that exist, or a Site.
const (
	existingPlace = `Deploy: props.Deploy{Bucket: "bucket-%[1]d"}, Invalidate: props.Invalidate{DistributionID: "E2QWRUHAPOMQZL"},`
	madePlace     = `Region: "us-east-1", Site: &props.Site{Domain: "blog-%[1]d.my.blog", HostedZone: props.HostedZone{ID: "Z0123456789ABCDEFGHIJ", Name: "my.blog"}},`
)

// manyBlogs returns a list of n blogs.
func manyBlogs(n int, place string) string {
	var list strings.Builder
	for i := range n {
		fmt.Fprintf(&list, `{
	Name:   "blog-%d",
	Source: props.GitHubConnection{Owner: "owner", Repo: "blog-%[1]d", ConnectionARN: "arn:aws:codeconnections:us-east-1:123456789012:connection/01234567-89ab-cdef-0123-456789abcdef", Trigger: props.Trigger{IgnorePaths: []string{"README.md"}}},
	`+place+`
	Notifications: props.Notifications{Emails: []string{"me@blog.dev"}},
},
`, i)
	}
	return list.String()
}

// systemNode returns PATH without this project's own Node.js, and the version of the Node.js on it.
func systemNode(b *testing.B) (version, path string) {
	b.Helper()
	path = strings.Join(slices.DeleteFunc(filepath.SplitList(os.Getenv("PATH")), func(dir string) bool {
		return strings.HasSuffix(dir, filepath.Join("node_modules", ".bin"))
	}), string(os.PathListSeparator))
	cmd := exec.CommandContext(b.Context(), "/bin/sh", "-c", "node --version")
	cmd.Env = []string{"PATH=" + path}
	out, err := cmd.Output()
	if err != nil {
		b.Fatalf("find the machine's own Node.js: %v", err)
	}
	return strings.TrimPrefix(strings.TrimSpace(string(out)), "v"), path
}

// BenchmarkFunctions measures the functions: their size when uploaded, and their start and memory on this machine.
func BenchmarkFunctions(b *testing.B) {
	objects, err := s3.Start(b.Context(), s3.Options{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer closeIt(b, objects)
	for _, bucket := range benchBuckets {
		if err := objects.CreateBucket(b.Context(), bucket); err != nil {
			b.Fatal(err)
		}
	}
	build := zipOf(b, map[string]string{"index.html": "<h1>Home</h1>"})
	input := fakeaws.Artifact{Name: "Site", Bucket: benchBuckets["BUILDS"], Key: "Site/build"}
	if err := objects.PutObject(b.Context(), input.Bucket, s3.Object{Key: input.Key, Size: int64(len(build))}, bytes.NewReader(build)); err != nil {
		b.Fatal(err)
	}
	cloud := fakeaws.New(fakeaws.Options{S3: objects.Unsigned()})
	cloud.AddDistribution(fakeaws.Distribution{ID: benchDistribution.ID})
	server := httptest.NewServer(cloud)
	defer server.Close()

	functions := []*benchFunction{
		{name: "invalidate", event: func() ([]byte, error) {
			job, err := cloud.StartAction(fakeaws.Action{FunctionName: "invalidate", UserParameters: contract.JSON(contract.UserParameters{PipelineName: "blog", Distribution: benchDistribution})})
			if err != nil {
				return nil, err
			}
			return job.Event(), nil
		}},
		{name: "deployhook", event: func() ([]byte, error) {
			deployment, err := cloud.StartDeployment(fakeaws.DeploymentInput{Application: "shop", DeploymentGroup: "shop", Hooks: map[string]string{"AfterAllowTraffic": "hook"}})
			if err != nil {
				return nil, err
			}
			return deployment.Next().Event(), nil
		}},
		{name: "publish", event: func() ([]byte, error) {
			job, err := cloud.StartAction(fakeaws.Action{FunctionName: "publish", UserParameters: contract.JSON(contract.PublishParameters{PipelineName: "blog"}), Input: input})
			if err != nil {
				return nil, err
			}
			return job.Event(), nil
		}},
	}
	var commands []*measured
	for _, f := range functions {
		f.compile(b)
		commands = append(commands, &measured{name: f.name + ": start, one request, end", run: func() error { return f.start(b, cloud, server.URL) }})
	}
	if interpreter := pythonInterpreter(b); interpreter != "" {
		// The peer is the least that the functions of the articles do, without their boto3.
		commands = append(commands, &measured{name: "python3: start, the articles' imports without boto3, end", run: func() error {
			return exec.CommandContext(b.Context(), interpreter, "-c", "import json, logging, time").Run()
		}})
	}
	for b.Loop() { // A start takes milliseconds, so each turn has many.
		for range 20 {
			for _, m := range commands {
				begin := time.Now()
				if err := m.run(); err != nil {
					b.Fatalf("%s: %v", m.name, err)
				}
				m.took = append(m.took, time.Since(begin))
			}
		}
	}
	for _, f := range functions {
		f.report(b)
	}
	report(b, "whole processes", commands)
	b.ReportMetric(0, "ns/op")
}

// benchDistribution is the distribution that the functions clear.
var benchDistribution = contract.Distribution{ID: "E2QWRUHAPOMQZL"}

// benchBuckets are the buckets of the function publish by the variables that name them, and that of its input.
var benchBuckets = map[string]string{contract.EnvSiteBucket: "blog", contract.EnvReleases: "releases", "BUILDS": "builds"}

// benchFunction is a function that runs as a process on this machine.
type benchFunction struct {
	name   string
	event  func() ([]byte, error) // a request for work
	binary string
	starts []time.Duration
	memory int64 // KiB
}

// compile builds the function for this machine, as it is built for Lambda.
func (f *benchFunction) compile(b *testing.B) {
	b.Helper()
	f.binary = filepath.Join(b.TempDir(), "bootstrap")
	if err := lambdaruntime.Compile(b.Context(), "./lambdas/"+f.name, f.binary, "-trimpath"); err != nil {
		b.Fatal(err)
	}
}

// start starts the function, sends it one request, and ends it.
func (f *benchFunction) start(b *testing.B, cloud *fakeaws.Cloud, endpoint string) error {
	env := map[string]string{
		"AWS_ENDPOINT_URL": endpoint, contract.EnvPollEvery: "1ms", contract.EnvDeadline: "10s",
		contract.EnvService: "shop", contract.EnvDistributions: contract.JSON([]contract.Distribution{benchDistribution}),
	}
	if f.name == "publish" {
		maps.Copy(env, benchBuckets)
	}
	maps.Copy(env, cloud.Issue("arn:aws:sts::123456789012:assumed-role/bench/"+f.name, time.Hour).Env())
	function, err := lambdaruntime.Start(lambdaruntime.Function{Binary: f.binary, Name: f.name, Timeout: 30 * time.Second, Env: env})
	if err != nil {
		return err
	}
	defer closeIt(b, function)
	event, err := f.event()
	if err != nil {
		return err
	}
	result, err := function.Invoke(b.Context(), event)
	if err != nil || result.Err != nil {
		return cmp.Or[error](err, result.Err)
	}
	f.starts = append(f.starts, result.InitDuration)
	f.memory = max(f.memory, result.MaxRSSKB)
	return nil
}

func (f *benchFunction) report(b *testing.B) {
	b.Helper()
	size, zipped := sizes(b, filepath.Join("dist", f.name, "bootstrap"))
	first := slices.Sorted(slices.Values(f.starts))[len(f.starts)/2]
	fmt.Printf("\nlambdas/%s\n  binary for Lambda (linux/arm64)   %.2f MB\n  zipped                            %.2f MB\n  process start to first request    %.1f ms here (%s/%s, median of %d)\n  peak memory                       %.1f MiB\n",
		f.name, float64(size)/1e6, float64(zipped)/1e6, first.Seconds()*1e3, runtime.GOOS, runtime.GOARCH, len(f.starts), float64(f.memory)/1024)
	b.ReportMetric(first.Seconds()*1e3, "ms/start-"+f.name)
	b.ReportMetric(float64(zipped)/1e6, "MB-zipped-"+f.name)
}

// BenchmarkRehearsal measures what a rehearsal of the example blog adds to the work of its stages: reading the template,
// roles, artifacts, readers.
func BenchmarkRehearsal(b *testing.B) {
	if out, err := (checkout{b, "."}).make("synth"); err != nil {
		b.Fatalf("make synth: %v\n%s", err, out)
	}
	rehearse := func() rehearsal.Result {
		out, err := exec.CommandContext(b.Context(), "dist/rehearse", "-json").Output()
		if err != nil {
			b.Fatalf("rehearse: %v\n%s", err, out)
		}
		var result rehearsal.Result
		if err := json.Unmarshal(out, &result); err != nil {
			b.Fatal(err)
		}
		return result
	}
	rehearse() // The first run installs what is missing.
	var names []string
	took, overhead := map[string][]time.Duration{}, map[string][]time.Duration{}
	note := func(name string, whole, own time.Duration) {
		if took[name] == nil {
			names = append(names, name)
		}
		took[name], overhead[name] = append(took[name], whole), append(overhead[name], own)
	}
	for b.Loop() {
		result := rehearse()
		for _, stage := range result.Stages {
			for _, action := range stage.Actions {
				note(stage.Name, action.Duration, action.Overhead)
			}
		}
	}
	median := func(all []time.Duration) time.Duration { return slices.Sorted(slices.Values(all))[len(all)/2] }
	var text strings.Builder
	fmt.Fprintln(&text, "  stage\tin all\tthe rehearsal's own")
	for _, name := range names {
		whole, own := median(took[name]), median(overhead[name])
		fmt.Fprintf(&text, "  %s\t%.3f s\t%.3f s\t%.0f %%\n", name, whole.Seconds(), own.Seconds(), 100*own.Seconds()/whole.Seconds())
		b.ReportMetric(100*own.Seconds()/whole.Seconds(), "%own/"+name)
	}
	fmt.Printf("\nmake rehearse, the example blog (median of %d)\n", len(took[names[0]]))
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 3, ' ', 0)
	if _, err := io.WriteString(w, text.String()); err != nil {
		b.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(0, "ns/op")
}

// pythonInterpreter returns the path of python3's own program, because python3 on PATH may be a slow script that starts
// it. The path is "" if there is none.
func pythonInterpreter(b *testing.B) string {
	b.Helper()
	out, err := exec.CommandContext(b.Context(), "python3", "-c", "import sys; print(sys.executable)").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// sizes returns a file's size, and its size in a zip as it is uploaded.
func sizes(b testing.TB, path string) (size, zipped int64) {
	b.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		b.Fatalf("%v; run `make build`", err)
	}
	var count countingWriter
	archive := zip.NewWriter(&count)
	file, err := archive.Create("bootstrap")
	if err != nil {
		b.Fatal(err)
	}
	if _, err := file.Write(content); err != nil {
		b.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		b.Fatal(err)
	}
	return int64(len(content)), int64(count)
}

// countingWriter counts the bytes that are written to it.
type countingWriter int64

var _ io.Writer = (*countingWriter)(nil)

func (c *countingWriter) Write(p []byte) (int, error) {
	*c += countingWriter(len(p))
	return len(p), nil
}
