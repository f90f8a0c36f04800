package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudfront/types"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/changes"
	"blog-deploy-pipeline/lambdas/internal/invalidation/invalidationtest"
	"blog-deploy-pipeline/lambdas/internal/invocation/invocationtest"
	"blog-deploy-pipeline/lambdas/internal/objecttest"
	"blog-deploy-pipeline/lambdas/internal/release"
)

const releaseID = "20261127-013000-1a2b3c4d"

// releases are those of a world whose jobs clear what has changed.
type releases struct {
	testing.TB
	client *objecttest.Client
	store  release.Store
}

// newReleases gives a world a blog of five files, of which the third publication has put
// none.
func newReleases(tb testing.TB, w *world) *releases {
	const bucket = "releases"
	client := &objecttest.Client{S3: objecttest.New(bucket)}
	r := &releases{tb, client, release.Store{S3: client, Bucket: bucket}}
	w.stage.changes = changes.Finder{Releases: r.store, Settings: changes.Settings{MaxPaths: 30}}
	files := map[string]release.File{}
	for _, key := range []string{"index.html", "a/index.html", "b/index.html", "main.css", "feed.xml"} {
		files[key] = release.File{Size: 1}
	}
	if err := r.store.PutManifest(tb.Context(), &release.Manifest{ID: releaseID, Number: 3, Files: files}); err != nil {
		tb.Fatal(err)
	}
	r.update(func(s *release.State) { s.Number, s.Current = 3, releaseID })
	return r
}

func (r *releases) update(change func(*release.State)) {
	if _, err := r.store.Update(r.Context(), func(s *release.State) error { change(s); return nil }); err != nil {
		r.Fatal(err)
	}
}

// touch is a publication that changes files.
func (r *releases) touch(keys ...string) {
	r.update(func(s *release.State) {
		s.Number++
		if s.Touched == nil {
			s.Touched = map[string]int64{}
		}
		for _, key := range keys {
			s.Touched[key] = s.Number
		}
	})
}

// left returns what is still to be cleared.
func (r *releases) left() string {
	state, err := r.store.Load(r.Context())
	if err != nil {
		r.Fatal(err)
	}
	left := slices.Sorted(maps.Keys(state.Touched))
	if state.ClearAll > 0 {
		left = append(left, "all")
	}
	return strings.Join(left, " ")
}

// refuse makes S3 deny an operation.
func (r *releases) refuse(operation string) {
	r.client.Before = func(call objecttest.Call) error {
		if call.Operation == operation {
			return objecttest.Denies()
		}
		return nil
	}
}

// continued returns the event that continues an action whose first event has no paths.
func continued(t *testing.T, token string) []byte {
	t.Helper()
	event := string(invocationtest.Event(t, "first-article"))
	const end = `"inputArtifacts"`
	if !strings.Contains(event, end) {
		t.Fatal("the event has another form")
	}
	return []byte(strings.Replace(event, end, `"continuationToken": `+contract.JSON(token)+", "+end, 1))
}

// ended says how an action ended, and what was created.
func (w *world) ended() (text string, created []string) {
	for _, in := range w.edge.Created() {
		created = append(created, strings.Join(in.InvalidationBatch.Paths.Items, " "))
	}
	if n := len(w.pipeline.Failures); n > 0 {
		details := w.pipeline.Failures[n-1].FailureDetails
		return fmt.Sprintf("%s: %s", details.Type, *details.Message), created
	}
	return *w.pipeline.Successes[len(w.pipeline.Successes)-1].ExecutionDetails.Summary, created
}

