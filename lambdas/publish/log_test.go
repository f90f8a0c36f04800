package main

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/failure"
	"blog-deploy-pipeline/lambdas/internal/invocation/invocationtest"
	"blog-deploy-pipeline/lambdas/internal/publication"
	"blog-deploy-pipeline/rehearse/functiontest"
)

func TestLogLinesNameTheirJob(t *testing.T) {
	w := newWorld(some)
	if err := w.invoke(t, invocationtest.Event(t, "first-job")); err != nil {
		t.Fatal(err)
	}
	w.log.CheckLines(t, 2, map[string]string{"job": "11111111-abcd-1111-abcd-111111abcdef", contract.DimensionBlog: "my-blog"})
	lines := w.log.Lines(t)
	if last := lines[len(lines)-1]; last["release"] != newRelease {
		t.Errorf("the report's line has the release %v, want %s", last["release"], newRelease)
	}
}

// A bucket may have many files that are not the blog's.
func TestLogNamesTheFirstFilesOfOthers(t *testing.T) {
	result := some
	for i := range 1000 {
		result.Foreign = append(result.Foreign, fmt.Sprintf("%03d.txt", i))
	}
	w := newWorld(result)
	if err := w.invoke(t, invocationtest.Event(t, "first-job")); err != nil {
		t.Fatal(err)
	}
	for _, line := range w.log.Lines(t) {
		if named, ok := line["first"].([]any); ok {
			if line["count"] != 1000.0 || len(named) != maxNamed || named[0] != "000.txt" || line["level"] != "WARN" {
				t.Errorf("line is %v, want a warning with the count and the first names", line)
			}
			return
		}
	}
	t.Errorf("no line names them: %s", w.log.String())
}

// Alarms read these metrics.
func TestMetrics(t *testing.T) {
	busy := publication.Result{Busy: time.Date(2000, 1, 1, 1, 0, 0, 0, time.UTC)}
	for _, tt := range []struct {
		name  string
		event string
		world *world
		want  string
	}{
		{"published", "first-job", newWorld(some), "12 3 1.234567e+06 2"},
		{"nothing changed", "first-job", newWorld(publication.Result{Release: newRelease, Unchanged: 652}), "0 0 0 2"},
		{"published by several calls", "continuation", newWorld(some), "12 3 1.234567e+06 3"},
		{"not done", "first-job", newWorldThat(hangs), ""},
		{"another one publishes", "first-job", newWorld(busy), ""},
		{"failed", "first-job", newWorldThat(fails(errUnexpected)), ""},
		{"refused", "no-input", newWorld(some), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // starts at 2000-01-01, when the continuation's first job came
				time.Sleep(time.Second)
				quick := tt.world.publisher.answer
				tt.world.publisher.answer = func(ctx context.Context, request publication.Request) (publication.Result, error) {
					time.Sleep(2 * time.Second)
					return quick(ctx, request)
				}
				if err := tt.world.invoke(t, invocationtest.Event(t, tt.event)); err != nil {
					t.Fatal(err)
				}
				got := ""
				for _, line := range tt.world.log.Lines(t) {
					if line["_aws"] != nil {
						got += fmt.Sprint(line[contract.MetricFilesPut], line[contract.MetricFilesRemoved], line[contract.MetricBytesPut], line[contract.MetricPublishSeconds])
					}
				}
				if got != tt.want {
					t.Errorf("counted %q, want %q", got, tt.want)
				}
			})
		})
	}
}

// The log and the reports have no credential, and their messages are whole sentences.
func TestLogOfEachEvent(t *testing.T) {
	worlds := map[string]func() *world{
		"published": func() *world { return newWorld(some) },
		"busy":      func() *world { return newWorld(publication.Result{Busy: time.Now().Add(time.Hour)}) },
		"slow":      func() *world { return newWorldThat(hangs) },
		"failed": func() *world {
			return newWorldThat(fails(&failure.Failure{Kind: failure.Permission, Message: "S3 refused: AccessDenied: no. Check the role"}))
		},
		"unexpected": func() *world { return newWorldThat(fails(errUnexpected)) },
		"panic":      func() *world { return newWorldThat(panics) },
	}
	for _, name := range invocationtest.Events(t) {
		for state, newWorld := range worlds {
			t.Run(name+", "+state, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld()
					err := w.invoke(t, invocationtest.Event(t, name))
					w.log.CheckSecrets(t, []string{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI", "SESSIONTOKEN", "artifactCredentials"}, err)
					messages, bad := functiontest.Messages(w.log.String())
					if bad != nil {
						t.Error(bad)
					}
					for _, report := range w.pipeline.Failures {
						messages = append(messages, *report.FailureDetails.Message)
					}
					for _, message := range messages {
						if slip := functiontest.Slip(message); slip != "" {
							t.Errorf("a message has %s: %s", slip, message)
						}
					}
				})
			})
		}
	}
}
