package invalidation

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront/types"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/failure"
	"blog-deploy-pipeline/lambdas/internal/invalidation/invalidationtest"
	"blog-deploy-pipeline/lambdas/internal/redact"
)

var (
	settings     = Settings{PollFor: 40 * time.Second, PollEvery: 2 * time.Second, Deadline: 30 * time.Minute}
	untilCreated = Settings{PollFor: 40 * time.Second, PollEvery: 2 * time.Second, Deadline: 30 * time.Minute, WaitFor: contract.WaitForCreated}
	request      = Request{Distribution: contract.Distribution{ID: "E2EXAMPLE", Paths: []string{"/*"}}, Execution: "job-1"}
	words        = Words{Distribution: "the owner's Distribution", Paths: "the owner's Paths", Deadline: "the owner's Deadline", Again: "start once more"}
	quiet        = slog.New(slog.DiscardHandler)
)

func TestAdvance(t *testing.T) {
	throttled := invalidationtest.APIError(400, "Throttling", "Rate exceeded")
	tests := []struct {
		name       string
		cloudFront *invalidationtest.CloudFront
		settings   Settings
		progress   Progress // times relative to the bubble's start
		budget     time.Duration
		want       Outcome
		wantKind   failure.Kind
		wantErr    string
		// wantInProgress is true if CloudFront said at the deadline that it still works
		// on the invalidation.
		wantInProgress bool
		wantID         string
		wantWithin     time.Duration
	}{
		{name: "completed at once", cloudFront: invalidationtest.CompletesAfter(0), want: Completed, wantID: invalidationtest.ID, wantWithin: time.Second},
		{name: "completed at the P95", cloudFront: invalidationtest.CompletesAfter(25 * time.Second), want: Completed, wantID: invalidationtest.ID, wantWithin: 40 * time.Second},
		{name: "slower than one call", cloudFront: invalidationtest.CompletesAfter(time.Minute), want: Pending, wantID: invalidationtest.ID, wantWithin: 41 * time.Second},
		{name: "budget shorter than polling", cloudFront: invalidationtest.CompletesAfter(time.Minute), budget: 10 * time.Second, want: Pending, wantID: invalidationtest.ID, wantWithin: 10 * time.Second},
		{name: "throttled all the time", cloudFront: invalidationtest.Refuses(throttled), want: Pending, wantWithin: 41 * time.Second},
		{name: "quota of invalidations full", cloudFront: invalidationtest.Refuses(invalidationtest.APIError(400, "TooManyInvalidationsInProgress", "too many")), want: Pending, wantWithin: 41 * time.Second},
		{name: "answer without an id", cloudFront: &invalidationtest.CloudFront{Create: func(*cloudfront.CreateInvalidationInput) (*types.Invalidation, error) {
			return &types.Invalidation{Status: aws.String("InProgress")}, nil
		}}, want: Pending, wantWithin: 41 * time.Second},
		{name: "answer without an invalidation", cloudFront: invalidationtest.Refuses(nil), want: Pending, wantWithin: 41 * time.Second},
		{name: "status in other letters is not completed", cloudFront: &invalidationtest.CloudFront{
			Create: func(*cloudfront.CreateInvalidationInput) (*types.Invalidation, error) {
				return invalidationtest.Invalidation(invalidationtest.ID, "COMPLETED"), nil
			},
			Get: func(*cloudfront.GetInvalidationInput) (*types.Invalidation, error) {
				return invalidationtest.Invalidation(invalidationtest.ID, "COMPLETED"), nil
			},
		}, want: Pending, wantID: invalidationtest.ID, wantWithin: 41 * time.Second},
		{name: "no such distribution", cloudFront: invalidationtest.Refuses(invalidationtest.APIError(404, "NoSuchDistribution", "gone")), wantKind: failure.Configuration, wantErr: "NoSuchDistribution: gone. Check the owner's Distribution, and", wantWithin: time.Second},
		{name: "access denied", cloudFront: invalidationtest.Refuses(invalidationtest.APIError(403, "AccessDenied", "not authorized")), wantKind: failure.Permission, wantErr: "role must allow", wantWithin: time.Second},
		{name: "continued and completed", cloudFront: invalidationtest.CompletesAfter(0), progress: Progress{InvalidationID: invalidationtest.ID, Attempt: 3}, want: Completed, wantID: invalidationtest.ID, wantWithin: time.Second},
		{name: "late", cloudFront: invalidationtest.CompletesAfter(time.Hour), settings: Settings{PollFor: 10 * time.Second, PollEvery: time.Second, Deadline: 5 * time.Second},
			wantKind: failure.Late, wantInProgress: true, wantErr: "If it is not completed soon, start once more; to allow more time, raise the owner's Deadline", wantID: invalidationtest.ID, wantWithin: 5 * time.Second},
		{name: "never accepted", cloudFront: invalidationtest.Refuses(throttled), settings: Settings{PollFor: 10 * time.Second, PollEvery: time.Second, Deadline: 5 * time.Second},
			wantKind: failure.Unavailable, wantErr: "accepted no invalidation within 5s", wantWithin: 5 * time.Second},
		{name: "late, but CloudFront does not say", cloudFront: invalidationtest.Refuses(throttled), progress: Progress{InvalidationID: invalidationtest.ID, Attempt: 1}, settings: Settings{PollFor: 90 * time.Second, PollEvery: time.Second, Deadline: time.Minute},
			wantKind: failure.Late, wantErr: "Last answer: operation error CloudFront", wantID: invalidationtest.ID, wantWithin: time.Minute},
		{name: "created is enough", cloudFront: invalidationtest.CompletesAfter(time.Hour), settings: untilCreated, want: Created, wantID: invalidationtest.ID, wantWithin: time.Second},
		{name: "created is enough, and it is completed", cloudFront: invalidationtest.CompletesAfter(0), settings: untilCreated, want: Completed, wantID: invalidationtest.ID, wantWithin: time.Second},
		{name: "created by an earlier call is enough", cloudFront: invalidationtest.Refuses(throttled), progress: Progress{InvalidationID: invalidationtest.ID, Attempt: 1}, settings: untilCreated, want: Created, wantID: invalidationtest.ID, wantWithin: time.Second},
		{name: "created is enough, but it is throttled", cloudFront: invalidationtest.Refuses(throttled), settings: untilCreated, want: Pending, wantWithin: 41 * time.Second},
		{name: "created is enough, but it is refused", cloudFront: invalidationtest.Refuses(invalidationtest.APIError(403, "AccessDenied", "not authorized")), settings: untilCreated, wantKind: failure.Permission, wantErr: "role must allow", wantWithin: time.Second},
		{name: "created is enough, but it never is", cloudFront: invalidationtest.Refuses(throttled), settings: Settings{PollFor: 10 * time.Second, PollEvery: time.Second, Deadline: 5 * time.Second, WaitFor: contract.WaitForCreated},
			wantKind: failure.Unavailable, wantErr: "accepted no invalidation within 5s", wantWithin: 5 * time.Second},
		{name: "completed exactly at the deadline", cloudFront: invalidationtest.CompletesAfter(5 * time.Second), settings: Settings{PollFor: 10 * time.Second, PollEvery: 3 * time.Second, Deadline: 5 * time.Second},
			want: Completed, wantID: invalidationtest.ID, wantWithin: 5 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				if tt.settings == (Settings{}) {
					tt.settings = settings
				}
				if tt.progress.Attempt > 0 {
					tt.progress.Started, tt.progress.Deadline = start.Add(-time.Minute), start.Add(time.Minute)
				}
				ctx := t.Context()
				if tt.budget > 0 {
					var cancel func()
					ctx, cancel = context.WithTimeout(ctx, tt.budget)
					defer cancel()
				}

				i := Invalidator{CloudFront: tt.cloudFront, Settings: tt.settings, Words: words}
				got, outcome, err := i.Advance(ctx, quiet, request, tt.progress)

				if tt.wantErr != "" {
					var failed *failure.Failure
					if !errors.As(err, &failed) {
						t.Fatalf("Advance: error %v, want a *Failure with %q", err, tt.wantErr)
					}
					if failed.Kind != tt.wantKind || !strings.Contains(failed.Message, tt.wantErr) {
						t.Errorf("Advance: failure %v %q, want %v with %q", failed.Kind, failed.Message, tt.wantKind, tt.wantErr)
					}
					if inProgress := failed.Err == nil; inProgress != tt.wantInProgress {
						t.Errorf("Advance: failure wraps %v, want an error: %v", failed.Err, !tt.wantInProgress)
					}
				} else if err != nil || outcome != tt.want {
					t.Errorf("Advance: %v, %v, want %v", outcome, err, tt.want)
				}
				if got.InvalidationID != tt.wantID {
					t.Errorf("InvalidationID is %q, want %q", got.InvalidationID, tt.wantID)
				}
				if got.Attempt != tt.progress.Attempt+1 {
					t.Errorf("Attempt is %d, want %d", got.Attempt, tt.progress.Attempt+1)
				}
				if took := time.Since(start); took > tt.wantWithin {
					t.Errorf("took %v, want at most %v", took, tt.wantWithin)
				}
			})
		})
	}
}