func TestClearsWhatHasChanged(t *testing.T) {
	const item = "invalidation I2J0I21PCUYOIK is completed."
	denied := invalidationtest.APIError(403, "AccessDenied", "no")
	invalid := invalidationtest.APIError(400, "InvalidArgument", "Your request contains one or more invalid invalidation paths.")
	// refusing refuses all items but some.
	refusing := func(all bool) *invalidationtest.CloudFront {
		edge := invalidationtest.Says("Completed")
		edge.Create = func(in *cloudfront.CreateInvalidationInput) (*cftypes.Invalidation, error) {
			if all || !slices.Equal(in.InvalidationBatch.Paths.Items, []string{contract.AllPaths}) {
				return nil, invalid
			}
			return invalidationtest.Invalidation(invalidationtest.ID, "Completed"), nil
		}
		return edge
	}
	tests := []struct {
		name        string
		event       string // default: first-article, which has no paths
		world       func(*world, *releases)
		want        string // how the text begins; with an ellipsis in place of a part
		wantCreated []string
		wantLeft    string
		wantCounted string // see invalidationtest.Counted, then the items and the needless evictions
	}{
		{name: "nothing", world: func(*world, *releases) {},
			want:        "Nothing to clear: of the 5 files of release " + releaseID + ", none has changed since the last invalidation.",
			wantCounted: "0 0 false, 0 0"},
		{name: "a file", world: func(_ *world, r *releases) { r.touch("main.css") },
			want:        "Cleared 1 item in 0s for 1 changed file of release " + releaseID + "; 0 of 4 unchanged files evicted: " + item,
			wantCreated: []string{"/main.css"}, wantCounted: "0 0 false, 1 0"},
		{name: "files", world: func(_ *world, r *releases) { r.touch("main.css", "a/index.html", "gone.html") },
			want:        "Cleared 3 items in 0s for 3 changed files of release " + releaseID + "; 0 of 3 unchanged files evicted: " + item,
			wantCreated: []string{"/a/* /gone.html /main.css"}, wantCounted: "0 0 false, 3 0"},
		{name: "more than it may name", world: func(w *world, r *releases) {
			r.touch("main.css", "a/index.html", "b/index.html")
			w.stage.changes = changes.Finder{Releases: r.store, Settings: changes.Settings{MaxPaths: 1}}
		},
			want:        "Cleared 1 item in 0s for 3 changed files of release " + releaseID + "; 2 of 2 unchanged files evicted: " + item,
			wantCreated: []string{"/*"}, wantCounted: "0 0 false, 1 2"},
		{name: "everything", world: func(_ *world, r *releases) { r.update(func(s *release.State) { s.ClearAll = 3 }) },
			want:        "Cleared everything in 0s, because it is not known what CloudFront had before: " + item,
			wantCreated: []string{"/*"}, wantCounted: "0 0 false, 1 0"},
		{name: "what another one has left", world: func(_ *world, r *releases) { r.touch("main.css"); r.touch() },
			want: "Cleared 1 item in 0s for 1 changed file", wantCreated: []string{"/main.css"}, wantCounted: "0 0 false, 1 0"},
		{name: "beside a publication", world: func(_ *world, r *releases) {
			r.touch("main.css")
			r.update(func(s *release.State) { s.Touched["feed.xml"] = s.Number + 1 })
		},
			want: "Cleared 2 items in 0s for 2 changed files", wantCreated: []string{"/feed.xml /main.css"}, wantLeft: "feed.xml", wantCounted: "0 0 false, 2 0"},
		{name: "outside of the blog's folder", world: func(w *world, r *releases) {
			r.touch("other/main.css")
			w.stage.changes = changes.Finder{Releases: r.store, Settings: changes.Settings{KeyPrefix: "blog", MaxPaths: 1}}
		},
			want: "Nothing to clear", wantCounted: "0 0 false, 0 0"},
		{name: "paths of the job", event: "first-job", world: func(_ *world, r *releases) { r.touch("main.css") },
			want: "Cleared /posts/* /index.html in 0s: " + item, wantCreated: []string{"/index.html /posts/*"}, wantLeft: "main.css", wantCounted: "0 0 false, <nil> <nil>"},

		{name: "denied by CloudFront", world: func(w *world, r *releases) { r.touch("main.css"); w.cloudFront(invalidationtest.Refuses(denied)) },
			want: "PermissionError: CloudFront refused: AccessDenied", wantCreated: []string{"/main.css"}, wantLeft: "main.css", wantCounted: "1 0 false, <nil> <nil>"},
		{name: "items that CloudFront refuses", world: func(w *world, r *releases) { r.touch("main.css"); w.cloudFront(refusing(false)) },
			want:        "Cleared 1 item in 0s for 1 changed file of release " + releaseID + "; 4 of 4 unchanged files evicted: " + item,
			wantCreated: []string{"/main.css", "/*"}, wantCounted: "0 0 false, 1 4"},
		{name: "anything that CloudFront refuses", world: func(w *world, r *releases) { r.touch("main.css"); w.cloudFront(refusing(true)) },
			want: "ConfigurationError: CloudFront refused: InvalidArgument", wantCreated: []string{"/main.css", "/*"}, wantLeft: "main.css", wantCounted: "1 0 false, <nil> <nil>"},
		{name: "denied by S3", world: func(_ *world, r *releases) { r.touch("main.css"); r.refuse("GetObject") },
			want: "PermissionError: find what has changed: read s3://releases/" + contract.ReleaseState + ": …AccessDenied", wantLeft: "main.css", wantCounted: "1 0 false, <nil> <nil>"},
		{name: "not noted", world: func(_ *world, r *releases) { r.touch("main.css"); r.refuse("PutObject") },
			want:        "WARNING: Cleared 1 item in 0s for 1 changed file of release " + releaseID + "; 0 of 4 unchanged files evicted: " + item + " The next invalidation clears the same once more, because this one could not be noted: write s3://releases/" + contract.ReleaseState + ": ",
			wantCreated: []string{"/main.css"}, wantLeft: "main.css", wantCounted: "0 0 false, 1 0"},
		{name: "panic", world: func(w *world, r *releases) { r.touch("main.css"); w.cloudFront(invalidationtest.Panics("x")) },
			want: "JobFailed: ", wantCreated: []string{"/main.css"}, wantLeft: "main.css", wantCounted: "1 0 false, <nil> <nil>"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld("Completed")
				r := newReleases(t, w)
				tt.world(w, r)
				if tt.event == "" {
					tt.event = "first-article"
				}
				if err := w.invoke(t, invocationtest.Event(t, tt.event)); err != nil {
					t.Fatal(err)
				}
				if n := w.pipeline.Reports(); n != 1 {
					t.Fatalf("sent %d reports, want 1", n)
				}
				text, created := w.ended()
				begin, part, _ := strings.Cut(tt.want, "…")
				if !strings.HasPrefix(text, begin) || !strings.Contains(text, part) {
					t.Errorf("ended with %q, want %q", text, tt.want)
				}
				if !slices.Equal(created, tt.wantCreated) {
					t.Errorf("created %q, want %q", created, tt.wantCreated)
				}
				r.client.Before = nil
				if left := r.left(); left != tt.wantLeft {
					t.Errorf("still to be cleared is %q, want %q", left, tt.wantLeft)
				}
				counted, _ := invalidationtest.Counted(t, w.log.Lines(t))
				for _, line := range w.log.Lines(t) {
					if line["_aws"] != nil {
						counted += fmt.Sprint(", ", line[contract.MetricInvalidationItems], " ", line[contract.MetricNeedlessEvictions])
					}
				}
				if counted != tt.wantCounted {
					t.Errorf("counted %q, want %q", counted, tt.wantCounted)
				}
			})
		})
	}
}

