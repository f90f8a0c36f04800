package pipeline

import (
	"archive/zip"
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"blog-deploy-pipeline/buildspec"
	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/rehearse/edge"
	"blog-deploy-pipeline/rehearse/edgefunction"
	"blog-deploy-pipeline/rehearse/lambdaruntime"
	"blog-deploy-pipeline/rehearse/s3"
)

// function is lambdas/invalidate, compiled for the machine that runs the tests.
var function string

func TestMain(m *testing.M) {
	s3.Main()
	if text := os.Getenv(victim); text != "" {
		fmt.Fprintln(os.Stderr, live(text))
		os.Exit(1)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "pipeline")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }() // A temporary folder that stays breaks no test.
	function = filepath.Join(dir, "bootstrap")
	if err := lambdaruntime.Compile(context.Background(), "../../lambdas/invalidate", function); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	// Nothing that this process started may be left, whatever its name.
	if left, err := running(os.Getpid()); err != nil || len(left) > 0 {
		fmt.Fprintf(os.Stderr, "still running: %v\n%s", err, strings.Join(left, "\n"))
		return 1
	}
	return code
}

// edit changes the text of a template.
type edit func(string) string

// replace is an edit that must find what it replaces.
func replace(t *testing.T, old, with string) edit {
	t.Helper()
	return func(text string) string {
		if !strings.Contains(text, old) {
			t.Errorf("the template has no %s", old)
		}
		return strings.ReplaceAll(text, old, with)
	}
}

// template is a golden template with an asset, where the function asks CloudFront often.
func template(t *testing.T, golden string, edits ...edit) *assembly.Template {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", "stacks", "testdata", golden+".template.json"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(content)
	for _, e := range edits {
		text = e(text)
	}
	dir := t.TempDir()
	write(t, dir, map[string]string{
		golden + ".template.json": strings.ReplaceAll(text, `"POLL_FOR": "40s"`, `"POLL_FOR": "40s", "POLL_EVERY": "50ms"`),
		golden + ".assets.json":   `{"files": {"a": {"source": {"path": "asset", "packaging": "zip"}, "destinations": {"d": {"objectKey": "ASSET.zip"}}}}}`,
		"asset/bootstrap":         "",
	})
	loaded, err := assembly.LoadTemplate(filepath.Join(dir, golden+".template.json"))
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// blog is the source of a blog whose build copies a folder.
func blog(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "a blog")
	write(t, dir, map[string]string{
		"code-pipeline/buildspec.yml": "version: 0.2\nphases:\n  build:\n    commands:\n      - echo building\n      - cp -R site public\nartifacts:\n  base-directory: public\n  files: ['**/*']\n",
		"site/index.html":             "<h1>home</h1>",
		"site/404.html":               "<h1>not here</h1>",
		"site/about/index.html":       "<h1>about</h1>",
		"site/posts/猫/index.html":     "<h1>猫</h1>",
		"site/style.css":              "h1 { color: red }",
	})
	return dir
}

// rehearsed is a rehearsal that has ended.
type rehearsed struct {
	Result
	events []Event
	err    error
}

// rehearse runs a rehearsal, and fails the test if it leaves anything behind.
func rehearse(t *testing.T, ctx context.Context, opts Options, tell func(Event)) rehearsed {
	t.Helper()
	opts.Dir, opts.Data = t.TempDir(), t.TempDir()
	opts.Path = os.Getenv("PATH")
	if opts.CompleteAfter == 0 {
		opts.CompleteAfter = 100 * time.Millisecond
	}
	if opts.compile == nil {
		opts.compile = func(_ context.Context, _, binary string) error { return os.Link(function, binary) }
	}
	var r rehearsed
	r.Result, r.err = Run(ctx, opts, func(e Event) {
		r.events = append(r.events, e)
		if tell != nil {
			tell(e)
		}
	})
	for _, dir := range []string{opts.Dir, opts.Data} {
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("a folder for temporary work has %v in it (%v)", left, err)
		}
	}
	if left, err := running(-1, opts.Dir, opts.Data, "sleep "+nap); err != nil || len(left) > 0 {
		t.Errorf("still running: %v\n%s", err, strings.Join(left, "\n"))
	}
	if len(r.events) == 0 || r.events[0].Kind != Started {
		t.Errorf("the first event is not Started")
	}
	return r
}

// nap is how long a build of TestStop sleeps: nobody else's does.
const nap = "86391"

// running are the processes that have a parent, or a mark in their command line, cut short.
func running(parent int, marks ...string) ([]string, error) {
	ps := exec.CommandContext(context.Background(), "ps", "-axo", "ppid=,pid=,args=")
	out, err := ps.Output()
	if err != nil {
		return nil, err
	}
	var found []string
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		if len(fields) < 3 || fields[1] == strconv.Itoa(ps.Process.Pid) {
			continue
		}
		if fields[0] == strconv.Itoa(parent) || slices.ContainsFunc(marks, func(m string) bool { return strings.Contains(line, m) }) {
			found = append(found, line[:min(len(line), 200)])
		}
	}
	return found, nil
}

