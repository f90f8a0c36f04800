package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudfront/types"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/changes"
	"blog-deploy-pipeline/lambdas/internal/invalidation/invalidationtest"
	"blog-deploy-pipeline/lambdas/internal/invocation/invocationtest"
	"blog-deploy-pipeline/lambdas/internal/proof"
	"blog-deploy-pipeline/lambdas/internal/release"
	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/functiontest"
)

// earlier is the release before releaseID.
const earlier = "20261126-090000-0a0a0a0a"

// site is what readers of a blog get. It is safe for concurrent use.
type site struct {
	mu sync.Mutex
	// answers are by path. A path without one has nothing.
	answers  map[string]http.HandlerFunc
	requests int
}

// newSite returns a site at which readers have the files of a release, each of which has its
// key as its content.
func newSite(keys ...string) *site {
	s := &site{answers: map[string]http.HandlerFunc{}}
	for _, key := range keys {
		s.answers["/"+strings.TrimSuffix(key, "index.html")] = serves(key, releaseID)
	}
	return s
}

// answer replaces the answer for a path.
func (s *site) answer(path string, answer http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[path] = answer
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	answer := s.answers[r.URL.Path]
	s.requests++
	s.mu.Unlock()
	w.Header().Set("X-Amz-Cf-Pop", "FRA56-P4")
	if answer == nil {
		answer = status(http.StatusNotFound)
	}
	answer(w, r)
}

// RoundTrip implements http.RoundTripper, for tests without a network.
func (s *site) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Code == unanswered {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	return w.Result(), nil
}

// unanswered is the status of a request to which a site without a network never answers.
const unanswered = 999

// serves answers with a content that a release has put.
func serves(content, release string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Amz-Meta-Cache-Tag", "r-"+release)
		_, _ = io.WriteString(w, content)
	}
}

func status(code int, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(code)
	}
}

// ofKeys returns a manifest of files, each of which has its key as its content.
func ofKeys(committed time.Time, keys ...string) *release.Manifest {
	manifest := &release.Manifest{ID: releaseID, Number: 3, Time: committed, Files: map[string]release.File{}}
	for _, key := range keys {
		sum := sha256.Sum256([]byte(key))
		manifest.Files[key] = release.File{Size: int64(len(key)), SHA256: hex.EncodeToString(sum[:]), Tag: "r-" + releaseID}
	}
	return manifest
}

var blogKeys = []string{"index.html", "a/index.html", "b/index.html", "main.css", "feed.xml"}

