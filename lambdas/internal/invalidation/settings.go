package invalidation

import (
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
)

// AfterDeadline is what an invalidation that CloudFront accepted, but did not
// complete before the deadline, does to the deployment.
type AfterDeadline string

// The owner's choices at the deadline.
const (
	// Fail fails the deployment.
	Fail AfterDeadline = "fail"
	// Warn lets it succeed with a warning, and counts it as late.
	Warn AfterDeadline = "warn"
)

// WaitFor is how far an invalidation must be before it counts as done.
type WaitFor string

// The owner's choices of what to wait for.
const (
	// UntilCompleted is the default, the zero value included.
	UntilCompleted WaitFor = "completed"
	// UntilCreated ends once CloudFront has accepted the invalidation.
	UntilCreated WaitFor = "created"
)

// Settings are the owner's choices, the same for every call of one function.
type Settings struct {
	// PollFor bounds the polling within one call. The default of 40 seconds is
	// above CloudFront's P95 of 25, so that most deployments need one call.
	PollFor time.Duration
	// PollEvery is the first wait between two polls, 2 seconds by default; later ones
	// grow to 10 seconds.
	PollEvery time.Duration
	// Deadline bounds the whole, over all calls, from the first one's start.
	Deadline      time.Duration
	AfterDeadline AfterDeadline
	// WaitFor is not among what [ParseSettings] reads: not every caller offers it.
	WaitFor WaitFor
	// RoleARN is the role that the CloudFront client takes on, in the distributions'
	// account; "" where that is the function's own.
	RoleARN string
}

// Names of the environment variables that [ParseSettings] reads. Durations are
// written as Go does: "40s", "30m".
const (
	EnvPollFor       = "POLL_FOR"
	EnvPollEvery     = "POLL_EVERY"
	EnvDeadline      = "DEADLINE"
	EnvAfterDeadline = "AFTER_DEADLINE"
	EnvRoleARN       = "ROLE_ARN"
)

// ParseSettings reads the settings from the function's environment; what is not
// set has its default. All that is wrong is reported at once.
func ParseSettings(getenv func(string) string) (Settings, error) {
	settings := Settings{
		PollFor:       40 * time.Second,
		PollEvery:     2 * time.Second,
		Deadline:      30 * time.Minute,
		AfterDeadline: Fail,
		RoleARN:       getenv(EnvRoleARN),
	}
	var errs []error
	for _, v := range []struct {
		name string
		into *time.Duration
	}{
		{EnvPollFor, &settings.PollFor},
		{EnvPollEvery, &settings.PollEvery},
		{EnvDeadline, &settings.Deadline},
	} {
		text := getenv(v.name)
		if text == "" {
			continue
		}
		d, err := time.ParseDuration(text)
		if err != nil || d <= 0 {
			errs = append(errs, fmt.Errorf("%s is %q: must be a duration above zero, such as 40s or 30m", v.name, text))
			continue
		}
		*v.into = d
	}
	switch text := AfterDeadline(getenv(EnvAfterDeadline)); text {
	case "":
	case Fail, Warn:
		settings.AfterDeadline = text
	default:
		errs = append(errs, fmt.Errorf("%s is %q: must be %q or %q", EnvAfterDeadline, text, Fail, Warn))
	}
	if role := settings.RoleARN; role != "" && settings.RoleAccount() == "" {
		errs = append(errs, fmt.Errorf("%s is %q: must be a role's ARN, such as arn:aws:iam::123456789012:role/clear-cache", EnvRoleARN, role))
	}
	return settings, errors.Join(errs...)
}

// RoleAccount is the account that the role is in; "" without a role.
func (s Settings) RoleAccount() string {
	parsed, err := arn.Parse(s.RoleARN)
	if err != nil {
		return ""
	}
	return parsed.AccountID
}
