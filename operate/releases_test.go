package main

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	smithytime "github.com/aws/smithy-go/time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/fakeaws"
)

const (
	liveRelease    = "20261127-120300-00000003"
	earlierRelease = "20261127-120200-00000002"
)

// publishes makes the pipeline that of a blog, whose function publish knows two releases. It returns the requests for work
// that publish gets.
func publishes(t *testing.T, cloud *fakeaws.Cloud) *[]contract.Direct {
	t.Helper()
	var stages []fakeaws.PipelineStage
	for _, name := range []string{"Deploy", "Invalidate"} {
		a := fakeaws.PipelineAction{
			Name: name, ActionTypeID: fakeaws.ActionTypeID{Category: "Invoke", Provider: "Lambda"},
			Configuration: map[string]string{"FunctionName": "my-blog-" + name, "UserParameters": contract.JSON(contract.PublishParameters{PipelineName: "my-blog"})},
		}
		if name == "Deploy" {
			a.InputArtifacts = []fakeaws.ArtifactName{{Name: "Site"}}
		}
		stages = append(stages, fakeaws.PipelineStage{Name: name, Actions: []fakeaws.PipelineAction{a}})
	}
	if err := cloud.AddPipeline(fakeaws.Pipeline{Name: "my-blog", Stages: stages}); err != nil {
		t.Fatal(err)
	}
	at := time.Now().Add(-longAgo)
	var works []contract.Direct
	cloud.AddFunction("my-blog-Deploy", answers(t, func(d contract.Direct) contract.DirectAnswer {
		switch {
		case d.List > 0:
			return contract.DirectAnswer{Releases: []contract.Release{
				{ID: liveRelease, Time: at, Put: 3, Current: true, Kept: true, Revision: "3abcdef"}, {ID: earlierRelease, Time: at, Put: 2, Kept: true, Revision: "2abcdef"},
			}}
		case d.DryRun:
			return contract.DirectAnswer{Difference: &contract.Difference{Put: 1, Touched: []string{"index.html"}}}
		}
		works = append(works, d)
		return contract.DirectAnswer{Summary: "Published."}
	}))
	cloud.AddFunction("my-blog-Invalidate", answers(t, func(d contract.Direct) contract.DirectAnswer {
		if d.DryRun {
			return contract.DirectAnswer{Clearing: &contract.Clearing{Items: 1}}
		}
		return contract.DirectAnswer{Summary: "1 of 1 live."}
	}))
	return &works
}

func answers(t *testing.T, answer func(contract.Direct) contract.DirectAnswer) fakeaws.Function {
	return func(_ context.Context, event []byte) ([]byte, bool) {
		var e contract.DirectEvent
		if err := json.Unmarshal(event, &e); err != nil {
			t.Error(err)
		}
		text, err := json.Marshal(answer(e.Direct))
		if err != nil {
			t.Error(err)
		}
		return text, false
	}
}