// newProvenWorld returns a world whose function looks at a site at which readers have what
// was published a second ago: a style, a page, and the end of another page.
func newProvenWorld(t *testing.T) (*world, *releases, *site) {
	t.Helper()
	w := newWorld("Completed")
	r := newReleases(t, w)
	s := newSite(blogKeys...)
	w.stage.prover = &proof.Prover{
		Settings: proof.Settings{Site: "https://example.com"}, PollEvery: 2 * time.Second, Client: &http.Client{
			Transport: s, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	if err := r.store.PutManifest(t.Context(), ofKeys(time.Now(), blogKeys...)); err != nil {
		t.Fatal(err)
	}
	r.touch("main.css", "a/index.html", "gone/index.html")
	time.Sleep(time.Second)
	return w, r, s
}

// A look costs two requests to the releases bucket, and one or two for each file that has
// changed, of a page that has left at both of its addresses.
func TestProofWithFewRequests(t *testing.T) {
	count := func(look bool) (toReleases, toSite int) {
		synctest.Test(t, func(t *testing.T) {
			w, r, s := newProvenWorld(t)
			if !look {
				w.stage.prover = nil
			}
			before := len(r.client.Calls())
			if err := w.invoke(t, invocationtest.Event(t, "first-article")); err != nil || len(w.pipeline.Successes) != 1 {
				t.Fatalf("%v, reported %v", err, w.pipeline.Failures)
			}
			toReleases, toSite = len(r.client.Calls())-before, s.requests
		})
		return toReleases, toSite
	}
	without, none := count(false)
	with, all := count(true)
	if without != 4 || with != 6 || none != 0 || all != 5 {
		t.Errorf("%d requests to the releases bucket and %d to the site without a look, and %d and %d with one, want 4, 0, 6 and 5", without, none, with, all)
	}
}

func TestProof(t *testing.T) {
	const (
		cleared = "Cleared 3 items in 0s for 3 changed files of release " + releaseID + "; 0 of 3 unchanged files evicted: invalidation I2J0I21PCUYOIK is completed."
		failed  = "JobFailed: readers do not have what was published, although invalidation I2J0I21PCUYOIK is completed: "
		known   = "WARNING: " + cleared + " It is not known whether readers have all of it: 3 of 4 live at FRA56-P4, but https://example.com/a/ "
		all     = "a/index.html gone/index.html main.css"
	)
	proceeds := func(w *world, _ *releases, _ *site) { w.stage.onFailure = contract.OnFailureProceed }
	answers := func(path string, answer http.HandlerFunc) func(*world, *releases, *site) {
		return func(_ *world, _ *releases, s *site) { s.answer(path, answer) }
	}
	tests := []struct {
		name        string
		world       []func(*world, *releases, *site)
		want        string // how the text begins; with an ellipsis in place of a part
		wantLeft    string
		wantCalls   string // how many there are
		wantCounted string // see invalidationtest.Counted, then the items, whether the proof failed, and the seconds to live
	}{
		{name: "live", want: cleared + " 4 of 4 live at FRA56-P4, seen 1s after the upload.", wantCalls: "1", wantCounted: "0 0 false, 3 0 1"},
		{name: "live after a while", world: []func(*world, *releases, *site){func(_ *world, _ *releases, s *site) {
			s.answer("/a/", serves("old", earlier))
			go func() { time.Sleep(time.Minute); s.answer("/a/", serves("a/index.html", releaseID)) }()
		}}, want: cleared + " 4 of 4 live at FRA56-P4, seen 1m", wantCalls: "2", wantCounted: "0 0 false, 3 0 6…"},

		{name: "stale", world: []func(*world, *releases, *site){answers("/a/", serves("old", earlier))},
			want:     failed + "3 of 4 live at FRA56-P4, but https://example.com/a/ answered 200 with the file of release " + earlier + " (at FRA56-P4), seen 30m1s after the upload. Look for another cache between the readers and the bucket, if it stays so, and retry this stage, which clears and looks again. To let that pass, set the blog's Invalidate.OnFailure to proceed; to look at another address or at none, set its Invalidate.Verify",
			wantLeft: all, wantCalls: "many", wantCounted: "0 0 false, 3 1 <nil>"},
		{name: "stale, with a deadline within a call", world: []func(*world, *releases, *site){answers("/a/", serves("old", earlier)), func(w *world, _ *releases, _ *site) {
			w.stage.invalidator.Settings.Deadline = 100 * time.Second
		}}, want: failed + "…, seen 1m41s after the upload. Look for another cache", wantLeft: all, wantCalls: "3", wantCounted: "0 0 false, 3 1 <nil>"},
		{name: "stale, and the owner lets that pass", world: []func(*world, *releases, *site){answers("/a/", serves("old", earlier)), proceeds},
			want:     "WARNING: " + cleared + " 3 of 4 live at FRA56-P4, but https://example.com/a/ answered 200 with the file of release " + earlier + "…The pipeline goes on, because the blog's Invalidate.OnFailure is proceed. The next invalidation clears the same once more.",
			wantLeft: all, wantCalls: "many", wantCounted: "0 0 false, 3 1 <nil>"},
		{name: "wrong", world: []func(*world, *releases, *site){answers("/main.css", nil)},
			want:     failed + "3 of 4 live at FRA56-P4, but https://example.com/main.css answered 404 Not Found (at FRA56-P4), seen 6s after the upload. Look which behaviour, function or origin",
			wantLeft: all, wantCalls: "1", wantCounted: "0 0 false, 3 1 <nil>"},
		{name: "wrong, and the owner lets that pass", world: []func(*world, *releases, *site){answers("/main.css", nil), proceeds},
			want:      "WARNING: " + cleared + " 3 of 4 live at FRA56-P4, but https://example.com/main.css answered 404 Not Found (at FRA56-P4), seen 6s after the upload. The pipeline goes on, because the blog's Invalidate.OnFailure is proceed.",
			wantCalls: "1", wantCounted: "0 0 false, 3 1 <nil>"},
		{name: "stale and wrong, and the owner lets that pass", world: []func(*world, *releases, *site){answers("/a/", serves("old", earlier)), answers("/main.css", nil), proceeds},
			want: "WARNING: " + cleared + " 2 of 4 live at FRA56-P4, but https://example.com/main.css answered", wantLeft: all, wantCalls: "1", wantCounted: "0 0 false, 3 1 <nil>"},
		{name: "a page that stays", world: []func(*world, *releases, *site){answers("/gone/", serves("gone", earlier))},
			want: failed + "3 of 4 live at FRA56-P4, but https://example.com/gone/ answered 200 with a file that has left the blog (at FRA56-P4)", wantLeft: all, wantCalls: "many", wantCounted: "0 0 false, 3 1 <nil>"},

		{name: "another blog's release", world: []func(*world, *releases, *site){answers("/a/", serves("theirs", restored))},
			want: failed + "3 of 4 live at FRA56-P4, but https://example.com/a/ answered 200 with the file of release " + restored + " (at FRA56-P4), seen 1s after", wantLeft: all, wantCalls: "1", wantCounted: "0 0 false, 3 1 <nil>"},
		{name: "overtaken by another release", world: []func(*world, *releases, *site){answers("/a/", serves("newer", restored)), func(_ *world, r *releases, s *site) {
			s.answer("/", func(w http.ResponseWriter, req *http.Request) {
				r.touch("a/index.html") // another publication begins
				serves("index.html", releaseID)(w, req)
			})
		}}, want: cleared + " 3 of 3 live", wantLeft: "a/index.html", wantCalls: "1", wantCounted: "0 0 false, 3 0 1"},

		{name: "redirect", world: []func(*world, *releases, *site){answers("/a/", status(301, "Location", "https://other.example/"))},
			want:      known + `answered 301 Moved Permanently to "https://other.example/" (at FRA56-P4). Set the blog's Invalidate.Verify to the address at which readers have it, or to props.NoVerify.`,
			wantCalls: "1", wantCounted: "0 0 false, 3 <nil> <nil>"},
		{name: "password", world: []func(*world, *releases, *site){answers("/a/", status(401))},
			want: known + "answered 401 Unauthorized (at FRA56-P4). The function knows no password: ", wantCalls: "1", wantCounted: "0 0 false, 3 <nil> <nil>"},
		{name: "web ACL", world: []func(*world, *releases, *site){answers("/a/", status(202, "X-Amzn-Waf-Action", "challenge"))},
			want: known + `answered 202 Accepted and the "challenge" of a web ACL (at FRA56-P4). Let requests with the User-Agent of this function pass, which is "blog-deploy-pipeline (proof of live)"`, wantCalls: "1", wantCounted: "0 0 false, 3 <nil> <nil>"},
		{name: "too many requests", world: []func(*world, *releases, *site){answers("/a/", status(429))},
			want: known + "answered 429 Too Many Requests (at FRA56-P4). If it stays so, let requests", wantCalls: "1", wantCounted: "0 0 false, 3 <nil> <nil>"},
		{name: "no answer", world: []func(*world, *releases, *site){answers("/a/", status(unanswered))},
			want: known + "gave no whole answer: the time for it was over. Look at the address with a browser: ", wantCalls: "1", wantCounted: "0 0 false, 3 <nil> <nil>"},
		{name: "stale and blocked", world: []func(*world, *releases, *site){answers("/a/", serves("old", earlier)), answers("/main.css", status(403))},
			want: failed + "2 of 4 live at FRA56-P4, but https://example.com/a/ answered 200", wantLeft: all, wantCalls: "many", wantCounted: "0 0 false, 3 1 <nil>"},

		{name: "nobody looks", world: []func(*world, *releases, *site){func(w *world, _ *releases, _ *site) { w.stage.prover = nil }},
			want: cleared, wantCalls: "1", wantCounted: "0 0 false, 3 <nil> <nil>"},
		{name: "overtaken", world: []func(*world, *releases, *site){func(_ *world, r *releases, s *site) {
			s.answer("/a/", func(w http.ResponseWriter, req *http.Request) {
				s.answer("/a/", serves("newer", releaseID))
				r.touch("a/index.html") // another publication begins
				serves("newer", releaseID)(w, req)
			})
		}}, want: cleared + " 3 of 3 live", wantLeft: "a/index.html", wantCalls: "1", wantCounted: "0 0 false, 3 0 6"},
		{name: "all of it overtaken", world: []func(*world, *releases, *site){func(w *world, r *releases, _ *site) {
			w.edge.Create = creating(w, func() { r.update(func(s *release.State) { s.Number++; s.ClearAll = s.Number }) })
		}}, want: cleared, wantLeft: "all", wantCalls: "1", wantCounted: "0 0 false, 3 <nil> <nil>"},
		{name: "denied by S3", world: []func(*world, *releases, *site){func(w *world, r *releases, _ *site) {
			w.edge.Create = creating(w, func() { r.refuse("GetObject") })
		}},
			want: "WARNING: " + cleared + " Nobody has looked whether readers have it: read s3://releases/" + contract.ReleaseState + ": …The next invalidation clears the same once more, because this one could not be noted", wantLeft: all, wantCalls: "1", wantCounted: "0 0 false, 3 <nil> <nil>"},
		{name: "live, but not noted", world: []func(*world, *releases, *site){func(w *world, r *releases, _ *site) { r.refuse("PutObject") }},
			want: "WARNING: " + cleared + " 4 of 4 live at FRA56-P4, seen 1s after the upload. The next invalidation clears the same", wantLeft: all, wantCalls: "1", wantCounted: "0 0 false, 3 0 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, r, s := newProvenWorld(t)
				for _, change := range tt.world {
					change(w, r, s)
				}
				calls := w.untilTheEnd(t)
				text, created := w.ended()
				begin, part, _ := strings.Cut(tt.want, "…")
				if !strings.HasPrefix(text, begin) || !strings.Contains(text, part) {
					t.Errorf("ended with\n%q, want\n%q", text, tt.want)
				}
				if slip := functiontest.Slip(text); slip != "" {
					t.Errorf("the message has %s: %s", slip, text)
				}
				if len(created) != 1 {
					t.Errorf("created %q, want one invalidation", created)
				}
				if got := fmt.Sprint(calls); got != tt.wantCalls && (tt.wantCalls != "many" || calls < 10) {
					t.Errorf("took %d calls, want %s", calls, tt.wantCalls)
				}
				r.client.Before = nil
				if left := r.left(); left != tt.wantLeft {
					t.Errorf("still to be cleared is %q, want %q", left, tt.wantLeft)
				}
				counted, _ := invalidationtest.Counted(t, w.log.Lines(t))
				for _, line := range w.log.Lines(t) {
					if line["_aws"] != nil {
						counted += fmt.Sprint(", ", line[contract.MetricInvalidationItems], " ", line[contract.MetricProofFailed], " ", line[contract.MetricSecondsToLive])
					}
				}
				if want, isPart := strings.CutSuffix(tt.wantCounted, "…"); counted != want && (!isPart || !strings.HasPrefix(counted, want)) {
					t.Errorf("counted %q, want %q", counted, tt.wantCounted)
				}
			})
		})
	}
}

