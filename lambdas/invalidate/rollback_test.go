package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudfront/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/changes"
	"blog-deploy-pipeline/lambdas/internal/invalidation/invalidationtest"
	"blog-deploy-pipeline/lambdas/internal/invocation/invocationtest"
	"blog-deploy-pipeline/lambdas/internal/objecttest"
	"blog-deploy-pipeline/lambdas/internal/release"
	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/functiontest"
)

// errCrashed is the error of a function that has crashed.
var errCrashed = errors.New("ask the function publish: it has failed (Unhandled): {}")

// restored is the release as which the earlier one is published again.
const restored = "20261127-014000-2b3c4d5e"

// deployStage is the function of the Deploy stage: a blog with two releases, whose current
// one readers do not have.
type deployStage struct {
	releases contract.Releases
	// publishes is called for each request to publish.
	publishes func(contract.Direct) (contract.DirectAnswer, error)
	asked     []contract.Direct
	// hangs is the number of the request to which no answer comes; 0 for none.
	hangs int
}

// ask implements asker.
func (d *deployStage) ask(ctx context.Context, ask contract.Direct) (contract.DirectAnswer, error) {
	if err := ctx.Err(); err != nil {
		return contract.DirectAnswer{}, err
	}
	d.asked = append(d.asked, ask)
	if len(d.asked) == d.hangs {
		<-ctx.Done()
		return contract.DirectAnswer{}, ctx.Err()
	}
	if ask.List > 0 {
		return contract.DirectAnswer{Releases: d.releases}, nil
	}
	return d.publishes(ask)
}

// waits returns after a time, without an error.
func waits(d time.Duration) error {
	time.Sleep(d)
	return nil
}

// newRollbackWorld returns a world of a blog whose home page is broken at the edge. The
// Deploy stage can publish the release before, which mends that.
func newRollbackWorld(t *testing.T) (*world, *releases, *site, *deployStage) {
	t.Helper()
	w, r, s := newProvenWorld(t)
	w.stage.onFailure = contract.OnFailureRollBack
	s.answer("/a/", status(http.StatusInternalServerError))
	s.answer("/main.css", status(http.StatusNotFound))
	d := &deployStage{releases: contract.Releases{{ID: releaseID, Current: true, Kept: true}, {ID: earlier, Kept: true}}}
	d.publishes = func(contract.Direct) (contract.DirectAnswer, error) {
		manifest := ofKeys(time.Now(), blogKeys...)
		manifest.ID, manifest.Number, manifest.Restores = restored, 9, earlier
		for key, file := range manifest.Files {
			file.Tag = "r-" + restored
			manifest.Files[key] = file
			s.answer("/"+strings.TrimSuffix(key, "index.html"), serves(key, restored))
		}
		if err := r.store.PutManifest(t.Context(), manifest); err != nil {
			t.Fatal(err)
		}
		r.touch("a/index.html", "main.css")
		r.update(func(s *release.State) { s.Current = restored })
		return contract.DirectAnswer{Summary: "Published.", Variables: map[string]string{"Release": restored}}, nil
	}
	w.stage.publish = d
	return w, r, s, d
}

// ends delivers the action's jobs until its end, and returns the number of them and the text
// of the last report.
func (w *world) ends(t *testing.T) (calls int, said string) {
	t.Helper()
	event := invocationtest.Event(t, "first-article")
	for calls = 1; calls < 100; calls++ {
		if err := w.invoke(t, event); err != nil {
			t.Fatal(err)
		}
		if n := len(w.pipeline.Failures); n > 0 {
			details := w.pipeline.Failures[n-1].FailureDetails
			return calls, fmt.Sprintf("%s: %s", details.Type, *details.Message)
		}
		last := w.pipeline.Successes[len(w.pipeline.Successes)-1]
		token := aws.ToString(last.ContinuationToken)
		if token == "" {
			return calls, *last.ExecutionDetails.Summary
		}
		if len(token) > 2048 {
			t.Errorf("the token has %d characters", len(token))
		}
		time.Sleep(30 * time.Second)
		event = continuation(token)
	}
	return calls, "no end"
}

// continuation returns the event of an action's later job.
func continuation(token string) []byte {
	return fmt.Appendf(nil, `{"CodePipeline.job":{"id":"22222222-abcd-1111-abcd-222222abcdef","data":{"actionConfiguration":{"configuration":{"UserParameters":%q}},"continuationToken":%q}}}`,
		parameters("E2EXAMPLE"), token)
}

