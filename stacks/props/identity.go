package props

import (
	"fmt"
	"regexp"
	"slices"
)

// owner is the blog or service that a stack is made for, as far as every part of the
// stack needs to know it.
type Identity struct {
	Kind                  string // "blog" or "service"
	Name, Account, Region string
}

// file is where the owner is listed.
func (i Identity) File() string { return i.Kind + "s.go" }

func (i Identity) String() string { return i.Kind + " " + quoted(i.Name) }

var (
	accountPattern = regexp.MustCompile(`^\d{12}$`)
	// CloudFront is not there, or is another one, with other endpoints.
	otherPartitionPattern = regexp.MustCompile(`^(cn|us-gov|us-iso[a-z]*|eu-isoe|eusc-[a-z]+)-`)
)

// validate checks the name, which may be at most maxName characters long, and where
// the stack goes.
func (i Identity) validate(p *Problems, maxName int) {
	pattern := regexp.MustCompile(fmt.Sprintf(`^[A-Za-z][A-Za-z0-9-]{0,%d}$`, maxName-1))
	p.match("Name", i.Name, pattern, fmt.Sprintf("must start with a letter and hold at most %d letters, digits and hyphens", maxName))
	if i.Account != "" {
		p.match("Account", i.Account, accountPattern, "must be the 12 digits of an AWS account, or empty for that of your credentials")
	}
	switch {
	case i.Region == "", isRegion(i.Region):
	case otherPartitionPattern.MatchString(i.Region):
		p.add("Region", i.Region, "must be one of AWS's commercial regions, where CloudFront can be cleared from")
	default:
		p.add("Region", i.Region, "must be a region that AWS has, such as ap-northeast-1, or empty for that of your credentials; one that is newer than this project goes into stacks/props/identity.go first")
	}
}

// regions are those of AWS's commercial partition, as of botocore 1.44.8. Those of the
// other partitions have no CloudFront, or another one, with other endpoints.
//
// https://github.com/boto/botocore/blob/develop/botocore/data/partitions.json
var Regions = []string{
	"af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1",
	"ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5",
	"ap-southeast-6", "ap-southeast-7", "ca-central-1", "ca-west-1", "eu-central-1", "eu-central-2", "eu-north-1",
	"eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3", "il-central-1", "me-central-1", "me-south-1",
	"me-west-1", "mx-central-1", "sa-east-1", "sa-west-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2",
}

func isRegion(name string) bool { return slices.Contains(Regions, name) }