// creating does something when CloudFront creates an invalidation, which it completes at
// once.
func creating(w *world, does func()) func(*cloudfront.CreateInvalidationInput) (*cftypes.Invalidation, error) {
	create := w.edge.Create
	return func(in *cloudfront.CreateInvalidationInput) (*cftypes.Invalidation, error) { does(); return create(in) }
}

// untilTheEnd delivers the jobs of an action, and returns how many there were.
func (w *world) untilTheEnd(t *testing.T) (calls int) {
	t.Helper()
	for event := invocationtest.Event(t, "first-article"); event != nil; calls++ {
		if err := w.invoke(t, event); err != nil {
			t.Fatal(err)
		}
		event = nil
		if n := len(w.pipeline.Successes); len(w.pipeline.Failures) == 0 && w.pipeline.Successes[n-1].ContinuationToken != nil {
			token := *w.pipeline.Successes[n-1].ContinuationToken
			if len(token) >= 500 {
				t.Errorf("the token has %d characters: %s", len(token), token)
			}
			event = continued(t, token)
		}
	}
	return calls
}

// The last report has what was seen, and one before it says what the action waits for.
func TestProofIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, s := newProvenWorld(t)
		s.answer("/a/", serves("old", earlier))
		go func() { time.Sleep(time.Minute); s.answer("/a/", serves("a/index.html", releaseID)) }()
		w.untilTheEnd(t)
		if text := *w.pipeline.Successes[0].ExecutionDetails.Summary; !strings.HasPrefix(text, "Waiting until readers have release "+releaseID+": 3 of 4 live at FRA56-P4. Gives up at 2000-01-01T00:30:") {
			t.Errorf("the first report is %q", text)
		}
		variables := w.pipeline.Successes[1].OutputVariables
		want := map[string]string{"InvalidationId": "I2J0I21PCUYOIK", "Seconds": "0", "Items": "3", "Needless": "0", "Release": releaseID, "Live": "4", "Checked": "4", "Edge": "FRA56-P4"}
		if !maps.Equal(variables, want) {
			t.Errorf("output variables are %v, want %v", variables, want)
		}
		// CloudFront is not asked again what it has answered.
		if n := strings.Count(w.log.String(), "cloudfront answered"); n != 1 {
			t.Errorf("asked CloudFront %d times, want once", n)
		}
	})
}