const broken = "JobFailed: readers did not have release " + releaseID + " as it was published: "

func TestRollback(t *testing.T) {
	refuses := func(d *deployStage, message string) {
		d.publishes = func(contract.Direct) (contract.DirectAnswer, error) {
			return contract.DirectAnswer{Failure: "ConfigurationError", Message: message}, nil
		}
	}
	const stays = "No release could be published in its place: "
	for _, tt := range []struct {
		name      string
		world     func(*world, *releases, *site, *deployStage)
		begins    string
		want      string // in the text of the end
		wantLeft  string
		wantCalls int
		asked     int
		// notCleared is how many invalidations are counted as failed.
		notCleared int
	}{
		{
			name: "readers have the release before again",
			want: "So release " + earlier + " was published again, as " + restored + ". Cleared 3 items in 0s for 3 changed files of release " + restored + "; 0 of 3 unchanged files evicted: " +
				"invalidation I2J0I21PCUYOIK is completed. 4 of 4 live at FRA56-P4, seen 0s after the upload. Find out why, and push again: the next push publishes as usual",
			wantCalls: 2, asked: 2,
		},
		{
			name: "the Deploy stage waits for another publication",
			world: func(_ *world, _ *releases, _ *site, d *deployStage) {
				publishes, calls := d.publishes, 0
				d.publishes = func(ask contract.Direct) (contract.DirectAnswer, error) {
					if want := map[bool]string{true: "", false: fmt.Sprint("token-", calls)}[calls == 0]; ask.Token != want {
						t.Errorf("asked with the token %q, want %q", ask.Token, want)
					}
					time.Sleep(15 * time.Second)
					if calls++; calls < 8 {
						return contract.DirectAnswer{Summary: "Waiting for another publication of this blog.", Token: fmt.Sprint("token-", calls)}, nil
					}
					return publishes(ask)
				}
			},
			want: ", as " + restored + ". Cleared 3 items", wantCalls: 4, asked: 9,
		},
		{
			name: "the Deploy stage takes longer than a call",
			world: func(w *world, _ *releases, _ *site, d *deployStage) {
				publishes := d.publishes
				d.hangs = 2
				d.publishes = func(ask contract.Direct) (contract.DirectAnswer, error) {
					if last := w.pipeline.Successes[1]; *last.ExecutionDetails.Summary != "Publishing release "+earlier+" again, in place of "+releaseID+": it is at work." {
						t.Errorf("meanwhile the summary is %q", *last.ExecutionDetails.Summary)
					}
					return publishes(ask)
				}
			},
			want: ", as " + restored + ". Cleared 3 items", wantCalls: 3, asked: 3,
		},
		{
			name: "the Deploy stage leaves no time to clear",
			world: func(w *world, _ *releases, _ *site, d *deployStage) {
				publishes := d.publishes
				d.publishes = func(ask contract.Direct) (contract.DirectAnswer, error) {
					time.Sleep(35 * time.Second)
					return publishes(ask)
				}
			},
			want: ", as " + restored + ". Cleared 3 items", wantCalls: 3, asked: 2,
		},
		{
			name: "the Deploy stage crashes twice",
			world: func(_ *world, _ *releases, _ *site, d *deployStage) {
				publishes, calls := d.publishes, 0
				d.publishes = func(ask contract.Direct) (contract.DirectAnswer, error) {
					if calls++; calls < 3 {
						return contract.DirectAnswer{}, errCrashed
					}
					return publishes(ask)
				}
			},
			want: ", as " + restored + ". Cleared 3 items", wantCalls: 2, asked: 4,
		},
		{
			name: "the Deploy stage waits for half an hour, and crashes then",
			world: func(_ *world, _ *releases, _ *site, d *deployStage) {
				publishes, calls := d.publishes, 0
				d.publishes = func(ask contract.Direct) (contract.DirectAnswer, error) {
					switch calls++; {
					case calls <= 100:
						return contract.DirectAnswer{Summary: "Waiting for another publication of this blog.", Token: "token"}, waits(15 * time.Second)
					case calls == 101:
						return contract.DirectAnswer{}, errCrashed
					}
					return publishes(ask)
				}
			},
			want: ", as " + restored + ". Cleared 3 items", wantCalls: 27, asked: 103,
		},
		{
			name: "the Deploy stage never answers",
			world: func(_ *world, _ *releases, _ *site, d *deployStage) {
				d.publishes = func(contract.Direct) (contract.DirectAnswer, error) { return contract.DirectAnswer{}, errCrashed }
			},
			want: stays + errCrashed.Error() + ". Deploy the stack again if", wantLeft: "a/index.html gone/index.html main.css", wantCalls: 14,
		},
		{
			name: "the function may not do that",
			world: func(_ *world, _ *releases, _ *site, d *deployStage) {
				d.publishes = func(contract.Direct) (contract.DirectAnswer, error) {
					return contract.DirectAnswer{}, objecttest.Denies()
				}
			},
			want: stays + "https response error", wantLeft: "a/index.html gone/index.html main.css", wantCalls: 2, asked: 2,
		},
		{
			name:  "the Deploy stage refuses",
			world: func(_ *world, _ *releases, _ *site, d *deployStage) { refuses(d, "nothing was published: no.") },
			want:  stays + "nothing was published: no. Look at the site, and push what mends it, or publish an earlier release by hand: make rollback", wantLeft: "a/index.html gone/index.html main.css", wantCalls: 2, asked: 2,
		},
		{
			name:  "there is no release before",
			world: func(_ *world, _ *releases, _ *site, d *deployStage) { d.releases[1].Kept = false },
			want:  stays + "there is no release before it whose build is kept. ", wantLeft: "a/index.html gone/index.html main.css", wantCalls: 1, asked: 1,
		},
		{
			name: "another publication has begun since",
			world: func(_ *world, _ *releases, _ *site, d *deployStage) {
				d.releases = append(contract.Releases{{ID: restored, Current: true}}, d.releases[1:]...)
			},
			want: stays + "another publication has begun since. ", wantLeft: "a/index.html gone/index.html main.css", wantCalls: 1, asked: 1,
		},
		{
			name: "readers do not have the release before, either",
			world: func(_ *world, _ *releases, s *site, d *deployStage) {
				publishes := d.publishes
				d.publishes = func(ask contract.Direct) (contract.DirectAnswer, error) {
					answer, err := publishes(ask)
					s.answer("/main.css", status(http.StatusNotFound))
					return answer, err
				}
			},
			want:     "So release " + earlier + " was published again, as " + restored + ", but: readers do not have what was published, although invalidation",
			wantLeft: "a/index.html gone/index.html main.css", wantCalls: 2, asked: 2,
		},
		{
			name: "CloudFront refuses to clear the release before",
			world: func(w *world, _ *releases, _ *site, d *deployStage) {
				publishes := d.publishes
				d.publishes = func(ask contract.Direct) (contract.DirectAnswer, error) {
					w.cloudFront(invalidationtest.Refuses(invalidationtest.APIError(http.StatusForbidden, "AccessDenied", "no")))
					return publishes(ask)
				}
			},
			want:     "So release " + earlier + " was published again, as " + restored + ", but: CloudFront refused: AccessDenied: no",
			wantLeft: "a/index.html gone/index.html main.css", wantCalls: 2, asked: 2, notCleared: 1,
		},
		{
			name:   "a person has asked, and decides",
			world:  func(w *world, _ *releases, _ *site, _ *deployStage) { w.stage.publish = nil },
			begins: "JobFailed: readers do not have what was published, although", wantLeft: "a/index.html gone/index.html main.css", wantCalls: 1,
		},
		{
			name: "readers have all of it",
			world: func(_ *world, _ *releases, s *site, _ *deployStage) {
				s.answer("/a/", serves("a/index.html", releaseID))
				s.answer("/main.css", serves("main.css", releaseID))
			},
			begins: "Cleared 3 items", want: "4 of 4 live", wantCalls: 1,
		},
		{
			name: "nobody can see what readers have",
			world: func(_ *world, _ *releases, s *site, _ *deployStage) {
				s.answer("/a/", status(http.StatusUnauthorized))
				s.answer("/main.css", serves("main.css", releaseID))
			},
			begins: "WARNING: Cleared 3 items", want: "It is not known whether readers have all of it", wantCalls: 1,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, r, s, d := newRollbackWorld(t)
				if tt.world != nil {
					tt.world(w, r, s, d)
				}
				calls, said := w.ends(t)
				if tt.begins == "" {
					tt.begins = broken
				}
				if !strings.HasPrefix(said, tt.begins) || !strings.Contains(said, tt.want) || strings.Contains(said, "..") {
					t.Errorf("ended with %q, want %q and %q", said, tt.begins, tt.want)
				}
				if got := r.left(); got != tt.wantLeft || calls != tt.wantCalls || len(d.asked) != tt.asked && tt.asked > 0 {
					t.Errorf("%q is left to be cleared, after %d calls that asked %d times, want %q, %d and %d", got, calls, len(d.asked), tt.wantLeft, tt.wantCalls, tt.asked)
				}
				if n := strings.Count(w.log.String(), fmt.Sprintf("%q:1", contract.MetricFailed)); n != tt.notCleared {
					t.Errorf("counted %d invalidations that failed, want %d: %s", n, tt.notCleared, w.log.String())
				}
				for i, ask := range d.asked {
					want := contract.Direct{Job: "rollback-11111111-abcd-1111-abcd-111111abcdef", Release: earlier, Current: releaseID, By: "Invalidate.OnFailure", Token: ask.Token,
						UserParameters: contract.JSON(contract.PublishParameters{PipelineName: "my-blog", AllowDeletions: contract.AllowDeletionsYes})}
					if i == 0 {
						want.List, want.Release = listed, ""
					}
					if contract.JSON(ask) != contract.JSON(want) {
						t.Errorf("asked %s, want %s", contract.JSON(ask), contract.JSON(want))
					}
				}
				if len(d.asked) > 0 {
					counted := fmt.Sprintf("%q:1", contract.MetricProofFailed)
					if n := strings.Count(w.log.String(), counted); n != 1 {
						t.Errorf("counted %d proofs that failed, want 1: %s", n, w.log.String())
					}
				}
			})
		})
	}
}

