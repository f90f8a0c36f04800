package props

import (
	"blog-deploy-pipeline/lambdas/contract"
	"cmp"
	"regexp"
	"slices"
)

// Blog describes one blog and its delivery.
type Blog struct {
	// Name names the blog, its pipeline and its metrics. At most 100 letters,
	// digits and hyphens, the first a letter, and not xn--, sthree- or amzn-s3-demo-
	// at the start, which S3 takes in no bucket's name; must be unique (with Site in
	// the whole account, whatever the Region), and must not change: a new name is a new
	// stack. Required. Example: "kzmorita-blog".
	Name string

	// Account is the AWS account to deploy to. In another one a second pipeline is made,
	// with Site a second site, and the first stays. Default: that of the credentials in
	// use. Example: "123456789012".
	Account string

	// Region is where the pipeline runs: that of the blog's bucket, since the S3
	// action deploys within its region. Not ap-east-2, ca-west-1 and mx-central-1, where
	// CloudFormation makes no CodeBuild projects. The distribution is global. Required with
	// Site, whose names in CloudFront are the account's: it moves by `make destroy
	// SITE=yes` first. Without one, in another region a second pipeline is made, and the
	// first stays. Default: that of the credentials in use. Example: "ap-northeast-1".
	Region string

	// Source is where the blog's repository is: a GitHubConnection or a
	// GitHubToken. Required.
	Source Source

	// Build says how the site is made. Default: Hugo, by this project's recipe.
	Build Build

	// Site makes the bucket and the distribution, for a blog that has none. Where you take
	// it away, its stacks stay in AWS until you remove them. Default: none; Deploy.Bucket
	// and Invalidate.DistributionID name those that are there. Example: &Site{}.
	Site *Site

	// Deploy says where the site goes. Required without Site.
	Deploy Deploy

	// Invalidate says which cache to clear afterwards. Required without Site.
	Invalidate Invalidate

	// Schedule starts the pipeline at certain times, too, so that posts dated in the
	// future are published when their time has come. Default: none. Example:
	// Schedule{Expression: "cron(0 6 * * ? *)", TimeZone: "Asia/Tokyo"}.
	Schedule Schedule

	// Notifications says whom to tell of failures. Default: nobody.
	Notifications Notifications

	// PipelineType is V2 or V1. V1 costs 1 USD a month and knows no trigger filters
	// and no execution modes; V2 costs 0.002 USD a minute, the first 100 a month
	// free. Default: V2.
	PipelineType PipelineType

	// ExecutionMode says what happens to a push while another is on its way. Only
	// V2 has a choice. Default: Superseded.
	ExecutionMode ExecutionMode
}

func (b Blog) Identity() Identity { return Identity{"blog", b.Name, b.Account, b.Region} }

// StackNames returns the names of all stacks of a blog, in the order in which they are
// deployed. The last one is the pipeline's.
func (b Blog) StackNames() []string {
	var names []string
	add := func(kind contract.StackKind) { names = append(names, contract.StackName(b.Name, kind)) }
	if b.Site != nil {
		if b.Site.MakesCertificate() && b.Region != CloudFrontRegion {
			add(contract.StackCertificate)
		}
		add(contract.StackSite)
		if b.Site.AccessLogRetentionDays > 0 && b.Region != CloudFrontRegion {
			add(contract.StackLogs)
		}
	}
	add(contract.StackPipeline)
	return names
}

// WithDefaults returns these props with every default in its field.
func (b Blog) WithDefaults() Blog {
	b.Source = sourceWithDefaults(b.Source)
	b.Build = b.Build.WithDefaults()
	if b.Site != nil {
		site := b.Site.WithDefaults()
		b.Site = &site
	}
	b.Invalidate = b.Invalidate.WithDefaults()
	b.Schedule = b.Schedule.WithDefaults()
	b.PipelineType = cmp.Or(b.PipelineType, PipelineTypeV2)
	b.ExecutionMode = cmp.Or(b.ExecutionMode, ExecutionModeSuperseded)
	return b
}

// Validate returns all that is wrong with these props, or nil.
func (b Blog) Validate() error {
	p := &Problems{owner: b.Identity()}
	b.Identity().validate(p, MaxPipelineName)
	b.Identity().validatePipeline(p)
	own := b
	b = b.WithDefaults()
	oneOf(p, "PipelineType", b.PipelineType, PipelineTypeV2, PipelineTypeV1)
	if oneOf(p, "ExecutionMode", b.ExecutionMode, ExecutionModeSuperseded, ExecutionModeQueued) && b.PipelineType == PipelineTypeV1 && b.ExecutionMode != ExecutionModeSuperseded {
		p.add("ExecutionMode", string(b.ExecutionMode), "needs PipelineType V2")
	}
	validateSource(p, b.Source, b.PipelineType)
	b.Build.validate(p)
	if b.Site != nil {
		if b.Region == "" {
			p.add("Region", b.Region, "must be named for a Site, such as ap-northeast-1: its bucket stays there, and another machine's default would make a second one")
		}
		b.Site.validate(p, b.Notifications)
	}
	b.Deploy.validate(p, b.Site)
	b.Invalidate.validate(p, b.Name, b.Site)
	own.Schedule.validate(p, b.Source)
	b.Notifications.validate(p)
	p.noTokens(b)
	return p.Join()
}

// PipelineType is a generation of CodePipeline.
type PipelineType string

// https://docs.aws.amazon.com/codepipeline/latest/userguide/pipeline-types.html
const (
	PipelineTypeV1 PipelineType = "V1"
	PipelineTypeV2 PipelineType = "V2"
)

// ExecutionMode is how executions of one pipeline meet.
type ExecutionMode string

// https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works.html
const (
	// Superseded lets a newer push overtake one that waits: the newest wins.
	ExecutionModeSuperseded ExecutionMode = "SUPERSEDED"
	// Queued takes every push in its turn.
	ExecutionModeQueued ExecutionMode = "QUEUED"
	// Parallel is not offered: two executions would write one place in any order.
)

// https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
const MaxPipelineName = 100

// noBuilds are the regions whose CloudFormation does not know AWS::CodeBuild::Project, as
// of cfn-lint 1.58: there it refuses the whole template.
var noBuilds = []string{"ap-east-2", "ca-west-1", "mx-central-1"}

// reservedBucketPattern is how no bucket's name may start. CloudFormation makes those of
// the stack's name, in lower case.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
var reservedBucketPattern = regexp.MustCompile(`^(?i:xn--|sthree-|amzn-s3-demo-)`)

// validatePipeline checks what an owner with a pipeline has to be like.
func (i Identity) validatePipeline(p *Problems) {
	if reservedBucketPattern.MatchString(i.Name) {
		p.add("Name", i.Name, "must not start with xn--, sthree- or amzn-s3-demo-: the bucket of the pipeline is called after it, and S3 keeps such names for itself")
	}
	if slices.Contains(noBuilds, i.Region) {
		p.add("Region", i.Region, "must be a region where CloudFormation makes CodeBuild projects, such as "+CloudFrontRegion)
	}
}
