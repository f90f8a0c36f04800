package show

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"blog-deploy-pipeline/rehearse/rehearsal"
)

const (
	ms  = time.Millisecond
	sec = time.Second
)

var update = flag.Bool("update", false, "write the golden files again")

// golden compares what was shown with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s\n(go test ./rehearse/show -update writes it anew)", file, got, want)
	}
}

// moment is something that happens in a rehearsal, and the time since the moment before.
type moment struct {
	after time.Duration
	do    func(*rehearsal.Record)
}

// play begins a rehearsal that a display shows, and plays its moments.
func play(d *Display, moments []moment, faults ...rehearsal.Fault) {
	planned := plan()
	planned.Faults = slices.Clone(faults)
	for i := range planned.Faults {
		planned.Faults[i].Strikes = nil
	}
	r := rehearsal.Begin(planned, d.Event)
	for _, m := range moments {
		time.Sleep(m.after)
		m.do(r)
	}
}

// begin begins a rehearsal that a display shows.
func begin(d *Display) *rehearsal.Record { return rehearsal.Begin(plan(), d.Event) }

// plan is a rehearsal that has not begun.
func plan() rehearsal.Result {
	stage := func(name, action, provider, target string) rehearsal.Stage {
		return rehearsal.Stage{Name: name, Status: rehearsal.NotRun, Actions: []rehearsal.Action{
			{Name: action, Provider: provider, Target: target, Status: rehearsal.NotRun},
		}}
	}
	return rehearsal.Result{
		Name: "travel", Stack: "travel-blog", Account: "111122223333", Region: "ap-northeast-1",
		Execution: "3f1c2f6e-0d0c-4c58-9d5e-0c6e1f0b2a11", Status: rehearsal.InProgress,
		Stages: []rehearsal.Stage{
			stage("Source", "GitHub", "CodeStarSourceConnection", "me/travel"),
			stage("Build", "Hugo", "CodeBuild", "travel-build"),
			stage("Deploy", "S3", "S3", "travel-bucket"),
			stage("Invalidate", "CloudFront", "Lambda", "Invalidate"),
		},
	}
}

func visit(when rehearsal.When, path string, edition, wanted rehearsal.Edition, cache string) rehearsal.Visit {
	return rehearsal.Visit{When: when, Path: path, Status: 200, Cache: cache, Edition: edition, Wanted: wanted}
}

// buildMoments is the number of success's moments before the build ends.
const buildMoments = 13

