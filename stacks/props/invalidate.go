package props

import (
	"cmp"
	"fmt"
	"regexp"
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

	// Paths are what CloudFront clears every time: paths that start with "/", are URL-encoded and have "*" only
	// at their end, or cache tags, "#tag". Files that no path covers stay in CloudFront for as long as their
	// Cache-Control says. The first 1,000 a month are free for the account, then each costs 0.005 USD; "/*"
	// counts as one. CloudFront may keep a page by the path that a visitor asks for, "/" or "/a/", or by the
	// path that a function makes of it, "/index.html" or "/a/index.html". With Site, the other of the two is
	// added, and costs as much; without, write both. All paths together, including those that are added, must
	// fit into the 1,000 characters of an action's UserParameters. Default, with DeployByFunction: what
	// changed, as the paths and cache tags that clear the fewest other files; with DeployByS3Action: "/*".
	// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html
	Paths []string

	// MaxPaths limits the paths and cache tags by which one publication clears what changed, 1 to 100. With
	// more of them, fewer files are cleared that have not changed. With 30, the 1,000 of a month that are free
	// are enough for 33 publications. Not allowed with Paths or DeployByS3Action. Default: 30. Example: 10.
	MaxPaths int

	// QueryStrings says that the distribution's cache policy has query strings in the cache key: a page is then
	// cleared with every query. Not allowed with Site, whose cache ignores them, with Paths or with
	// DeployByS3Action. Default: false.
	QueryStrings bool

	// BasePath is the path at which the existing distribution serves the blog's home page: folders of letters,
	// digits and !_.'()-, with a slash at both ends. It is "/" if the distribution's origin path is
	// Deploy.KeyPrefix, and "/ja/notes/" if the origin path is empty. Required with Deploy.KeyPrefix. Not allowed
	// with Site, with Paths or with DeployByS3Action. Default: "/". Example: "/ja/notes/".
	BasePath string

	// Verify is the address at which readers have the blog of an existing distribution: "https://" and a name in
	// the public DNS, without a path, which BasePath is. As soon as CloudFront has completed an invalidation, the
	// function fetches there the home page, up to 20 files that have changed and up to 2 that were removed, and
	// compares them with what was published. Each fetch is a request of a reader, to CloudFront, WAF and logs.
	// NoVerify switches that off. With Site, it is the only value that is allowed, because the address is the Site's
	// own. Not allowed with Paths or with DeployByS3Action. Default: with Site its address; without, none, and nothing
	// is fetched. Example: "https://www.example.com".
	Verify string

	// Deadline is how long CloudFront may take in all, over as many calls of the function as that needs, and
	// until when readers must have what was published, if the function looks for that: 1 minute to 23 hours. AWS
	// names a P95 of 25 seconds; 40 minutes have been observed. Default: 30 minutes. Example: time.Hour.
	Deadline time.Duration

	// OnFailure says what happens to an execution whose invalidation CloudFront has accepted, but not
	// completed by Deadline, and to one whose pages readers then do not have as they were published (Verify). If
	// CloudFront did not accept the invalidation, or did not answer, the execution fails in any case. If the
	// function cannot see what readers have, because of a redirect, a password or WAF for example, the execution
	// succeeds with a warning in any case. OnFailureRollBack needs an address at which the function looks: a Site, or
	// Verify. It lets the function call the one that publishes, and nothing else. Default: OnFailureFail.
	OnFailure OnFailure

	// PollFor is how long one call of the function waits for CloudFront before CodePipeline has to call it
	// again: 1 second to 10 minutes. Default: 40 seconds, which is long enough in most cases. Example: 2 *
	// time.Minute.
	PollFor time.Duration

	// LogRetentionDays is the number of days for which the function's log is kept. Default: 30.
	LogRetentionDays int
}

// NoVerify is an [Invalidate.Verify] for a blog that no function looks at after its publication.
const NoVerify = "none"

const (
	// maxUserParameters limits the UserParameters of an action, in characters.
	// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-Lambda.html
	maxUserParameters = 1000

	// A page costs the function time for each path that it may use.
	defaultMaxPaths, maxMaxPaths = 30, 100
	maxBasePath                  = maxKeyPrefix + 2

	defaultDeadline = 30 * time.Minute
	// A CodePipeline action ends after 24 hours, as a hook of ECS does.
	minDeadline, maxDeadline = time.Minute, 23 * time.Hour

	defaultPollFor = 40 * time.Second
	// A Lambda function ends after 15 minutes.
	minPollFor, maxPollFor = time.Second, 10 * time.Minute
)

// ClearsChanges returns whether the function clears what a publication has changed, not a fixed list of
// paths. The props must have their defaults.
func (i Invalidate) ClearsChanges(deploy Deploy) bool {
	return deploy.By == DeployByFunction && len(i.Paths) == 0
}

// withDefaults returns these props with every default in its field. Those of deploy must have theirs.
func (i Invalidate) withDefaults(deploy Deploy) Invalidate {
	if i.ClearsChanges(deploy) {
		i.MaxPaths = cmp.Or(i.MaxPaths, defaultMaxPaths)
	}
	i.Deadline = cmp.Or(i.Deadline, defaultDeadline)
	i.OnFailure = cmp.Or(i.OnFailure, OnFailureFail)
	i.PollFor = cmp.Or(i.PollFor, defaultPollFor)
	i.LogRetentionDays = logDaysWithDefault(i.LogRetentionDays)
	return i
}

