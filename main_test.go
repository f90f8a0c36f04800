package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"blog-deploy-pipeline/stacks"
)

// TestCheckoutsAgree: two machines must make the same templates and the same asset
// hashes, or every deployment from another one would change something.
func TestCheckoutsAgree(t *testing.T) {
	var outputs []map[string][]byte
	for range 2 {
		c := newCheckout(t)
		if out, err := c.make("synth"); err != nil {
			t.Fatalf("make synth: %v\n%s", err, out)
		}
		files := map[string][]byte{}
		dir := filepath.Join(c.dir, "cdk.out")
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
		outputs = append(outputs, files)
	}
	functions := min(len(blogs), 1) + min(len(services), 1)
	if want := 2*len(stackIDs()) + functions; len(outputs[0]) != want {
		t.Errorf("made %d files, want %d: two for each stack, and the %d functions", len(outputs[0]), want, functions)
	}
	for name, content := range outputs[0] {
		if !bytes.Equal(content, outputs[1][name]) {
			t.Errorf("%s differs between two checkouts", name)
		}
	}
}

// TestSynthIsTheCLIs: `make synth` starts the app itself, for speed. It must make
// what `cdk deploy` deploys.
func TestSynthIsTheCLIs(t *testing.T) {
	c := newCheckout(t)
	if out, err := c.make("synth"); err != nil {
		t.Fatalf("make synth: %v\n%s", err, out)
	}
	if out, err := c.run([]string{"CDK_VALIDATION=false"}, "node_modules/.bin/cdk", "synth", "--quiet", "--output", "by-cli"); err != nil {
		t.Fatalf("cdk synth: %v\n%s", err, out)
	}
	for _, id := range stackIDs() {
		name := id + ".template.json"
		ours, err := os.ReadFile(filepath.Join(c.dir, "cdk.out", name))
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := os.ReadFile(filepath.Join(c.dir, "by-cli", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(ours, theirs) {
			t.Errorf("%s: make synth and cdk synth differ", name)
		}
	}
}

// TestSynthAgainCompilesNothing takes the compiler away after the first synth.
func TestSynthAgainCompilesNothing(t *testing.T) {
	c := newCheckout(t)
	if out, err := c.make("synth"); err != nil {
		t.Fatalf("make synth: %v\n%s", err, out)
	}
	broken := t.TempDir()
	if err := os.WriteFile(filepath.Join(broken, "go"), []byte("#!/bin/sh\necho \"the compiler ran: go $*\" >&2\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(c.dir, "cdk.out")); err != nil {
		t.Fatal(err)
	}
	if out, err := c.make("synth", "PATH="+broken+string(os.PathListSeparator)+os.Getenv("PATH")); err != nil {
		t.Errorf("make synth with nothing changed: %v\n%s", err, out)
	}
	// And back: a change must reach the template.
	c.blogs(exampleBlog)
	if out, err := c.make("synth"); err != nil || !strings.Contains(out, "Compiling the app") {
		t.Errorf("make synth with a changed blogs.go: %v\n%s", err, out)
	}
	if _, err := os.Stat(filepath.Join(c.dir, "cdk.out", "example-pipeline.template.json")); err != nil {
		t.Error(err)
	}
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

func TestDeployRefusesExampleValues(t *testing.T) {
	c := newCheckout(t)
	c.blogs(exampleBlog)
	out, err := c.make("deploy BLOG=example")
	if err == nil {
		t.Fatal("make deploy of example values: no error")
	}
	for _, want := range []string{`blog "example" still has example values and cannot be deployed: Source.Owner, Deploy.Bucket, Invalidate.DistributionID`, "Put your own into blogs.go", "not deployed"} {
		if !strings.Contains(out, want) {
			t.Errorf("make deploy printed\n%s\nwant %q in it", out, want)
		}
	}
	if strings.Contains(out, "credentials") {
		t.Errorf("it got as far as AWS:\n%s", out)
	}
	for _, tt := range []struct{ target, want string }{
		{"deploy", "which blog or service? make deploy BLOG=name or SERVICE=name"},
		{"destroy", "which blog or service? make destroy BLOG=name or SERVICE=name"},
		{"deploy BLOG=nope", `no blog "nope" in blogs.go; there are: example`},
		{"destroy BLOG=nope", `no blog "nope" in blogs.go; there are: example`},
		{"destroy BLOG=*", `no blog "*" in blogs.go`},
		{"diff BLOG=example-pipeline", `no blog "example-pipeline" in blogs.go`},
		{"deploy SERVICE=example", `no service "example" in blogs.go; there are: none`},
	} {
		if out, err := c.make(tt.target); err == nil || !strings.Contains(out, tt.want) {
			t.Errorf("make %s: %v\n%s\nwant %q in it", tt.target, err, out, tt.want)
		}
	}
}

// Two services: CodeDeploy deploys one, ECS the other.
const exampleServices = `
	stacks.ExistingService{
		Name:       "shop",
		DeployedBy: stacks.CodeDeployGroup{Application: "a", DeploymentGroup: "g", Container: "web", Port: 80},
		Hook:       stacks.Hook{Distributions: []stacks.Distribution{{ID: "EDFDVBD6EXAMPLE"}}},
	},
	stacks.ExistingService{
		Name:       "news",
		DeployedBy: stacks.ECSService{Cluster: "c", Service: "s"},
		Hook:       stacks.Hook{Distributions: []stacks.Distribution{{ID: "E2QWRUHAPOMQZL"}}},
	},
`

func TestMakeOfServices(t *testing.T) {
	c := newCheckout(t)
	c.lists(exampleBlog, exampleServices)
	// On standard output there is the file, and nothing else.
	out, err := c.run(nil, "sh", "-c", "make appspec SERVICE=shop 2>/dev/null")
	if err != nil || !strings.HasPrefix(out, "version: 0.0\n") || !strings.HasSuffix(out, "- AfterAllowTraffic: \"CodeDeployHook_shop\"\n") {
		t.Errorf("make appspec: %v\n%s", err, out)
	}
	for _, tt := range []struct{ target, want string }{
		{"appspec", "which service? make appspec SERVICE=name"},
		{"appspec SERVICE=nope", `no service "nope" in blogs.go; there are: shop, news`},
		{"appspec SERVICE=example", `blog "example" has no AppSpec, only services have; there are: shop, news`},
		{"appspec SERVICE=news", `service "news" is deployed by ECS itself, which takes no AppSpec: the output LifecycleHooks of the stack news-hook`},
		{"deploy BLOG=example SERVICE=shop", "BLOG=example and SERVICE=shop: name one of them"},
		{"destroy BLOG=example SERVICE=shop", "name one of them"},
		{"diff BLOG=example SERVICE=shop", "name one of them"},
		{"deploy SERVICE=nope", `no service "nope" in blogs.go; there are: news shop`},
		{"destroy SERVICE=example", `no service "example" in blogs.go; there are: news shop`},
		{"destroy SERVICE=*", `no service "*" in blogs.go`},
		{"diff SERVICE=shop-hook", `no service "shop-hook" in blogs.go`},
		{"diff BLOG=shop", `no blog "shop" in blogs.go; there are: example`},
		{"deploy SERVICE=shop", `service "shop" still has example values and cannot be deployed: Hook.Distributions[0].ID`},
		{"deploy SERVICE=news APPROVAL=never", "Unable to resolve AWS account"},
	} {
		if out, err := c.make(tt.target); err == nil || !strings.Contains(out, tt.want) {
			t.Errorf("make %s: %v\n%s\nwant %q in it", tt.target, err, out, tt.want)
		}
	}
}

// A blog that is ready gets as far as AWS, and asks for credentials.
func TestDeployOfAnOwnBlogAsksForCredentials(t *testing.T) {
	c := newCheckout(t)
	c.blogs(ownBlog)
	out, err := c.make("deploy BLOG=own APPROVAL=never")
	if err == nil || !strings.Contains(out, "no credentials") && !strings.Contains(out, "Unable to resolve AWS account") {
		t.Errorf("make deploy without credentials: %v\n%s\nwant it to say so", err, out)
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
		Domain:     "blog.example.com",
		HostedZone: stacks.HostedZone{ID: "Z0123456789ABCDEFGHIJ", Name: "example.com"},
	},
}`

// TestMakeOfASite looks at what the CDK CLI is told to do.
func TestMakeOfASite(t *testing.T) {
	c := newCheckout(t)
	c.blogs(ownBlog + ", " + ownSite + ", " + exampleSite)
	if err := os.WriteFile(filepath.Join(c.dir, "told"), []byte("#!/bin/sh\necho \"told: $*\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	const all = "site-certificate site-site site-logs site-pipeline"
	for _, tt := range []struct{ target, want string }{
		{"deploy BLOG=site", "told: deploy --app cdk.out --strict --require-approval any-change " + all + "\n"},
		{"diff BLOG=site", "told: diff --app cdk.out " + all + "\n"},
		{"destroy BLOG=site", "told: destroy --app cdk.out site-pipeline\n"},
		{"destroy BLOG=site SITE=no", "told: destroy --app cdk.out site-pipeline\n"},
		{"destroy BLOG=site SITE=yes", "told: destroy --app cdk.out " + all + "\n"},
		{"deploy BLOG=own", "any-change own-pipeline\n"},
		{"destroy BLOG=own", "told: destroy --app cdk.out own-pipeline\n"},
	} {
		out, err := c.make(tt.target + " CDK=./told")
		if err != nil || !strings.Contains(out, tt.want) {
			t.Errorf("make %s: %v\n%s\nwant %q in it", tt.target, err, out, tt.want)
		}
		if goes := strings.Contains(out, "The blog site goes offline"); goes != strings.Contains(tt.target, "SITE=yes") {
			t.Errorf("make %s says that the site goes: %v\n%s", tt.target, goes, out)
		}
	}
	for _, tt := range []struct{ target, want string }{
		{"destroy BLOG=own SITE=yes", `the blog "own" has no Site in blogs.go`},
		{"destroy SERVICE=shop SITE=yes", "SITE=yes: only a blog has one"},
		{"destroy BLOG=site-site SITE=yes", `no blog "site-site" in blogs.go; there are: own sample site`},
	} {
		if out, err := c.make(tt.target + " CDK=./told"); err == nil || !strings.Contains(out, tt.want) || strings.Contains(out, "told:") {
			t.Errorf("make %s: %v\n%s\nwant %q in it", tt.target, err, out, tt.want)
		}
	}
	// A warning about one stack keeps all of them from AWS.
	if out, err := c.make("deploy BLOG=sample"); err == nil || !strings.Contains(out, `blog "sample" still has example values and cannot be deployed: Site.Domain, Site.HostedZone.Name`) || strings.Contains(out, "AWS account") {
		t.Errorf("make deploy of example values: %v\n%s", err, out)
	}
	// And otherwise there is nothing that the CDK warns of.
	if out, err := c.make("deploy BLOG=site APPROVAL=never"); err == nil || !strings.Contains(out, "no credentials") && !strings.Contains(out, "Unable to resolve AWS account") {
		t.Errorf("make deploy without credentials: %v\n%s\nwant it to say so", err, out)
	}
}

func TestSynthReportsEveryProblemAndMakesNothing(t *testing.T) {
	c := newCheckout(t)
	c.blogs("")
	if out, err := c.make("synth"); err == nil || !strings.Contains(out, "blogs.go lists no blog and no service") {
		t.Errorf("make synth of no blogs: %v\n%s", err, out)
	}
	c.blogs(`{Name: "one", Source: stacks.GitHubToken{Owner: "", Repo: "r", SecretName: "s"}, Deploy: stacks.Deploy{Bucket: "X"}, Invalidate: stacks.Invalidate{DistributionID: "E2QWRUHAPOMQZL"}},
		{Name: "one", Deploy: stacks.Deploy{Bucket: "good-bucket"}, Invalidate: stacks.Invalidate{DistributionID: "E2QWRUHAPOMQZL", Paths: []string{"a"}}}`)
	out, err := c.make("synth")
	if err == nil {
		t.Fatal("make synth with bad props: no error")
	}
	for _, want := range []string{`blog "one": Source.Owner is "": must be`, `Deploy.Bucket is "X"`, `Source is`, `Invalidate.Paths[0] is "a": must start with /`, "another blog has this name"} {
		if !strings.Contains(out, want) {
			t.Errorf("make synth printed\n%s\nwant %q in it", out, want)
		}
	}
	if strings.Contains(out, "goroutine") {
		t.Errorf("the owner sees a stack trace:\n%s", out)
	}
	if _, err := os.Stat(filepath.Join(c.dir, "cdk.out", "manifest.json")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("there is a cloud assembly: %v", err)
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

// stackIDs names the stacks of blogs.go.
func stackIDs() []string {
	var ids []string
	for _, blog := range blogs {
		ids = append(ids, stacks.BlogStackIDs(blog)...)
	}
	for _, service := range services {
		ids = append(ids, stacks.ServiceStackID(service))
	}
	return ids
}
