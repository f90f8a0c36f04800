package invalidation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront/types"
	smithy "github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"blog-deploy-pipeline/lambdas/internal/invalidation/invalidationtest"
	"blog-deploy-pipeline/lambdas/internal/redact"
)

var (
	settings     = Settings{PollFor: 40 * time.Second, PollEvery: 2 * time.Second, Deadline: 30 * time.Minute, AfterDeadline: Fail}
	untilCreated = Settings{PollFor: 40 * time.Second, PollEvery: 2 * time.Second, Deadline: 30 * time.Minute, WaitFor: UntilCreated}
	request      = Request{DistributionID: "E2EXAMPLE", Paths: []string{"/*"}, Execution: "job-1"}
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
		wantKind   Kind
		wantErr    string
		wantID     string
		wantWithin time.Duration
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
		{name: "no such distribution", cloudFront: invalidationtest.Refuses(invalidationtest.APIError(404, "NoSuchDistribution", "gone")), wantKind: Configuration, wantErr: "NoSuchDistribution: gone. Check the owner's Distribution, and", wantWithin: time.Second},
		{name: "access denied", cloudFront: invalidationtest.Refuses(invalidationtest.APIError(403, "AccessDenied", "not authorized")), wantKind: Permission, wantErr: "role must allow", wantWithin: time.Second},
		{name: "continued and completed", cloudFront: invalidationtest.CompletesAfter(0), progress: Progress{InvalidationID: invalidationtest.ID, Attempt: 3}, want: Completed, wantID: invalidationtest.ID, wantWithin: time.Second},
		{name: "late, and the owner wants to fail", cloudFront: invalidationtest.CompletesAfter(time.Hour), settings: Settings{PollFor: 10 * time.Second, PollEvery: time.Second, Deadline: 5 * time.Second, AfterDeadline: Fail},
			wantKind: Late, wantErr: "If it is not done soon, start once more; to allow more time, raise the owner's Deadline", wantID: invalidationtest.ID, wantWithin: 5 * time.Second},
		{name: "late, and the owner wants to go on", cloudFront: invalidationtest.CompletesAfter(time.Hour), settings: Settings{PollFor: 10 * time.Second, PollEvery: time.Second, Deadline: 5 * time.Second, AfterDeadline: Warn},
			want: Overdue, wantID: invalidationtest.ID, wantWithin: 5 * time.Second},
		{name: "never accepted fails whatever the owner wants", cloudFront: invalidationtest.Refuses(throttled), settings: Settings{PollFor: 10 * time.Second, PollEvery: time.Second, Deadline: 5 * time.Second, AfterDeadline: Warn},
			wantKind: Unavailable, wantErr: "accepted no invalidation within 5s", wantWithin: 5 * time.Second},
		{name: "late, but CloudFront does not say, fails whatever the owner wants", cloudFront: invalidationtest.Refuses(throttled), progress: Progress{InvalidationID: invalidationtest.ID, Attempt: 1}, settings: Settings{PollFor: 90 * time.Second, PollEvery: time.Second, Deadline: time.Minute, AfterDeadline: Warn},
			wantKind: Late, wantErr: "Last answer: operation error CloudFront", wantID: invalidationtest.ID, wantWithin: time.Minute},
		{name: "created is enough", cloudFront: invalidationtest.CompletesAfter(time.Hour), settings: untilCreated, want: Created, wantID: invalidationtest.ID, wantWithin: time.Second},
		{name: "created is enough, and it is completed", cloudFront: invalidationtest.CompletesAfter(0), settings: untilCreated, want: Completed, wantID: invalidationtest.ID, wantWithin: time.Second},
		{name: "created by an earlier call is enough", cloudFront: invalidationtest.Refuses(throttled), progress: Progress{InvalidationID: invalidationtest.ID, Attempt: 1}, settings: untilCreated, want: Created, wantID: invalidationtest.ID, wantWithin: time.Second},
		{name: "created is enough, but it is throttled", cloudFront: invalidationtest.Refuses(throttled), settings: untilCreated, want: Pending, wantWithin: 41 * time.Second},
		{name: "created is enough, but it is refused", cloudFront: invalidationtest.Refuses(invalidationtest.APIError(403, "AccessDenied", "not authorized")), settings: untilCreated, wantKind: Permission, wantErr: "role must allow", wantWithin: time.Second},
		{name: "created is enough, but it never is", cloudFront: invalidationtest.Refuses(throttled), settings: Settings{PollFor: 10 * time.Second, PollEvery: time.Second, Deadline: 5 * time.Second, WaitFor: UntilCreated},
			wantKind: Unavailable, wantErr: "accepted no invalidation within 5s", wantWithin: 5 * time.Second},
		{name: "completed exactly at the deadline", cloudFront: invalidationtest.CompletesAfter(5 * time.Second), settings: Settings{PollFor: 10 * time.Second, PollEvery: 3 * time.Second, Deadline: 5 * time.Second, AfterDeadline: Fail},
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
					var failure *Failure
					if !errors.As(err, &failure) {
						t.Fatalf("Advance: error %v, want a *Failure with %q", err, tt.wantErr)
					}
					if failure.Kind != tt.wantKind || !strings.Contains(failure.Message, tt.wantErr) {
						t.Errorf("Advance: failure %v %q, want %v with %q", failure.Kind, failure.Message, tt.wantKind, tt.wantErr)
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

// A continuation must not move the deadline that the first call has set.
func TestAdvanceKeepsTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := Invalidator{CloudFront: invalidationtest.CompletesAfter(time.Hour), Settings: Settings{PollFor: 10 * time.Second, PollEvery: time.Second, Deadline: time.Minute, AfterDeadline: Fail}}
		start := time.Now()
		var progress Progress
		var err error
		for calls := 0; err == nil && calls < 20; calls++ {
			progress, _, err = i.Advance(t.Context(), quiet, request, progress)
			time.Sleep(5 * time.Second) // CodePipeline takes its time
		}
		if got := time.Since(start); got > 70*time.Second {
			t.Errorf("gave up after %v, want about a minute", got)
		}
		if want := start.Add(time.Minute); !progress.Deadline.Equal(want) {
			t.Errorf("Deadline is %v, want %v", progress.Deadline, want)
		}
	})
}

