package show

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/rehearse/rehearsal"
)

func TestSummary(t *testing.T) {
	for _, tc := range []struct {
		name    string
		result  rehearsal.Result
		want    []string
		not     []string
		verbose bool
	}{
		{"nothing", rehearsal.Result{}, []string{"ended in 0 ms"}, []string{"Stages", "Published", "readers", "note", "VERBOSE", "✗"}, false},
		{"no rehearsal", rehearsal.Result{Name: "blog", Status: rehearsal.Failed, Error: "SOURCE is x, and there is no such folder"},
			[]string{"\n✗ SOURCE is x, and there is no such folder\n\n✗ blog  failed in 0 ms\n"}, nil, false},
		{"first publish", rehearsal.Result{Site: &rehearsal.Site{Bucket: "b", Uploaded: 1, Bytes: 1, New: 1, First: true}},
			[]string{"1 object, 1 byte to b", "the first time"}, []string{"changed", "left", "the rehearsal's own"}, false},
		{"first publish that readers see", rehearsal.Result{Site: &rehearsal.Site{First: true}, Visits: []rehearsal.Visit{visit(rehearsal.BeforeDeploy, "/", rehearsal.Old, "", "Miss")}},
			[]string{"before Deploy\n  The old pages are the rehearsal's own: the bucket was empty, and readers need something that is replaced.\n    /"}, nil, false},
		{"a reader who got the wrong page, then the right one",
			rehearsal.Result{Status: rehearsal.Failed, Visits: []rehearsal.Visit{
				visit(rehearsal.AfterInvalidate, "/日本語/", rehearsal.Old, rehearsal.New, "Hit"),
				visit(rehearsal.AfterInvalidate, "/日本語/", rehearsal.New, rehearsal.New, "Miss"),
			}},
			[]string{"✗ /日本語/", "old (Hit), wanted new", "✗ Readers did not get what they should\n  /日本語/  after Invalidate  old (Hit), wanted new\n"},
			[]string{"new (Miss)", "✓"}, false},
		{"a reader who knows the whole address",
			rehearsal.Result{Status: rehearsal.Failed, Visits: []rehearsal.Visit{
				{When: rehearsal.AfterInvalidate, Path: "/a/", URL: "https://blog.example.com/a/", Status: 200, Cache: "Hit", Edition: rehearsal.Old, Wanted: rehearsal.New},
			}},
			[]string{"What readers see", "\n  at https://blog.example.com\n  ✗ /a/ ", "\n  https://blog.example.com/a/  after Invalidate  old (Hit), wanted new\n"}, nil, false},
		{"a page that was not there",
			rehearsal.Result{Visits: []rehearsal.Visit{
				{When: rehearsal.AfterInvalidate, Path: "/a/", Status: 200, Cache: "Miss", Edition: rehearsal.New},
				{When: rehearsal.BeforeDeploy, Path: "/b/", Status: 404, Cache: "Error", Edition: rehearsal.Missing},
			}},
			[]string{"before Deploy", "/a/            –             → new (Miss)\n", "/b/            404 missing   → –\n"}, []string{"after Deploy"}, false},
		{"links that work", rehearsal.Result{Links: &rehearsal.Links{Followed: 3, Found: 3}}, []string{"  ✓ 3 links of the home page followed\n"}, nil, false},
		{"no links", rehearsal.Result{Links: &rehearsal.Links{}}, nil, []string{"followed"}, false},
		{"links that do not", rehearsal.Result{Links: &rehearsal.Links{Followed: 30, Found: 30, Broken: append([]rehearsal.BrokenLink{{Link: "/%zz"}, {Link: "/tags/c++/", Status: 404, Built: "tags/c++/index.html"}}, make([]rehearsal.BrokenLink, 10)...)}},
			[]string{"  30 links of the home page followed, 12 broken:\n    /%zz (no address)\n    /tags/c++/ (404)\n", "\n    … and 2 more\n"}, []string{"✓"}, false},
		{"many paths", rehearsal.Result{Invalidations: []rehearsal.Invalidation{{ID: "I", Distribution: "E", Status: "InProgress", Paths: strings.Fields(strings.Repeat("/a ", 1234))}}},
			[]string{"E  I  InProgress  1,234 items", "… and 1,224 more"}, []string{"InProgress in "}, false},
		{"published by the function", rehearsal.Result{Site: &rehearsal.Site{Bucket: "b", Function: true, Uploaded: 86, Bytes: 2_000_000, Unchanged: 1933, Removed: 1, Retired: 2, Left: 5}},
			[]string{"  86 objects, 2.0 MB to b\n  1,933 unchanged, 1 removed, 2 kept for a while\n  3 objects that the function has not put, and leaves alone\n"}, []string{"deletes nothing", "new"}, false},
		{"published by the S3 action", rehearsal.Result{Site: &rehearsal.Site{Bucket: "b", Uploaded: 3, New: 1, Left: 2}},
			[]string{"  1 new, 0 changed, 2 the same\n  2 objects left from before: the Deploy action deletes nothing\n"}, []string{"unchanged"}, false},
		{"copies that were cleared", rehearsal.Result{Invalidations: []rehearsal.Invalidation{{ID: "I", Distribution: "E", Status: "Completed", Paths: []string{"/a/", "#r-1"}}}, Copies: &rehearsal.Copies{Held: 2019, Needless: 3}},
			[]string{"  E  I  Completed  2 items\n    /a/\n    #r-1\n  3 of the edge's 2,019 copies were cleared needlessly\n"}, nil, false},
		{"a reader who missed nothing", rehearsal.Result{Crawl: &rehearsal.Crawl{Views: 85, Loaded: 12}}, []string{"  ✓ 85 visits of pages while they were published, and nothing was missing\n"}, nil, false},
		{"a reader who missed something", rehearsal.Result{Crawl: &rehearsal.Crawl{Views: 85, Broken: append([]rehearsal.BrokenView{{Page: "/", Old: true, Missing: "/a.css", Status: 404, After: "removed a.css"}}, make([]rehearsal.BrokenView, 10)...)}},
			[]string{"  85 visits of pages while they were published, and readers missed:\n    /a.css (404) on the old / after removed a.css\n", "    … and 1 more\n"}, []string{"✓"}, false},
		{"a release that was taken back", rehearsal.Result{Rollback: &rehearsal.Rollback{Releases: []string{"RELEASE  PUT", "r2       1"}, Said: []string{"  live     r2", "b is back at release r1, after 4 s."}}},
			[]string{"\nRolled back\n  $ make releases\n  RELEASE  PUT\n  r2       1\n  $ make rollback\n    live     r2\n  b is back at release r1, after 4 s.\n"}, nil, false},
		{"a permission on several resources", rehearsal.Result{Status: rehearsal.Succeeded, Permissions: []rehearsal.RolePermissions{{Role: "R", Purpose: "action A/B", Actions: []rehearsal.Permission{{Action: "a:B", Resource: "arn:1 arn:2"}}}}},
			[]string{"\n  R  action A/B\n    a:B\n      on arn:1\n      on arn:2\n"}, []string{"VERBOSE"}, true},
		{"a role that used everything", rehearsal.Result{Status: rehearsal.Succeeded, Permissions: []rehearsal.RolePermissions{{Role: "R", Actions: []rehearsal.Permission{{Action: "a:B", Resource: "*", Used: 1}}}}},
			nil, []string{"ermissions"}, true},
		{"what is only counted", rehearsal.Result{Name: "b", Status: rehearsal.Succeeded, Notes: []string{"N"}, Warnings: []string{"W"}, Permissions: []rehearsal.RolePermissions{{Role: "R", Actions: []rehearsal.Permission{{Action: "a:B"}, {Action: "a:C"}}}}},
			[]string{"\nWarnings\n  - W\n\n  VERBOSE=1 shows what is left out or assumed here (1 note), and which permissions were not needed\n✓ b  succeeded in 0 ms\n"}, []string{"- N", "a:B"}, false},
		{"permissions of a pipeline that has failed", rehearsal.Result{Status: rehearsal.Failed, Permissions: []rehearsal.RolePermissions{{Role: "R", Actions: []rehearsal.Permission{{Action: "a:B"}}}}},
			nil, []string{"ermissions", "a:B"}, true},
		{"preparation", rehearsal.Result{Name: "b", Status: rehearsal.Succeeded, Duration: 2 * sec, Preparation: 3 * time.Minute},
			[]string{"\n✓ b  succeeded in 2.0 s, after 3 min of preparation\n"}, nil, false},
		{"a stage that failed without an action", rehearsal.Result{Status: rehearsal.Failed, Stages: []rehearsal.Stage{{Name: "Build", Status: rehearsal.Failed}}},
			[]string{"\n✗ Build  failed\n"}, nil, false},
		{"a code within the reason, on two lines", rehearsal.Result{Status: rehearsal.Failed, Stages: []rehearsal.Stage{{Name: "Deploy", Status: rehearsal.Failed, Actions: []rehearsal.Action{
			{Name: "S3", Status: rehearsal.Failed, Failure: rehearsal.Failure{Code: "AccessDenied", Reason: "AccessDenied: no\r\nPolicy: p", Look: "stacks/deploy.go"}}}}}},
			[]string{"\n✗ Deploy  S3  failed\n  AccessDenied: no\n  Policy: p\n  Look at stacks/deploy.go\n"}, nil, false},
		{"what a build said of its failure", rehearsal.Result{Name: "b", Status: rehearsal.Failed, Stages: []rehearsal.Stage{{Name: "Build", Status: rehearsal.Failed, Actions: []rehearsal.Action{
			{Name: "Hugo", Status: rehearsal.Failed, Failure: rehearsal.Failure{Code: "JobFailed", Reason: "Build terminated", Cause: "Error: no theme\nERROR: hugo failed", Look: "L"}}}}}},
			[]string{"\n✗ Build  Hugo  failed\n  Error: no theme\n  ERROR: hugo failed\n  JobFailed: Build terminated\n  Look at L\n\n✗ b  failed in 0 ms\n"}, nil, false},
		{"stages of a deployment", rehearsal.Result{Status: rehearsal.Succeeded, Stages: []rehearsal.Stage{
			{Name: "Install", Status: rehearsal.Succeeded}, {Name: "AllowTestTraffic", Status: rehearsal.NotRun},
			{Name: "AfterAllowTraffic", Status: rehearsal.Succeeded, Duration: sec, Actions: []rehearsal.Action{{Name: "Hook", Status: rehearsal.Succeeded, Summary: "reported Succeeded"}}},
		}}, []string{"✓ Install                     no hook\n", "· AllowTestTraffic            not run\n", "✓ AfterAllowTraffic    1.0 s  ████████████████████  reported Succeeded\n"}, nil, false},
		{"cancelled", rehearsal.Result{Status: rehearsal.Stopped, Duration: sec, Stages: []rehearsal.Stage{{Name: "Build", Status: rehearsal.Stopped, Actions: []rehearsal.Action{{Name: "Hugo", Status: rehearsal.Stopped}}}}},
			[]string{"stopped after 1.0 s", "\n■ Build  Hugo  stopped\n"}, nil, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := render(summary(tc.result, 0, tc.verbose), false, "\n")
			for _, want := range tc.want {
				if !strings.Contains(got, want) {
					t.Errorf("%q is missing in\n%s", want, got)
				}
			}
			for _, not := range tc.not {
				if strings.Contains(got, not) {
					t.Errorf("%q is in\n%s", not, got)
				}
			}
		})
	}
}