// The action goes on for as long as CloudFront needs, and notes at the end what was clear
// when it began.
func TestClearsWhatHasChangedInSeveralCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld("")
		r := newReleases(t, w)
		r.touch("main.css", "a/index.html")
		w.cloudFront(invalidationtest.CompletesAfter(100 * time.Second))
		event := invocationtest.Event(t, "first-article")
		calls := 0
		for ; event != nil; calls++ {
			if err := w.invoke(t, event); err != nil {
				t.Fatal(err)
			}
			event = nil
			last := w.pipeline.Successes[len(w.pipeline.Successes)-1]
			if last.ContinuationToken != nil {
				if len(*last.ContinuationToken) >= 500 {
					t.Errorf("the token has %d characters: %s", len(*last.ContinuationToken), *last.ContinuationToken)
				}
				event = continued(t, *last.ContinuationToken)
			}
			if calls == 0 { // another publication
				r.touch("feed.xml", "main.css")
				if left := r.left(); left != "a/index.html feed.xml main.css" {
					t.Errorf("still to be cleared is %q before the end", left)
				}
			}
		}
		text, created := w.ended()
		if want := "s for 2 changed files of release " + releaseID + "; 0 of 3 unchanged files evicted"; calls < 3 || !strings.HasPrefix(text, "Cleared 2 items in 1m") || !strings.Contains(text, want) {
			t.Errorf("ended after %d calls with %q, want several and %q", calls, text, want)
		}
		if !slices.Equal(created, []string{"/a/* /main.css"}) {
			t.Errorf("created %q, want one", created)
		}
		if left := r.left(); left != "feed.xml main.css" {
			t.Errorf("still to be cleared is %q, want what the other publication has touched", left)
		}
		variables := w.pipeline.Successes[len(w.pipeline.Successes)-1].OutputVariables
		if want := map[string]string{"InvalidationId": "I2J0I21PCUYOIK", "Seconds": variables["Seconds"], "Items": "2", "Needless": "0", "Release": releaseID}; !maps.Equal(variables, want) {
			t.Errorf("output variables are %v, want %v", variables, want)
		}
		for _, line := range w.log.Lines(t) {
			if line["release"] != releaseID || line[contract.DimensionBlog] != "my-blog" {
				t.Errorf("a line does not name the release and the blog: %v", line)
			}
		}
	})
}