// What cannot be an id, or must not be in a token, is no answer.
func TestAdvanceWantsAnID(t *testing.T) {
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

// What CloudFront says of another invalidation does not count.
func TestAdvanceWantsItsOwnInvalidation(t *testing.T) {
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

// A delivery that was cut short after it created the invalidation must not start
// the clock again: the time to Completed is counted from the creation.
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

func TestAdvanceAsksSeldom(t *testing.T) {
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
			t.Errorf("asked CloudFront %d times within 25 s, want at most 7: it throttles after six or seven quick calls", calls)
		}
	})
}

// Waits grow, but not for ever, and no two blogs wait alike.
func TestAdvanceWaits(t *testing.T) {
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
		patient := Settings{PollFor: 10 * time.Minute, PollEvery: 2 * time.Second, Deadline: time.Hour, AfterDeadline: Fail}
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

func TestCallerReference(t *testing.T) {
	base := callerReference("job-1", "E1", []string{"/a", "/b"})
	if len(base) > 128 {
		t.Errorf("reference has %d characters, want at most 128", len(base))
	}
	for _, tt := range []struct {
		name string
		got  string
		same bool
	}{
		{"same again", callerReference("job-1", "E1", []string{"/a", "/b"}), true},
		{"paths in another order, twice", callerReference("job-1", "E1", sortedUnique([]string{"/b", "/a", "/b"})), true},
		{"another execution", callerReference("job-2", "E1", []string{"/a", "/b"}), false},
		{"another distribution", callerReference("job-1", "E2", []string{"/a", "/b"}), false},
		{"other paths", callerReference("job-1", "E1", []string{"/a"}), false},
		{"the same letters cut elsewhere", callerReference("job-1", "E1", []string{"/a/b"}), false},
	} {
		if same := tt.got == base; same != tt.same {
			t.Errorf("%s: same reference is %v, want %v", tt.name, same, tt.same)
		}
	}
}

func TestAdvanceSendsTheSameBatchAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent []string
		fake := &invalidationtest.CloudFront{Create: func(in *cloudfront.CreateInvalidationInput) (*types.Invalidation, error) {
			sent = append(sent, fmt.Sprint(*in.InvalidationBatch.CallerReference, in.InvalidationBatch.Paths.Items, *in.InvalidationBatch.Paths.Quantity))
			return nil, invalidationtest.APIError(503, "ServiceUnavailable", "")
		}}
		req := Request{DistributionID: "E1", Paths: []string{"/b", "/a", "/b"}, Execution: "job-1"}
		i := Invalidator{CloudFront: fake, Settings: settings}
		progress := Progress{}
		for call := range 2 {
			var outcome Outcome
			var err error
			progress, outcome, err = i.Advance(t.Context(), quiet, req, progress)
			if err != nil || outcome != Pending {
				t.Fatalf("call %d: %v, %v, want pending", call+1, outcome, err)
			}
		}
		if len(sent) < 4 {
			t.Fatalf("sent %d batches, want some in each call", len(sent))
		}
		if distinct := slices.Compact(slices.Sorted(slices.Values(sent))); len(distinct) != 1 {
			t.Errorf("sent %d different batches, want the same one again: %q", len(distinct), distinct)
		}
		if want := "[/a /b] 2"; !strings.HasSuffix(sent[0], want) {
			t.Errorf("batch is %q, want sorted and unique paths %q", sent[0], want)
		}
	})
}