// A rollback that a person asks for is not taken back by itself.
func TestDirectRequestDoesNotRollBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, _, d := newRollbackWorld(t)
		got := w.direct(t, contract.Direct{Job: "j-1"})
		if got.Failure != "JobFailed" || !strings.HasPrefix(got.Message, "readers do not have what was published") || len(d.asked) > 0 {
			t.Errorf("answered %+v after %d requests, want a failure and none", got, len(d.asked))
		}
	})
}

// What a rollback needs to know survives from one call to the next, however long the reason
// is, and what follows is cleared by an invalidation of its own.
func TestRollbackGoesOnInTheNextCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r, _, d := newRollbackWorld(t)
		publishes := d.publishes
		d.publishes = func(ask contract.Direct) (contract.DirectAnswer, error) {
			answer, err := publishes(ask)
			done := time.Now().Add(2 * time.Minute)
			w.cloudFront(invalidationtest.Answers(func() (*cftypes.Invalidation, error) {
				status := invalidationtest.InProgress
				if time.Now().After(done) {
					status = invalidationtest.Completed
				}
				return invalidationtest.Invalidation(invalidationtest.ID, status), nil
			}))
			return answer, err
		}
		first := w.edge
		calls, said := w.ends(t)
		if !strings.Contains(said, ", as "+restored+". Cleared 3 items") || calls < 2 || r.left() != "" {
			t.Errorf("ended after %d calls with %q, and %q is left", calls, said, r.left())
		}
		if len(first.Created()) != 1 || len(d.asked) != 2 {
			t.Errorf("created %d invalidations first, and asked %d times, want 1 and 2", len(first.Created()), len(d.asked))
		}
	})
	long := clearing{back: newRollback(strings.Repeat("x", 36), releaseID, strings.Repeat(`"あ`, 1000))}
	long.back.To, long.back.Published, long.back.Token = earlier, restored, strings.Repeat(`"`, 100)
	long.changed = &changed{Number: 1 << 60, Release: restored, Items: 3000, All: true, Changed: 1 << 30, Unchanged: 1 << 30, Needless: 1 << 30, Completed: time.Now().UnixMilli()}
	long.progress.InvalidationID, long.progress.Started, long.progress.Deadline, long.progress.Attempt = "I2J0I21PCUYOIK", time.Now(), time.Now().Add(time.Hour), 1000
	long.request.Execution = strings.Repeat("x", 36)
	token := long.encodeToken()
	if n := len([]rune(token)); n > 2048 {
		t.Errorf("a token has %d characters", n)
	}
	var got clearing
	if err := got.decodeToken(token); err != nil || *got.back != *long.back || *got.changed != *long.changed || got.request.Execution != long.request.Execution {
		t.Errorf("decoded %+v, %v", got, err)
	}
	for _, wrong := range []string{`{"back":{}}`, `{"back":{"job":"","answered":1,"failed":"r","why":""}}`, `{"back":{"job":"x","answered":1,"failed":"r","why":"","published":"p"}}`, `{"back":`, `{"back":{"job":"x","answered":1,"failed":"r","why":""},"clearing":{}}`, `{"back":1}`} {
		if err := new(clearing).decodeToken(wrong); err == nil || !strings.Contains(err.Error(), "decode continuation token") {
			t.Errorf("%s: %v, want an error", wrong, err)
		}
	}
}

