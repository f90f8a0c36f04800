package props

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"blog-deploy-pipeline/lambdas/contract"
)

// Invalidate says which of CloudFront's caches a blog's pipeline clears after it has uploaded the site,
// and how long that may take.
type Invalidate struct {
	// DistributionID is the id of the existing distribution. Required without Site; a Site creates the
	// distribution. Example: "E2QWRUHAPOMQZL".
	DistributionID string

	// RoleARN is a role in the distribution's account, if that is not the blog's. The function assumes it to
	// clear the cache, and its own role may then do nothing else. The owner of that account creates it, from
	// the stack's outputs RoleTrust and RolePermissions (docs/platform.md, "A distribution in another
	// account"). Until then the stage fails, and its message says why. The role costs nothing, and can be
	// changed at any time. Not allowed with Site. Default: none, the distribution is in the blog's account.
	// Example: "arn:aws:iam::123456789012:role/clear-cache".
	RoleARN string

	// Paths are what CloudFront clears: paths that start with "/", are URL-encoded and have "*" only at their
	// end, or cache tags, "#tag". The first 1,000 a month are free for the account, then each costs 0.005
	// USD; "/*" counts as one. CloudFront may keep a page by the path that a visitor asks for, "/" or "/a/",
	// or by the path that a function makes of it, "/index.html" or "/a/index.html". With Site, the other of
	// the two is added, and costs as much; without, write both. All paths together, including those that are
	// added, must fit into the 1,000 characters of an action's UserParameters. Default: "/*".
	// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html
	Paths []string

	// Deadline is how long CloudFront may take in all, over as many calls of the function as that needs: 1
	// minute to 23 hours. AWS names a P95 of 25 seconds; 40 minutes have been observed. Default: 30 minutes.
	// Example: time.Hour.
	Deadline time.Duration

	// OnFailure says what happens to an execution whose invalidation CloudFront has accepted, but not
	// completed by Deadline. If CloudFront did not accept it, or did not answer, the execution fails in any
	// case. Default: OnFailureFail.
	OnFailure OnFailure

	// PollFor is how long one call of the function waits for CloudFront before CodePipeline has to call it
	// again: 1 second to 10 minutes. Default: 40 seconds, which is long enough in most cases. Example: 2 *
	// time.Minute.
	PollFor time.Duration

	// LogRetentionDays is the number of days for which the function's log is kept. Default: 30.
	LogRetentionDays int
}

const (
	// maxUserParameters limits the UserParameters of an action, in characters.
	// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-Lambda.html
	maxUserParameters = 1000

	defaultDeadline = 30 * time.Minute
	// A CodePipeline action ends after 24 hours, as a hook of ECS does.
	minDeadline, maxDeadline = time.Minute, 23 * time.Hour

	defaultPollFor = 40 * time.Second
	// A Lambda function ends after 15 minutes.
	minPollFor, maxPollFor = time.Second, 10 * time.Minute
)

// withDefaults returns these props with every default in its field.
func (i Invalidate) withDefaults() Invalidate {
	i.Deadline = cmp.Or(i.Deadline, defaultDeadline)
	i.OnFailure = cmp.Or(i.OnFailure, OnFailureFail)
	i.PollFor = cmp.Or(i.PollFor, defaultPollFor)
	i.LogRetentionDays = logDaysWithDefault(i.LogRetentionDays)
	return i
}

func (i Invalidate) validate(p *problems, pipelineName string, site *Site) {
	before := len(p.errs)
	if site != nil {
		p.empty("Invalidate.DistributionID", i.DistributionID, "Site creates the distribution; remove one of them")
		p.empty("Invalidate.RoleARN", i.RoleARN, "the distribution that Site creates is in the blog's own account")
	} else {
		validateDistribution(p, "Invalidate.DistributionID", i.DistributionID)
		validateRole(p, "Invalidate.RoleARN", i.RoleARN)
	}
	validatePaths(p, "Invalidate.Paths", i.Paths)
	i.validateCleared(p, pipelineName, site, before)
	if d := i.Deadline; d < minDeadline || d > maxDeadline {
		p.add("Invalidate.Deadline", i.Deadline, "must be from 1 minute to 23 hours, written as 30 * time.Minute")
	}
	if d := i.PollFor; d < minPollFor || d > maxPollFor || d%time.Second != 0 {
		p.add("Invalidate.PollFor", i.PollFor, "must be whole seconds, from 1 second to 10 minutes, written as 40 * time.Second")
	}
	oneOf(p, "Invalidate.OnFailure", i.OnFailure, OnFailureFail, OnFailureProceed)
	validateLogDays(p, "Invalidate.LogRetentionDays", i.LogRetentionDays)
}

// validateCleared checks what the function is told to clear, which AWS's limits are for. It may be more
// than Paths.
func (i Invalidate) validateCleared(p *problems, pipelineName string, site *Site, before int) {
	cleared, distributionID, with := i.cleared(site), i.DistributionID, ""
	if more := len(cleared) - len(i.Paths); more > 0 {
		with = fmt.Sprintf("with the pages' other addresses (%d, such as /a/index.html for /a/) ", more)
	}
	if site != nil {
		distributionID = longestDistributionID
		for n, path := range i.Paths {
			if strings.HasPrefix(path, "/") && strings.Contains(path, "?") {
				p.add(fmt.Sprintf("Invalidate.Paths[%d]", n), path, "has a query, which is no part of the key in a Site's cache: leave out what starts with ?")
			}
		}
		if own, all := countWildcards(i.Paths), countWildcards(cleared); own <= maxWildcards && all > maxWildcards {
			p.add("Invalidate.Paths", fmt.Sprintf("%d paths with *", own), fmt.Sprintf("a path with + is also cleared with %%2B, which makes %d, and CloudFront clears at most %d of them at a time: use fewer, or a wider one", all, maxWildcards))
		}
	}
	if n := utf8.RuneCountInString(i.UserParameters(pipelineName, distributionID, site)); n > maxUserParameters && len(p.errs) == before {
		p.add("Invalidate.Paths", count(len(i.Paths), "path"), fmt.Sprintf("%sUserParameters are %d characters long, and CodePipeline allows at most %d: use wildcards or /*, which counts as one path", with, n, maxUserParameters))
	}
}

// cleared returns the paths that CloudFront is told to clear. A Site serves a page at several addresses,
// which are cleared together. A path that another path with * covers costs money and changes nothing, so
// it is left out.
func (i Invalidate) cleared(site *Site) []string {
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

// UserParameters returns what CodePipeline tells the function of a pipeline with every job, as JSON.
func (i Invalidate) UserParameters(pipelineName, distributionID string, site *Site) string {
	return contract.JSON(contract.UserParameters{
		PipelineName: pipelineName,
		Distribution: contract.Distribution{ID: distributionID, Paths: i.cleared(site)},
	})
}
