package main

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	smithy "github.com/aws/smithy-go"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/changes"
	"blog-deploy-pipeline/lambdas/internal/invalidation/invalidationtest"
	"blog-deploy-pipeline/lambdas/internal/invocation/invocationtest"
	"blog-deploy-pipeline/lambdas/internal/release"
	"blog-deploy-pipeline/rehearse/functiontest"
)

func TestLogLinesNameTheirJob(t *testing.T) {
	w := newWorld("Completed")
	if err := w.invoke(t, invocationtest.Event(t, "first-job")); err != nil {
		t.Fatal(err)
	}
	// One line is about CloudFront and one about the report.
	w.log.CheckLines(t, 2, map[string]string{"job": "11111111-abcd-1111-abcd-111111abcdef", contract.DimensionBlog: "my-blog", "distribution": "E2EXAMPLE", "invalidation": "I2J0I21PCUYOIK"})
}

// Alarms read these metrics.
func TestMetrics(t *testing.T) {
	denied := &smithy.GenericAPIError{Code: "AccessDenied", Message: "no"}
	tests := []struct {
		name  string
		event string
		world func(*world)
		want  string // see invalidationtest.Counted
		level string
	}{
		{"completed", "continuation", func(*world) {}, "0 0 true", "INFO"},
		{"continued", "first-job", func(w *world) { w.cloudFront(invalidationtest.Says("InProgress")) }, "", ""},
		{"refused by CloudFront", "first-job", func(w *world) { w.cloudFront(invalidationtest.Refuses(denied)) }, "1 0 false", "ERROR"},
		{"refused by the function", "token-of-tomorrow", func(*world) {}, "1 0 false", "ERROR"},
		{"panic", "first-job", func(w *world) { w.cloudFront(invalidationtest.Panics("x")) }, "1 0 false", "ERROR"},
		{"late", "continuation-late", func(w *world) { w.cloudFront(invalidationtest.Says("InProgress")) }, "1 1 false", "ERROR"},
		{"late, and the owner lets that pass", "continuation-late", func(w *world) {
			w.cloudFront(invalidationtest.Says("InProgress"))
			w.stage.onFailure = contract.OnFailureProceed
		}, "0 1 false", "WARN"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld("Completed")
				tt.world(w)
				time.Sleep(time.Second) // so that there is a time to count
				if err := w.invoke(t, invocationtest.Event(t, tt.event)); err != nil {
					t.Fatal(err)
				}
				got, level := invalidationtest.Counted(t, w.log.Lines(t))
				if got != tt.want || level != tt.level {
					t.Errorf("counted %q at level %q, want %q at %q", got, level, tt.want, tt.level)
				}
			})
		})
	}
}

// The log and the reports have no credential, and their messages are whole sentences.
func TestLogOfEachEvent(t *testing.T) {
	edges := map[string]*invalidationtest.CloudFront{
		"Completed": invalidationtest.Says("Completed"), "InProgress": invalidationtest.Says("InProgress"), "panic": invalidationtest.Panics("The sky is falling."),
		"refusal": invalidationtest.Refuses(invalidationtest.APIError(403, "AccessDenied", "No.")), "silence": {Hang: true},
	}
	for _, name := range invocationtest.Events(t) {
		for state, edge := range edges {
			t.Run(name+", "+state, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld("")
					w.cloudFront(edge)
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

// An invalidation of many items has no line of the log that CloudWatch would cut.
func TestLogNamesTheFirstItems(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld("Completed")
		releases := newReleases(t, w)
		w.stage.changes = changes.Finder{Releases: releases.store, Settings: changes.Settings{MaxPaths: 3000}}
		var keys []string
		manifest := release.Manifest{ID: releaseID, Number: 3, Files: map[string]release.File{}}
		for i := range 200 {
			keys = append(keys, fmt.Sprintf("%d/%s.css", i, strings.Repeat("x", 1000)))
			manifest.Files[fmt.Sprintf("%d/y.css", i)] = release.File{} // so that no wildcard is as good
		}
		if err := releases.store.PutManifest(t.Context(), &manifest); err != nil {
			t.Fatal(err)
		}
		releases.touch(keys...)
		if _, err := invocationtest.Invoke(t, w.handler, time.Minute, invocationtest.Event(t, "first-article")); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(w.log.String()) {
			if len(line) > 64<<10 {
				t.Errorf("a line has %d bytes: %.200s", len(line), line)
			}
		}
		if !strings.Contains(w.log.String(), `"items":200,`) {
			t.Errorf("the log does not count the items: %.1000s", w.log.String())
		}
	})
}