func TestEachWarningIsShownOnce(t *testing.T) {
	for _, closeFirst := range []bool{false, true} {
		var out bytes.Buffer
		d := New(&out, Options{})
		begin(d).Warn("Something to know.")
		if closeFirst {
			d.Close()
		}
		d.Result(rehearsal.Result{Warnings: []string{"Something to know.", "Something else."}})
		d.Close()
		for _, warning := range []string{"Something to know.", "Something else."} {
			if n := strings.Count(out.String(), warning); n != 1 {
				t.Errorf("closed first %t: %q is shown %d times, want once:\n%s", closeFirst, warning, n, &out)
			}
		}
	}
}

func TestWhatCommandsSayIsFolded(t *testing.T) {
	said := rehearsal.Rollback{Said: []string{"  back to  r1, 0123abcd Add a post about the mountains, 12 s ago", "13:48:25  Deploy: Published release r1 again, as r3: 1 put, 63 unchanged."}}
	var got []string
	for _, l := range rollback(&said, 51)[3:] {
		got = append(got, l.render(false))
	}
	want := []string{
		"  $ make rollback",
		"    back to  r1, 0123abcd Add a post about the",
		"             mountains, 12 s ago",
		"  13:48:25  Deploy: Published release r1 again, as",
		"            r3: 1 put, 63 unchanged.",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestSummariesOfActionsAreOneSentence(t *testing.T) {
	stage := rehearsal.Stage{Actions: []rehearsal.Action{{Name: "Publish", Summary: "Published r1. 3 put."}, {Name: "Look"}, {Name: "Invalidate", Summary: "Cleared /a. 3 of 3 live."}}}
	if got, want := said(stage), "Publish: Published r1. 3 put; Invalidate: Cleared /a. 3 of 3 live."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