func read(t *testing.T, tpl *assembly.Template) *Plan {
	t.Helper()
	plan, err := Read(tpl)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// editions are what readers got at a time, by path.
func (r rehearsed) editions(when When) map[string]Edition {
	got := map[string]Edition{}
	for _, v := range r.Visits {
		if v.When == when && !strings.Contains(v.Path, "there-is-no-such-page") {
			got[v.Path] = v.Edition
		}
	}
	return got
}

func (r rehearsed) statuses() string {
	var all []string
	for _, s := range r.Stages {
		all = append(all, string(s.Status))
	}
	return strings.Join(all, " ")
}

// failed is the action that did not succeed.
func (r rehearsed) failed() ActionResult {
	for _, s := range r.Stages {
		for _, a := range s.Actions {
			if a.Status == Failed {
				return a
			}
		}
	}
	return ActionResult{}
}

const allSucceeded = "Succeeded Succeeded Succeeded Succeeded"

// TestTwice publishes a blog for the first time, and again with one page edited and one removed.
func TestTwice(t *testing.T) {
	source, state := blog(t), filepath.Join(t.TempDir(), "state")
	cached := replace(t, `"Extract": "true"`, `"Extract": "true", "CacheControl": "max-age=600"`)
	opts := Options{Plan: read(t, template(t, "classic-pipeline", cached)), Source: source, State: state}

	first := rehearse(t, t.Context(), opts, nil)
	if first.err != nil || first.statuses() != allSucceeded {
		t.Fatalf("first: %s, %v: %+v", first.statuses(), first.err, first.failed())
	}
	if site := *first.Site; site != (Site{Bucket: "kzmorita-blog", Uploaded: 5, Bytes: first.Site.Bytes, New: 5, First: true, CacheControl: "max-age=600"}) || site.Bytes < 50 {
		t.Errorf("first: site is %+v", site)
	}
	old := map[string]Edition{"/": Old, "/about/": Old, "/posts/猫/": Old}
	for when, want := range map[When]map[string]Edition{BeforeDeploy: old, AfterDeploy: old, AfterInvalidate: {"/": New, "/about/": New, "/posts/猫/": New}} {
		if got := first.editions(when); !maps.Equal(got, want) {
			t.Errorf("first: %s readers get %v, want %v", when, got, want)
		}
	}
	if len(first.Invalidations) != 1 || first.Invalidations[0].Status != "Completed" || !slices.Equal(first.Invalidations[0].Paths, []string{"/*"}) {
		t.Errorf("first: invalidations are %+v", first.Invalidations)
	}

	write(t, source, map[string]string{"site/posts/猫/index.html": "<h1>猫と犬</h1>"})
	if err := os.RemoveAll(filepath.Join(source, "site", "about")); err != nil {
		t.Fatal(err)
	}
	second := rehearse(t, t.Context(), opts, nil)
	if second.err != nil || second.statuses() != allSucceeded {
		t.Fatalf("second: %s, %v: %+v", second.statuses(), second.err, second.failed())
	}
	if site := *second.Site; site.First || site.Uploaded != 4 || site.New != 0 || site.Changed != 1 || site.Left != 1 {
		t.Errorf("second: site is %+v", site)
	}
	for when, want := range map[When]map[string]Edition{
		BeforeDeploy: {"/": Same, "/posts/猫/": Old}, AfterDeploy: {"/": Same, "/posts/猫/": Old}, AfterInvalidate: {"/": Same, "/posts/猫/": New},
	} {
		if got := second.editions(when); !maps.Equal(got, want) {
			t.Errorf("second: %s readers get %v, want %v", when, got, want)
		}
	}
	for _, v := range second.Visits {
		if v.When == AfterDeploy && v.Edition == Old && v.Cache != "Hit" {
			t.Errorf("an old page comes as %s, want it from the cache", v.Cache)
		}
	}
	kept, err := zip.OpenReader(filepath.Join(state, "kzmorita-blog.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = kept.Close() }() // It was only read.
	for _, file := range kept.File {    // The one that the second did not upload came through both.
		if file.Name == "about/index.html" && file.Comment != `{"ContentType":"text/html","CacheControl":"max-age=600"}` {
			t.Errorf("%s is kept with %s", file.Name, file.Comment)
		}
	}
	if len(kept.File) != 5 {
		t.Errorf("%d objects are kept, want 5", len(kept.File))
	}
	if last := second.events[len(second.events)-1]; last.Kind != Ended || last.Result.Status != Succeeded {
		t.Errorf("the last event is %+v", last)
	}
}

// TestPermissions looks at what is told of the roles.
func TestPermissions(t *testing.T) {
	r := rehearse(t, t.Context(), Options{Plan: read(t, template(t, "classic-pipeline")), Source: blog(t)}, nil)
	used := map[string]int{}
	for _, role := range r.Permissions {
		for _, p := range role.Actions {
			used[strings.SplitN(role.Purpose, " ", 2)[0]+" "+p.Action] += p.Used
		}
	}
	for what, want := range map[string]int{
		"pipeline sts:AssumeRole": 3, "pipeline s3:PutObject": 1, "pipeline s3:DeleteObject*": 0,
		"action codebuild:StartBuild": 1, "action codebuild:StopBuild": 0, "build s3:GetObject*": 1, "build s3:PutObject": 1,
		"action s3:PutObject": 5, "action lambda:InvokeFunction": 1, "action lambda:ListFunctions": 0,
		"function cloudfront:CreateInvalidation": 1, "function codepipeline:PutJobFailureResult": 0, "function codepipeline:PutJobSuccessResult": 1,
	} {
		if got, known := used[what]; !known || got != want {
			t.Errorf("%s: used %d times (known: %t), want %d", what, got, known, want)
		}
	}
}

// TestFailures has each thing that can go wrong fail at its stage, in AWS's words.
func TestFailures(t *testing.T) {
	const denied = "is not authorized to perform: "
	tests := []struct {
		name   string
		golden string // default classic-pipeline
		edit   edit
		spoil  func(t *testing.T, source string)
		faults string

		stage  int // that fails, from 0
		code   string
		reason []string
		cause  string
		look   string
	}{
		{name: "no permission to upload the source", edit: replace(t, `"s3:PutObject"`, `"s3:PutObjectAcl"`), stage: 0, code: "AccessDenied",
			reason: []string{"User: arn:aws:sts::123456789012:assumed-role/classic-pipeline-PipelineRole", denied + "s3:PutObject on resource: arn:aws:s3:::classic-pipeline-artifacts", "because no identity-based policy allows the s3:PutObject action"}, look: "PipelineRoleDCFDBB91"},
		{name: "no permission to use the connection", golden: "modern-pipeline", edit: replace(t, `"codeconnections:UseConnection"`, `"codeconnections:GetConnection"`), stage: 0, code: "AccessDenied",
			reason: []string{denied + "codeconnections:UseConnection on resource: arn:aws:codeconnections:us-east-1:123456789012:connection/"}, look: "SourceRole"},
		{name: "denied to take on the action's role", edit: func(text string) string {
			return regexp.MustCompile(`"sts:AssumeRole",\s*"Effect": "Allow",\s*"Resource"`).ReplaceAllString(text, `"sts:AssumeRole", "Effect": "Deny", "Resource"`)
		}, stage: 1, code: "AccessDenied", reason: []string{denied + "sts:AssumeRole on resource: arn:aws:iam::123456789012:role/", " with an explicit deny in an identity-based policy"}},
		{name: "role that CodePipeline may not take on", edit: replace(t, `"codepipeline.amazonaws.com"`, `"codedeploy.amazonaws.com"`), stage: 0, code: "AccessDenied",
			reason: []string{"CodePipeline is not authorized to perform: sts:AssumeRole on arn:aws:iam::"}, look: "must name codepipeline.amazonaws.com"},
		{name: "no permission to start the build", edit: replace(t, `"codebuild:StartBuild"`, `"codebuild:RetryBuild"`), stage: 1, code: "AccessDenied", reason: []string{denied + "codebuild:StartBuild on resource: arn:aws:codebuild:us-east-1:123456789012:project/"}},
		{name: "build that may not write its log", edit: replace(t, `"logs:CreateLogStream"`, `"logs:DeleteLogStream"`), stage: 1, code: "JobFailed", reason: []string{"Phase: PROVISIONING, Code: ACCESS_DENIED", denied + "logs:CreateLogStream"}},
		{name: "no permission to upload", edit: replace(t, `:s3:::kzmorita-blog/*`, `:s3:::kzmorita-bloG/*`), stage: 2, code: "AccessDenied",
			reason: []string{"assumed-role/classic-pipeline-DeployRole", denied + "s3:PutObject on resource: arn:aws:s3:::kzmorita-blog/"}, look: "DeployRole885297C3"},
		{name: "no permission to call the function", edit: replace(t, `"lambda:InvokeFunction"`, `"lambda:InvokeAsync"`), stage: 3, code: "AccessDenied", reason: []string{denied + "lambda:InvokeFunction on resource: arn:aws:lambda:"}},
		{name: "function that may not invalidate", edit: replace(t, `:distribution/E2QWRUHAPOMQZM`, `:distribution/E2ANOTHER`), stage: 3, code: "PermissionError",
			reason: []string{"assumed-role/classic-pipeline-InvalidateRole", denied + "cloudfront:CreateInvalidation on resource: arn:aws:cloudfront::123456789012:distribution/E2QWRUHAPOMQZM"}, look: "the policies of the role InvalidateRole36A76A10 in the template; the log of the function "},
		{name: "function that may not report", edit: replace(t, `"codepipeline:PutJobSuccessResult"`, `"codepipeline:PollForJobs"`), stage: 3, code: "JobFailed", reason: []string{"failed to return a result", "permission to call the PutJobSuccessResult action"}},

		{name: "buildspec that is missing", spoil: func(t *testing.T, source string) {
			if err := os.RemoveAll(filepath.Join(source, "code-pipeline")); err != nil {
				t.Fatal(err)
			}
		}, stage: 1, code: "JobFailed", reason: []string{"Phase: DOWNLOAD_SOURCE, Code: YAML_FILE_ERROR", "code-pipeline/buildspec.yml: no such file or directory"}, look: "code-pipeline/buildspec.yml in the source"},
		{name: "buildspec that is broken", spoil: func(t *testing.T, source string) {
			write(t, source, map[string]string{"code-pipeline/buildspec.yml": "version: 0.2\nphases:\n  build:\n  commands: [x]\n"})
		}, stage: 1, code: "JobFailed", reason: []string{"YAML_FILE_ERROR", "commands"}, look: "code-pipeline/buildspec.yml in the source"},
		{name: "runtime that the image does not have", spoil: func(t *testing.T, source string) {
			write(t, source, map[string]string{"code-pipeline/buildspec.yml": "version: 0.2\nphases:\n  install:\n    runtime-versions: {nodejs: 14}\n  build:\n    commands: [exit 1]\n"})
		}, stage: 1, code: "JobFailed", reason: []string{"Phase: DOWNLOAD_SOURCE, Code: YAML_FILE_ERROR, Message: Unknown runtime version named '14' of nodejs. This build image has the following versions: 18, 20, 22, 24"}, look: "runtime-versions in code-pipeline/buildspec.yml in the source: take a version that the image has"},
		{name: "command that fails", spoil: func(t *testing.T, source string) {
			write(t, source, map[string]string{"code-pipeline/buildspec.yml": "version: 0.2\nphases:\n  build:\n    commands:\n      - echo one\n      - |\n        set -u\n        # two\n        fail() {\n          echo \"ERROR: $*\"\n          exit 7\n        }\n        echo two\n        fail no theme\nartifacts:\n  files: ['**/*']\n"})
		}, stage: 1, code: "JobFailed", reason: []string{"Build terminated with state: FAILED. Phase: BUILD, Code: COMMAND_EXECUTION_ERROR, Message: Error while executing command: echo two …. Reason: exit status 7"}, cause: "ERROR: no theme", look: "build-2 of code-pipeline/buildspec.yml"},
		{name: "artifact that is missing", spoil: func(t *testing.T, source string) {
			write(t, source, map[string]string{"code-pipeline/buildspec.yml": "version: 0.2\nphases:\n  build:\n    commands: [echo]\n"})
		}, stage: 1, code: "JobFailed", reason: []string{"Phase: UPLOAD_ARTIFACTS, Code: CLIENT_ERROR"}},

		{name: "paths that do not cover the site", edit: replace(t, `\"DistributionId\":\"E2QWRUHAPOMQZM\"}`, `\"DistributionId\":\"E2QWRUHAPOMQZM\",\"Paths\":[\"/about/*\"]}`), stage: 3, code: "StaleReaders",
			reason: []string{"/ (old, 200)", "/posts/猫/ (old, 200)"}, look: "paths of the invalidation"},
		{name: "home by the path that readers ask for alone", edit: replace(t, `\"DistributionId\":\"E2QWRUHAPOMQZM\"}`, `\"DistributionId\":\"E2QWRUHAPOMQZM\",\"Paths\":[\"/posts/*\",\"/about/*\",\"/\"]}`), stage: 3, code: "StaleReaders",
			reason: []string{"readers do not get what was built: / (old, 200)"}, look: "by both of their names, such as / and /index.html?"},
		{name: "variable that nobody puts out", edit: replace(t, `"BucketName": "kzmorita-blog"`, `"BucketName": "kzmorita-blog", "ObjectKey": "#{Build.Folder}"`), stage: 2, code: "InvalidActionConfiguration", reason: []string{"#{Build.Folder}"}},

		{name: "build fault", faults: "build=fail", stage: 1, code: "JobFailed", reason: []string{"COMMAND_EXECUTION_ERROR"}},
		{name: "CloudFront denies", faults: "cloudfront=denied", stage: 3, code: "PermissionError", reason: []string{"AccessDenied", "assumed-role/classic-pipeline-InvalidateRole", "with an explicit deny in an identity-based policy"}},
		{name: "function that crashes each time", faults: "lambda=crash", stage: 3, code: "JobFailed", reason: []string{"failed to return a result"}, look: "invoked 3 times, and ended with Runtime.ExitError"},
		{name: "quota used up", faults: "cloudfront=quota", stage: 3, code: "SystemUnavailable", reason: []string{"TooManyInvalidationsInProgress", "too many invalidations in progress"}, look: "InvalidateLog643ED17E"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			source := blog(t)
			if tt.spoil != nil {
				tt.spoil(t, source)
			}
			faults, err := ParseFaults(tt.faults)
			if err != nil {
				t.Fatal(err)
			}
			var edits []edit
			if tt.edit != nil {
				edits = append(edits, tt.edit)
			}
			state := filepath.Join(t.TempDir(), "state")
			r := rehearse(t, t.Context(), Options{Plan: read(t, template(t, cmp.Or(tt.golden, "classic-pipeline"), edits...)), Source: source, Faults: faults, State: state}, nil)
			want := slices.Repeat([]string{"NotRun"}, 4)
			for i := range tt.stage {
				want[i] = "Succeeded"
			}
			want[tt.stage] = "Failed"
			if got := r.statuses(); r.err != nil || got != strings.Join(want, " ") || r.Status != Failed {
				t.Errorf("stages end as %s (%s, %v), want %s", got, r.Status, r.err, strings.Join(want, " "))
			}
			failed := r.failed()
			if failed.Code != tt.code {
				t.Errorf("code is %s, want %s", failed.Code, tt.code)
			}
			if !strings.Contains(failed.Cause, tt.cause) || failed.Cause != "" && tt.stage != 1 {
				t.Errorf("the cause is %q, want %q", failed.Cause, tt.cause)
			}
			for _, part := range tt.reason {
				if !strings.Contains(failed.Reason, part) {
					t.Errorf("reason is\n%s\nwant it to have\n%s", failed.Reason, part)
				}
			}
			if !strings.Contains(failed.Look, tt.look) || failed.Look == "" {
				t.Errorf("look at %q, want it to have %q", failed.Look, tt.look)
			}
			if tt.stage == 2 { // What was put there for the rehearsal is gone.
				if info, err := os.Stat(filepath.Join(state, "kzmorita-blog.zip")); err != nil || info.Size() > 30 {
					t.Errorf("the bucket that is kept is not empty: %v, %v", info, err)
				}
			}
		})
	}
}

// TestMended has each fault that a pipeline survives.
func TestMended(t *testing.T) {
	for _, fault := range []string{"lambda=crash-once", "cloudfront=slow", "codepipeline=error"} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			faults, err := ParseFaults(fault)
			if err != nil {
				t.Fatal(err)
			}
			r := rehearse(t, t.Context(), Options{Plan: read(t, template(t, "classic-pipeline")), Source: blog(t), Faults: faults}, nil)
			if r.err != nil || r.statuses() != allSucceeded || len(r.Invalidations) != 1 {
				t.Errorf("stages end as %s (%v) with %d invalidations: %+v", r.statuses(), r.err, len(r.Invalidations), r.failed())
			}
			if skips := fault != "codepipeline=error"; (r.Skipped > 0) != skips {
				t.Errorf("%v were skipped, want that only for what AWS would have waited", r.Skipped)
			}
		})
	}
}

