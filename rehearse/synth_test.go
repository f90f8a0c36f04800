package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// app is a program in place of the app.
func app(t *testing.T, script string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "the app")
	if err := os.WriteFile(file, []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestSynth has an app write its templates: to another folder each time, of which nothing stays.
func TestSynth(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	folders := filepath.Join(t.TempDir(), "folders")
	writes := app(t, `echo "$CDK_OUTDIR" >>'`+folders+`'; echo quiet; cd "$CDK_OUTDIR"
echo '{"Resources": {"R": {"Type": "AWS::SNS::Topic"}}}' >other.json
echo '{"artifacts": {"other": {"type": "aws:cloudformation:stack", "environment": "aws://111122223333/us-east-1", "properties": {"templateFile": "other.json"}}}}' >manifest.json`)
	for range 2 {
		if status, said := words(t, "-synth", writes, "-blog", "x"); status != exitUsage || !strings.Contains(said, "blogs.go has no blog") || !strings.HasPrefix(said, "Synthesising the templates\n") || strings.Contains(said, "quiet") {
			t.Errorf("it exits with %d and says %q", status, said)
		}
	}
	made, err := os.ReadFile(folders)
	if one, other, _ := strings.Cut(strings.TrimSpace(string(made)), "\n"); err != nil || one == other || !strings.HasPrefix(one, tmp) || !strings.HasPrefix(other, tmp) {
		t.Errorf("the app writes to %q, %v", made, err)
	}
	if _, said := words(t, "-json", "-synth", writes, "-blog", "x"); !strings.HasPrefix(said, "{") {
		t.Errorf("as JSON it says %q", said)
	}
	if status, said := words(t, "-synth", app(t, "echo 'field Name is missing' >&2; exit 3")); status != exitUsage || !strings.Contains(said, "field Name is missing") || !strings.Contains(said, "nothing is rehearsed") || !strings.Contains(said, "exit status 3") {
		t.Errorf("of an app that fails it exits with %d and says %q", status, said)
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("left are %v, %v", left, err)
	}
}

// TestSynthStopped stops an app, whose temporary files go, too.
func TestSynthStopped(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	began := filepath.Join(t.TempDir(), "began")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go func() {
		defer stop()
		for ctx.Err() == nil {
			if _, err := os.Stat(began); err == nil {
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	status, said := wordsUntil(ctx, t, "-synth", app(t, `echo x >"$TMPDIR/jsii"; echo >'`+began+`'; sleep 600`))
	if status != exitStopped || !strings.Contains(said, "stopped") {
		t.Errorf("it exits with %d and says %q", status, said)
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("left are %v, %v", left, err)
	}
}

// TestExample stands for itself, however it is named; nothing else does.
func TestExample(t *testing.T) {
	t.Chdir("..")
	absolute, err := filepath.Abs(example)
	if err != nil {
		t.Fatal(err)
	}
	for source, isRepository := range map[string]bool{"": true, "examples/blog": true, "./examples/blog/": true, absolute: true, "examples": false, ".": false, "nowhere": false} {
		f, err := parse([]string{"-source", source}, os.Stderr)
		if err != nil || f.sourceIsRepository != isRepository || f.source == "" {
			t.Errorf("-source %q: it stands for itself: %t, want %t (%+v, %v)", source, f.sourceIsRepository, isRepository, f, err)
		}
	}
}