// A continuation keeps the deadline that the first call has set.
func TestAdvanceKeepsTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := Invalidator{CloudFront: invalidationtest.CompletesAfter(time.Hour), Settings: Settings{PollFor: 10 * time.Second, PollEvery: time.Second, Deadline: time.Minute}}
		start := time.Now()
		var progress Progress
		var err error
		for calls := 0; err == nil && calls < 20; calls++ {
			progress, _, err = i.Advance(t.Context(), quiet, request, progress)
			time.Sleep(5 * time.Second) // until CodePipeline calls again
		}
		if got := time.Since(start); got > 70*time.Second {
			t.Errorf("gave up after %v, want about a minute", got)
		}
		if want := start.Add(time.Minute); !progress.Deadline.Equal(want) {
			t.Errorf("Deadline is %v, want %v", progress.Deadline, want)
		}
	})
}

// Advance accepts no answer whose id or status is missing, too long or a credential.
func TestAdvanceRefusesAnswersWithoutAnID(t *testing.T) {
	const credential = "IQoJb3JpZ2luX2VjEKr//////////wEaDmFwLW5vcnRoZWFzdC0x"
	redact.Learn(credential)
	for _, said := range [][2]string{{"", "Completed"}, {"I1", ""}, {credential, "Completed"}, {"I" + credential[:12], "Completed"}, {"I1", credential}, {strings.Repeat("I", 3000), "Completed"}, {"I1", strings.Repeat("s", 3000)}} {
		i := Invalidator{CloudFront: invalidationtest.Answers(func() (*types.Invalidation, error) {
			return invalidationtest.Invalidation(said[0], said[1]), nil
		})}
		progress, _, err := i.Advance(t.Context(), quiet, request, Progress{})
		if !errors.Is(err, errIncompleteAnswer) || progress.InvalidationID != "" {
			t.Errorf("%.60q: error is %v, invalidation %q, want no invalidation", said, err, progress.InvalidationID)
		}
	}
}

