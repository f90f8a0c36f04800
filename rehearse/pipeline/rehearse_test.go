package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/rehearse/rehearsal"
	"blog-deploy-pipeline/stacks/props"
)

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

// template returns a golden template with an asset, or the template of the hook alone of such a service: "api-hook" is made
// of "api-service". Its function asks CloudFront often, and its Deploy sets no Cache-Control.
func template(t *testing.T, golden string, edits ...edit) *assembly.Template {
	t.Helper()
	if service, ok := strings.CutSuffix(golden, "-hook"); ok {
		golden, edits = service+"-service", append([]edit{hookOnly(t, service)}, edits...)
	}
	content, err := os.ReadFile(filepath.Join("..", "..", "stacks", "testdata", golden+".template.json"))
	if err != nil {
		t.Fatal(err)
	}
	// Without this header, pages stay in the edge's cache however slow this machine is.
	text := strings.ReplaceAll(string(content), `,
                  "CacheControl": "public, max-age=0, must-revalidate"`, "")
	text = strings.ReplaceAll(text, `\"CacheControl\":\"public, max-age=0, must-revalidate\"`, `\"CacheControl\":\"s-maxage=31536000\"`)
	for _, e := range edits {
		text = e(text)
	}
	dir := t.TempDir()
	write(t, dir, map[string]string{
		golden + ".template.json": strings.ReplaceAll(text, variable(contract.EnvPollFor, "40s"), variable(contract.EnvPollFor, "40s")+", "+variable(contract.EnvPollEvery, "50ms")),
		golden + ".assets.json":   `{"files": {"a": {"source": {"path": "asset", "packaging": "zip"}, "destinations": {"d": {"objectKey": "ASSET.zip"}}}}}`,
		"asset/bootstrap":         "",
	})
	loaded, err := assembly.LoadTemplate(filepath.Join(dir, golden+".template.json"))
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

// withToken edits uploaded-pipeline as Source.GitHubToken does: the source has no role of its own.
func withToken(t *testing.T) edit {
	t.Helper()
	source := regexp.MustCompile(`(?s)"ConnectionArn": .*?"BranchName": "main"`)
	role := regexp.MustCompile(`(?s),\s*"RoleArn": \{\s*"Fn::GetAtt": \[\s*"SourceRole02CDCA55",\s*"Arn"\s*\]\s*\}`)
	return func(text string) string {
		for _, e := range []edit{
			replace(t, source.FindString(text), `"Owner": "kzmorita", "Repo": "blog", "Branch": "main", "OAuthToken": "secret"`),
			replace(t, role.FindString(text), ""),
			replace(t, `"CodeStarSourceConnection"`, `"GitHub"`),
		} {
			text = e(text)
		}
		return text
	}
}

// lookingAt has the function of modern-pipeline look at an address whether what it has cleared is live.
func lookingAt(t *testing.T, site string) edit {
	t.Helper()
	return replace(t, variable(contract.EnvPollFor, "40s"), variable(contract.EnvVerify, site)+", "+variable(contract.EnvPollFor, "40s"))
}

// both makes two edits.
func both(one, other edit) edit { return func(text string) string { return other(one(text)) } }

// write writes files below a folder.
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

// blog is the source of a blog. Its build copies a folder.
func blog(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "a blog")
	write(t, dir, map[string]string{
		"buildspec/hugo.yml":      "version: 0.2\nphases:\n  build:\n    commands:\n      - echo building\n      - cp -R site public\nartifacts:\n  base-directory: public\n  files: ['**/*']\n",
		"site/index.html":         "<h1>home</h1>",
		"site/404.html":           "<h1>not here</h1>",
		"site/about/index.html":   "<h1>about</h1>",
		"site/posts/猫/index.html": "<h1>猫</h1>",
		"site/style.css":          "h1 { color: red }",
	})
	return dir
}

// rehearsed is a rehearsal that has ended.
type rehearsed struct {
	rehearsal.Result
	events []rehearsal.Event
	err    error
}