// A call that has crashed before its report is delivered again. By then the blog has another
// release, which is not the one that the action tells of.
func TestRollbackAfterACrash(t *testing.T) {
	for crashed := 1; crashed <= 2; crashed++ {
		synctest.Test(t, func(t *testing.T) {
			w, r, _, d := newRollbackWorld(t)
			published, publishes := 0, d.publishes
			d.publishes = func(ask contract.Direct) (answer contract.DirectAnswer, err error) {
				if published++; published > 1 { // the same job has published already
					return contract.DirectAnswer{Summary: "Published.", Variables: map[string]string{"Release": restored}}, nil
				}
				return publishes(ask)
			}
			event := invocationtest.Event(t, "first-article")
			for call := 1; call <= 2; call++ {
				if err := w.invoke(t, event); err != nil {
					t.Fatal(err)
				}
				if call == crashed {
					w.pipeline.Successes, w.pipeline.Failures = nil, nil
					if err := w.invoke(t, event); err != nil {
						t.Fatal(err)
					}
				}
				if call == 1 {
					event = continuation(aws.ToString(w.pipeline.Successes[len(w.pipeline.Successes)-1].ContinuationToken))
				}
			}
			if len(w.pipeline.Failures) != 1 || len(w.pipeline.Successes) != 1 && crashed == 1 || r.left() != "" {
				t.Fatalf("after a crash of call %d: reported %d failures and %d successes, and %q is left", crashed, len(w.pipeline.Failures), len(w.pipeline.Successes), r.left())
			}
			if said := *w.pipeline.Failures[0].FailureDetails.Message; !strings.Contains(said, "So release "+earlier+" was published again, as "+restored) {
				t.Errorf("after a crash of call %d: failed with %q", crashed, said)
			}
		})
	}
}