func TestReleasesAndRollback(t *testing.T) {
	denied := func(operation string) fakeaws.Options {
		return fakeaws.Options{Authorize: func(c fakeaws.Call) error {
			if c.Action == operation {
				return io.EOF
			}
			return nil
		}}
	}
	throttledOnce := fakeaws.Options{Fault: func(c fakeaws.Call) fakeaws.Fault {
		if c.Action == "lambda:InvokeFunction" && c.N == 1 {
			return fakeaws.Fault{Kind: fakeaws.Throttle}
		}
		return fakeaws.Fault{}
	}}
	for _, tt := range []struct {
		name       string
		opts       fakeaws.Options
		args       []string
		stdin      string // "" for a stdin that is no terminal
		before     func(*testing.T, *fakeaws.Cloud)
		status     int
		out, wrong string
		published  int
	}{
		{name: "releases", args: []string{"releases", "-pipelines", mine}, out: "my-blog  us-east-1\n  RELEASE                   PUBLISHED  PUT  REMOVED  STARTED BY  STATE  COMMIT\n  " + liveRelease + "  1 h ago    3    0                    live   3abcdef\n"},
		{name: "throttled once", opts: throttledOnce, args: []string{"releases", "-pipelines", mine}, out: liveRelease},
		{name: "yes", args: []string{"rollback", "-pipelines", mine}, stdin: "y\n", out: "Publish " + earlierRelease + " again? [y/N] ", published: 1},
		{name: "yes, in full", args: []string{"rollback", "-pipelines", mine}, stdin: " Yes\n", out: "my-blog is back at release " + earlierRelease, published: 1},
		{name: "no", args: []string{"rollback", "-pipelines", mine}, stdin: "\n", status: exitFailed, out: "[y/N] ", wrong: "nothing was published, because the answer was no\n"},
		{name: "the end of the input", args: []string{"rollback", "-pipelines", mine}, stdin: "y", status: exitFailed, out: "[y/N] \n", wrong: "nobody has answered: YES=1 publishes without asking (EOF)\n"},
		{name: "no terminal", args: []string{"rollback", "-pipelines", mine}, status: exitFailed, wrong: "there is no terminal to ask on: YES=1 publishes without asking\n"},
		{name: "without asking", args: []string{"rollback", "-yes", "-to", "2abc", "-pipelines", mine}, out: "my-blog is back at release " + earlierRelease, published: 1},
		{name: "denied", opts: denied("lambda:InvokeFunction"), args: []string{"releases", "-pipelines", mine}, status: exitFailed, out: "my-blog  us-east-1\n",
			wrong: "your credentials do not allow lambda:InvokeFunction for my-blog: add that permission to your user or role: User: arn:aws:iam::123456789012:user/me is not authorized to perform: lambda:InvokeFunction on resource: arn:aws:lambda:us-east-1:123456789012:function:my-blog-Deploy"},
		{name: "the pipeline may not be read", opts: denied("codepipeline:GetPipeline"), args: []string{"rollback", "-pipelines", mine}, status: exitFailed, out: "my-blog", wrong: "your credentials do not allow codepipeline:GetPipeline for my-blog: add"},
		{name: "status", args: []string{"status", "-pipelines", mine}, out: "\n  Live        release " + liveRelease + ", for 1 h\n"},
		{name: "status, denied", opts: denied("lambda:InvokeFunction"), args: []string{"status", "-pipelines", mine}, out: "\n  What make rollback has published is not seen: your credentials do not allow lambda:InvokeFunction for my-blog: add"},
		{name: "no such function", before: func(t *testing.T, cloud *fakeaws.Cloud) {
			t.Helper()
			cloud.AddFunction("my-blog-Deploy", nil)
		}, args: []string{"releases", "-pipelines", mine}, status: exitFailed, out: "my-blog", wrong: "the pipeline my-blog names a function that is not there: deploy it again: Function not found: arn:aws:lambda:us-east-1:123456789012:function:my-blog-Deploy\n"},
		{name: "no such pipeline", args: []string{"releases", "-pipelines", `[{"Name":"other","Region":"us-east-1"}]`}, status: exitFailed, out: "other", wrong: "there is no pipeline other in this account and us-east-1"},
		{name: "no region", args: []string{"rollback", "-pipelines", `[{"Name":"my-blog"}]`}, status: exitFailed, wrong: "in which region is my-blog? Set its Region"},
		{name: "beside services", args: []string{"releases", "-pipelines", "[" + shop + "," + mine[1:]}, out: "my-blog  us-east-1\n  RELEASE"},
		{name: "of a service", args: []string{"rollback", "-pipelines", "[" + shop + "]"}, status: exitUsage, wrong: "there is no blog, and only blogs have releases: list one in blogs.go\n"},
		{name: "of two", args: []string{"rollback", "-pipelines", `[{"Name":"a"},{"Name":"b"}]`}, status: exitUsage, wrong: "which blog? Name it: make rollback BLOG=name\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cloud := account(t, tt.opts)
			works := publishes(t, cloud)
			if tt.before != nil {
				tt.before(t, cloud)
			}
			var stdout, stderr strings.Builder
			now := func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
			where := terminal{stdin: strings.NewReader(tt.stdin), asks: tt.stdin != "", stdout: &stdout, stderr: &stderr, sleep: now}
			if got := run(t.Context(), tt.args, where); got != tt.status {
				t.Errorf("status: got %d, want %d", got, tt.status)
			}
			if !strings.Contains(stdout.String(), tt.out) || !strings.Contains(stderr.String(), tt.wrong) || tt.wrong == "" && stderr.Len() > 0 {
				t.Errorf("got\n%s\nand\n%s\nwant %q and %q", &stdout, &stderr, tt.out, tt.wrong)
			}
			if len(*works) != tt.published {
				t.Errorf("published %d times, want %d", len(*works), tt.published)
			}
			for _, d := range *works {
				if d.Release != earlierRelease || d.By != "arn:aws:iam::123456789012:user/me" {
					t.Errorf("publish was asked for %+v", d)
				}
			}
		})
	}
}

// TestCtrlCAtTheQuestion stops while nobody answers.
func TestCtrlCAtTheQuestion(t *testing.T) {
	works := publishes(t, account(t, fakeaws.Options{}))
	ctx, stop := context.WithCancel(t.Context())
	silent, writer := io.Pipe()
	defer func() { _ = writer.Close() }()
	asked := &until{text: "[y/N]", then: stop}
	var stderr strings.Builder
	where := terminal{stdin: silent, asks: true, stdout: asked, stderr: &stderr, sleep: smithytime.SleepWithContext}
	if got := run(ctx, []string{"rollback", "-pipelines", mine}, where); got != exitStopped || stderr.Len() > 0 || len(*works) > 0 {
		t.Errorf("got %d and %q after %d publications, want %d and nothing", got, &stderr, len(*works), exitStopped)
	}
}

// until calls a function when a text is written.
type until struct {
	text string
	then func()
}

// Write implements io.Writer.
func (u *until) Write(p []byte) (int, error) {
	if strings.Contains(string(p), u.text) {
		u.then()
	}
	return len(p), nil
}
