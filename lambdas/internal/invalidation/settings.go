package invalidation

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/environment"
)

// Settings are the owner's choices. They are the same for every call of one function.
type Settings struct {
	// PollFor limits the polling within one call. The default of 40 seconds is above
	// CloudFront's P95 of 25 seconds, so that most deployments need one call.
	PollFor time.Duration
	// PollEvery is the first wait between two polls. Later waits grow to 10 seconds.
	// Default: 2 seconds.
	PollEvery time.Duration
	// Deadline limits the whole, over all calls, from the start of the first one.
	// Default: 30 minutes.
	Deadline time.Duration
	// WaitFor says when an invalidation is done. Default: when it is completed.
	// [ReadSettings] does not read it, because only the hook has this choice.
	WaitFor contract.WaitFor
	// RoleARN is the role that the CloudFront client assumes, in the account of the
	// distributions. Default: the function's own role.
	RoleARN string
}

// ReadSettings reads the settings from the function's environment.
func ReadSettings(env *environment.Reader) Settings {
	settings := Settings{
		PollFor:   env.Duration(contract.EnvPollFor, 40*time.Second),
		PollEvery: env.Duration(contract.EnvPollEvery, 2*time.Second),
		Deadline:  env.Duration(contract.EnvDeadline, 30*time.Minute),
		RoleARN:   env.Getenv(contract.EnvRoleARN),
	}
	if settings.RoleARN != "" && settings.RoleAccount() == "" {
		env.Refuse(contract.EnvRoleARN, "a role's ARN, such as arn:aws:iam::123456789012:role/clear-cache")
	}
	return settings
}

// RoleAccount returns the account of the role, or "" without a role.
func (s Settings) RoleAccount() string {
	parsed, err := arn.Parse(s.RoleARN)
	if err != nil {
		return ""
	}
	return parsed.AccountID
}