// rehearse runs a rehearsal, and fails the test if it leaves anything behind.
func rehearse(t *testing.T, ctx context.Context, plan *Plan, opts Options, tell func(rehearsal.Event)) rehearsed {
	t.Helper()
	opts.Dir, opts.Data = t.TempDir(), t.TempDir()
	opts.Path = os.Getenv("PATH")
	if opts.CompleteAfter == 0 {
		opts.CompleteAfter = 100 * time.Millisecond
	}
	if opts.compile == nil {
		opts.compile = linkOfPipeline
		if plan.Deployment != nil {
			opts.compile = link(deployHook)
		}
	}
	if ctx == t.Context() { // Nobody stops it.
		opts.evaluator = shared.evaluator
	}
	var r rehearsed
	r.Result, r.err = Run(ctx, plan, opts, func(e rehearsal.Event) {
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
	if len(r.events) == 0 || r.events[0].Kind != rehearsal.Started {
		t.Errorf("the first event is not Started")
	}
	return r
}

// read reads the plan of a pipeline.
func read(t *testing.T, tpl *assembly.Template) *Plan {
	t.Helper()
	plan, err := Read(tpl)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// editions has what readers got at a time, by path.
func (r rehearsed) editions(when rehearsal.When) map[string]rehearsal.Edition {
	got := map[string]rehearsal.Edition{}
	for _, v := range r.Visits {
		if v.When == when && !strings.Contains(v.Path, "there-is-no-such-page") {
			got[v.Path] = v.Edition
		}
	}
	return got
}

// statuses lists the statuses of all stages.
func (r rehearsed) statuses() string {
	var all []string
	for _, s := range r.Stages {
		all = append(all, string(s.Status))
	}
	return strings.Join(all, " ")
}

// failed is the action that failed.
func (r rehearsed) failed() rehearsal.Action {
	for _, s := range r.Stages {
		for _, a := range s.Actions {
			if a.Status == rehearsal.Failed {
				return a
			}
		}
	}
	return rehearsal.Action{}
}

const allSucceeded = "Succeeded Succeeded Succeeded Succeeded"

// failing is a rehearsal that fails, and what it must say.
type failing struct {
	name   string
	golden string // default uploaded-pipeline
	edit   edit
	spoil  func(t *testing.T, source string)
	faults string

	code   string
	reason []string
	cause  string
	look   string
}

// failsAt runs rehearsals that fail at a stage, counted from 0, in AWS's words.
func failsAt(t *testing.T, stage int, tests []failing) {
	t.Helper()
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
			r := rehearse(t, t.Context(), read(t, template(t, cmp.Or(tt.golden, "uploaded-pipeline"), edits...)), Options{Source: source, Faults: faults, State: state}, nil)
			want := slices.Repeat([]string{"NotRun"}, 4)
			for i := range stage {
				want[i] = "Succeeded"
			}
			want[stage] = "Failed"
			if got := r.statuses(); r.err != nil || got != strings.Join(want, " ") || r.Status != rehearsal.Failed {
				t.Errorf("stages end as %s (%s, %v), want %s", got, r.Status, r.err, strings.Join(want, " "))
			}
			if tt.faults != "" && !strings.HasPrefix(r.strikes(), tt.faults+" ") {
				t.Errorf("%s strikes %q", tt.faults, r.strikes())
			}
			failed := r.failed()
			if failed.Code != tt.code {
				t.Errorf("code is %s, want %s", failed.Code, tt.code)
			}
			if !strings.Contains(failed.Cause, tt.cause) || failed.Cause != "" && stage != 1 {
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
			if stage == 2 { // What was put there for the rehearsal is gone.
				if info, err := os.Stat(filepath.Join(state, "kzmorita-blog.zip")); err != nil || info.Size() > 30 {
					t.Errorf("the bucket that is kept is not empty: %v, %v", info, err)
				}
			}
		})
	}
}

// stackOutput refers to an output of the site's stack.
func stackOutput(name string) string {
	return `{"Fn::GetStackOutput": {"StackName": "blog-site", "Region": "ap-northeast-1", "OutputName": "` + name + `"}}`
}

// siteAssembly is the modern pipeline beside the stack of the site that it publishes to, which is edited. The pipeline's
// bucket and distribution are those of the site.
func siteAssembly(t *testing.T, edits ...edit) *assembly.Template {
	t.Helper()
	dir := template(t, "uploaded-pipeline",
		replace(t, `"kzmorita-blog"`, stackOutput("Bucket")),
		replace(t, `":s3:::kzmorita-blog/*"`, `":s3:::", `+stackOutput("Bucket")+`, "/*"`),
		replace(t, `":distribution/E2QWRUHAPOMQZL"`, `":distribution/", `+stackOutput("Distribution")),
		replace(t, userParameters("E2QWRUHAPOMQZL"),
			`{"Fn::Join": ["", [`+strings.Replace(userParameters("ID"), "ID", `", `+stackOutput("Distribution")+`, "`, 1)+`]]}`),
	).Dir
	files := map[string]string{}
	for _, name := range []string{"blog-site.template.json", "blog-certificate.template.json"} {
		content, err := os.ReadFile(filepath.Join("..", "distribution", "testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(content)
	}
	for _, e := range edits {
		files["blog-site.template.json"] = e(files["blog-site.template.json"])
	}
	stack := func(name, region string) string {
		return fmt.Sprintf(`%q: {"type": "aws:cloudformation:stack", "environment": "aws://unknown-account/%s", "properties": {"templateFile": "%s.template.json"}}`, name, region, name)
	}
	files["manifest.json"] = `{"artifacts": {` + strings.Join([]string{
		stack("blog-certificate", props.CloudFrontRegion), stack("blog-site", "ap-northeast-1"), stack("uploaded-pipeline", "ap-northeast-1"),
	}, ", ") + `}}`
	write(t, dir, files)
	stacks, err := assembly.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return stacks[2]
}

// variable returns an environment variable as a template has it.
func variable(name, value string) string { return fmt.Sprintf("%q: %q", name, value) }

// userParameters returns the parameters of uploaded-pipeline's Invalidate action as a template
// has them, with a distribution and paths.
func userParameters(distribution string, paths ...string) string {
	return strconv.Quote(contract.JSON(contract.UserParameters{PipelineName: "uploaded", Distribution: contract.Distribution{ID: distribution, Paths: paths}}))
}