// Advance ignores an answer about another invalidation.
func TestAdvanceIgnoresOtherInvalidations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := Invalidator{Settings: settings, CloudFront: &invalidationtest.CloudFront{
			Create: func(*cloudfront.CreateInvalidationInput) (*types.Invalidation, error) {
				return invalidationtest.Invalidation(invalidationtest.ID, "InProgress"), nil
			},
			Get: func(*cloudfront.GetInvalidationInput) (*types.Invalidation, error) {
				return invalidationtest.Invalidation("IANOTHERONE000", "Completed"), nil
			},
		}}
		progress, outcome, err := i.Advance(t.Context(), quiet, request, Progress{})
		if err != nil || outcome != Pending || progress.InvalidationID != invalidationtest.ID {
			t.Errorf("%v of %s, %v, want pending of %s", outcome, progress.InvalidationID, err, invalidationtest.ID)
		}
		progress.Deadline = time.Now()
		if _, _, err = i.Advance(t.Context(), quiet, request, progress); err == nil || !strings.Contains(err.Error(), "is about another invalidation") {
			t.Errorf("at the deadline: %v, want a failure that says why", err)
		}
	})
}

// If an earlier delivery of the event created the invalidation and was interrupted, the
// time is counted from the creation.
func TestAdvanceCountsFromTheCreation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		created := time.Now()
		time.Sleep(time.Minute) // until Lambda tries again
		i := Invalidator{Settings: settings, CloudFront: &invalidationtest.CloudFront{Create: func(*cloudfront.CreateInvalidationInput) (*types.Invalidation, error) {
			inv := invalidationtest.Invalidation(invalidationtest.ID, "Completed")
			inv.CreateTime = &created
			return inv, nil
		}}}
		progress, _, err := i.Advance(t.Context(), quiet, request, Progress{})
		if err != nil || !progress.Started.Equal(created) {
			t.Errorf("Started is %v, %v, want the creation's time %v", progress.Started, err, created)
		}
	})
}

// CloudFront throttles after six or seven quick calls.
func TestAdvancePollsSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		fake := invalidationtest.CompletesAfter(25 * time.Second)
		get := fake.Get
		fake.Get = func(in *cloudfront.GetInvalidationInput) (*types.Invalidation, error) {
			calls++
			return get(in)
		}
		if _, outcome, err := (Invalidator{CloudFront: fake, Settings: settings}).Advance(t.Context(), quiet, request, Progress{}); err != nil || outcome != Completed {
			t.Fatalf("Advance: %v, %v, want completed", outcome, err)
		}
		if calls > 7 {
			t.Errorf("asked CloudFront %d times within 25 s, want at most 7", calls)
		}
	})
}

// Waits grow up to a limit, and have jitter.
func TestAdvanceWaitsLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var waits []time.Duration
		last := time.Now()
		fake := invalidationtest.CompletesAfter(time.Hour)
		get := fake.Get
		fake.Get = func(in *cloudfront.GetInvalidationInput) (*types.Invalidation, error) {
			waits = append(waits, time.Since(last))
			last = time.Now()
			return get(in)
		}
		patient := Settings{PollFor: 10 * time.Minute, PollEvery: 2 * time.Second, Deadline: time.Hour}
		if _, _, err := (Invalidator{CloudFront: fake, Settings: patient}).Advance(t.Context(), quiet, request, Progress{}); err != nil {
			t.Fatal(err)
		}
		if first := waits[0]; first < 1600*time.Millisecond || first > 2400*time.Millisecond {
			t.Errorf("waited %v first, want 2 s ± 20 %%", first)
		}
		if longest := slices.Max(waits); longest < 8*time.Second || longest > 12*time.Second {
			t.Errorf("waited %v at the longest, want 10 s ± 20 %%", longest)
		}
		if late := waits[len(waits)-10 : len(waits)-1]; slices.Max(late) == slices.Min(late) {
			t.Errorf("all late waits are %v, want jitter", late[0])
		}
	})
}
