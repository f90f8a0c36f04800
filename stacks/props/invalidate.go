package props

import (
	"blog-deploy-pipeline/lambdas/contract"
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// rolePattern is a role's ARN with its path, if it has one. What IAM would take for a
// wildcard or a variable is not among the characters.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
var rolePattern = regexp.MustCompile(`^arn:aws:iam::\d{12}:role/([\w+=,.@/-]{1,510}/)?[\w+=,.@-]{1,64}$`)

// validateRole reports what is no role to take on; "" is none.
func validateRole(p *Problems, field, roleARN string) {
	if roleARN != "" {
		p.match(field, roleARN, rolePattern, "must be a role's ARN (not its name, nor the ARN of a session), in the distribution's account, such as arn:aws:iam::123456789012:role/clear-cache")
	}
}

// withRole adds to a function's environment the role to take on.
func WithRole(roleARN string, environment map[string]string) map[string]string {
	if roleARN != "" {
		environment[contract.EnvRoleARN] = roleARN
	}
	return environment
}

// Invalidate says which of CloudFront's caches to clear after a deployment, and how
// long that may take.
type Invalidate struct {
	// DistributionID is the id of the existing distribution. Required without Site,
	// which makes one. Example: "E2QWRUHAPOMQZL".
	DistributionID string

	// RoleARN is a role in the distribution's account, where that is not the blog's: the
	// function takes it on to clear the cache, and its own role may then do nothing else.
	// The account's owner makes it, from the stack's outputs RoleTrust and
	// RolePermissions (docs/platform.md, "A distribution in another account"); until then the
	// stage fails, and says so. Free of charge, and can be changed at any time. Not with
	// Site, whose distribution is in the blog's account. Default: none, the distribution
	// is in the blog's account. Example: "arn:aws:iam::123456789012:role/clear-cache".
	RoleARN string

	// Paths to clear, as CloudFront takes them: from "/", URL-encoded, with "*" only
	// at the end, or "#tag" for a cache tag. The first 1,000 a month are free for
	// the account, then 0.005 USD each; "/*" counts as one. CloudFront may know a page by
	// what readers ask for, "/" or "/a/", or by what a function makes of it, "/index.html"
	// or "/a/index.html", and wants both: a Site has the other added, which is paid for
	// like any path, an existing distribution needs both here. All of it, with what is
	// added, must fit the 1,000 characters of an action's UserParameters. Default: "/*".
	// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html
	Paths []string

	// Deadline is how long CloudFront may take in all, over as many calls of the
	// function as that needs: 1 minute to 23 hours. AWS states a P95 of 25 seconds;
	// 40 minutes have been seen. Default: 30 minutes. Example: time.Hour.
	Deadline time.Duration

	// OnFailure says what happens to an execution whose invalidation CloudFront accepted but
	// did not complete by Deadline. One that CloudFront never accepted, or did not answer
	// for, fails whatever is set here. Default: OnFailureFail.
	OnFailure OnFailure

	// PollFor is how long one call of the function waits for CloudFront before it
	// asks CodePipeline to be called again: 1 second to 10 minutes. Default: 40
	// seconds, which is enough for most. Example: 2 * time.Minute.
	PollFor time.Duration

	// LogRetentionDays is how long the function's log is kept, in days. Default: 30.
	LogRetentionDays int
}

const (
	// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-Lambda.html
	MaxUserParameters = 1000
	// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html
	maxWildcards = 15
	// No length is published; ids have had 13 or 14 characters.
	MaxDistributionID = 20

	defaultDeadline = 30 * time.Minute
	defaultPollFor  = 40 * time.Second
	// A CodePipeline action ends after 24 hours, a Lambda function after 15 minutes.
	MinDeadline, MaxDeadline = time.Minute, 23 * time.Hour
	MinPollFor, MaxPollFor   = time.Second, 10 * time.Minute
	// afterPolling is the function's time for one last slow call and the report.
	AfterPolling = 40 * time.Second
	// replyTimeout is how long CodePipeline waits for a function's report.
	ReplyTimeout = 20 * time.Minute
)

var (
	DistributionPattern = regexp.MustCompile(fmt.Sprintf(`^E[A-Z0-9]{9,%d}$`, MaxDistributionID-1))
	// What is not unsafe by RFC 1738, which is what CloudFront goes by.
	pathPattern = regexp.MustCompile(`^/([A-Za-z0-9._!$&'()+,;=:@/?*-]|%[0-9A-Fa-f]{2})*$`)
	// Without * and without braces, which CodePipeline would take for a variable.
	tagPattern = regexp.MustCompile(`^#[!-)+-z|~]{1,256}$`)
)

// WithDefaults returns these props with every default in its field.
func (i Invalidate) WithDefaults() Invalidate {
	i.Deadline = cmp.Or(i.Deadline, defaultDeadline)
	i.OnFailure = cmp.Or(i.OnFailure, OnFailureFail)
	i.PollFor = cmp.Or(i.PollFor, defaultPollFor)
	i.LogRetentionDays = logDaysWithDefault(i.LogRetentionDays)
	return i
}

func (i Invalidate) validate(p *Problems, pipelineName string, site *Site) {
	before, distributionID := len(p.errs), i.DistributionID
	if site != nil {
		p.empty("Invalidate.DistributionID", i.DistributionID, "Site makes the distribution; keep one of them")
		p.empty("Invalidate.RoleARN", i.RoleARN, "the distribution that Site makes is in the blog's own account")
		distributionID = strings.Repeat("E", MaxDistributionID) // CloudFront's to choose
	} else {
		p.match("Invalidate.DistributionID", i.DistributionID, DistributionPattern, "must be a distribution's id (not its domain name or ARN), such as E2QWRUHAPOMQZL")
		validateRole(p, "Invalidate.RoleARN", i.RoleARN)
	}
	validatePaths(p, "Invalidate.Paths", i.Paths)
	cleared, with := i.Cleared(site), ""
	if more := len(cleared) - len(i.Paths); more > 0 {
		with = fmt.Sprintf("with %d that belong to them (/a/ and /a/index.html) ", more)
	}
	if site != nil {
		for n, path := range i.Paths {
			if strings.HasPrefix(path, "/") && strings.Contains(path, "?") {
				p.add(fmt.Sprintf("Invalidate.Paths[%d]", n), path, "has a query, which a Site's cache knows nothing of; leave out what begins with ?")
			}
		}
		if own, all := countWildcards(i.Paths), countWildcards(cleared); own <= maxWildcards && all > maxWildcards {
			p.add("Invalidate.Paths", fmt.Sprintf("%d paths with *", own), fmt.Sprintf("each with a + is cleared as %%2B, too, which makes %d, and CloudFront clears at most %d of them at a time; use fewer, or one wider", all, maxWildcards))
		}
	}
	if n := utf8.RuneCountInString(UserParameters(pipelineName, distributionID, cleared)); n > MaxUserParameters && len(p.errs) == before {
		p.add("Invalidate.Paths", fmt.Sprintf("%d paths", len(i.Paths)), fmt.Sprintf("%sthey make UserParameters %d characters long, and CodePipeline takes at most %d; use wildcards or /*, which counts as one path", with, n, MaxUserParameters))
	}
	if d := i.Deadline; d < MinDeadline || d > MaxDeadline {
		p.add("Invalidate.Deadline", i.Deadline, "must be from 1 minute to 23 hours, written as 30 * time.Minute")
	}
	if d := i.PollFor; d < MinPollFor || d > MaxPollFor || d%time.Second != 0 {
		p.add("Invalidate.PollFor", i.PollFor, "must be whole seconds, from 1 second to 10 minutes, written as 40 * time.Second")
	}
	oneOf(p, "Invalidate.OnFailure", i.OnFailure, OnFailureFail, OnFailureProceed)
	validateLogDays(p, "Invalidate.LogRetentionDays", i.LogRetentionDays)
}

// validatePaths checks what CloudFront is to clear at a time.
func validatePaths(p *Problems, field string, paths []string) {
	for n, path := range paths {
		if problem := PathProblem(path); problem != "" {
			p.add(fmt.Sprintf("%s[%d]", field, n), path, problem)
		}
	}
	if wildcards := countWildcards(paths); wildcards > maxWildcards {
		p.add(field, fmt.Sprintf("%d paths with *", wildcards), fmt.Sprintf("CloudFront clears at most %d of them at a time; use fewer, or one wider", maxWildcards))
	}
}

func countWildcards(paths []string) (n int) {
	for _, path := range paths {
		if strings.HasSuffix(path, "*") {
			n++
		}
	}
	return n
}

// cleared returns what CloudFront is told to clear. A Site's function serves a page at
// several addresses, which belong together; what costs money, and is cleared by another
// path already, is left out.
func (i Invalidate) Cleared(site *Site) []string {
	if site == nil {
		return i.Paths
	}
	var all []string
	for _, path := range i.Paths {
		if strings.HasPrefix(path, "#") {
			all = append(all, path)
		} else {
			all = append(all, site.FunctionSettings().Addresses(path)...)
		}
	}
	var cleared []string
	for n, path := range all {
		covered := slices.Contains(all[:n], path) || slices.ContainsFunc(all, func(other string) bool {
			begin, wide := strings.CutSuffix(other, "*")
			return wide && other != path && strings.HasPrefix(path, begin)
		})
		if !covered {
			cleared = append(cleared, path)
		}
	}
	return cleared
}

// pathProblem says what CloudFront would refuse about a path, or nothing.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html
func PathProblem(path string) string {
	switch star := strings.IndexByte(path, '*'); {
	case strings.HasPrefix(path, "#"):
		if !tagPattern.MatchString(path) {
			return "must be # and a cache tag of at most 256 visible ASCII characters, without * and braces"
		}
		return ""
	case !strings.HasPrefix(path, "/"):
		return "must start with / (or with # for a cache tag)"
	case star >= 0 && star != len(path)-1:
		return "may have * only as its last character"
	case !pathPattern.MatchString(path):
		return fmt.Sprintf("must be URL-encoded: %q", encode(path))
	case hasDots(path):
		return "has . or .. for a folder, which browsers leave out of what they ask for"
	}
	return ""
}

// hasDots reports whether a part of an encoded path is . or .. alone.
// https://url.spec.whatwg.org/#double-dot-path-segment
func hasDots(path string) bool {
	return slices.ContainsFunc(strings.Split(path, "/"), func(part string) bool {
		plain := strings.ReplaceAll(strings.ToLower(part), "%2e", ".")
		return plain == "." || plain == ".."
	})
}

// encode turns a path as a person reads it into one as CloudFront does.
func encode(path string) string {
	encoded := (&url.URL{Path: path}).EscapedPath()
	return strings.NewReplacer("%2A", "*", "~", "%7E").Replace(encoded)
}

// UserParameters returns what the function is told with every job.
func UserParameters(pipelineName, distributionID string, paths []string) string {
	return contract.JSON(contract.UserParameters{
		PipelineName: pipelineName,
		Distribution: contract.Distribution{ID: distributionID, Paths: paths},
	})
}
