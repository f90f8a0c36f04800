package props

import (
	"fmt"
	"strconv"
	"strings"

	"blog-deploy-pipeline/lambdas/contract"
)

// maxBucketName is how long the name of a bucket may be.
const maxBucketName = 63

// PublishEnvironment returns the settings of the function that publishes a blog, whose props must have their
// defaults. The names of the two buckets may be tokens.
func PublishEnvironment(deploy Deploy, siteBucket, releases string) map[string]string {
	environment := releaseEnvironment(deploy, releases)
	environment[contract.EnvSiteBucket] = siteBucket
	environment[contract.EnvGrace] = max(deploy.Grace, 0).String() // NoGrace is negative
	environment[contract.EnvMaxDeletePercent] = strconv.Itoa(deploy.MaxDeletePercent)
	if rules := rules(deploy.Headers, deploy.CacheControl); rules != nil {
		// The CDK's check of the template would read ${ as a reference.
		environment[contract.EnvHeaders] = strings.ReplaceAll(contract.JSON(rules), "${", `\u0024{`)
	}
	return environment
}

// ChangesEnvironment returns the settings that the function invalidate needs besides its other ones, if it
// clears what changed. The blog's props must have their defaults. The name of the releases bucket and the Site's
// address, which has no slash at its end, may be tokens.
func ChangesEnvironment(deploy Deploy, invalidate Invalidate, site *Site, releases, siteAddress string) map[string]string {
	// Many existing distributions have a function that makes /a/index.html of /a. AWS recommends to clear both.
	addresses := contract.Addresses{BasePath: invalidate.BasePath, QueryStrings: invalidate.QueryStrings, Bare: true}
	if site != nil {
		addresses.Tags, addresses.Bare = true, site.MissingSlash == MissingSlashRewrite
	}
	environment := releaseEnvironment(deploy, releases)
	environment[contract.EnvAddresses] = contract.JSON(addresses)
	environment[contract.EnvMaxPaths] = strconv.Itoa(invalidate.MaxPaths)
	if origin := invalidate.LooksAt(deploy, site, siteAddress); origin != "" {
		environment[contract.EnvVerify] = origin
	}
	return environment
}

// releaseEnvironment returns the settings that both functions have.
func releaseEnvironment(deploy Deploy, releases string) map[string]string {
	environment := map[string]string{contract.EnvReleases: releases}
	if deploy.KeyPrefix != "" {
		environment[contract.EnvKeyPrefix] = deploy.KeyPrefix
	}
	return environment
}

// validatePublishEnvironment reports headers that do not fit into the settings of the function.
func validatePublishEnvironment(p *problems, deploy Deploy) {
	if deploy.By != DeployByFunction || len(deploy.Headers) == 0 {
		return
	}
	longest := strings.Repeat("x", maxBucketName)
	size := func(headers []FileHeaders) int {
		deploy.Headers = headers
		return len(contract.JSON(PublishEnvironment(deploy, longest, longest)))
	}
	headers := deploy.Headers
	if n := size(headers); n > maxEnvironment {
		without := size(nil)
		p.add("Deploy.Headers", count(len(headers), "element"), fmt.Sprintf("they need %d bytes of the function's environment, and of the %d that Lambda allows %d are left: use fewer, or wider patterns", n-without, maxEnvironment, maxEnvironment-without))
	}
}