// TestInvalidateBeforeDeploy has readers find out that the stages are the wrong way round.
func TestInvalidateBeforeDeploy(t *testing.T) {
	t.Parallel()
	plan := read(t, template(t, "classic-pipeline"))
	plan.Stages[2], plan.Stages[3] = plan.Stages[3], plan.Stages[2]
	r := rehearse(t, t.Context(), Options{Plan: plan, Source: blog(t)}, nil)
	failed := r.failed()
	if r.statuses() != "Succeeded Succeeded Succeeded Failed" || failed.Code != "StaleReaders" || !strings.Contains(failed.Reason, "the invalidation (Invalidate/Invalidate) ran before the upload") || !strings.Contains(failed.Reason, "/ (old, 200)") {
		t.Errorf("stages end as %s (%v): %+v", r.statuses(), r.err, failed)
	}
}

// TestWarned has a function that reports success although its deadline has passed.
func TestWarned(t *testing.T) {
	t.Parallel()
	plan := read(t, template(t, "classic-pipeline", replace(t, `"AFTER_DEADLINE": "fail"`, `"AFTER_DEADLINE": "warn"`)))
	r := rehearse(t, t.Context(), Options{Plan: plan, Source: blog(t), Faults: Faults{"cloudfront": "never"}}, nil)
	if r.statuses() != allSucceeded {
		t.Fatalf("stages end as %s (%v): %+v", r.statuses(), r.err, r.failed())
	}
	if summary := r.Stages[3].Actions[0].Summary; !strings.HasSuffix(summary, ", although E2QWRUHAPOMQZM is not clear") || !strings.Contains(strings.Join(r.Warnings, "\n"), "no invalidation of the distribution E2QWRUHAPOMQZM is completed") {
		t.Errorf("it says %q, and notes %q", summary, r.Warnings)
	}
}