// A call that ends while it looks is continued by another one.
func TestProofGoesOnInTheNextCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r, s := newProvenWorld(t)
		s.answer("/a/", status(unanswered))
		w.stage.changes = hasty{w.stage.changes}
		if _, err := invocationtest.Invoke(t, w.handler, 8*time.Second, invocationtest.Event(t, "first-article")); err != nil {
			t.Fatal(err)
		}
		if n := len(w.pipeline.Successes); n != 1 || w.pipeline.Successes[0].ContinuationToken == nil {
			t.Fatalf("got %v %v, want a continuation", w.pipeline.Successes, w.pipeline.Failures)
		}
		s.answer("/a/", serves("a/index.html", releaseID))
		if err := w.invoke(t, continued(t, *w.pipeline.Successes[0].ContinuationToken)); err != nil {
			t.Fatal(err)
		}
		if text, _ := w.ended(); !strings.Contains(text, "4 of 4 live") || r.left() != "" {
			t.Errorf("ended with %q and left %q, want all of it live", text, r.left())
		}
	})
}

// hasty notes even in a call whose time is over.
type hasty struct{ finder }

func (h hasty) Done(ctx context.Context, number int64) error {
	return h.finder.Done(context.WithoutCancel(ctx), number)
}

// A panic while the function looks is a failure that counts.
func TestPanicOfAProof(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r, _ := newProvenWorld(t)
		w.stage.changes = panics{w.stage.changes}
		w.untilTheEnd(t)
		text, _ := w.ended()
		counted, _ := invalidationtest.Counted(t, w.log.Lines(t))
		if !strings.HasPrefix(text, "JobFailed: the function panicked") || counted != "1 0 false" || r.left() == "" {
			t.Errorf("ended with %q, counted %q and left %q", text, counted, r.left())
		}
	})
}

