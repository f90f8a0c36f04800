package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"blog-deploy-pipeline/buildspec"
)

// words runs the command with words, and returns its exit status and what it said.
func words(t *testing.T, args ...string) (status int, said string) {
	t.Helper()
	return wordsUntil(t.Context(), t, args...)
}

// wordsUntil is words that a context stops.
func wordsUntil(ctx context.Context, t *testing.T, args ...string) (status int, said string) {
	t.Helper()
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Close() }() // It is read below.
	status = command(ctx, args, out, out)
	text, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	return status, string(text)
}

func TestClean(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("TMPDIR", t.TempDir())
	if status, said := words(t, "clean"); status != exitSucceeded || said != "" {
		t.Errorf("where nothing was: %d, %s", status, said)
	}
	// As rehearsals that were killed have left them.
	left := []string{filepath.Join(dataDir, "blog-deploy-pipeline-s3-1", "bucket"), filepath.Join(os.TempDir(), "blog-deploy-pipeline-rehearsal-1", "build")}
	for _, dir := range left {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if status, said := words(t, "clean"); status != exitSucceeded || said != "" {
		t.Errorf("%d, %s", status, said)
	}
	for _, dir := range left {
		if _, err := os.Stat(filepath.Dir(dir)); !os.IsNotExist(err) {
			t.Errorf("%s is still there (%v)", filepath.Dir(dir), err)
		}
	}
}

func TestHugo(t *testing.T) {
	t.Chdir(t.TempDir())
	// Once it is there, nobody is asked for it.
	t.Setenv(hugoReleases, "ftp://nowhere")
	name, says := "hugo@v"+buildspec.DefaultHugoVersion, "hugo v"+buildspec.DefaultHugoVersion
	if buildspec.DefaultHugoExtended == "true" {
		name, says = name+"+extended", says+"+extended"
	}
	binary := filepath.Join(hugoCache, name, "hugo")
	if err := os.MkdirAll(filepath.Dir(binary), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(binary, []byte("#!/bin/sh\necho "+says+" x\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if status, said := words(t, "hugo"); status != exitSucceeded || said != "" {
		t.Errorf("%d, %s", status, said)
	}
}

func TestUnknownWord(t *testing.T) {
	if status, said := words(t, "cleen"); status != exitUsage || !strings.Contains(said, `"cleen"`) {
		t.Errorf("%d, %s; want %d and the word", status, said, exitUsage)
	}
}
