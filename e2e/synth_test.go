package e2e

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"blog-deploy-pipeline/lambdas/contract"
)

// TestFreshCheckout builds everything, as on a machine on which nothing is built yet.
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

	// Two machines must make the same templates and asset hashes. Otherwise each deployment from another machine
	// would change something.
	theirs := assemblyFiles(t, other.synthesised())
	for name, content := range made {
		if !bytes.Equal(content, theirs[name]) {
			t.Errorf("%s differs between two checkouts", name)
		}
	}
	if len(made) != len(theirs) || len(made) < 20 {
		t.Errorf("a checkout makes %d files, and another one %d", len(made), len(theirs))
	}
	// Lambda runs the function as another user than the file's owner.
	assets, err := filepath.Glob(filepath.Join(c.dir, "*", "*", "bootstrap")) // in dist/ and cdk.out/
	if err != nil || len(assets) != 6 {
		t.Errorf("the functions are %v, %v, want three, twice", assets, err)
	}
	for _, path := range assets {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o055 != 0o055 {
			t.Errorf("built under umask 027 a function is %v, %v", info.Mode(), err)
		}
	}

	// `make synth` starts the app itself, which is faster. The templates must be those that `cdk deploy` deploys.
	if out, err := c.run([]string{"CDK_VALIDATION=false"}, "node_modules/.bin/cdk", "synth", "--quiet", "--output", "by-cli"); err != nil {
		t.Fatalf("cdk synth: %v\n%s", err, out)
	}
	byCLI := assemblyFiles(t, filepath.Join(c.dir, "by-cli"))
	for name, content := range made {
		if strings.HasSuffix(name, ".template.json") && !bytes.Equal(content, byCLI[name]) {
			t.Errorf("%s: make synth and cdk synth differ", name)
		}
	}

	// If nothing has changed, make does not even start the compiler.
	broken := t.TempDir()
	if err := os.WriteFile(filepath.Join(broken, "go"), []byte("#!/bin/sh\necho \"the compiler ran: go $*\" >&2\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := c.make("build", "PATH="+broken+string(os.PathListSeparator)+os.Getenv("PATH")); err != nil {
		t.Errorf("make build with nothing changed: %v\n%s", err, out)
	}
	// A deleted file must change the templates: an owner who has only blogs deletes services.go.
	if err := os.Remove(filepath.Join(c.dir, "services.go")); err != nil {
		t.Fatal(err)
	}
	if out, err := c.make("synth"); err != nil || !strings.Contains(out, "Compiling the app") || strings.Contains(out, contract.StackName("", contract.StackHook)+".template.json") {
		t.Errorf("make synth without services.go: %v\n%s", err, out)
	}
	if _, err := os.Stat(filepath.Join(out, contract.StackName("example", contract.StackPipeline)+".template.json")); err != nil {
		t.Error(err)
	}
}

// assemblyFiles returns the files of a cloud assembly that decide what is deployed.
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

// TestCDKSettings checks that the CDK's settings reach the templates, whether make or the CDK CLI writes them.
func TestCDKSettings(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.lists(ownBlog+","+ownSite, exampleServices)
	if out, err := c.build(); err != nil {
		t.Fatalf("make build: %v\n%s", err, out)
	}
	cdkJSON, err := os.ReadFile("cdk.json")
	if err != nil {
		t.Fatal(err)
	}
	const platform = `{"context": {"@aws-cdk/core:bootstrapQualifier": "team", "@aws-cdk/core:permissionsBoundary": {"name": "team/boundary-${Qualifier}"}}}`
	caches := t.TempDir()
	synthesise := func(t *testing.T, files map[string]string, variables []string) map[string][]byte {
		t.Helper()
		home := t.TempDir()
		for _, name := range []string{"cdk.json", "cdk.context.json", "~/.cdk.json"} {
			text, isThere := files[name]
			path := filepath.Join(c.dir, name)
			switch name {
			case "~/.cdk.json":
				path = filepath.Join(home, ".cdk.json")
			case "cdk.json":
				text, isThere = strings.Replace(string(cdkJSON), "{\n", "{\n"+text, 1), true
			}
			if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
			if !isThere {
				continue
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		env := append([]string{
			"HOME=" + home, "CDK_HOME=" + home, "CDK_VALIDATION=false", "CDK_DISABLE_CLI_TELEMETRY=1",
			"JSII_RUNTIME_PACKAGE_CACHE_ROOT=" + caches, // Otherwise both unpack the CDK into each home.
		}, variables...)
		if out, err := c.run(env, "make", "synth"); err != nil {
			t.Fatalf("make synth: %v\n%s", err, out)
		}
		if out, err := c.run(env, "node_modules/.bin/cdk", "synth", "--quiet", "--no-notices", "--output", "by-cli"); err != nil {
			t.Fatalf("cdk synth: %v\n%s", err, out)
		}
		made, byCLI := assemblyFiles(t, filepath.Join(c.dir, "cdk.out")), assemblyFiles(t, filepath.Join(c.dir, "by-cli"))
		for name, content := range made {
			if !bytes.Equal(content, byCLI[name]) {
				t.Errorf("%s: make synth and cdk synth differ", name)
			}
		}
		return made
	}
	all := func(files map[string][]byte) string {
		var text strings.Builder
		for name, content := range files {
			if strings.HasSuffix(name, ".json") {
				text.Write(content)
			}
		}
		return text.String()
	}
	for _, tt := range []struct {
		name       string
		files      map[string]string
		variables  []string
		want, none string
	}{
		{"no settings", nil, []string{`CDK_CONTEXT_JSON={"@aws-cdk/core:bootstrapQualifier": "other"}`}, "cdk-hnb659fds-assets-", "cdk-other"},
		{"context in ~/.cdk.json", map[string]string{"~/.cdk.json": platform}, nil, "policy/team/boundary-team", "hnb659fds"},
		{"context in cdk.context.json", map[string]string{"cdk.context.json": `{"@aws-cdk/core:bootstrapQualifier": "found"}`, "~/.cdk.json": platform}, nil, "policy/team/boundary-found", "hnb659fds"},
		{"settings in both files", map[string]string{"~/.cdk.json": `{"versionReporting": false, "pathMetadata": true}`, "cdk.json": `"pathMetadata": false, "assetMetadata": false,`}, nil, "Resources", "aws:cdk:path"},
		{"the environment", nil, []string{"CDK_CONTEXT=@aws-cdk/core:bootstrapQualifier=team", "CDK_VERSION_REPORTING=false"}, "cdk-team-assets-", "AWS::CDK::Metadata"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := all(synthesise(t, tt.files, tt.variables))
			if !strings.Contains(text, tt.want) || strings.Contains(text, tt.none) {
				t.Errorf("want %q and no %q in the templates", tt.want, tt.none)
			}
		})
	}
	// If a file is broken, nothing is made.
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, ".cdk.json"), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := c.make("synth", "HOME="+home); err == nil || !strings.Contains(out, filepath.Join(home, ".cdk.json")+" is not JSON") {
		t.Errorf("make synth: %v\n%s", err, out)
	}
}
