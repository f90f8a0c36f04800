package codebuild

import (
	"archive/zip"
	"bytes"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestArtifacts(t *testing.T) {
	t.Parallel()
	// The reference's own example.
	example := map[string]string{
		"my-build-1/my-file-1.txt":                 "1",
		"my-build-2/my-file-2.txt":                 "2",
		"my-build-2/my-subdirectory/my-file-3.txt": "3",
	}
	site := map[string]string{
		"index.html":      "home",
		".htaccess":       "",
		"日本/a b.html":     "",
		"css/site.css":    "",
		"css/site.css.gz": "",
		"css/.cache/x":    "",
		"css/deep/y.css":  "",
	}
	for _, tc := range []struct {
		name      string
		doc       string
		artifacts string
		command   string
		source    map[string]string
		want      []string
		failure   string // of UPLOAD_ARTIFACTS
		notes     []string
	}{
		{
			name: "a file below a folder of the base directory", doc: specRef + "build-spec.artifacts.base-directory",
			artifacts: "{files: ['*/my-file-3.txt'], base-directory: my-build-2}", source: example,
			want: []string{"my-subdirectory/my-file-3.txt"},
		},
		{
			name: "all folders that match, without paths", doc: specRef + "build-spec.artifacts.base-directory",
			artifacts: "{files: ['**/*'], base-directory: 'my-build*', discard-paths: yes}", source: example,
			want: []string{"my-file-1.txt", "my-file-2.txt", "my-file-3.txt"},
		},
		{
			name: "one file", doc: specRef + "build-spec.artifacts.files",
			artifacts: "{files: [index.html]}", source: site, want: []string{"index.html"},
		},
		{
			name: "one file in a folder", doc: specRef + "build-spec.artifacts.files",
			artifacts: "{files: [css/site.css, './日本/a b.html']}", source: site, want: []string{"css/site.css", "日本/a b.html"},
		},
		{
			name: "all files recursively", doc: specRef + "build-spec.artifacts.files",
			artifacts: "{files: ['**/*']}", source: site, want: slices.Sorted(maps.Keys(site)),
		},
		{
			name: "all files in a folder", doc: specRef + "build-spec.artifacts.files",
			artifacts: "{files: ['css/*']}", source: site, want: []string{"css/site.css", "css/site.css.gz"},
		},
		{
			name: "all files recursively from a folder", doc: specRef + "build-spec.artifacts.files",
			artifacts: "{files: ['css/**/*']}", source: site, want: []string{"css/.cache/x", "css/deep/y.css", "css/site.css", "css/site.css.gz"},
		},
		{
			name: "a file that is not there is skipped", doc: specRef + "build-spec.artifacts.files",
			artifacts: "{files: [index.html, none.html, 'none/*']}", source: site, want: []string{"index.html"},
		},
		{
			// As the console shows it: https://github.com/aws/copilot-cli/issues/2780.
			name: "no file matches", doc: specRef + "build-spec.artifacts.files",
			artifacts: "{files: ['infrastructure/*', css]}", source: site, failure: "CLIENT_ERROR: no matching artifact paths found",
		},
		{
			// https://github.com/aws/aws-cdk/issues/28519
			name: "no such base directory", doc: specRef + "build-spec.artifacts.base-directory",
			artifacts: "{files: ['**/*'], base-directory: cdk/cdk.out}", source: site, failure: "CLIENT_ERROR: no matching base directory path found for cdk/cdk.out",
		},
		{
			name: "base directory is a file", doc: specRef + "build-spec.artifacts.base-directory",
			artifacts: "{files: ['**/*'], base-directory: index.html}", source: site, failure: "CLIENT_ERROR: no matching base directory path found for index.html",
		},
		{
			// https://github.com/aws-samples/amazon-ecs-fargate-cdk-cicd/issues/13
			name: "relative to the original build location, wherever commands go", doc: specRef + "build-spec.artifacts.files",
			artifacts: "{files: [detail.json]}", source: site, command: "cd .. && echo x >detail.json", failure: "CLIENT_ERROR: no matching artifact paths found",
		},
		{
			name: "base directory from a variable", doc: specRef + "build-spec.artifacts.base-directory",
			artifacts: "{files: ['$NAME', '${CODEBUILD_SRC_DIR}/css/deep/*'], base-directory: '$CODEBUILD_SRC_DIR/${DIR}'}", source: site,
			command: "export DIR=css NAME=site.css", want: []string{"deep/y.css", "site.css"},
		},
		{
			name: "exclude dot files", doc: specRef + "build-spec.artifacts.exclude-paths",
			artifacts: "{files: ['**/*'], exclude-paths: ['**/.*']}", source: site,
			want: []string{"css/.cache/x", "css/deep/y.css", "css/site.css", "css/site.css.gz", "index.html", "日本/a b.html"},
		},
		{
			name: "exclude dot folders", doc: specRef + "build-spec.artifacts.exclude-paths",
			artifacts: "{files: ['**/*'], exclude-paths: '**/.*/**/*', base-directory: css}", source: site,
			want: []string{"deep/y.css", "site.css", "site.css.gz"},
		},
		{
			name: "an asterisk does not cross folders", doc: specRef + "build-spec.artifacts.exclude-paths",
			artifacts: "{files: ['**/*'], exclude-paths: ['*.css', 'c*s/*.gz'], base-directory: .}", source: site,
			want: []string{".htaccess", "css/.cache/x", "css/deep/y.css", "css/site.css", "index.html", "日本/a b.html"},
		},
		{
			name: "all is excluded", doc: specRef + "build-spec.artifacts.exclude-paths",
			artifacts: "{files: ['**/*'], exclude-paths: ['**/*']}", source: site, failure: "CLIENT_ERROR: no matching artifact paths found",
		},
		{
			name: "links are followed", doc: specRef + "build-spec.artifacts.enable-symlinks",
			artifacts: "{files: ['**/*'], base-directory: out}",
			command:   "mkdir -p out/dir && echo 1 >out/dir/f && cd out && ln -s dir/f inside && ln -s ../o outside && ln -s dir folder && ln -s no broken",
			source:    map[string]string{"o": "outside"},
			want:      []string{"dir/f", "inside", "outside"},
			notes:     []string{"link broken leads nowhere", "link folder leads to a folder"},
		},
		{
			name: "links that stay inside are kept", doc: specRef + "build-spec.artifacts.enable-symlinks",
			artifacts: "{files: ['**/*'], base-directory: out, enable-symlinks: yes}",
			command:   "mkdir -p out/dir && echo 1 >out/dir/f && cd out && ln -s dir/f inside && ln -s ../o outside && ln -s dir folder",
			source:    map[string]string{"o": "outside"},
			want:      []string{"dir/f", "folder -> dir", "inside -> dir/f", "outside"},
		},
		{
			name: "the same name twice", doc: specRef + "build-spec.artifacts.discard-paths",
			artifacts: "{files: ['**/*'], discard-paths: yes}", source: map[string]string{"a/f": "", "b/f": ""},
			want: []string{"f"}, notes: []string{"a/f and b/f have the same name"},
		},
		{
			name: "what is no file is left out", doc: specRef + "build-spec.artifacts.files",
			artifacts: "{files: ['**/*']}", source: map[string]string{"f": ""}, command: "mkfifo pipe",
			want: []string{"f"}, notes: []string{"pipe is neither"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if tc.command == "" {
				tc.command = "true"
			}
			tb := newTestBuild(t, "version: 0.2\nphases:\n  build:\n    commands:\n      - "+tc.command+"\nartifacts: "+tc.artifacts+"\n", tc.source)
			tb.run(t.Context())
			if tb.err != nil {
				t.Fatal(tb.err)
			}
			if got := tb.context(); got != tc.failure {
				t.Fatalf("failure is %q, want %q, see %s\n%s", got, tc.failure, tc.doc, strings.Join(tb.log, "\n"))
			}
			wantNotes(t, tb.result.Warnings, tc.notes)
			if tc.failure != "" {
				if tb.result.Artifact != nil || tb.result.Status != Failed {
					t.Errorf("artifact is %v, status %s", tb.result.Artifact, tb.result.Status)
				}
				return
			}
			var got []string
			for name, content := range unzip(t, tb.result.Artifact) {
				if strings.HasPrefix(content, "-> ") {
					name += " " + content
				}
				got = append(got, name)
			}
			slices.Sort(got)
			if !slices.Equal(got, tc.want) {
				t.Errorf("artifact has %q, want %q, see %s\n%s", got, tc.want, tc.doc, strings.Join(tb.log, "\n"))
			}
		})
	}
}

func TestArtifactName(t *testing.T) {
	t.Parallel()
	tb := newTestBuild(t, `
version: 0.2
phases: {build: {commands: [V=7]}}
artifacts: {files: [f], name: 'builds/$V/my artifact-$(echo $AWS_REGION)'}
`, map[string]string{"f": ""})
	tb.run(t.Context())
	if tb.err != nil || tb.result.Artifact == nil {
		t.Fatalf("%s: %v", tb.summary(), tb.err)
	}
	if got, want := tb.result.Artifact.Name, "builds/7/my artifact-us-east-1"; got != want {
		t.Errorf("name is %q, want %q", got, want)
	}
}

func TestSecondaryArtifacts(t *testing.T) {
	t.Parallel()
	const text = `
version: 0.2
phases: {build: {commands: ['true']}}
artifacts:
  files: ['**/*']
  secondary-artifacts:
    one: {files: [a/f], discard-paths: yes, name: x}
    two: {files: ['**/*'], base-directory: b}
`
	tb := newTestBuild(t, text, map[string]string{"a/f": "1", "b/g": "2"})
	tb.run(t.Context())
	if tb.err != nil || tb.result.Status != Succeeded {
		t.Fatalf("%s: %v", tb.summary(), tb.err)
	}
	if got, want := unzip(t, tb.result.Artifact), map[string]string{"a/f": "1", "b/g": "2"}; !maps.Equal(got, want) {
		t.Errorf("artifact has %q, want %q", got, want)
	}
	for id, want := range map[string]map[string]string{"one": {"f": "1"}, "two": {"g": "2"}} {
		if got := unzip(t, tb.result.Secondary[id]); !maps.Equal(got, want) {
			t.Errorf("artifact %s has %q, want %q", id, got, want)
		}
	}
	tb = newTestBuild(t, text, map[string]string{"b/g": "2"})
	tb.run(t.Context())
	if got, want := tb.context(), "CLIENT_ERROR: no matching artifact paths found for one"; got != want || tb.result.Artifact != nil {
		t.Errorf("context is %q, want %q, artifact %v", got, want, tb.result.Artifact)
	}
}

func TestSameFilesMakeTheSameZip(t *testing.T) {
	t.Parallel()
	var first []byte
	for range 2 {
		tb := newTestBuild(t, "{version: 0.2, phases: {build: {commands: ['mkdir p; echo x >p/x; chmod 755 p/x; echo y >p/y']}}, artifacts: {files: ['**/*'], base-directory: p}}", nil)
		tb.run(t.Context())
		if tb.err != nil {
			t.Fatal(tb.err)
		}
		unzip(t, tb.result.Artifact)
		content, err := os.ReadFile(tb.result.Artifact.Zip)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = content
		} else if !bytes.Equal(first, content) {
			t.Error("the second zip differs")
		}
	}
}