// TestPlus has readers visit a page whose name has a plus.
func TestPlus(t *testing.T) {
	t.Parallel()
	source := blog(t)
	write(t, source, map[string]string{"site/tags/c++/index.html": "<h1>c++</h1>"})
	r := rehearse(t, t.Context(), Options{Plan: read(t, template(t, "classic-pipeline")), Source: source}, nil)
	if r.statuses() != allSucceeded || r.editions(AfterInvalidate)["/tags/c++/"] != New {
		t.Errorf("stages end as %s (%v), readers get %v: %+v", r.statuses(), r.err, r.editions(AfterInvalidate), r.failed())
	}
	if !strings.Contains(strings.Join(r.Notes, "\n"), "links to it must be /tags/c%2B%2B/ (a Site has such a function)") {
		t.Errorf("notes are %q", r.Notes)
	}
}

// TestFunctionWithoutALog notes it once.
func TestFunctionWithoutALog(t *testing.T) {
	t.Parallel()
	source := blog(t)
	write(t, source, map[string]string{"code-pipeline/buildspec.yml": "version: 0.2\nphases:\n  build:\n    commands: ['true']\nartifacts:\n  files: ['site/index.html']\n"})
	plan := read(t, template(t, "classic-pipeline"))
	for _, stage := range plan.Stages {
		for _, a := range stage.Actions {
			if a.Function != nil { // It may do all that it does, but for its log.
				a.Function.Role.Policies = []json.RawMessage{[]byte(`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "NotAction": "logs:*", "Resource": "*"}}`)}
			}
		}
	}
	r := rehearse(t, t.Context(), Options{Plan: plan, Source: source}, nil)
	if n := strings.Count(strings.Join(r.Warnings, "\n"), "would run without a log"); r.statuses() != allSucceeded || n != 1 {
		t.Errorf("stages end as %s (%v), %d notes: %+v", r.statuses(), r.err, n, r.failed())
	}
	if summary := r.Stages[1].Actions[0].Summary; !strings.HasPrefix(summary, "1 file, ") {
		t.Errorf("the build says %q", summary)
	}
	last := r.Permissions[len(r.Permissions)-1].Actions
	if len(last) != 1 || last[0].Action != "all but logs:*" || last[0].Used == 0 {
		t.Errorf("the function's permissions are %+v", last)
	}
}

