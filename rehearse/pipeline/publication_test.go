package pipeline

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/rehearsal"
)

func TestReadReadsTheFunctionThatPublishes(t *testing.T) {
	plan := read(t, template(t, "modern-pipeline"))
	deploy, invalidate := plan.Pipeline.Stages[2].Actions[0], plan.Pipeline.Stages[3].Actions[0]
	if deploy.String() != "Deploy/Publish" || deploy.Publishes != "kzmorita-blog" || deploy.Clears != "" || deploy.Remembers == "" || deploy.Remembers != invalidate.Remembers {
		t.Errorf("Deploy is %+v", deploy)
	}
	if invalidate.Publishes != "" || invalidate.Clears != "E2QWRUHAPOMQZL" {
		t.Errorf("Invalidate is %+v", invalidate)
	}
	if got, want := plan.Pipeline.buckets(), []string{"kzmorita-blog", deploy.Remembers}; !slices.Equal(got, want) {
		t.Errorf("the buckets are %q, want %q", got, want)
	}
	if got := plan.Pipeline.variables; !maps.Equal(got, map[string]string{contract.VariableAllowDeletions: contract.AllowDeletionsNo}) {
		t.Errorf("the variables are %v", got)
	}
}

func TestTheFunctionPublishesWhatHasChanged(t *testing.T) {
	source, state := blog(t), filepath.Join(t.TempDir(), "state")
	write(t, source, map[string]string{"site/old.css": "p { color: red }", "site/index.html": "<link rel=stylesheet href=/old.css>"})
	publish := func(name string) rehearsed {
		t.Helper()
		r := rehearse(t, t.Context(), read(t, template(t, "modern-pipeline")), Options{Source: source, State: state}, nil)
		if r.err != nil || r.statuses() != allSucceeded {
			t.Fatalf("%s: %s, %v: %+v", name, r.statuses(), r.err, r.failed())
		}
		return r
	}
	site := func(r rehearsed, uploaded, unchanged, removed, retired, left int) {
		t.Helper()
		got := *r.Site
		if got.Uploaded != uploaded || got.Unchanged != unchanged || got.Removed != removed || got.Retired != retired || got.Left != left || !got.Function {
			t.Errorf("got %+v, want %d uploaded, %d unchanged, %d removed, %d retired and %d left", got, uploaded, unchanged, removed, retired, left)
		}
	}
	first := publish("first")
	site(first, 6, 0, 0, 0, 0)
	if crawl := first.Crawl; crawl == nil || crawl.Views < 6 || crawl.Loaded == 0 || len(crawl.Broken) > 0 {
		t.Errorf("first: the reader has seen %+v", crawl)
	}

	again := publish("again")
	site(again, 0, 6, 0, 0, 0)

	write(t, source, map[string]string{"site/index.html": "<link rel=stylesheet href=/new.css>", "site/new.css": "p { color: blue }"})
	for _, gone := range []string{"about", "old.css"} {
		if err := os.RemoveAll(filepath.Join(source, "site", gone)); err != nil {
			t.Fatal(err)
		}
	}
	changed := publish("changed")
	site(changed, 2, 3, 1, 1, 1)
	if got := changed.editions(rehearsal.AfterInvalidate); !maps.Equal(got, map[string]rehearsal.Edition{"/": rehearsal.New, "/posts/猫/": rehearsal.Same}) {
		t.Errorf("readers get %v", got)
	}
	if copies := changed.Copies; copies == nil || copies.Held != 6 {
		t.Errorf("the edge's copies are %+v, want 6", copies)
	}
	if variables := changed.Stages[2].Actions[0].Variables; variables["Put"] != "2" || variables["Retired"] != "1" {
		t.Errorf("the variables are %v", variables)
	}
}

func TestTheFunctionFailsToPublish(t *testing.T) {
	const denied = "is not authorized to perform: "
	role := "the policies of the role PublishRole3D7F3A52 in the template; the log of the function "
	failsAt(t, 2, []failing{
		{name: "no permission to call it", golden: "modern-pipeline", edit: replace(t, `"lambda:InvokeFunction"`, `"lambda:InvokeAsync"`), code: "AccessDenied", reason: []string{denied + "lambda:InvokeFunction on resource: arn:aws:lambda:"}},
		{name: "no permission to put", golden: "modern-pipeline", edit: replace(t, `"s3:DeleteObject",
                "s3:PutObject"`, `"s3:DeleteObject"`), code: "PermissionError", reason: []string{denied + "s3:PutObject on resource: arn:aws:s3:::kzmorita-blog/"}, look: role},
		{name: "IAM denies all of S3", golden: "modern-pipeline", faults: "s3=denied", code: "PermissionError", reason: []string{contract.ReleaseState, "with an explicit deny in an identity-based policy"}, look: role},
		{name: "build without a home page", golden: "modern-pipeline", spoil: func(t *testing.T, source string) {
			if err := os.Remove(filepath.Join(source, "site", "index.html")); err != nil {
				t.Fatal(err)
			}
		}, code: "ConfigurationError", reason: []string{"index.html"}},
	})
}

