package show

import (
	"fmt"
	"time"

	"blog-deploy-pipeline/rehearse/pipeline"
)

// moment is an event and how long it comes after the one before.
type moment struct {
	after time.Duration
	event pipeline.Event
}

func play(d *Display, moments []moment) {
	for _, m := range moments {
		time.Sleep(m.after)
		m.event.At = time.Now()
		d.Event(m.event)
	}
}

const (
	ms  = time.Millisecond
	sec = time.Second
)

func plan() *pipeline.Result {
	r := &pipeline.Result{
		Name: "travel", Stack: "travel-blog", Account: "111122223333", Region: "ap-northeast-1",
		Execution: "3f1c2f6e-0d0c-4c58-9d5e-0c6e1f0b2a11",
		Stages: []pipeline.StageResult{
			{Name: "Source", Actions: []pipeline.ActionResult{{Name: "GitHub", Provider: "CodeStarSourceConnection", Target: "me/travel"}}},
			{Name: "Build", Actions: []pipeline.ActionResult{{Name: "Hugo", Provider: "CodeBuild", Target: "travel-build"}}},
			{Name: "Deploy", Actions: []pipeline.ActionResult{{Name: "S3", Provider: "S3", Target: "travel-bucket"}}},
			{Name: "Invalidate", Actions: []pipeline.ActionResult{{Name: "CloudFront", Provider: "Lambda", Target: "Invalidate"}}},
		},
	}
	for i := range r.Stages {
		r.Stages[i].Status = pipeline.NotRun
		r.Stages[i].Actions[0].Status = pipeline.NotRun
	}
	return r
}

func visit(when pipeline.When, path string, edition, wanted pipeline.Edition, cache string) pipeline.Visit {
	return pipeline.Visit{When: when, Path: path, Status: 200, Cache: cache, Edition: edition, Wanted: wanted}
}

