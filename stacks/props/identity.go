package props

import (
	"fmt"
	"regexp"
)

// validateIdentity checks the name of a blog or service, its account and its region.
func validateIdentity(p *problems, maxName int) {
	pattern := regexp.MustCompile(fmt.Sprintf(`^[A-Za-z][A-Za-z0-9-]{0,%d}$`, maxName-1))
	p.match("Name", p.of.Name, pattern, fmt.Sprintf("must start with a letter and contain at most %d letters, digits and hyphens", maxName))
	if p.of.Account != "" {
		p.match("Account", p.of.Account, accountPattern, "must be the 12 digits of an AWS account, or empty for the account of your credentials")
	}
	switch {
	case p.of.Region == "", isRegion(p.of.Region):
	case otherPartitionPattern.MatchString(p.of.Region):
		p.add("Region", p.of.Region, "must be one of AWS's commercial regions, from which CloudFront can be reached")
	default:
		p.add("Region", p.of.Region, "must be a region of AWS, such as ap-northeast-1, or empty for the region of your credentials. If AWS has added this region, add it to stacks/props/regions.go")
	}
}