// A folder above the source may have a name that looks like a pattern.
func TestArtifactsBelowAStrangeName(t *testing.T) {
	t.Parallel()
	tb := newTestBuild(t, "{version: 0.2, phases: {build: {commands: ['true']}}, artifacts: {files: ['**/*'], base-directory: p}}", map[string]string{"p/f": "x"})
	tb.Dir = filepath.Join(filepath.Dir(tb.Dir), `a[b]*?\c`)
	if err := os.MkdirAll(tb.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	tb.run(t.Context())
	if tb.err != nil || tb.result.Status != Succeeded {
		t.Errorf("%s: %v %s", tb.summary(), tb.err, tb.context())
	}
}

// unzip returns the content of an artifact's files by name. For a symbolic link it is "-> target".
func unzip(t *testing.T, a *Artifact) map[string]string {
	t.Helper()
	if a == nil {
		t.Fatal("the build has no artifact")
	}
	r, err := zip.OpenReader(a.Zip)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close() //nolint:errcheck // it was only read
	files := make(map[string]string)
	var names []string
	for _, f := range r.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, f.Name)
		files[f.Name] = string(content)
		if f.Mode()&fs.ModeSymlink != 0 {
			files[f.Name] = "-> " + string(content)
		}
	}
	if !slices.Equal(names, a.Files) || !slices.IsSorted(names) {
		t.Errorf("zip has %q, Files are %q, want both the same and sorted", names, a.Files)
	}
	return files
}
