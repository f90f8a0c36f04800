package curated

import (
	"slices"
	"strings"
	"testing"
)

func find(t *testing.T, name string) Image {
	t.Helper()
	image, ok := Find(name)
	if !ok {
		t.Fatalf("%s is not known", name)
	}
	return image
}

func TestFind(t *testing.T) {
	for _, name := range append(Maintained(),
		"aws/codebuild/standard:5.0", "aws/codebuild/amazonlinux2-x86_64-standard:5.0", "aws/codebuild/amazonlinux2-aarch64-standard:2.0",
		"aws/codebuild/amazonlinux-x86_64-standard:corretto8", "aws/codebuild/standard:7.0-25.03.03", "aws/codebuild/amazonlinux-x86_64-standard:4.0-1.0.0",
	) {
		find(t, name)
	}
	for _, name := range []string{
		"", "standard:7.0", "aws/codebuild/", "aws/codebuild/standard", "aws/codebuild/standard:9.0", "aws/codebuild/standard:7.0 ",
		"aws/codebuild/amazonlinux-x86_64-lambda-standard:nodejs20", "public.ecr.aws/codebuild/standard:7.0",
	} {
		if _, ok := Find(name); ok {
			t.Errorf("Find(%q) finds an image, want none", name)
		}
	}
}

// TestMaintained checks what the default image and the recipe rely on.
func TestMaintained(t *testing.T) {
	for _, name := range Maintained() {
		image := find(t, name)
		if !slices.Contains(image.Runtimes["nodejs"], "24") || !slices.Contains(image.Runtimes["golang"], "1.26") || !image.Downloads {
			t.Errorf("%s has %v", name, image.Runtimes)
		}
		for _, started := range []struct{ runtime, version string }{{"golang", image.Starts("golang")}, {"nodejs", image.Starts("nodejs")}} {
			if !slices.ContainsFunc(image.Runtimes[started.runtime], func(v string) bool { return strings.HasPrefix(started.version, v+".") }) {
				t.Errorf("%s starts with %s %s, and has %v", name, started.runtime, started.version, image.Runtimes[started.runtime])
			}
		}
	}
	if image := find(t, "aws/codebuild/standard:7.0"); image.Go != "1.20.14" || image.Node != "18.20.8" {
		t.Errorf("standard:7.0 starts with Go %s and Node.js %s", image.Go, image.Node)
	}
}

func TestRefuses(t *testing.T) {
	const (
		node     = "Unknown runtime version named '%s' of nodejs. This build image has the following versions: 18, 20, 22, 24"
		runtimes = "Unknown runtime named '%s'. This build image has the following runtimes: dotnet, golang, java, nodejs, php, python, ruby"
	)
	for _, tt := range []struct {
		name, image, runtime, version, want string // what CodeBuild says, where it refuses
	}{
		{name: "that it has", runtime: "nodejs", version: "24"},
		{name: "that of the first article", runtime: "nodejs", version: "14", want: node},
		{name: "newer", runtime: "nodejs", version: "26", want: node},
		{name: "newest of a version", runtime: "nodejs", version: "22.x"},
		{name: "newest of a version that it lacks", runtime: "nodejs", version: "14.x", want: node},
		{name: "newest of all", runtime: "nodejs", version: "latest"},
		{name: "in full", runtime: "nodejs", version: "14.21.3"},
		{name: "with a minor version", runtime: "nodejs", version: "14.21"},
		{name: "with an operator", runtime: "nodejs", version: ">=14.0", want: node},
		{name: "with a v", runtime: "nodejs", version: "v24", want: node},
		{name: "nothing", runtime: "nodejs", version: "", want: node},
		{name: "a name", runtime: "nodejs", version: "lts", want: node},
		{name: "Go", runtime: "golang", version: "1.26"},
		{name: "Go in full", runtime: "golang", version: "1.26.8"},
		{name: "newest Go", runtime: "golang", version: "1.x"},
		{name: "Go that it lacks", runtime: "golang", version: "1.19", want: "Unknown runtime version named '%s' of golang. This build image has the following versions: 1.20, 1.21, 1.22, 1.23, 1.24, 1.25, 1.26"},
		{name: "Java", runtime: "java", version: "corretto21"},
		{name: "Java that it lacks", runtime: "java", version: "corretto15", want: "Unknown runtime version named '%s' of java. This build image has the following versions: corretto8, corretto11, corretto17, corretto21, corretto25"},
		{name: "another name", runtime: "node", version: "24", want: runtimes},
		{name: "Docker", runtime: "docker", version: "20", want: runtimes},
		{name: "an image that does not download", image: "aws/codebuild/standard:4.0", runtime: "nodejs", version: "12.22.1", want: "Unknown runtime version named '%s' of nodejs. This build image has the following versions: 10, 12"},
		{name: "one release of an image", image: "aws/codebuild/standard:7.0-23.05.22", runtime: "nodejs", version: "14"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			name := tt.image
			if name == "" {
				name = "aws/codebuild/standard:7.0"
			}
			want := strings.NewReplacer("named '%s'", "named '"+tt.version+"'").Replace(tt.want)
			if strings.HasPrefix(tt.want, "Unknown runtime named") {
				want = strings.Replace(tt.want, "%s", tt.runtime, 1)
			}
			if got := find(t, name).Refuses(tt.runtime, tt.version); got != want {
				t.Errorf("it says %q, want %q", got, want)
			}
		})
	}
}