// success is a rehearsal that succeeded.
func success() ([]moment, rehearsal.Result) {
	r := plan()
	succeed := func(i int, took time.Duration, summary string) {
		st := &r.Stages[i]
		st.Status, st.Duration = rehearsal.Succeeded, took
		a := &st.Actions[0]
		a.Status, a.Duration, a.Summary = rehearsal.Succeeded, took, summary
	}
	succeed(0, 300*ms, "97 files, 1.2 MB of commit 1a2b3c4")
	succeed(1, 6300*ms, "42 files, 1.3 MB")
	succeed(2, 2100*ms, "42 objects, 1.3 MB")
	succeed(3, 1400*ms, "invalidation I2J0EXAMPLE completed")
	r.Status, r.Duration, r.Skipped = rehearsal.Succeeded, 10400*ms, 5*time.Minute+20*sec
	r.Site = &rehearsal.Site{Bucket: "travel-bucket", Uploaded: 42, Bytes: 1_312_044, New: 1, Changed: 4, Left: 2, CacheControl: "public, max-age=0, s-maxage=31536000"}
	r.Invalidations = []rehearsal.Invalidation{{ID: "I2J0EXAMPLE", Distribution: "E2EXAMPLE", Paths: []string{"/*"}, Status: "Completed", Took: 75 * sec}}
	r.Visits = []rehearsal.Visit{
		visit(rehearsal.BeforeDeploy, "/", rehearsal.Old, rehearsal.Old, "Hit"),
		visit(rehearsal.BeforeDeploy, "/posts/はじめに/", rehearsal.Old, rehearsal.Old, "Hit"),
		visit(rehearsal.BeforeDeploy, "/about/", rehearsal.Same, "", "Hit"),
		visit(rehearsal.AfterDeploy, "/", rehearsal.Old, rehearsal.Old, "Hit"),
		visit(rehearsal.AfterDeploy, "/posts/はじめに/", rehearsal.Old, rehearsal.Old, "Hit"),
		visit(rehearsal.AfterDeploy, "/about/", rehearsal.Same, "", "Hit"),
		visit(rehearsal.AfterInvalidate, "/", rehearsal.New, rehearsal.New, "Miss"),
		visit(rehearsal.AfterInvalidate, "/posts/はじめに/", rehearsal.New, rehearsal.New, "Miss"),
		visit(rehearsal.AfterInvalidate, "/about/", rehearsal.Same, "", "Miss"),
	}
	r.Permissions = []rehearsal.RolePermissions{
		{Role: "BuildRole41B77417", Purpose: "action Build/Hugo", Actions: []rehearsal.Permission{
			{Action: "logs:PutLogEvents", Resource: "arn:aws:logs:ap-northeast-1:111122223333:log-group:/aws/codebuild/travel-build:*", Used: 3},
			{Action: "codebuild:CreateReportGroup", Resource: "arn:aws:codebuild:ap-northeast-1:111122223333:report-group/travel-build-*"},
			{Action: "s3:List*", Resource: "arn:aws:s3:::artifacts"},
		}},
		{Role: "InvalidateRole9F0C1D2E", Purpose: "function of Invalidate/CloudFront", Actions: []rehearsal.Permission{
			{Action: "cloudfront:CreateInvalidation", Resource: "arn:aws:cloudfront::111122223333:distribution/E2EXAMPLE", Used: 1},
		}},
	}
	r.Notes = []string{"The build's commands run on this machine, not in CodeBuild's image: what they find on it may not be there at AWS.", "Compression at the edge is not rehearsed."}
	r.Warnings = []string{"1 file in . is not committed as it is, and a pipeline gets what is committed; WORKING_TREE=1 rehearses the working tree"}
	r.Preparation = 3 * sec

	started := func(after time.Duration, i int) moment {
		return moment{after, func(record *rehearsal.Record) {
			record.StartStage(r.Stages[i].Name)
			record.StartAction(r.Stages[i].Name, r.Stages[i].Actions[0].Name)
		}}
	}
	ended := func(after time.Duration, i int) moment {
		return moment{after, func(record *rehearsal.Record) { end(record, r.Stages[i]) }}
	}
	told := func(after time.Duration, i int, e rehearsal.Event) moment {
		e.Stage, e.Action = r.Stages[i].Name, r.Stages[i].Actions[0].Name
		return moment{after, func(record *rehearsal.Record) { record.Tell(e) }}
	}
	output := func(after time.Duration, phase, words string) moment {
		return told(after, 1, rehearsal.Event{Kind: rehearsal.Output, Phase: phase, Text: words})
	}
	visited := func(i int) moment {
		return moment{10 * ms, func(record *rehearsal.Record) { record.Visited(r.Visits[i]) }}
	}
	moments := []moment{
		{0, func(record *rehearsal.Record) { record.Preparing("Installing Hugo v0.164.0") }},
		{3 * sec, func(record *rehearsal.Record) { record.Preparing("Hugo v0.164.0 is installed") }},
		started(100*ms, 0),
		ended(300*ms, 0),
		{0, func(record *rehearsal.Record) { record.Warn("%s", r.Warnings[0]); record.Note("%s", r.Notes[0]) }},
		started(0, 1),
		output(0, "INSTALL", "[Container] Phase INSTALL"),
		output(500*ms, "INSTALL", "npm ci"),
		output(2*sec, "INSTALL", "\x1b[32madded 61 packages\x1b[0m in 2s\r\n"),
		output(100*ms, "BUILD", "[Container] Running command hugo --minify"),
		output(500*ms, "BUILD", "Start building sites …"),
		output(200*ms, "BUILD", "WARN  \"content/posts/はじめに.md\": 画像の説明がありません 🖼️"),
		output(3*sec, "BUILD", "10%\r50%\r100% Total in 61 ms"),
		ended(0, 1),
		visited(0), visited(1), visited(2),
		started(0, 2),
	}
	for i := 1; i <= 42; i++ {
		moments = append(moments, told(50*ms, 2, rehearsal.Event{
			Kind: rehearsal.Progressed, Text: fmt.Sprintf("posts/はじめに/%d.jpg", i), Done: i, Total: 42, Bytes: int64(i) * 31239,
		}))
	}
	return append(moments,
		ended(0, 2),
		visited(3), visited(4), visited(5),
		started(0, 3),
		told(400*ms, 3, rehearsal.Event{Kind: rehearsal.Progressed, Text: "Invalidation I2J0EXAMPLE is in progress"}),
		ended(sec, 3),
		visited(6), visited(7), visited(8),
		finish(&r),
	), r
}