// success is a rehearsal that succeeded.
func success() ([]moment, pipeline.Result) {
	r := *plan()
	end := func(i int, took time.Duration, summary string) {
		st := &r.Stages[i]
		st.Status, st.Duration = pipeline.Succeeded, took
		a := &st.Actions[0]
		a.Status, a.Duration, a.Summary = pipeline.Succeeded, took, summary
	}
	end(0, 300*ms, "97 files, 1.2 MB of commit 1a2b3c4")
	end(1, 6300*ms, "42 files, 1.3 MB")
	end(2, 2100*ms, "42 objects, 1.3 MB")
	end(3, 1400*ms, "invalidation I2J0EXAMPLE completed")
	r.Status, r.Duration, r.Skipped = pipeline.Succeeded, 10400*ms, 5*time.Minute+20*sec
	r.Site = &pipeline.Site{Bucket: "travel-bucket", Uploaded: 42, Bytes: 1_312_044, New: 1, Changed: 4, Left: 2, CacheControl: "public, max-age=0, s-maxage=31536000"}
	r.Invalidations = []pipeline.Invalidation{{ID: "I2J0EXAMPLE", Distribution: "E2EXAMPLE", Paths: []string{"/*"}, Status: "Completed", Took: 75 * sec}}
	r.Visits = []pipeline.Visit{
		visit(pipeline.BeforeDeploy, "/", pipeline.Old, pipeline.Old, "Hit"),
		visit(pipeline.BeforeDeploy, "/posts/はじめに/", pipeline.Old, pipeline.Old, "Hit"),
		visit(pipeline.BeforeDeploy, "/about/", pipeline.Same, "", "Hit"),
		visit(pipeline.AfterDeploy, "/", pipeline.Old, pipeline.Old, "Hit"),
		visit(pipeline.AfterDeploy, "/posts/はじめに/", pipeline.Old, pipeline.Old, "Hit"),
		visit(pipeline.AfterDeploy, "/about/", pipeline.Same, "", "Hit"),
		visit(pipeline.AfterInvalidate, "/", pipeline.New, pipeline.New, "Miss"),
		visit(pipeline.AfterInvalidate, "/posts/はじめに/", pipeline.New, pipeline.New, "Miss"),
		visit(pipeline.AfterInvalidate, "/about/", pipeline.Same, "", "Miss"),
	}
	r.Permissions = []pipeline.RolePermissions{
		{Role: "BuildRole41B77417", Purpose: "action Build/Hugo", Actions: []pipeline.Permission{
			{Action: "logs:PutLogEvents", Resource: "arn:aws:logs:ap-northeast-1:111122223333:log-group:/aws/codebuild/travel-build:*", Used: 3},
			{Action: "codebuild:CreateReportGroup", Resource: "arn:aws:codebuild:ap-northeast-1:111122223333:report-group/travel-build-*"},
			{Action: "s3:List*", Resource: "arn:aws:s3:::artifacts"},
		}},
		{Role: "InvalidateRole9F0C1D2E", Purpose: "function of Invalidate/CloudFront", Actions: []pipeline.Permission{
			{Action: "cloudfront:CreateInvalidation", Resource: "arn:aws:cloudfront::111122223333:distribution/E2EXAMPLE", Used: 1},
		}},
	}
	r.Notes = []string{"The build's commands run on this machine, not in CodeBuild's image: what they find on it may not be there at AWS.", "Compression at the edge is not rehearsed."}
	r.Warnings = []string{"1 file in . is not committed as it is, and a pipeline gets what is committed; WORKING_TREE=1 rehearses the working tree"}
	r.Preparation = 3 * sec

	on := func(kind pipeline.Kind, i int) pipeline.Event {
		e := pipeline.Event{Kind: kind, Stage: r.Stages[i].Name}
		switch kind {
		case pipeline.StageEnded:
			e.StageResult = &r.Stages[i]
		case pipeline.ActionEnded:
			e.Action, e.ActionResult = r.Stages[i].Actions[0].Name, &r.Stages[i].Actions[0]
		case pipeline.StageStarted:
		default:
			e.Action = r.Stages[i].Actions[0].Name
		}
		return e
	}
	output := func(phase, words string) pipeline.Event {
		e := on(pipeline.Output, 1)
		e.Phase, e.Text = phase, words
		return e
	}
	visited := func(i int) moment {
		return moment{10 * ms, pipeline.Event{Kind: pipeline.Visited, Visit: &r.Visits[i]}}
	}
	moments := []moment{
		{0, pipeline.Event{Kind: pipeline.Started, Result: plan()}},
		{0, pipeline.Event{Kind: pipeline.Preparing, Text: "Installing Hugo v0.164.0"}},
		{3 * sec, pipeline.Event{Kind: pipeline.Preparing, Text: "Hugo v0.164.0 is installed"}},
		{100 * ms, on(pipeline.StageStarted, 0)},
		{0, on(pipeline.ActionStarted, 0)},
		{300 * ms, on(pipeline.ActionEnded, 0)},
		{0, on(pipeline.StageEnded, 0)},
		{0, pipeline.Event{Kind: pipeline.Warned, Text: r.Warnings[0]}},
		{0, pipeline.Event{Kind: pipeline.Noted, Text: r.Notes[0]}},
		{0, on(pipeline.StageStarted, 1)},
		{0, on(pipeline.ActionStarted, 1)},
		{0, output("INSTALL", "[Container] Phase INSTALL")},
		{500 * ms, output("INSTALL", "npm ci")},
		{2 * sec, output("INSTALL", "\x1b[32madded 61 packages\x1b[0m in 2s\r\n")},
		{100 * ms, output("BUILD", "[Container] Running command hugo --minify")},
		{500 * ms, output("BUILD", "Start building sites …")},
		{200 * ms, output("BUILD", "WARN  \"content/posts/はじめに.md\": 画像の説明がありません 🖼️")},
		{3 * sec, output("BUILD", "10%\r50%\r100% Total in 61 ms")},
		{0, on(pipeline.ActionEnded, 1)},
		{0, on(pipeline.StageEnded, 1)},
		visited(0), visited(1), visited(2),
		{0, on(pipeline.StageStarted, 2)},
		{0, on(pipeline.ActionStarted, 2)},
	}
	for i := 1; i <= 42; i++ {
		e := on(pipeline.Progressed, 2)
		e.Text, e.Done, e.Total, e.Bytes = fmt.Sprintf("posts/はじめに/%d.jpg", i), i, 42, int64(i)*31239
		moments = append(moments, moment{50 * ms, e})
	}
	moments = append(moments,
		moment{0, on(pipeline.ActionEnded, 2)},
		moment{0, on(pipeline.StageEnded, 2)},
		visited(3), visited(4), visited(5),
		moment{0, on(pipeline.StageStarted, 3)},
		moment{0, on(pipeline.ActionStarted, 3)},
	)
	poll := on(pipeline.Progressed, 3)
	poll.Text = "Invalidation I2J0EXAMPLE is in progress"
	return append(moments,
		moment{400 * ms, poll},
		moment{sec, on(pipeline.ActionEnded, 3)},
		moment{0, on(pipeline.StageEnded, 3)},
		visited(6), visited(7), visited(8),
		moment{0, pipeline.Event{Kind: pipeline.Ended, Result: &r}},
	), r
}