func TestRefused(t *testing.T) {
	reset := &smithyhttp.RequestSendError{Err: &net.OpError{Op: "read", Err: syscall.ECONNRESET}}
	tests := []struct {
		err  error
		want Kind // of the failure
		wait bool // no failure: waiting may help
	}{
		{err: nil, wait: true},
		{err: reset, wait: true},
		{err: context.DeadlineExceeded, wait: true},
		{err: &smithy.CanceledError{Err: context.Canceled}, wait: true},
		{err: &smithy.DeserializationError{Err: errors.New("EOF")}, wait: true},
		{err: errIncompleteAnswer, wait: true},
		{err: invalidationtest.APIError(400, "Throttling", ""), wait: true},
		{err: invalidationtest.APIError(400, "ThrottlingException", ""), wait: true},
		{err: invalidationtest.APIError(429, "TooManyRequestsException", ""), wait: true},
		{err: invalidationtest.APIError(500, "InternalError", ""), wait: true},
		{err: invalidationtest.APIError(503, "SlowDown", ""), wait: true},
		{err: invalidationtest.APIError(507, "Whatever", ""), wait: true},
		{err: invalidationtest.APIError(400, "TooManyInvalidationsInProgress", ""), wait: true},
		{err: invalidationtest.APIError(404, "NoSuchInvalidation", ""), wait: true},
		{err: invalidationtest.APIError(404, "NoSuchDistribution", ""), want: Configuration},
		{err: invalidationtest.APIError(404, "EntityNotFound", ""), want: Configuration},
		{err: invalidationtest.APIError(400, "InvalidArgument", "Your request contains one or more invalid invalidation paths."), want: Configuration},
		{err: invalidationtest.APIError(413, "BatchTooLarge", ""), want: Configuration},
		{err: invalidationtest.APIError(400, "InconsistentQuantities", ""), want: Configuration},
		{err: invalidationtest.APIError(400, "MissingBody", ""), want: Configuration},
		{err: invalidationtest.APIError(403, "AccessDenied", ""), want: Permission},
		{err: invalidationtest.APIError(403, "SignatureDoesNotMatch", "It does not match.\n\nThe Canonical String was\nx-amz-security-token:IQoJb3JpZ2luX2Vj"), want: Permission},
		{err: invalidationtest.APIError(403, "ExpiredToken", ""), want: Permission},
		{err: invalidationtest.APIError(403, "InvalidClientTokenId", ""), want: Permission},
		{err: invalidationtest.APIError(429, "UnknownError", "HTTP 429 Too Many Requests"), wait: true},
		{err: invalidationtest.APIError(408, "UnknownError", "HTTP 408 Request Timeout"), wait: true},
		{err: invalidationtest.APIError(502, "UnknownError", "HTTP 502 Bad Gateway"), wait: true},
		{err: invalidationtest.APIError(407, "UnknownError", "HTTP 407 Proxy Authentication Required"), want: Other},
		{err: invalidationtest.APIError(400, "InvalidationBatchAlreadyExists", ""), want: Other},
		{err: invalidationtest.APIError(400, "InvalidArgument", "Your request contains a caller reference that was used for a previous invalidation batch for the same distribution."), want: Other},
		{err: invalidationtest.APIError(418, "Teapot", ""), want: Other},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.err), func(t *testing.T) {
			got := refused(tt.err, words)
			if (got == nil) != tt.wait {
				t.Fatalf("refused: %v, want a failure: %v", got, !tt.wait)
			}
			if got == nil {
				return
			}
			if got.Kind != tt.want {
				t.Errorf("kind is %v, want %v", got.Kind, tt.want)
			}
			if !errors.Is(got, tt.err) {
				t.Errorf("failure does not wrap CloudFront's error")
			}
			if strings.Contains(got.Message, "\n") || strings.Contains(got.Message, "UnknownError") {
				t.Errorf("message is %q, want one line, without the SDK's words", got.Message)
			}
			// A person must read what to do, not only what happened.
			if advice := got.Message[strings.LastIndex(got.Message, ". ")+1:]; len(advice) < 20 {
				t.Errorf("message %q has no advice", got.Message)
			}
		})
	}
}