type panics struct{ finder }

func (panics) Published(context.Context, int64) (changes.Published, error) {
	panic("x")
}

// prove runs an action whose function looks at a site over HTTP.
func (s *site) prove(t *testing.T, cloud fakeaws.Options, env map[string]string, started func(*functiontest.Action)) *functiontest.Action {
	t.Helper()
	server := httptest.NewServer(s)
	defer server.Close()
	all := map[string]string{contract.EnvVerify: "https://example.com", contract.EnvVerifyAt: server.Listener.Addr().String(), contract.EnvAddresses: `{"Tags":true}`}
	maps.Copy(all, env)
	d, err := scenario{
		cloud: cloud, edge: fakeaws.Distribution{ID: distribution, CompleteAfter: functiontest.Soon},
		touched: []string{"main.css", "a/index.html", "gone/index.html"}, env: all, started: started,
	}.deliver(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if broken := brokenRules(d, fakeaws.Distribution{ID: distribution}); len(broken) > 0 {
		t.Errorf("%q\n%s", broken, d.Function.Logs())
	}
	return d
}

// The compiled function sees what readers get.
func TestBinaryProves(t *testing.T) {
	short := map[string]string{contract.EnvDeadline: "2s"}
	tests := []struct {
		name     string
		path     string
		answer   http.HandlerFunc
		env      map[string]string
		want     string
		wantText string
	}{
		{name: "live", path: "/x", want: "success", wantText: "4 of 4 live at FRA56-P4, seen "},
		{name: "stale", path: "/a/", answer: serves("old", earlier), env: short, want: "JobFailed", wantText: "answered 200 with the file of release " + earlier},
		{name: "wrong", path: "/a/", want: "JobFailed", wantText: "https://example.com/a/ answered 404 Not Found"},
		{name: "redirect", path: "/a/", answer: status(302, "Location", "http://127.0.0.1:1/"), want: "success", wantText: `answered 302 Found to "http://127.0.0.1:1/"`},
		{name: "blocked", path: "/a/", answer: status(405, "X-Amzn-Waf-Action", "captcha"), want: "success", wantText: "WARNING"},
		{name: "reset", path: "/a/", answer: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, want: "success", wantText: "https://example.com/a/ gave no whole answer: it broke off"},
		{name: "no Verify that can be", path: "/x", env: map[string]string{contract.EnvVerify: "http://example.com/blog"}, want: "ConfigurationError", wantText: contract.EnvVerify + ` is "http://example.com/blog"`},
		{name: "no other host", path: "/x", env: map[string]string{contract.EnvVerifyAt: "192.0.2.1:80"}, want: "ConfigurationError", wantText: contract.EnvVerifyAt + ` is "192.0.2.1:80"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(blogKeys...)
			s.answer(tt.path, tt.answer)
			d := s.prove(t, fakeaws.Options{}, tt.env, nil)
			report, _ := d.Last()
			if got := d.Ended(); got != tt.want || !strings.Contains(report.FailureMessage+report.Summary, tt.wantText) {
				t.Errorf("ended as %s, %q, want %s with %q", got, report.FailureMessage+report.Summary, tt.want, tt.wantText)
			}
		})
	}
}

// Two processes that look at once harm nothing.
func TestBinaryProvesTwice(t *testing.T) {
	s := newSite(blogKeys...)
	d := s.prove(t, fakeaws.Options{}, nil, func(d *functiontest.Action) { d.DeliverAgain(t.Context()) })
	if report, _ := d.Last(); d.Ended() != "success" || !strings.Contains(report.Summary, "4 of 4 live") {
		t.Errorf("ended as %s with %q, want all of it live", d.Ended(), report.Summary)
	}
}

// An answer without end costs no memory and no time.
func TestBinaryReadsNoMoreThanItCompares(t *testing.T) {
	s := newSite(blogKeys...)
	s.answer("/a/", func(w http.ResponseWriter, _ *http.Request) {
		for part := make([]byte, 64<<10); ; {
			if _, err := w.Write(part); err != nil {
				return
			}
		}
	})
	d := s.prove(t, fakeaws.Options{}, nil, nil)
	if report, _ := d.Last(); d.Ended() != "JobFailed" || !strings.Contains(report.FailureMessage, "200 with more than the file's 12 bytes") {
		t.Errorf("ended as %s with %q, want JobFailed and the reason", d.Ended(), report.FailureMessage)
	}
	const most = 40 << 10 // 40 MB
	for _, attempts := range d.Attempts() {
		for _, attempt := range attempts {
			if attempt.MaxRSSKB > most { // 0 if the system does not tell
				t.Errorf("took %d MB, want at most %d", attempt.MaxRSSKB>>10, most>>10)
			}
		}
	}
}
