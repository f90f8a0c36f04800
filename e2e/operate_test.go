package e2e

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/fakeaws"
)

// TestMakeOperates looks after a blog as its owner does, with an account that has the blog's pipeline.
func TestMakeOperates(t *testing.T) {
	c := sharedCheckout(t)
	const live, earlier = "20261127-120300-00000003", "20261127-120200-00000002"
	cloud := fakeaws.New(fakeaws.Options{Region: "eu-central-1"}) // the region of the blog own
	server := httptest.NewServer(cloud)
	t.Cleanup(server.Close)
	env := []string{"AWS_ENDPOINT_URL=" + server.URL}
	for name, value := range cloud.Issue("arn:aws:iam::123456789012:user/me", time.Hour).Env() {
		env = append(env, name+"="+value)
	}
	parameters := contract.JSON(contract.PublishParameters{PipelineName: "own"})
	action := func(stage string, inputs ...fakeaws.ArtifactName) fakeaws.PipelineStage {
		return fakeaws.PipelineStage{Name: stage, Actions: []fakeaws.PipelineAction{{
			Name: stage, ActionTypeID: fakeaws.ActionTypeID{Category: "Invoke", Provider: "Lambda"}, InputArtifacts: inputs,
			Configuration: map[string]string{"FunctionName": "own-" + stage, "UserParameters": parameters},
		}}}
	}
	if err := cloud.AddPipeline(fakeaws.Pipeline{Name: "own", Stages: []fakeaws.PipelineStage{action("Deploy", fakeaws.ArtifactName{Name: "Site"}), action("Invalidate")}}); err != nil {
		t.Fatal(err)
	}
	var published []string // releases
	answers := func(answer func(contract.Direct) contract.DirectAnswer) fakeaws.Function {
		return func(_ context.Context, event []byte) ([]byte, bool) {
			var e contract.DirectEvent
			err := json.Unmarshal(event, &e)
			return []byte(contract.JSON(answer(e.Direct))), err != nil
		}
	}
	cloud.AddFunction("own-Deploy", answers(func(d contract.Direct) contract.DirectAnswer {
		switch {
		case d.List > 0:
			return contract.DirectAnswer{Releases: contract.Releases{{ID: live, Revision: "3abcdef", Current: true, Kept: true}, {ID: earlier, Revision: "2abcdef", Kept: true}}}
		case d.DryRun:
			return contract.DirectAnswer{Summary: "Would put 1.", Difference: &contract.Difference{Put: 1}}
		}
		published = append(published, d.Release)
		return contract.DirectAnswer{Summary: "Published."}
	}))
	cloud.AddFunction("own-Invalidate", answers(func(contract.Direct) contract.DirectAnswer {
		return contract.DirectAnswer{Summary: "1 of 1 live.", Clearing: &contract.Clearing{Items: 1}}
	}))
	for _, tt := range []struct {
		target, want string
		fails        bool
		published    []string
	}{
		{target: "status BLOG=own", want: "own  eu-central-1\n  Deploy      not run yet\n"},
		{target: "releases BLOG=own", want: "\n  " + live},
		{target: "releases BLOG=nope", want: `no blog "nope" in blogs.go; there are: blog`, fails: true},
		{target: "releases", want: "which blog? Name it: make releases BLOG=name\n", fails: true},
		{target: "rollback BLOG=own", want: "YES=1 publishes without asking", fails: true},
		{target: "rollback BLOG=own YES=1", want: "  Deploy: Published.\n", published: []string{earlier}},
		{target: "rollback BLOG=own TO=2abc YES=1", want: "own is back at release " + earlier, published: []string{earlier}},
		{target: "rollback BLOG=own TO=9 YES=1", want: `"9" is the beginning of the id or the commit of none`, fails: true},
	} {
		published = nil
		out, err := c.make(tt.target, env...)
		if (err != nil) != tt.fails || !strings.Contains(out, tt.want) || !slices.Equal(published, tt.published) {
			t.Errorf("make %s: %v, published %v\n%s\nwant %v and %q", tt.target, err, published, out, tt.published, tt.want)
		}
	}
}