// Where the function takes on a role, a message says whose word is missing, and where.
func TestRefusedWithRole(t *testing.T) {
	const role = "arn:aws:iam::210987654321:role/edge/clear-cache"
	ofSTS := func(status int, code, message string) error {
		return &smithy.OperationError{ServiceID: "CloudFront", OperationName: "CreateInvalidation", Err: fmt.Errorf("get identity: %w",
			&smithy.OperationError{ServiceID: "STS", OperationName: "AssumeRole", Err: errors.Unwrap(invalidationtest.APIError(status, code, message))})}
	}
	denied := "User: arn:aws:sts::123456789012:assumed-role/r/f is not authorized to perform: sts:AssumeRole on resource: " + role
	tests := []struct {
		name string
		err  error
		want Kind
		text string // "" where waiting may help
	}{
		{"role that is not there, or does not trust", ofSTS(403, "AccessDenied", denied), Permission,
			"STS refused: AccessDenied: " + denied + ". There must be a role " + role + ", with the trust policy that is the stack's output RoleTrust (again, if the stack was made anew); then retry this stage"},
		{"STS, unknown to us", ofSTS(403, "RegionDisabledException", "STS is not activated in this region"), Other,
			"STS refused: RegionDisabledException: STS is not activated in this region. Look the error up in the API reference of AWS STS, from which the function has the credentials of the role " + role + "; then retry this stage"},
		{"STS throttles", ofSTS(400, "Throttling", "Rate exceeded"), 0, ""},
		{"STS breaks", ofSTS(500, "InternalFailure", ""), 0, ""},
		{"role that may not clear", invalidationtest.APIError(403, "AccessDenied", "no"), Permission,
			"CloudFront refused: AccessDenied: no. The role " + role + " must allow cloudfront:CreateInvalidation and cloudfront:GetInvalidation on this distribution, as the stack's output RolePermissions does; then retry this stage"},
		{"distribution of no such account", invalidationtest.APIError(404, "NoSuchDistribution", "no"), Configuration,
			"CloudFront refused: NoSuchDistribution: no. Check the distribution's setting, and that it is a distribution of the account 210987654321, whose role the function takes on"},
	}
	i := Invalidator{Settings: Settings{RoleARN: role}, Words: Words{Distribution: "the distribution's setting", Again: "retry this stage"}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := refused(tt.err, i.words())
			if tt.text == "" {
				if got != nil {
					t.Errorf("got %q, want no failure", got.Message)
				}
				return
			}
			if got == nil || got.Kind != tt.want || got.Message != tt.text {
				t.Errorf("got %+v, want %v with %q", got, tt.want, tt.text)
			}
		})
	}

	now := time.Now()
	_, err := decide("", ofSTS(400, "Throttling", "Rate exceeded"), Progress{Started: now.Add(-time.Minute), Deadline: now}, i.Settings, i.words(), now)
	if want := "STS gave the function no credentials of the role " + role + " within 1m0s"; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("at the deadline: %v, want %q", err, want)
	}
}