func (i Invalidate) validate(p *problems, pipelineName string, site *Site, deploy Deploy) {
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
	i.validateChanges(p, site, deploy)
	if d := i.Deadline; d < minDeadline || d > maxDeadline {
		p.add("Invalidate.Deadline", i.Deadline, "must be from 1 minute to 23 hours, written as 30 * time.Minute")
	}
	if d := i.PollFor; d < minPollFor || d > maxPollFor || d%time.Second != 0 {
		p.add("Invalidate.PollFor", i.PollFor, "must be whole seconds, from 1 second to 10 minutes, written as 40 * time.Second")
	}
	oneOf(p, "Invalidate.OnFailure", i.OnFailure, OnFailureFail, OnFailureProceed, OnFailureRollBack)
	if i.OnFailure == OnFailureRollBack && i.LooksAt(deploy, site, "of the Site") == "" {
		p.add("Invalidate.OnFailure", string(i.OnFailure), "goes back only if the function has looked whether readers have what was published: without a Site, set Invalidate.Verify to the blog's address, and with either leave out NoVerify, Paths and DeployByS3Action")
	}
	validateLogDays(p, "Invalidate.LogRetentionDays", i.LogRetentionDays)
}

// validateChanges checks the fields that are about clearing what changed.
func (i Invalidate) validateChanges(p *problems, site *Site, deploy Deploy) {
	if deploy.By != DeployByFunction && deploy.By != DeployByS3Action {
		return // which is a problem of Deploy.By
	}
	if !i.ClearsChanges(deploy) {
		why := "Paths are cleared every time: leave it out, or remove Paths"
		if deploy.By != DeployByFunction {
			why = "the S3 action does not know what changed: leave it out, or set Deploy.By to DeployByFunction"
		}
		if i.MaxPaths != 0 {
			p.add("Invalidate.MaxPaths", i.MaxPaths, why)
		}
		if i.QueryStrings {
			p.add("Invalidate.QueryStrings", i.QueryStrings, why)
		}
		p.empty("Invalidate.BasePath", i.BasePath, why)
		p.empty("Invalidate.Verify", i.Verify, why)
		return
	}
	if n := i.MaxPaths; n < 1 || n > maxMaxPaths {
		p.add("Invalidate.MaxPaths", n, fmt.Sprintf("must be from 1 to %d", maxMaxPaths))
	}
	i.validateVerify(p, site)
	switch {
	case site != nil:
		p.empty("Invalidate.BasePath", i.BasePath, "the home page of a Site is at /")
		if i.QueryStrings {
			p.add("Invalidate.QueryStrings", i.QueryStrings, "the cache of a Site ignores query strings: leave it out")
		}
	case i.BasePath == "" && deploy.isFolder():
		p.add("Invalidate.BasePath", i.BasePath, fmt.Sprintf("must say at which path the distribution serves the home page, because the blog is in a folder of the bucket: / if the distribution's origin path is /%s, and /%[1]s/ if it has none", deploy.KeyPrefix))
	case i.BasePath != "" && i.BasePath != "/" && (len(i.BasePath) > maxBasePath || !basePathPattern.MatchString(i.BasePath) || hasDots(i.BasePath)):
		p.add("Invalidate.BasePath", i.BasePath, "must be / or folders such as /ja/notes/: at most 512 letters, digits and !_.'()-, with one slash at both ends and between folders, none of which is . or ..")
	}
}

// LooksAt returns the address, without a path, at which the function looks for what was published, or "" if it does
// not look. Both addresses may be tokens. The props must have their defaults.
func (i Invalidate) LooksAt(deploy Deploy, site *Site, siteAddress string) string {
	switch {
	case !i.ClearsChanges(deploy) || i.Verify == NoVerify:
		return ""
	case site != nil:
		return siteAddress
	}
	return i.Verify
}

// Address returns the address of the home page of an existing distribution, or "" if Verify does not name it.
func (i Invalidate) Address() string {
	if i.Verify == "" || i.Verify == NoVerify {
		return ""
	}
	return i.Verify + cmp.Or(i.BasePath, "/")
}

// validateVerify checks the address at which the function looks for what was published.
func (i Invalidate) validateVerify(p *problems, site *Site) {
	const field = "Invalidate.Verify"
	if i.Verify == "" || i.Verify == NoVerify {
		return
	}
	if site != nil {
		p.add(field, i.Verify, fmt.Sprintf("the function looks at the Site's own address: leave it out, or write props.NoVerify (%q) if it must not look", NoVerify))
		return
	}
	address, isHTTPS := strings.CutPrefix(i.Verify, "https://")
	host, path, hasPath := strings.Cut(address, "/")
	switch {
	case !isHTTPS || !isDomain(host) || strings.ContainsAny(path, "?#"):
		p.add(field, i.Verify, fmt.Sprintf("must be https:// and the name in DNS at which readers have the blog, in lower case, without user, port and query, such as https://www.example.com, or props.NoVerify (%q)", NoVerify))
	case hasPath && path == "":
		p.add(field, i.Verify, "leave out the slash at its end")
	case hasPath:
		p.add(field, i.Verify, "must have no path: leave it out, and write it into Invalidate.BasePath, with a slash at both ends")
	case privatePattern.MatchString(host):
		p.add(field, i.Verify, "is not in the public DNS, so that the function cannot reach it: use the name that readers use")
	}
}

var basePathPattern = regexp.MustCompile(`^/([A-Za-z0-9!_.'()-]+/)+$`)

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
