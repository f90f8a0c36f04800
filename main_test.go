package main

import (
	"bytes"
	"encoding/json"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"blog-deploy-pipeline/stacks"
)

// TestFreshCheckout builds all there is to build, as a machine does that has nothing yet.
func TestFreshCheckout(t *testing.T) {
	t.Parallel()
	other := sharedCheckout(t)
	c := newCheckout(t)
	c.lists(sharedBlogs, sharedServices)
	if out, err := c.run([]string{"CDK_VALIDATION=false"}, "sh", "-c", "umask 027; make synth"); err != nil {
		t.Fatalf("make synth: %v\n%s", err, out)
	}
	out := filepath.Join(c.dir, "cdk.out")
	made := assemblyFiles(t, out)

	// Two machines must make the same templates and the same asset hashes, or every deployment
	// from another one would change something.
	theirs := assemblyFiles(t, other.synthesised())
	for name, content := range made {
		if !bytes.Equal(content, theirs[name]) {
			t.Errorf("%s differs between two checkouts", name)
		}
	}
	if len(made) != len(theirs) || len(made) < 20 {
		t.Errorf("a checkout makes %d files, and another one %d", len(made), len(theirs))
	}
	// Lambda runs it as another user than its owner.
	assets, err := filepath.Glob(filepath.Join(c.dir, "*", "*", "bootstrap")) // in dist/ and cdk.out/
	if err != nil || len(assets) != 4 {
		t.Errorf("the functions are %v, %v, want two, twice", assets, err)
	}
	for _, path := range assets {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o055 != 0o055 {
			t.Errorf("built under umask 027 a function is %v, %v", info.Mode(), err)
		}
	}

	// `make synth` starts the app itself, for speed. It must make what `cdk deploy` deploys.
	if out, err := c.run([]string{"CDK_VALIDATION=false"}, "node_modules/.bin/cdk", "synth", "--quiet", "--output", "by-cli"); err != nil {
		t.Fatalf("cdk synth: %v\n%s", err, out)
	}
	byCLI := assemblyFiles(t, filepath.Join(c.dir, "by-cli"))
	for name, content := range made {
		if strings.HasSuffix(name, ".template.json") && !bytes.Equal(content, byCLI[name]) {
			t.Errorf("%s: make synth and cdk synth differ", name)
		}
	}

	// With nothing changed nothing is compiled: the compiler is not even there.
	broken := t.TempDir()
	if err := os.WriteFile(filepath.Join(broken, "go"), []byte("#!/bin/sh\necho \"the compiler ran: go $*\" >&2\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := c.make("build", "PATH="+broken+string(os.PathListSeparator)+os.Getenv("PATH")); err != nil {
		t.Errorf("make build with nothing changed: %v\n%s", err, out)
	}
	// And back: a change must reach the templates, and an owner of blogs alone deletes services.go.
	if err := os.Remove(filepath.Join(c.dir, "services.go")); err != nil {
		t.Fatal(err)
	}
	if out, err := c.make("synth"); err != nil || !strings.Contains(out, "Compiling the app") || strings.Contains(out, "-hook.template.json") {
		t.Errorf("make synth without services.go: %v\n%s", err, out)
	}
	if _, err := os.Stat(filepath.Join(out, "example-pipeline.template.json")); err != nil {
		t.Error(err)
	}
}

// assemblyFiles are the files of a cloud assembly that decide what is deployed.
func assemblyFiles(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if strings.HasSuffix(rel, ".template.json") || strings.HasSuffix(rel, ".assets.json") || strings.HasPrefix(rel, "asset.") {
			files[rel], err = os.ReadFile(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// ownBlog is a blog as an owner would have it, in an account and region of its own.
const ownBlog = `{
	Name:          "own", Account: "210987654321", Region: "eu-central-1",
	Source:        stacks.GitHubToken{Owner: "me", Repo: "blog", SecretName: "github"},
	Deploy:        stacks.Deploy{Bucket: "my-bucket"},
	Invalidate:    stacks.Invalidate{DistributionID: "E2QWRUHAPOMQZL"},
}`

const exampleBlog = `{
	Name:       "example",
	Source:     stacks.GitHubToken{Owner: "example", Repo: "blog", SecretName: "github"},
	Deploy:     stacks.Deploy{Bucket: "amzn-s3-demo-bucket"},
	Invalidate: stacks.Invalidate{DistributionID: "EDFDVBD6EXAMPLE"},
}`

// Two services that are deployed by their owners' accounts: CodeDeploy deploys one, ECS the other.
const exampleServices = `
	stacks.ExistingService{
		Name:       "stall",
		DeployedBy: stacks.CodeDeployGroup{Application: "a", DeploymentGroup: "g", Container: "web", Port: 80},
		Hook:       stacks.Hook{Distributions: []stacks.Distribution{{ID: "EDFDVBD6EXAMPLE"}}},
	},
	stacks.ExistingService{
		Name:       "paper",
		DeployedBy: stacks.ECSService{Cluster: "c", Service: "s"},
		Hook:       stacks.Hook{Distributions: []stacks.Distribution{{ID: "E2QWRUHAPOMQZL"}}},
	},
`

// TestMakeRefuses has what cannot be deployed, destroyed or compared.
func TestMakeRefuses(t *testing.T) {
	c := sharedCheckout(t)
	const blogs, services = "there are: blog example new-blog own sample served site", "there are: api docs news paper shop stall"
	for _, tt := range []struct{ target, want string }{
		{"deploy", "which blog or service? make deploy BLOG=name or SERVICE=name"},
		{"destroy", "which blog or service? make destroy BLOG=name or SERVICE=name"},
		{"appspec", "which service? make appspec SERVICE=name"},
		{"deploy BLOG=example SERVICE=shop", "BLOG=example and SERVICE=shop: name one of them"},
		{"destroy BLOG=example SERVICE=shop", "name one of them"},
		{"diff BLOG=example SERVICE=shop", "name one of them"},
		{"deploy BLOG=nope", `no blog "nope" in blogs.go; ` + blogs},
		{"destroy BLOG=nope", `no blog "nope" in blogs.go; ` + blogs},
		{"destroy BLOG=*", `no blog "*" in blogs.go`},
		{"diff BLOG=own-pipeline", `no blog "own-pipeline" in blogs.go`},
		{"diff BLOG=shop", `no blog "shop" in blogs.go; ` + blogs},
		{"deploy SERVICE=nope", `no service "nope" in services.go; ` + services},
		{"destroy SERVICE=own", `no service "own" in services.go; ` + services},
		{"destroy SERVICE=*", `no service "*" in services.go`},
		{"diff SERVICE=shop-hook", `no service "shop-hook" in services.go`},
		{"appspec SERVICE=nope", `no service "nope" in services.go; there are: shop, news`},
		{"appspec SERVICE=own", `blog "own" has no AppSpec, only services have; there are: shop, news`},
		{"appspec SERVICE=news", `service "news" is deployed by ECS itself, which takes no AppSpec: the output LifecycleHooks of the stack news-hook`},
		{"destroy BLOG=own SITE=yes", `the blog "own" has no Site in blogs.go`},
		{"destroy SERVICE=shop SITE=yes", "SITE=yes: only a blog has one"},
		{"destroy BLOG=site-site SITE=yes", `no blog "site-site" in blogs.go; ` + blogs},
	} {
		if out, err := c.make(tt.target); err == nil || !strings.Contains(out, tt.want) || strings.Contains(out, "credentials") {
			t.Errorf("make %s: %v\n%s\nwant %q in it", tt.target, err, out, tt.want)
		}
	}
}

// TestMakeDeploy starts the real CDK CLI, as far as it comes without AWS.
func TestMakeDeploy(t *testing.T) {
	c := sharedCheckout(t)
	for _, tt := range []struct {
		target, want string
		asks         bool // for credentials
	}{
		{"BLOG=example", `blog "example" still has example values and cannot be deployed: Source.Owner, Deploy.Bucket, Invalidate.DistributionID. Put your own into blogs.go`, false},
		// A warning about one stack keeps all of them from AWS.
		{"BLOG=sample", `blog "sample" still has example values and cannot be deployed: Site.Domain, Site.HostedZone.Name`, false},
		{"SERVICE=stall", `service "stall" still has example values and cannot be deployed: Hook.Distributions[0].ID`, false},
		// What is ready gets as far as AWS: there is nothing that the CDK warns of.
		{"BLOG=own APPROVAL=never", "Need to perform AWS calls for account 210987654321", true},
		{"BLOG=site APPROVAL=never", "Need to perform AWS calls for account 210987654321", true},
		{"SERVICE=paper APPROVAL=never", "Unable to resolve AWS account", true},
	} {
		out, err := c.make("deploy " + tt.target)
		if err == nil || !strings.Contains(out, tt.want) || !strings.Contains(out, "not deployed") {
			t.Errorf("make deploy %s: %v\n%s\nwant %q in it", tt.target, err, out, tt.want)
		}
		if asks := strings.Contains(out, "credentials") || strings.Contains(out, "AWS account"); asks != tt.asks {
			t.Errorf("make deploy %s asks for credentials: %t, want %t\n%s", tt.target, asks, tt.asks, out)
		}
	}
}

// TestNoCommandDeploysExamples: no command of the CDK CLI gets past the account, whatever
// credentials it has and whatever they may do.
func TestNoCommandDeploysExamples(t *testing.T) {
	c := sharedCheckout(t)
	var calls []string
	var mu sync.Mutex
	aws := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // What is not understood is told by its path.
		form, _ := url.ParseQuery(string(body))
		mu.Lock()
		defer mu.Unlock()
		calls = append(calls, r.Method+" "+r.URL.Path+" "+form.Get("Action"))
		w.Header().Set("Content-Type", "text/xml")
		_, _ = io.WriteString(w, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>`+
			`<Arn>arn:aws:iam::210987654321:user/me</Arn><UserId>me</UserId><Account>210987654321</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`)
	}))
	defer aws.Close()
	env := []string{
		"AWS_ENDPOINT_URL=" + aws.URL, "AWS_REGION=eu-central-1", "AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=secret",
		"CDK_HOME=" + t.TempDir(), // It keeps which account credentials are for.
	}
	const refused = "Need to perform AWS calls for account 111122223333, but the current credentials are for 210987654321"
	for _, command := range []string{
		"deploy sample* example* stall* --require-approval never",
		"deploy sample-site --exclusively --force --method direct --require-approval never --role-arn arn:aws:iam::210987654321:role/admin",
		"deploy stall-hook --hotswap",
		"destroy example-pipeline --force",
	} {
		calls = nil
		out, err := c.run(env, "node_modules/.bin/cdk", append(strings.Fields(command), "--app", "synthesised")...)
		if err == nil || !strings.Contains(out, refused) {
			t.Errorf("cdk %s: %v\n%s\nwant %q in it", command, err, out, refused)
		}
		for _, call := range calls {
			if call != "POST / GetCallerIdentity" {
				t.Errorf("cdk %s calls %s", command, call)
			}
		}
	}
}

func TestMakeAppSpec(t *testing.T) {
	c := sharedCheckout(t)
	// On standard output there is the file, and nothing else.
	out, err := c.run(nil, "sh", "-c", "make appspec SERVICE=stall 2>/dev/null")
	if err != nil || !strings.HasPrefix(out, "version: 0.0\n") || !strings.HasSuffix(out, "- AfterAllowTraffic: \"CodeDeployHook_stall\"\n") {
		t.Errorf("make appspec: %v\n%s", err, out)
	}
}

// ownSite is a blog whose site is made, with a stack for each thing that there may be.
const ownSite = `{
	Name:   "site", Account: "210987654321", Region: "eu-central-1",
	Source: stacks.GitHubToken{Owner: "me", Repo: "site", SecretName: "github"},
	Site: &stacks.Site{
		Domain:        "site.dev",
		RedirectFrom:  []string{"www.site.dev"},
		HostedZone:    stacks.HostedZone{ID: "Z0123456789ABCDEFGHIJ", Name: "site.dev"},
		AccessLogDays: 30,
	},
}`

const exampleSite = `{
	Name:   "sample", Region: "eu-central-1",
	Source: stacks.GitHubToken{Owner: "me", Repo: "sample", SecretName: "github"},
	Site: &stacks.Site{
		Domain:     "sample.example.com",
		HostedZone: stacks.HostedZone{ID: "Z0123456789ABCDEFGHIJ", Name: "example.com"},
	},
}`

// TestWhatTheCLIIsTold has the stacks of a blog with a Site, and of one without.
func TestWhatTheCLIIsTold(t *testing.T) {
	c := sharedCheckout(t)
	if err := os.WriteFile(filepath.Join(c.dir, "told"), []byte("#!/bin/sh\necho \"told: $*\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	const all = "site-certificate site-site site-logs site-pipeline"
	for _, tt := range []struct{ target, want string }{
		{"deploy BLOG=site", "told: deploy --app cdk.out --strict --require-approval any-change " + all + "\n"},
		{"diff BLOG=site", "told: diff --app cdk.out " + all + "\n"},
		{"diff", "told: diff --app cdk.out\n"},
		{"destroy BLOG=site", "told: destroy --app cdk.out site-pipeline\n"},
		{"destroy BLOG=site SITE=no", "told: destroy --app cdk.out site-pipeline\n"},
		{"destroy BLOG=site SITE=yes", "told: destroy --app cdk.out " + all + "\n"},
		{"deploy BLOG=own APPROVAL=never", "never own-pipeline\n"},
		{"destroy BLOG=own", "told: destroy --app cdk.out own-pipeline\n"},
		{"deploy SERVICE=shop", "any-change shop-hook\n"},
	} {
		out, err := c.make(tt.target + " CDK=./told")
		if err != nil || !strings.Contains(out, tt.want) {
			t.Errorf("make %s: %v\n%s\nwant %q in it", tt.target, err, out, tt.want)
		}
		if goes := strings.Contains(out, "The blog site goes offline"); goes != strings.Contains(tt.target, "SITE=yes") {
			t.Errorf("make %s says that the site goes: %v\n%s", tt.target, goes, out)
		}
	}
}

func TestSynthReportsEveryProblemAndMakesNothing(t *testing.T) {
	were, wereServices := blogs, services
	t.Cleanup(func() { blogs, services = were, wereServices })
	token := stacks.GitHubToken{Repo: "r", SecretName: "s"}
	blogs, services = []stacks.BlogProps{
		{Name: "one", Source: token, Deploy: stacks.Deploy{Bucket: "X"}, Invalidate: stacks.Invalidate{DistributionID: "E2QWRUHAPOMQZL"}},
		{Name: "one", Deploy: stacks.Deploy{Bucket: "good-bucket"}, Invalidate: stacks.Invalidate{DistributionID: "E2QWRUHAPOMQZL", Paths: []string{"a"}}},
	}, nil
	dir := t.TempDir()
	t.Setenv("CDK_OUTDIR", dir)
	err := run(nil)
	if err == nil {
		t.Fatal("synth with bad props: no error")
	}
	for _, want := range []string{`blog "one": Source.Owner is "": must be`, `Deploy.Bucket is "X"`, `Source is`, `Invalidate.Paths[0] is "a": must start with /`, "another blog has this name"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("synth reports\n%v\nwant %q in it", err, want)
		}
	}
	if made, err := os.ReadDir(dir); err != nil || len(made) > 0 {
		t.Errorf("it has made %v, %v", made, err)
	}
}

// TestInstallIsPinned: what npm installs runs with the owner's credentials. Each package has the hash
// of what was looked at here, one of Node.js is for each machine, and none brings a script.
func TestInstallIsPinned(t *testing.T) {
	text, err := os.ReadFile("package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	var lock struct {
		Packages map[string]struct {
			Integrity, OS, CPU string
			Bin                map[string]string
			Optional           bool
			HasInstallScript   bool
		}
	}
	if err := json.Unmarshal(text, &lock); err != nil {
		t.Fatal(err)
	}
	machines := map[string]int{}
	for name, p := range lock.Packages {
		if name == "" {
			continue // It is this project.
		}
		if !strings.HasPrefix(p.Integrity, "sha512-") || p.HasInstallScript {
			t.Errorf("%s: integrity %q, install script %t; want a hash and no script", name, p.Integrity, p.HasInstallScript)
		}
		if p.Bin["node"] != "" && p.Optional {
			machines[p.OS+" "+p.CPU]++
		}
	}
	if want := map[string]int{"linux x64": 1, "linux arm64": 1, "darwin x64": 1, "darwin arm64": 1}; !maps.Equal(machines, want) {
		t.Errorf("packages of Node.js are for %v, want %v", machines, want)
	}
}

func TestBlogsAreValid(t *testing.T) {
	if err := stacks.Validate(blogs, services); err != nil {
		t.Error(err)
	}
}

// TestVersionsAgree: what README promises, the workflow installs and go.mod asks for. The workflow names
// the newest release of a version of Go by itself: where go.mod has a patch, it would take that one.
func TestVersionsAgree(t *testing.T) {
	read := func(name, pattern string) []string {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var found []string
		for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(text), -1) {
			found = append(found, match[1])
		}
		return slices.Compact(found)
	}
	workflow := filepath.Join(".github", "workflows", "ci.yml")
	for _, tt := range []struct{ what, inWorkflow, elsewhere, pattern string }{
		{"Go", `go-version: "([\d.]+)"`, "go.mod", `(?m)^go (\d+\.\d+)`},
		{"Go", `go-version: "([\d.]+)"`, "README.md", `with Go ([\d.]+\d)`},
		{"Node.js", `node-version: (\d+)`, "README.md", `Node\.js (\d+) or later`},
	} {
		installed, want := read(workflow, tt.inWorkflow), read(tt.elsewhere, tt.pattern)
		if len(want) != 1 || !slices.Equal(installed, want) {
			t.Errorf("the workflow installs %s %q, and %s says %q", tt.what, installed, tt.elsewhere, want)
		}
	}
}
