package props_test

import (
	"strings"
	"testing"

	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

// A mistake in the blog's region is reported once, and not with each ARN.
func TestUnknownPlaceIsSaidOnce(t *testing.T) {
	given := fixtures.Full
	given.Region = "us-east-9"
	wantProblem(t, given.Validate(), "Region")
	given = fixtures.Full
	given.Account = "1234"
	wantProblem(t, given.Validate(), "Account")
}

// A field with a mistake is not compared with others.
func TestOneMistakeIsSaidOnce(t *testing.T) {
	long := fixtures.Modern
	long.Deploy.KeyPrefix = strings.Repeat("é", 5000)
	wantProblem(t, long.Validate(), `é"… (5000 characters): must be a folder`)
	named := fixtures.Modern
	named.Name = strings.Repeat("x", 700)
	wantProblem(t, named.Validate(), `x"… (700 characters): Name is "x`)
	policy := fixtures.Complete
	setSite(func(s *props.Site, v string) { s.Headers.Frames, s.Headers.ContentSecurityPolicy = "", v })(&policy, strings.Repeat("/", 1500))
	wantProblem(t, policy.Validate(), `/"… (1500 characters) where a directive's name must be`)
	for _, err := range []error{long.Validate(), named.Validate(), policy.Validate()} {
		if n := len(err.Error()); n > 700 {
			t.Errorf("the message has %d characters", n)
		}
	}
	mode := fixtures.Webhook
	mode.ExecutionMode = "PARALLEL"
	wantProblem(t, mode.Validate(), "must be one of")
	frames := fixtures.Complete
	setSite(func(s *props.Site, v string) { s.Headers.Frames = props.Frames(v) })(&frames, "nobody")
	wantProblem(t, frames.Validate(), "must be one of")
	policy = fixtures.Complete
	setSite(func(s *props.Site, v string) { s.Headers.Frames, s.Headers.ContentSecurityPolicy = "", v })(&policy, "ü")
	wantProblem(t, policy.Validate(), "plain ASCII")
	health := fixtures.API
	health.Container.HealthCheckPath = "healthz"
	wantProblem(t, health.Validate(), "must be a path such as /healthz")
	controller := fixtures.Search
	controller.Controller = "EXTERNAL"
	wantProblem(t, controller.Validate(), "must be one of")
	paths := fixtures.Modern
	paths.Invalidate.Paths = []string{strings.Repeat("x", 1000)}
	wantProblem(t, paths.Validate(), "must start with /")
	clears := fixtures.Shop
	clears.Hook.Invalidations = []props.Invalidation{{DistributionID: "E2QWRUHAPOMQZL", Paths: []string{strings.Repeat("x", 5000)}}}
	wantProblem(t, clears.Validate(), "must start with /")
}