func TestParseSettings(t *testing.T) {
	tests := []struct {
		name     string
		env      map[string]string
		want     Settings
		wantErrs []string
	}{
		{name: "defaults", want: settings},
		{
			name: "all set",
			env:  map[string]string{EnvPollFor: "1s", EnvPollEvery: "100ms", EnvDeadline: "2h", EnvAfterDeadline: "warn", EnvRoleARN: "arn:aws:iam::210987654321:role/r"},
			want: Settings{PollFor: time.Second, PollEvery: 100 * time.Millisecond, Deadline: 2 * time.Hour, AfterDeadline: Warn, RoleARN: "arn:aws:iam::210987654321:role/r"},
		},
		{
			name:     "role that is none",
			env:      map[string]string{EnvRoleARN: "edge"},
			want:     Settings{PollFor: settings.PollFor, PollEvery: settings.PollEvery, Deadline: settings.Deadline, AfterDeadline: Fail, RoleARN: "edge"},
			wantErrs: []string{`ROLE_ARN is "edge": must be a role's ARN`},
		},
		{
			name:     "every problem at once",
			env:      map[string]string{EnvPollFor: "40", EnvPollEvery: "0s", EnvDeadline: "-1m", EnvAfterDeadline: "explode"},
			want:     settings,
			wantErrs: []string{`POLL_FOR is "40"`, `POLL_EVERY is "0s"`, `DEADLINE is "-1m"`, `AFTER_DEADLINE is "explode"`},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseSettings(func(name string) string { return tt.env[name] })
			if got != tt.want {
				t.Errorf("settings are %+v, want %+v", got, tt.want)
			}
			if (err == nil) != (len(tt.wantErrs) == 0) {
				t.Fatalf("error is %v, want one: %v", err, len(tt.wantErrs) > 0)
			}
			for _, want := range tt.wantErrs {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
		})
	}
}

// The format is CloudWatch's: what it cannot parse, it drops without a word.
func TestMetrics(t *testing.T) {
	var out strings.Builder
	log := slog.New(slog.NewJSONHandler(&out, nil)).With("blog", "my-blog")
	log.Info("finished", Metrics("blog", Result{Took: 1500 * time.Millisecond}))

	var line struct {
		Blog                string  `json:"blog"`
		InvalidationFailed  *int    `json:"InvalidationFailed"`
		InvalidationLate    *int    `json:"InvalidationLate"`
		InvalidationSeconds float64 `json:"InvalidationSeconds"`
		AWS                 struct {
			Timestamp         int64
			CloudWatchMetrics []struct {
				Namespace  string
				Dimensions [][]string
				Metrics    []struct{ Name, Unit string }
			}
		} `json:"_aws"`
	}
	if err := json.Unmarshal([]byte(out.String()), &line); err != nil {
		t.Fatalf("decode %s: %v", out.String(), err)
	}
	if line.InvalidationFailed == nil || *line.InvalidationFailed != 0 || line.InvalidationLate == nil || *line.InvalidationLate != 0 {
		t.Errorf("a success must count 0 failed and 0 late: %s", out.String())
	}
	if line.InvalidationSeconds != 1.5 {
		t.Errorf("InvalidationSeconds is %v, want 1.5", line.InvalidationSeconds)
	}
	if age := time.Since(time.UnixMilli(line.AWS.Timestamp)); age < 0 || age > time.Minute {
		t.Errorf("Timestamp is %v old, want milliseconds of now", age)
	}
	if len(line.AWS.CloudWatchMetrics) != 1 {
		t.Fatalf("got %d directives, want 1: %s", len(line.AWS.CloudWatchMetrics), out.String())
	}
	directive := line.AWS.CloudWatchMetrics[0]
	if got, want := fmt.Sprint(directive), "{BlogDeployPipeline [[blog]] [{InvalidationFailed Count} {InvalidationLate Count} {InvalidationSeconds Seconds}]}"; got != want {
		t.Errorf("directive is %s, want %s", got, want)
	}
}