// What was not cleared in time stays to be cleared, and so for owners who let that pass.
func TestLateInvalidationsAreNotForgotten(t *testing.T) {
	for _, tt := range []struct {
		onFailure contract.OnFailure
		want      string
	}{
		{contract.OnFailureFail, "JobFailed: invalidation I2J0I21PCUYOIK was not completed within"},
		{contract.OnFailureProceed, "WARNING: invalidation I2J0I21PCUYOIK was not completed within"},
	} {
		t.Run(string(tt.onFailure), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld("InProgress")
				r := newReleases(t, w)
				r.touch("main.css")
				w.stage.onFailure, w.stage.invalidator.Settings.Deadline = tt.onFailure, 10*time.Second
				if err := w.invoke(t, invocationtest.Event(t, "first-article")); err != nil {
					t.Fatal(err)
				}
				text, _ := w.ended()
				if !strings.HasPrefix(text, tt.want) {
					t.Errorf("ended with %q, want %q", text, tt.want)
				}
				if tt.onFailure == contract.OnFailureProceed && !strings.HasSuffix(text, "The next invalidation clears the same once more.") {
					t.Errorf("%q does not say what happens to what was not cleared", text)
				}
				if left := r.left(); left != "main.css" {
					t.Errorf("still to be cleared is %q, want main.css", left)
				}
			})
		})
	}
}

// If CloudFront accepts nothing in one call, the next one finds out again what has changed.
func TestFindsAgainWhatHasChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld("")
		r := newReleases(t, w)
		r.touch("main.css")
		w.cloudFront(invalidationtest.Refuses(invalidationtest.APIError(400, "TooManyInvalidationsInProgress", "x")))
		if err := w.invoke(t, invocationtest.Event(t, "first-article")); err != nil {
			t.Fatal(err)
		}
		r.touch("feed.xml")
		first := w.edge.Created()
		w.cloudFront(invalidationtest.Says("Completed"))
		if err := w.invoke(t, continued(t, *w.pipeline.Successes[0].ContinuationToken)); err != nil {
			t.Fatal(err)
		}
		text, created := w.ended()
		if !strings.HasPrefix(text, "Cleared 2 items in 40s") || !slices.Equal(created, []string{"/feed.xml /main.css"}) || r.left() != "" {
			t.Errorf("ended with %q and left %q, want both files cleared", text, r.left())
		}
		if aws.ToString(first[0].InvalidationBatch.CallerReference) == aws.ToString(w.edge.Created()[0].InvalidationBatch.CallerReference) {
			t.Error("other items have the same caller reference")
		}
	})
}

