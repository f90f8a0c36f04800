package codebuild

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestFirstArticle runs the buildspec of the article from which this project started. nodejs: 14, as printed, fails today,
// and nodejs: 24 works.
func TestFirstArticle(t *testing.T) {
	t.Parallel()
	const text = `version: 0.2
phases:
  install:
    runtime-versions:
      nodejs: NODE
    commands:
      - HUGO_VERSION=0.85.0
      - echo hugo version is ${HUGO_VERSION}
  build:
    commands:
      - npm ci
      - npm run webpack
      - hugo
artifacts:
  files:
    - '**/*'
  base-directory: 'public'
`
	bin := machine(t)
	for name, does := range map[string]string{"npm": "echo npm $*", "hugo": "mkdir public && echo home >public/index.html"} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+does+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	build := func(node string) *testBuild {
		tb := newTestBuild(t, strings.Replace(text, "NODE", node, 1), nil)
		tb.Path = bin + ":/usr/bin:/bin"
		tb.run(t.Context())
		if tb.err != nil {
			t.Fatal(tb.err)
		}
		return tb
	}

	tb := build("14")
	failed := tb.result.Failure()
	if tb.result.Status != Failed || len(tb.result.Phases) != 1 || failed == nil || failed.Name != DownloadSource {
		t.Fatalf("it ends as %s, %+v", tb.result.Status, tb.result.Phases)
	}
	if want := "YAML_FILE_ERROR: Unknown runtime version named '14' of nodejs. This build image has the following versions: 18, 20, 22, 24"; failed.Context() != want {
		t.Errorf("the context is %q, want %q", failed.Context(), want)
	}
	wantLog := []string{
		"Selecting 'nodejs' runtime version '14' based on manual selections...",
		"Phase complete: DOWNLOAD_SOURCE State: FAILED",
		"Phase context status code: YAML_FILE_ERROR Message: Unknown runtime version named '14' of nodejs. This build image has the following versions: 18, 20, 22, 24",
	}
	if !slices.Equal(tb.log, wantLog) || len(tb.out) > 0 {
		t.Errorf("the log is %q and %q, want %q and nothing", tb.log, tb.out, wantLog)
	}

	for _, node := range []string{"24", "24.x", "latest", "14.21.3"} {
		if tb := build(node); tb.result.Status != Succeeded || !slices.Contains(tb.out, "npm run webpack") || tb.result.Artifact == nil {
			t.Errorf("nodejs: %s ends as %s: %q", node, tb.summary(), tb.out)
		}
	}
}
