package props

import (
	"fmt"
	"regexp"
	"strings"

	"blog-deploy-pipeline/lambdas/contract"
)

// maxDistributionID is the assumed limit of a distribution's id. AWS publishes none; ids have had 13 or 14
// characters.
const maxDistributionID = 20

var (
	distributionPattern = regexp.MustCompile(fmt.Sprintf(`^E[A-Z0-9]{9,%d}$`, maxDistributionID-1))
	// rolePattern matches a role's ARN, with its path if it has one. It contains none of IAM's wildcards
	// and variables.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
	rolePattern = regexp.MustCompile(`^arn:aws:iam::\d{12}:role/([\w+=,.@/-]{1,510}/)?[\w+=,.@-]{1,64}$`)
)

// longestDistributionID is as long as the id that CloudFront may choose for a new distribution.
var longestDistributionID = strings.Repeat("E", maxDistributionID)

// validateDistribution reports an id that is not a distribution's.
func validateDistribution(p *problems, field, id string) {
	p.match(field, id, distributionPattern, "must be a distribution's id (not its domain name or ARN), such as E2QWRUHAPOMQZL")
}

// validateRole reports an ARN that is not a role's. It may be empty.
func validateRole(p *problems, field, roleARN string) {
	if roleARN != "" {
		p.match(field, roleARN, rolePattern, "must be a role's ARN (not its name or a session's ARN), in the distribution's account, such as arn:aws:iam::123456789012:role/clear-cache")
	}
}

// withRole adds the role that a function assumes, if any, to the function's environment.
func withRole(roleARN string, environment map[string]string) map[string]string {
	if roleARN != "" {
		environment[contract.EnvRoleARN] = roleARN
	}
	return environment
}
