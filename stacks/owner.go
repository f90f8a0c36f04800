package stacks

import (
	"fmt"
	"regexp"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
)

// owner is the blog or service that a stack is made for, as far as every part of the
// stack needs to know it.
type owner struct {
	kind                  string // "blog" or "service"
	name, account, region string
}

// file is where the owner is listed.
func (o owner) file() string { return o.kind + "s.go" }

func (o owner) String() string { return o.kind + " " + quoted(o.name) }

var (
	accountPattern = regexp.MustCompile(`^\d{12}$`)
	// CloudFront is not there, or is another one, with other endpoints.
	otherPartitionPattern = regexp.MustCompile(`^(cn|us-gov|us-iso[a-z]*|eu-isoe|eusc-[a-z]+)-`)
)

// validate checks the name, which may be at most maxName characters long, and where
// the stack goes.
func (o owner) validate(p *problems, maxName int) {
	pattern := regexp.MustCompile(fmt.Sprintf(`^[A-Za-z][A-Za-z0-9-]{0,%d}$`, maxName-1))
	p.match("Name", o.name, pattern, fmt.Sprintf("must start with a letter and hold at most %d letters, digits and hyphens", maxName))
	if o.account != "" {
		p.match("Account", o.account, accountPattern, "must be the 12 digits of an AWS account, or empty for that of your credentials")
	}
	switch {
	case o.region == "", isRegion(o.region):
	case otherPartitionPattern.MatchString(o.region):
		p.add("Region", o.region, "must be one of AWS's commercial regions, where CloudFront can be cleared from")
	default:
		p.add("Region", o.region, "must be a region that AWS has, such as ap-northeast-1, or empty for that of your credentials; one that is newer than this project goes into stacks/regions.go first")
	}
}

// stackProps says what a stack is, and where it goes; what is not named is that of the
// credentials in use.
func (o owner) stackProps(description string) *awscdk.StackProps {
	props := &awscdk.StackProps{Description: jsii.String(description), Env: &awscdk.Environment{}}
	if o.account != "" {
		props.Env.Account = jsii.String(o.account)
	}
	if o.region != "" {
		props.Env.Region = jsii.String(o.region)
	}
	if o.account == exampleAccount {
		// The CLI asks for no role there, but says at once that the account is another.
		props.Synthesizer = awscdk.NewCliCredentialsStackSynthesizer(nil)
	}
	return props
}