func TestGist(t *testing.T) {
	for script, want := range map[string]string{
		"(\n  set -eu\n  npm ci\n)": "npm ci",
		"set -eu\n\n# why\nhugo":    "hugo",
		"(\nset -e\n":               "(",
		"echo":                      "echo",
		"(\n  set -eu\n  fail() { echo \"$*\"; exit 1; }\n  get() {\n    curl\n  }\n  hugo\n)": "hugo",
	} {
		if got := gist(script); got != want {
			t.Errorf("%q: got %q, want %q", script, got, want)
		}
	}
}

// TestTrust has what a trust policy can say.
func TestTrust(t *testing.T) {
	const allow = `{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}`
	for _, tt := range []struct{ name, trust, want, note string }{
		{"one statement", allow + `}`, "", ""},
		{"condition", `[` + allow + `, "Condition": {"StringEquals": {"aws:SourceAccount": "1"}}}]`, "", "has a Condition"},
		{"denied", `[` + allow + `}, {"Effect": "Deny", "Action": "sts:*", "Principal": "*"}]`, "a statement of it denies lambda.amazonaws.com", ""},
		{"denied on a condition", `[` + allow + `}, {"Effect": "Deny", "Action": "sts:*", "Principal": "*", "Condition": {}}]`, "", "denies on a Condition"},
		{"everybody else denied", `[` + allow + `}, {"Effect": "Deny", "NotAction": "sts:TagSession", "NotPrincipal": {"Service": ["lambda.amazonaws.com"]}}]`, "", ""},
		{"another", `[{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "arn:aws:iam::1:root"}}]`, "it must name lambda.amazonaws.com", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var notes string
			a := &account{note: func(format string, args ...any) { notes += fmt.Sprintf(format, args...) }}
			err := a.serve("Lambda", "lambda.amazonaws.com", &Role{ID: "R", Trust: []byte(`{"Statement": ` + tt.trust + `}`)})
			var look string
			if why := (*failure)(nil); errors.As(err, &why) {
				look = why.Look
			} else if err != nil {
				t.Fatal(err)
			}
			if (look == "") != (tt.want == "") || !strings.Contains(look, tt.want) || (notes == "") != (tt.note == "") || !strings.Contains(notes, tt.note) {
				t.Errorf("got %q and the notes %q, want %q and %q", look, notes, tt.want, tt.note)
			}
		})
	}
}