func TestAVariableAllowsDeletions(t *testing.T) {
	source, state := blog(t), filepath.Join(t.TempDir(), "state")
	for i := range 40 {
		write(t, source, map[string]string{filepath.Join("site", strings.Repeat("x", i+1), "index.html"): "page"})
	}
	publish := func(variables string) rehearsed {
		t.Helper()
		plan := read(t, template(t, "modern-pipeline"))
		if err := plan.Set(variables); err != nil {
			t.Fatal(err)
		}
		return rehearse(t, t.Context(), plan, Options{Source: source, State: state}, nil)
	}
	if r := publish(""); r.statuses() != allSucceeded {
		t.Fatalf("first: %s, %v: %+v", r.statuses(), r.err, r.failed())
	}
	for i := range 30 {
		if err := os.RemoveAll(filepath.Join(source, "site", strings.Repeat("x", i+1))); err != nil {
			t.Fatal(err)
		}
	}
	if r := publish(""); r.failed().Name != "Publish" || !strings.Contains(r.failed().Reason, contract.VariableAllowDeletions) || !strings.Contains(r.failed().Look, "in a rehearsal with VARIABLES="+contract.VariableAllowDeletions) {
		t.Errorf("without the variable: %s, %v: %+v", r.statuses(), r.err, r.failed())
	}
	if r := publish(contract.VariableAllowDeletions + "=" + contract.AllowDeletionsYes); r.statuses() != allSucceeded || r.Site.Removed != 30 {
		t.Errorf("with the variable: %s, %v: %+v, %+v", r.statuses(), r.err, r.failed(), r.Site)
	}
}

func TestWhatAFailedInvalidationLeavesIsClearedNextTime(t *testing.T) {
	source, state := blog(t), filepath.Join(t.TempDir(), "state")
	publish := func(faults Faults) rehearsed {
		t.Helper()
		return rehearse(t, t.Context(), read(t, template(t, "modern-pipeline")), Options{Source: source, State: state, Faults: faults}, nil)
	}
	kept := filepath.Join(state, "E2QWRUHAPOMQZL.copies.json")
	if first := publish(nil); first.err != nil || first.statuses() != allSucceeded {
		t.Fatalf("first: %s, %v: %+v", first.statuses(), first.err, first.failed())
	}
	if _, err := os.Stat(kept); !os.IsNotExist(err) {
		t.Errorf("first: copies are kept: %v", err)
	}
	write(t, source, map[string]string{"site/about/index.html": "<h1>about us</h1>"})
	if err := os.RemoveAll(filepath.Join(source, "site", "posts")); err != nil {
		t.Fatal(err)
	}
	if second := publish(Faults{"cloudfront": "quota"}); second.failed().Name != "Invalidate" {
		t.Fatalf("second: %s, %v: %+v", second.statuses(), second.err, second.failed())
	}
	if _, err := os.Stat(kept); err != nil {
		t.Errorf("second: no copies are kept: %v", err)
	}
	third := publish(nil)
	if third.err != nil || third.statuses() != allSucceeded || third.Site.Uploaded != 0 {
		t.Fatalf("third: %s, %v: %+v, %+v", third.statuses(), third.err, third.failed(), third.Site)
	}
	if made := third.Invalidations; len(made) != 1 || !strings.Contains(strings.Join(made[0].Paths, " "), "/about") {
		t.Errorf("third: invalidations are %+v", made)
	}
	for when, want := range map[rehearsal.When]rehearsal.Edition{rehearsal.BeforeDeploy: rehearsal.Old, rehearsal.AfterDeploy: rehearsal.Old, rehearsal.AfterInvalidate: rehearsal.New} {
		if got := third.editions(when)["/about/"]; got != want {
			t.Errorf("third: %s readers of /about/ get %s, want %s", when, got, want)
		}
	}
	if copies := third.Copies; copies == nil || copies.Held != 5 || copies.Needless != 0 {
		t.Errorf("third: the edge's copies are %+v, want 5, with that of the post that was removed", copies)
	}
	if _, err := os.Stat(kept); !os.IsNotExist(err) {
		t.Errorf("third: copies are kept: %v", err)
	}
}