// The stack may lose the right to publish while an action goes on.
func TestRollbackWithoutTheFunction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, _, _ := newRollbackWorld(t)
		w.stage.publish, w.stage.changes = nil, changes.Finder{}
		back := clearing{back: newRollback("x", releaseID, "404")}
		if err := w.invoke(t, continuation(back.encodeToken())); err != nil || len(w.pipeline.Failures) != 1 || !strings.Contains(*w.pipeline.Failures[0].FailureDetails.Message, "the function may not do that any more") {
			t.Errorf("%v, reported %v %v, want a failure that says why", err, w.pipeline.Failures, w.pipeline.Successes)
		}
	})
}

// lambdaThat answers as a function does.
type lambdaThat func() *lambda.InvokeOutput

func (l lambdaThat) Invoke(context.Context, *lambda.InvokeInput, ...func(*lambda.Options)) (*lambda.InvokeOutput, error) {
	return l(), nil
}

// What a function says when it fails fits into a message, and what is no answer is an error.
func TestAnswersThatAreNone(t *testing.T) {
	for _, tt := range []struct {
		name string
		out  lambda.InvokeOutput
		want string
	}{
		{"a long error", lambda.InvokeOutput{FunctionError: aws.String("Unhandled"), Payload: []byte(strings.Repeat("x", 1<<20))}, "ask the function publish: it has failed (Unhandled): xxx"},
		{"no JSON", lambda.InvokeOutput{Payload: []byte("<html>")}, "ask the function publish: decode the answer: invalid character"},
		{"nothing", lambda.InvokeOutput{}, "ask the function publish: decode the answer: unexpected end"},
	} {
		_, err := publisher{lambda: lambdaThat(func() *lambda.InvokeOutput { return &tt.out }), function: "publish"}.ask(t.Context(), contract.Direct{})
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) || len(err.Error()) > 600 {
			t.Errorf("%s: %.700v, want %q and no more than fits", tt.name, err, tt.want)
		}
	}
}