// TestNotAction has a role that may all but something.
func TestNotAction(t *testing.T) {
	a := &account{}
	role := &Role{ID: "R", Policies: []json.RawMessage{[]byte(`{"Statement": {"Effect": "Allow", "NotAction": ["iam:*", "s3:DeleteObject"], "NotResource": "arn:x"}}`)}}
	a.use(role, "test")
	if got, want := a.permissions()[0].Actions, (Permission{Action: "all but iam:* s3:DeleteObject", Resource: "all but arn:x"}); len(got) != 1 || got[0] != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestMissingPage asks after the paths of the invalidation only where they can be to blame.
func TestMissingPage(t *testing.T) {
	site := httptest.NewServer(http.NotFoundHandler())
	defer site.Close()
	r := &rehearsal{tell: func(Event) {}, readers: &readers{url: site.URL, client: site.Client(), missing: "/x", pages: []page{{key: "a.html", built: []byte("new")}}}}
	why := (*failure)(nil)
	if err := r.visit(t.Context(), AfterInvalidate); !errors.As(err, &why) || !strings.Contains(why.Reason, "/a.html (missing, 404)") || strings.Contains(why.Look, "paths of the invalidation") {
		t.Errorf("got %v, look at %+v", err, why)
	}
}

// TestStop cancels a rehearsal at every moment that it tells of.
func TestStop(t *testing.T) {
	moments := map[string]func(Event) bool{
		"at once":             func(Event) bool { return true },
		"while it prepares":   func(e Event) bool { return e.Kind == Preparing },
		"in the source":       func(e Event) bool { return e.Kind == ActionStarted && e.Stage == "Source" },
		"before the build":    func(e Event) bool { return e.Kind == ActionStarted && e.Stage == "Build" },
		"in the build":        func(e Event) bool { return e.Kind == Output && e.Text == "sleeping" },
		"before the upload":   func(e Event) bool { return e.Kind == ActionStarted && e.Stage == "Deploy" },
		"in the upload":       func(e Event) bool { return e.Kind == Progressed && e.Stage == "Deploy" },
		"while readers visit": func(e Event) bool { return e.Kind == Visited && e.Visit.When == AfterDeploy },
		"before the function": func(e Event) bool { return e.Kind == ActionStarted && e.Stage == "Invalidate" },
		"in the function":     func(e Event) bool { return e.Kind == Output && e.Stage == "Invalidate" },
	}
	for name, moment := range moments {
		t.Run(name, func(t *testing.T) {
			source := blog(t)
			if name == "in the build" {
				write(t, source, map[string]string{"code-pipeline/buildspec.yml": "version: 0.2\nphases:\n  build:\n    commands:\n      - echo sleeping; (sleep " + nap + " & sleep " + nap + ")\nartifacts:\n  files: ['**/*']\n"})
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var cancelled time.Time
			state := t.TempDir()
			r := rehearse(t, ctx, Options{Plan: read(t, template(t, "classic-pipeline")), Source: source, State: state, CompleteAfter: time.Minute}, func(e Event) {
				if cancelled.IsZero() && moment(e) {
					cancelled = time.Now()
					cancel()
				}
			})
			if took := time.Since(cancelled); cancelled.IsZero() || took > 5*time.Second {
				t.Errorf("it took %v to stop", took)
			}
			if r.err != nil || r.Status != Stopped {
				t.Errorf("it ends as %s, %v, want Stopped", r.Status, r.err)
			}
			if kept, err := os.ReadDir(state); err != nil || len(kept) > 0 {
				t.Errorf("it keeps %v, %v", kept, err)
			}
		})
	}
}

// TestServe looks at the site like a browser, until it is cancelled.
func TestServe(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	pages := map[string]string{}
	var address string
	r := rehearse(t, ctx, Options{Plan: read(t, template(t, "classic-pipeline")), Source: blog(t), Serve: true}, func(e Event) {
		if e.Kind != Serving {
			return
		}
		defer cancel()
		address = strings.TrimPrefix(e.URL, "http://")
		if e.SecureURL != "" || len(e.Names) > 0 {
			t.Errorf("a distribution that nobody knows has names: %+v", e.Served)
		}
		for _, path := range []string{"/", "/posts/%E7%8C%AB/", "/nothing"} {
			status, _, body := get(t, ctx, e.URL+path)
			if status == "" {
				return
			}
			pages[path] = status + string(bytes.TrimSpace(body))
		}
	})
	want := map[string]string{"/": "200 OK<h1>home</h1>", "/posts/%E7%8C%AB/": "200 OK<h1>猫</h1>", "/nothing": "404 Not Found<h1>not here</h1>"}
	if !maps.Equal(pages, want) {
		t.Errorf("got %v, want %v", pages, want)
	}
	if r.Status != Succeeded || r.err != nil {
		t.Errorf("it ends as %s, %v", r.Status, r.err)
	}
	if conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address); err == nil {
		t.Errorf("the site is still there: %v", conn.Close())
	}
}

// hello is a CloudFront Function that answers everything.
type hello struct{}

func (hello) ViewerRequest(r *http.Request, _ edgefunction.Context) (*http.Request, *http.Response, error) {
	return nil, &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("hello, " + r.Host))}, nil
}

