package pipeline

import (
	"archive/zip"
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/rehearse/rehearsal"
)

func TestASecondPublicationReplacesTheFirst(t *testing.T) {
	source, state := blog(t), filepath.Join(t.TempDir(), "state")
	cached := replace(t, `"Extract": "true"`, `"Extract": "true", "CacheControl": "max-age=600"`)
	plan, opts := read(t, template(t, "uploaded-pipeline", cached)), Options{Source: source, State: state}

	first := rehearse(t, t.Context(), plan, opts, nil)
	if first.err != nil || first.statuses() != allSucceeded {
		t.Fatalf("first: %s, %v: %+v", first.statuses(), first.err, first.failed())
	}
	if site := *first.Site; site != (rehearsal.Site{Bucket: "kzmorita-blog", Uploaded: 5, Bytes: first.Site.Bytes, New: 5, First: true, CacheControl: "max-age=600"}) || site.Bytes < 50 {
		t.Errorf("first: site is %+v", site)
	}
	old := map[string]rehearsal.Edition{"/": rehearsal.Old, "/about/": rehearsal.Old, "/posts/猫/": rehearsal.Old}
	for when, want := range map[rehearsal.When]map[string]rehearsal.Edition{rehearsal.BeforeDeploy: old, rehearsal.AfterDeploy: old, rehearsal.AfterInvalidate: {"/": rehearsal.New, "/about/": rehearsal.New, "/posts/猫/": rehearsal.New}} {
		if got := first.editions(when); !maps.Equal(got, want) {
			t.Errorf("first: %s readers get %v, want %v", when, got, want)
		}
	}
	if len(first.Invalidations) != 1 || first.Invalidations[0].Status != "Completed" || !slices.Equal(first.Invalidations[0].Paths, []string{"/*"}) {
		t.Errorf("first: invalidations are %+v", first.Invalidations)
	}

	write(t, source, map[string]string{"site/posts/猫/index.html": "<h1>猫と犬</h1>"})
	if err := os.RemoveAll(filepath.Join(source, "site", "about")); err != nil {
		t.Fatal(err)
	}
	second := rehearse(t, t.Context(), plan, opts, nil)
	if second.err != nil || second.statuses() != allSucceeded {
		t.Fatalf("second: %s, %v: %+v", second.statuses(), second.err, second.failed())
	}
	if site := *second.Site; site.First || site.Uploaded != 4 || site.New != 0 || site.Changed != 1 || site.Left != 1 {
		t.Errorf("second: site is %+v", site)
	}
	for when, want := range map[rehearsal.When]map[string]rehearsal.Edition{
		rehearsal.BeforeDeploy: {"/": rehearsal.Same, "/posts/猫/": rehearsal.Old}, rehearsal.AfterDeploy: {"/": rehearsal.Same, "/posts/猫/": rehearsal.Old}, rehearsal.AfterInvalidate: {"/": rehearsal.Same, "/posts/猫/": rehearsal.New},
	} {
		if got := second.editions(when); !maps.Equal(got, want) {
			t.Errorf("second: %s readers get %v, want %v", when, got, want)
		}
	}
	for _, v := range second.Visits {
		if v.When == rehearsal.AfterDeploy && v.Edition == rehearsal.Old && v.Cache != "Hit" {
			t.Errorf("an old page comes as %s, want it from the cache", v.Cache)
		}
	}
	kept, err := zip.OpenReader(filepath.Join(state, "kzmorita-blog.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = kept.Close() }() // It was only read.
	for _, file := range kept.File {    // The one that the second did not upload came through both.
		if file.Name == "about/index.html" && file.Comment != `{"ContentType":"text/html","CacheControl":"max-age=600"}` {
			t.Errorf("%s is kept with %s", file.Name, file.Comment)
		}
	}
	if len(kept.File) != 5 {
		t.Errorf("%d objects are kept, want 5", len(kept.File))
	}
	if last := second.events[len(second.events)-1]; last.Kind != rehearsal.Ended || last.Result.Status != rehearsal.Succeeded {
		t.Errorf("the last event is %+v", last)
	}
}

func TestReadersFindOutThatInvalidateRanBeforeDeploy(t *testing.T) {
	t.Parallel()
	plan := read(t, template(t, "uploaded-pipeline"))
	plan.Pipeline.Stages[2], plan.Pipeline.Stages[3] = plan.Pipeline.Stages[3], plan.Pipeline.Stages[2]
	r := rehearse(t, t.Context(), plan, Options{Source: blog(t)}, nil)
	failed := r.failed()
	if r.statuses() != "Succeeded Succeeded Succeeded Failed" || failed.Code != "StaleReaders" || !strings.Contains(failed.Reason, "the invalidation (Invalidate/Invalidate) ran before the upload") || !strings.Contains(failed.Reason, "/ (old, 200)") {
		t.Errorf("stages end as %s (%v): %+v", r.statuses(), r.err, failed)
	}
}

func TestThePermissionsThatAreUsedAreCounted(t *testing.T) {
	r := rehearse(t, t.Context(), read(t, template(t, "uploaded-pipeline")), Options{Source: blog(t)}, nil)
	used := map[string]int{}
	for _, role := range r.Permissions {
		for _, p := range role.Actions {
			used[strings.SplitN(role.Purpose, " ", 2)[0]+" "+p.Action] += p.Used
		}
	}
	for what, want := range map[string]int{
		"pipeline sts:AssumeRole": 4, "pipeline s3:PutObject": 0, "pipeline s3:DeleteObject*": 0,
		"action codebuild:StartBuild": 1, "action codebuild:StopBuild": 0, "build s3:GetObject*": 1, "build s3:PutObject": 1,
		"action s3:PutObject": 6, "action lambda:InvokeFunction": 1, "action lambda:ListFunctions": 0,
		"function cloudfront:CreateInvalidation": 1, "function codepipeline:PutJobFailureResult": 0, "function codepipeline:PutJobSuccessResult": 1,
	} {
		if got, known := used[what]; !known || got != want {
			t.Errorf("%s: used %d times (known: %t), want %d", what, got, known, want)
		}
	}
}

func TestPreparationIsNoTimeOfThePipeline(t *testing.T) {
	t.Parallel()
	const compiling = 300 * time.Millisecond
	r := rehearse(t, t.Context(), read(t, template(t, "uploaded-pipeline")), Options{Source: blog(t), Faults: Faults{"build": "fail"},
		compile: func(ctx context.Context, asset, binary string) error {
			time.Sleep(compiling)
			return link(invalidate)(ctx, asset, binary)
		}}, nil)
	if whole := r.Duration + r.Preparation; r.Preparation < compiling || r.events[len(r.events)-1].At.Sub(r.Started) < whole {
		t.Errorf("it took %v after %v of preparation", r.Duration, r.Preparation)
	}
	var stages time.Duration
	for _, stage := range r.Stages {
		stages += stage.Duration
	}
	if stages > r.Duration {
		t.Errorf("the stages took %v, all of it %v", stages, r.Duration)
	}
}

func TestAnErrorOfThisMachineIsNone(t *testing.T) {
	t.Parallel()
	nothing := filepath.Join(t.TempDir(), "nothing")
	state := filepath.Join(t.TempDir(), "state")
	for _, tt := range []struct {
		name, source string
		want         string
	}{
		{"the source is not there", nothing, "SOURCE is " + nothing + ", and there is no such folder"},
		{"the bucket cannot be kept", blog(t), "keep the bucket: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := rehearse(t, t.Context(), read(t, template(t, "uploaded-pipeline")), Options{Source: tt.source, State: state}, func(e rehearsal.Event) {
				if e.Kind == rehearsal.StageStarted {
					write(t, filepath.Dir(state), map[string]string{"state": "a file, where a folder should be made"})
				}
			})
			if r.err == nil || r.Status != rehearsal.Failed || r.Error != r.err.Error() || !strings.Contains(r.Error, tt.want) {
				t.Errorf("it is %s, for %q (%v); want %s, for %q", r.Status, r.Error, r.err, rehearsal.Failed, tt.want)
			}
		})
	}
}