// Only what passes is asked again.
func TestIsFinal(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{objecttest.Denies(), true},
		{objecttest.Refuses(404, "ResourceNotFoundException", "x"), true},
		{objecttest.Refuses(409, "ResourceConflictException", "x"), false},
		{objecttest.Throttles(), false},
		{objecttest.ErrReset, false},
		{fmt.Errorf("x: %w", errCrashed), false},
		{errors.New("x"), false},
	} {
		if got := isFinal(tt.err); got != tt.want {
			t.Errorf("%v is final: %v, want %v", tt.err, got, tt.want)
		}
	}
}

// The compiled function asks that of the Deploy stage through Lambda.
func TestBinaryRollsBack(t *testing.T) {
	for _, tt := range []struct {
		name     string
		function string
		fault    fakeaws.FaultKind // of the first call of Lambda
		crashes  int32
		want     string
		firings  int
	}{
		{name: "at once", function: "publish", want: "So release " + earlier + " was published again, as " + restored + ". Cleared", firings: 2},
		{name: "after a crash", function: "publish", crashes: 1, want: ", as " + restored + ". Cleared", firings: 2},
		{name: "after it was throttled", function: "publish", fault: fakeaws.Throttle, want: ", as " + restored + ". Cleared", firings: 2},
		{name: "without permission", function: "publish", fault: fakeaws.AccessDenied, want: "ask the function publish: operation error Lambda: Invoke, AccessDeniedException"},
		{name: "without the function", function: "gone", want: "ResourceNotFoundException"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(blogKeys...)
			s.answer("/a/", nil)
			server := httptest.NewServer(s)
			defer server.Close()
			var struck, crashes atomic.Int32
			cloud := fakeaws.Options{Fault: func(call fakeaws.Call) fakeaws.Fault {
				if call.Action == "lambda:InvokeFunction" && struck.Add(1) == 1 {
					return fakeaws.Fault{Kind: tt.fault}
				}
				return fakeaws.Fault{}
			}}
			publishes := func(action *functiontest.Action, event []byte) (answer []byte, failed bool) {
				if crashes.Add(1) <= tt.crashes {
					return []byte(`{"errorType":"Runtime.ExitError","errorMessage":"RequestId: x Error: Runtime exited"}`), true
				}
				var ask contract.DirectEvent
				if err := json.Unmarshal(event, &ask); err != nil {
					t.Error(err)
				}
				if ask.Direct.List > 0 {
					return []byte(contract.JSON(contract.DirectAnswer{Releases: contract.Releases{{ID: releaseID, Current: true}, {ID: earlier, Kept: true}}})), false
				}
				manifest := ofKeys(time.Now(), blogKeys...)
				manifest.ID = restored
				for key, file := range manifest.Files {
					file.Tag = "r-" + restored
					manifest.Files[key] = file
					s.answer("/"+strings.TrimSuffix(key, "index.html"), serves(key, restored))
				}
				err := releasesOf(action.World).PutManifest(t.Context(), manifest)
				_, err2 := releasesOf(action.World).Update(t.Context(), func(s *release.State) error {
					s.Number++
					s.Current, s.Touched["a/index.html"] = restored, s.Number
					return nil
				})
				if err := errors.Join(err, err2); err != nil {
					t.Error(err)
				}
				return []byte(contract.JSON(contract.DirectAnswer{Summary: "Published.", Variables: map[string]string{"Release": restored}})), false
			}
			d, err := scenario{
				cloud: cloud, edge: fakeaws.Distribution{ID: distribution, CompleteAfter: functiontest.Soon}, touched: []string{"main.css", "a/index.html"},
				env: map[string]string{
					contract.EnvVerify: "https://example.com", contract.EnvVerifyAt: server.Listener.Addr().String(), contract.EnvAddresses: `{"Tags":true}`,
					contract.EnvOnFailure: string(contract.OnFailureRollBack), contract.EnvPublishFunction: tt.function,
				},
				started: func(action *functiontest.Action) {
					action.Cloud.AddFunction("publish", func(_ context.Context, event []byte) ([]byte, bool) { return publishes(action, event) })
				},
			}.deliver(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			report, _ := d.Last()
			if d.Ended() != "JobFailed" || !strings.Contains(report.FailureMessage, tt.want) {
				t.Errorf("ended as %s with %q, want JobFailed with %q", d.Ended(), report.FailureMessage+report.Summary, tt.want)
			}
			record := d.Record()
			record.Distributions, record.Firings = []fakeaws.Distribution{{ID: distribution}}, max(tt.firings, 1)
			if broken := d.BrokenRules(record); len(broken) > 0 {
				t.Errorf("%q\n%s", broken, d.Function.Logs())
			}
		})
	}
}