// TestServeByItsOwnNames looks at a distribution of the template as a browser does that is sent here for
// its names.
func TestServeByItsOwnNames(t *testing.T) {
	d := edge.Distribution{ID: "E1", DomainName: "d1.cloudfront.net", Aliases: []string{"blog.example.com", "www.example.com"}, Behaviors: []edge.Behavior{
		{PathPattern: "*", ViewerProtocol: "redirect-to-https", ViewerRequest: hello{}},
	}}
	open := func(t *testing.T, serve bool) (*rehearsal, Served) {
		t.Helper()
		r := &rehearsal{Options: Options{Serve: serve}, clock: &clock{}, tell: func(Event) {}}
		var site readers
		if err := r.serveSite(&site, edge.Options{Distribution: d, Origin: http.DefaultTransport}); err != nil {
			t.Fatal(err)
		}
		return r, site.served
	}

	r, served := open(t, true)
	var proof *x509.Certificate
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true, VerifyConnection: func(state tls.ConnectionState) error { //nolint:gosec // Checked by hand.
			proof = state.PeerCertificates[0]
			roots := x509.NewCertPool()
			roots.AddCert(proof)
			_, err := proof.Verify(x509.VerifyOptions{DNSName: state.ServerName, Roots: roots})
			return err
		}},
		ForceAttemptHTTP2: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			to := served.URL
			if strings.HasSuffix(address, ":443") {
				to = served.SecureURL
			}
			_, to, _ = strings.Cut(to, "://")
			return new(net.Dialer).DialContext(ctx, network, to)
		},
	}
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	tests := []struct {
		name, url string
		want      string
	}{
		{"alias", "https://blog.example.com/", "HTTP/2.0 200 hello, blog.example.com"},
		{"other alias", "https://www.example.com/", "HTTP/2.0 200 hello, www.example.com"},
		{"the distribution's own name", "https://d1.cloudfront.net/", "HTTP/2.0 200 hello, d1.cloudfront.net"},
		{"loopback", "https://127.0.0.1/", "HTTP/2.0 200 hello, blog.example.com"},
		{"http", "http://blog.example.com/a?x=1", "HTTP/1.1 301 https://blog.example.com/a?x=1"},
		{"loopback by http", "http://localhost:8080/", "HTTP/1.1 200 hello, blog.example.com"},
		{"another's name", "https://evil.example/", "x509: certificate is valid for localhost, blog.example.com, www.example.com, d1.cloudfront.net, not evil.example"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, test.url, nil)
			if err != nil {
				t.Fatal(err)
			}
			response, err := client.Do(request)
			if err != nil {
				if !strings.Contains(err.Error(), test.want) {
					t.Errorf("got %v, want %s", err, test.want)
				}
				return
			}
			defer response.Body.Close()
			body, _ := io.ReadAll(response.Body)
			got := fmt.Sprintf("%s %d %s", response.Proto, response.StatusCode, body)
			if location := response.Header.Get("Location"); location != "" {
				got = fmt.Sprintf("%s %d %s", response.Proto, response.StatusCode, location)
			}
			if got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
	if now := time.Now(); proof.IsCA || proof.NotAfter.After(now.AddDate(0, 1, 0)) || proof.NotBefore.After(now) {
		t.Errorf("the certificate: authority %t, from %v to %v", proof.IsCA, proof.NotBefore, proof.NotAfter)
	}
	transport.CloseIdleConnections()
	if err := r.close(); err != nil {
		t.Error(err)
	}
	for _, address := range []string{served.URL, served.SecureURL} {
		_, address, _ = strings.Cut(address, "://")
		if conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address); err == nil {
			t.Errorf("%s is still there: %v", address, conn.Close())
		}
	}

	r, served = open(t, false)
	if served.SecureURL != "" || len(r.closers) != 1 {
		t.Errorf("it is there by https without -serve: %+v", served)
	}
	if err := r.close(); err != nil {
		t.Error(err)
	}
}

// get reads what a site that is served answers; the status is empty if it does not.
// trusting trusts every certificate: that of a site is made up.
var trusting = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // See above.

func get(t *testing.T, ctx context.Context, address string) (status string, header http.Header, body []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		t.Error(err)
		return "", nil, nil
	}
	response, err := trusting.Do(request)
	if err != nil {
		t.Error(err)
		return "", nil, nil
	}
	defer response.Body.Close()
	body, err = io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
		return "", nil, nil
	}
	return response.Status, response.Header, body
}

// TestPreparation has a function that takes its time to compile: no time of the pipeline's.
func TestPreparation(t *testing.T) {
	t.Parallel()
	const compiling = 300 * time.Millisecond
	r := rehearse(t, t.Context(), Options{Plan: read(t, template(t, "classic-pipeline")), Source: blog(t), Faults: Faults{"build": "fail"},
		compile: func(_ context.Context, _, binary string) error {
			time.Sleep(compiling)
			return os.Link(function, binary)
		}}, nil)
	if whole := r.Duration + r.Preparation; r.Preparation < compiling || r.events[len(r.events)-1].At.Sub(r.Started) < whole {
		t.Errorf("it took %v after %v of preparation", r.Duration, r.Preparation)
	}
	var stages time.Duration
	for _, stage := range r.Stages {
		stages += stage.Duration
	}
	if stages > r.Duration {
		t.Errorf("the stages took %v, all of it %v", stages, r.Duration)
	}
}