// site is a success whose readers know where they are.
func site() ([]moment, pipeline.Result) {
	moments, r := success()
	for i := range r.Visits { // Those of the moments, too.
		r.Visits[i].URL = "https://blog.example.com" + r.Visits[i].Path
	}
	return moments, r
}

// broken is a rehearsal whose build failed.
func broken() ([]moment, pipeline.Result) {
	all, r := success()
	var moments []moment
	for _, m := range all {
		if m.event.Kind == pipeline.ActionEnded && m.event.Stage == "Build" {
			break
		}
		moments = append(moments, m)
	}
	for i := range 16 {
		moments = append(moments, moment{0, pipeline.Event{Kind: pipeline.Output, Stage: "Build", Action: "Hugo", Phase: "BUILD", Text: fmt.Sprintf("WARN  posts/%d has no date", i)}})
	}
	for _, said := range []string{"Error: error building site: 「はじめに」の本文を組み立てられません。render: failed to render pages: テンプレートが見つかりません。", "ERROR: hugo failed; its messages are above"} {
		moments = append(moments, moment{0, pipeline.Event{Kind: pipeline.Output, Stage: "Build", Action: "Hugo", Phase: "BUILD", Text: said}})
	}
	stages := plan().Stages
	stages[0] = r.Stages[0]
	build := &stages[1]
	build.Status, build.Duration = pipeline.Failed, 6300*ms
	a := &build.Actions[0]
	a.Status, a.Duration = pipeline.Failed, 6300*ms
	a.Code = "JobFailed"
	a.Reason = "Build terminated with state: FAILED. Phase: BUILD, Code: COMMAND_EXECUTION_ERROR, Message: Error while executing command: hugo --minify. Reason: exit status 1"
	a.Cause = "Error: error building site: 「はじめに」の本文を組み立てられません。render: failed to render pages: テンプレートが見つかりません。\nERROR: hugo failed; its messages are above"
	a.Look = "examples/blog/buildspec.yml, line 12, and the build's last lines above"
	r.Status, r.Duration, r.Skipped, r.Stages = pipeline.Failed, 9700*ms, 0, stages
	r.Site, r.Invalidations, r.Visits, r.Permissions = nil, nil, nil, nil
	return append(moments,
		moment{0, pipeline.Event{Kind: pipeline.ActionEnded, Stage: "Build", Action: "Hugo", ActionResult: a}},
		moment{0, pipeline.Event{Kind: pipeline.StageEnded, Stage: "Build", StageResult: build}},
		moment{0, pipeline.Event{Kind: pipeline.Ended, Result: &r}},
	), r
}