// end ends a stage and its action.
func end(record *rehearsal.Record, stage rehearsal.Stage) {
	record.EndAction(stage.Name, stage.Actions[0])
	record.EndStage(stage.Name, stage.Status, stage.Duration)
}

// finish ends a rehearsal with a result.
func finish(r *rehearsal.Result) moment {
	return moment{0, func(record *rehearsal.Record) { record.End(func(all *rehearsal.Result) { *all = *r }) }}
}

// site is a success whose readers know the name of the site.
func site() ([]moment, rehearsal.Result) {
	moments, r := success()
	for i := range r.Visits { // The moments use them, too.
		r.Visits[i].URL = "https://blog.example.com" + r.Visits[i].Path
	}
	return moments, r
}

// stricken is a success in spite of a fault. Another fault never struck.
func stricken() ([]moment, rehearsal.Result) {
	moments, r := success()
	const throttle, missed = "cloudfront=throttle", "the fault sts=no-role never struck, and so this rehearsal does not show what it leads to: no function assumed a role"
	create := rehearsal.Strike{Stage: "Invalidate", Action: "CloudFront", On: "cloudfront:CreateInvalidation", Times: 3}
	get := rehearsal.Strike{Stage: "Invalidate", Action: "CloudFront", On: "cloudfront:GetInvalidation", Times: 1}
	r.Faults = []rehearsal.Fault{
		{Name: throttle, Effect: "CloudFront refuses the first 3 calls of each operation: Rate exceeded", Strikes: []rehearsal.Strike{create, get}},
		{Name: "sts=no-role", Effect: "the role that the function assumes does not exist yet"},
	}
	r.Warnings = append(slices.Clone(r.Warnings), missed)
	invalidates := len(moments) - 6
	rest := slices.Clone(moments[invalidates : len(moments)-1])
	moments = moments[:invalidates]
	for _, strike := range []rehearsal.Strike{create, get} {
		for range strike.Times {
			moments = append(moments, moment{100 * ms, func(record *rehearsal.Record) { record.Struck(throttle, strike.On) }})
		}
	}
	moments = append(moments, rest...)
	return append(moments, moment{0, func(record *rehearsal.Record) { record.Warn("%s", missed) }}, finish(&r)), r
}

// broken is a rehearsal whose build failed.
func broken() ([]moment, rehearsal.Result) {
	moments, r := success()
	moments = moments[:buildMoments]
	write := func(words string) {
		moments = append(moments, moment{0, func(record *rehearsal.Record) {
			record.Tell(rehearsal.Event{Kind: rehearsal.Output, Stage: "Build", Action: "Hugo", Phase: "BUILD", Text: words})
		}})
	}
	for i := range 16 {
		write(fmt.Sprintf("WARN  posts/%d has no date", i))
	}
	write("Error: error building site: 「はじめに」の本文を組み立てられません。render: failed to render pages: テンプレートが見つかりません。")
	write("ERROR: hugo failed; its messages are above")
	stages := plan().Stages
	stages[0] = r.Stages[0]
	build := &stages[1]
	build.Status, build.Duration = rehearsal.Failed, 6300*ms
	a := &build.Actions[0]
	a.Status, a.Duration = rehearsal.Failed, 6300*ms
	a.Failure = rehearsal.Failure{
		Code:   "JobFailed",
		Reason: "Build terminated with state: FAILED. Phase: BUILD, Code: COMMAND_EXECUTION_ERROR, Message: Error while executing command: hugo --minify. Reason: exit status 1",
		Cause:  "Error: error building site: 「はじめに」の本文を組み立てられません。render: failed to render pages: テンプレートが見つかりません。\nERROR: hugo failed; its messages are above",
		Look:   "examples/blog/buildspec.yml, line 12, and the build's last lines above",
	}
	r.Status, r.Duration, r.Skipped, r.Stages = rehearsal.Failed, 9700*ms, 0, stages
	r.Site, r.Invalidations, r.Visits, r.Permissions = nil, nil, nil, nil
	return append(moments, moment{0, func(record *rehearsal.Record) { end(record, *build) }}, finish(&r)), r
}