// TestStopwatch does not count what is preparation.
func TestStopwatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &rehearsal{}
		elapsed := r.stopwatch()
		time.Sleep(time.Second)
		readied := r.readying()
		time.Sleep(time.Minute)
		readied()
		time.Sleep(time.Second)
		if got := elapsed(); got != 2*time.Second || r.result.Preparation != time.Minute {
			t.Errorf("got %v, and %v of preparation, want 2s and 1m", got, r.result.Preparation)
		}
	})
}

// TestWatch tells of a step that takes more than two seconds.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []Event
		r := &rehearsal{tell: func(e Event) { told = append(told, e) }}
		a := &Action{Stage: "Source", Name: "GitHub"}
		r.watch(a, "", "short", nil)()
		stop := r.watch(a, "P", "long", func() int64 { return int64(len(told) + 1) })
		time.Sleep(4*time.Second + time.Millisecond)
		stop()
		if len(told) != 3 || told[2].Text != "long" || told[2].Bytes != 3 || told[2].Stage != "Source" || told[2].Action != "GitHub" || told[2].Phase != "P" {
			t.Errorf("told is %+v", told)
		}
	})
}

// TestAnyName publishes files whose names S3 takes, and the policies and readers must, too.
func TestAnyName(t *testing.T) {
	t.Parallel()
	source := blog(t)
	names := map[string]string{}
	for _, name := range []string{"*", "a*b?", "new\nline", "re\rturn", `back\slash`, "c#%41", "\u2028", "'\"<>&", "$x{}"} {
		names["site/"+name+"/index.html"] = "<h1>page"
		names["site/files/"+name] = "file"
	}
	write(t, source, names)
	r := rehearse(t, t.Context(), Options{Plan: read(t, template(t, "classic-pipeline")), Source: source, State: filepath.Join(t.TempDir(), "state")}, nil)
	if r.err != nil || r.statuses() != allSucceeded || r.Site.Uploaded != 5+len(names) {
		t.Errorf("stages end as %s (%v), %+v: %+v", r.statuses(), r.err, r.Site, r.failed())
	}
	if !slices.ContainsFunc(r.Warnings, func(w string) bool { return strings.Contains(w, "published as application/octet-stream") }) {
		t.Errorf("warnings are %q", r.Warnings)
	}
}

// TestWarningsOfTheRecipe: nobody reads the log of a green build.
func TestWarningsOfTheRecipe(t *testing.T) {
	t.Parallel()
	source := blog(t)
	write(t, source, map[string]string{"code-pipeline/buildspec.yml": "version: 0.2\nphases:\n  build:\n    commands:\n      - |\n" +
		"        echo '" + buildspec.Warning + "the links lead elsewhere'\n" +
		"        echo '" + buildspec.LeftOutFuture + "1 (content/a.md)'\n" +
		"        echo '==> Hugo: 3 files in public/'\n" +
		"artifacts:\n  files: ['site/index.html']\n"})
	r := rehearse(t, t.Context(), Options{Plan: read(t, template(t, "classic-pipeline")), Source: source}, nil)
	var ofBuild []string
	for _, warning := range r.Warnings {
		if strings.HasPrefix(warning, "build: ") {
			ofBuild = append(ofBuild, warning)
		}
	}
	if want := []string{"build: the links lead elsewhere", "build: Hugo: left out, future: 1 (content/a.md)"}; r.statuses() != allSucceeded || !slices.Equal(ofBuild, want) {
		t.Errorf("stages end as %s (%v), warnings are %q, want %q", r.statuses(), r.err, ofBuild, want)
	}
}

// TestNoWholeRehearsal has the machine, and not the pipeline, be at fault.
func TestNoWholeRehearsal(t *testing.T) {
	t.Parallel()
	nothing := filepath.Join(t.TempDir(), "nothing")
	state := filepath.Join(t.TempDir(), "state")
	for _, tt := range []struct {
		name, source string
		want         string
	}{
		{"the source is not there", nothing, "SOURCE is " + nothing + ", and there is no such folder"},
		{"the bucket cannot be kept", blog(t), "keep the bucket: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := rehearse(t, t.Context(), Options{Plan: read(t, template(t, "classic-pipeline")), Source: tt.source, State: state}, func(e Event) {
				if e.Kind == StageStarted {
					write(t, filepath.Dir(state), map[string]string{"state": "a file, where a folder should be made"})
				}
			})
			if r.err == nil || r.Status != Failed || r.Error != r.err.Error() || !strings.Contains(r.Error, tt.want) {
				t.Errorf("it is %s, for %q (%v); want %s, for %q", r.Status, r.Error, r.err, Failed, tt.want)
			}
		})
	}
}

func TestOrdinary(t *testing.T) {
	for arn, want := range map[string]string{
		"arn:aws:s3:::blog/a*b\n/*": "arn:aws:s3:::blog/a_b_/_",
		"arn:aws:s3:::blog*":        "arn:aws:s3:::blog*",
		"*":                         "*",
		"arn:aws:logs:us-east-1:1:log-group:/a/*": "arn:aws:logs:us-east-1:1:log-group:/a/*",
		"arn:aws-cn:s3:::blog/日本?":                "arn:aws-cn:s3:::blog/日本?",
	} {
		if got := ordinary(arn); got != want {
			t.Errorf("%q: got %q, want %q", arn, got, want)
		}
	}
}