// An invalidation that was completed before another publication must not pass for one of
// the same items after it.
func TestReferenceNamesThePublication(t *testing.T) {
	w := newWorld("Completed")
	r := newReleases(t, w)
	var references []string
	for range 2 {
		r.touch("main.css")
		r.refuse("PutObject") // as if the process had ended there
		for range 2 {
			if err := w.invoke(t, invocationtest.Event(t, "first-article")); err != nil {
				t.Fatal(err)
			}
		}
		r.client.Before = nil
	}
	for _, in := range w.edge.Created() {
		references = append(references, *in.InvalidationBatch.CallerReference)
	}
	if len(references) != 4 || references[0] != references[1] || references[2] != references[3] || references[0] == references[2] {
		t.Errorf("references are %q, want one for each publication", references)
	}
}

// If the time of a call is over at the end, the next one notes what was cleared.
func TestNotesInTheNextCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld("Completed")
		r := newReleases(t, w)
		r.touch("main.css")
		w.stage.changes = slow{w.stage.changes}
		if err := w.invoke(t, invocationtest.Event(t, "first-article")); err != nil {
			t.Fatal(err)
		}
		if len(w.pipeline.Successes) != 1 || w.pipeline.Successes[0].ContinuationToken == nil {
			t.Fatalf("got %v %v, want a continuation", w.pipeline.Successes, w.pipeline.Failures)
		}
		w.stage.changes = w.stage.changes.(slow).finder
		if err := w.invoke(t, continued(t, *w.pipeline.Successes[0].ContinuationToken)); err != nil {
			t.Fatal(err)
		}
		if text, created := w.ended(); !strings.HasPrefix(text, "Cleared 1 item") || len(created) != 1 || r.left() != "" {
			t.Errorf("ended with %q, created %q and left %q, want one file cleared", text, created, r.left())
		}
	})
}

// slow never notes anything in time.
type slow struct{ finder }

func (s slow) Done(ctx context.Context, _ int64) error {
	<-ctx.Done()
	return errors.New("no answer")
}

// A token that was written before the stack was changed ends well.
func TestTokensOfTheOtherWay(t *testing.T) {
	for _, event := range []string{"continuation", "continuation-changed"} {
		w := newWorld("Completed")
		if event == "continuation" {
			newReleases(t, w).touch("index.html")
		}
		if err := w.invoke(t, invocationtest.Event(t, event)); err != nil || len(w.pipeline.Successes) != 1 {
			t.Errorf("%s: %v, reports %v", event, err, w.pipeline.Failures)
		}
	}
	w := newWorld("Completed")
	r := newReleases(t, w)
	r.touch("index.html")
	token := `{"v": 1, "job": "1", "invalidation": "I2J0I21PCUYOIK", "started": 946684800000, "deadline": 946686600000, "attempt": 1}`
	if err := w.invoke(t, continued(t, token)); err != nil {
		t.Fatal(err)
	}
	if text, _ := w.ended(); !strings.HasPrefix(text, "Cleared /* in") || r.left() != "index.html" {
		t.Errorf("ended with %q and left %q, want that of the other way", text, r.left())
	}
}

// found has always found the same changes.
type found changes.Plan

func (f found) Find(context.Context) (changes.Plan, error) { return changes.Plan(f), nil }
func (f found) Published(context.Context, int64) (changes.Published, error) {
	return changes.Published{}, nil
}
func (f found) Done(context.Context, int64) error { return nil }
func (f found) Everything(p changes.Plan) changes.Plan {
	p.Items = []string{contract.AllPaths}
	return p
}

// Foresee implements finder.
func (f found) Foresee(_ context.Context, touched []string) (changes.Plan, error) {
	f.Changed += len(touched)
	return changes.Plan(f), nil
}
