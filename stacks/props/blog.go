package props

import (
	"cmp"

	"blog-deploy-pipeline/lambdas/contract"
)

// Blog describes one blog and its delivery: a pipeline reads its repository, builds the site, uploads it
// to a bucket, and clears CloudFront's cache.
type Blog struct {
	// Name names the blog, its pipeline and its metrics: at most 100 letters, digits and hyphens, of which
	// the first is a letter. It must be unique, with Site in the whole account, whatever the Region. It
	// must not start with xn--, sthree- or amzn-s3-demo-, which S3 reserves. It must not change: a new
	// name creates new stacks. Required. Example: "my-blog".
	Name string

	// Account is the AWS account to deploy to. Another account gets a second pipeline, with Site a second
	// site, and the first stays. Default: the account of your credentials. Example: "123456789012".
	Account string

	// Region is the region of the pipeline, and of the blog's bucket, since the pipeline publishes within its
	// region. CloudFormation cannot create CodeBuild projects in ap-east-2, ca-west-1
	// and mx-central-1. The distribution is global. Required with Site, which has names in CloudFront
	// that the account can have only once: to move a Site, run `make destroy SITE=yes` first. Without a
	// Site, another region gets a second pipeline, and the first stays. Default: the region of your
	// credentials. Example: "ap-northeast-1".
	Region string

	// Source is the blog's repository: a [GitHubConnection] or a [GitHubToken]. Required.
	Source Source

	// Build says how CodeBuild builds the site. Default: with Hugo, by this project's recipe.
	Build Build

	// Site creates the bucket and the distribution, for a blog that has none. If you remove it from here,
	// its stacks stay in AWS until you delete them. Default: none; Deploy.Bucket and
	// Invalidate.DistributionID name an existing bucket and distribution. Example: &Site{}.
	Site *Site

	// Deploy says where the pipeline uploads the site to. Required without Site.
	Deploy Deploy

	// Invalidate says which of CloudFront's caches the pipeline clears. Required without Site.
	Invalidate Invalidate

	// Schedule also starts the pipeline at certain times, to publish posts that are dated in the future.
	// Default: none. Example: Schedule{Expression: "cron(0 6 * * ? *)", TimeZone: "Asia/Tokyo"}.
	Schedule Schedule

	// Notifications says who is told of failures and, with OnSuccess, of successes. Default: nobody.
	Notifications Notifications

	// Monitoring asks for a dashboard and for alarms. Default: none.
	Monitoring Monitoring

	// PipelineType is the type of the pipeline. PipelineTypeV1 costs 1 USD a month, and has no trigger
	// filters and no execution modes; PipelineTypeV2 costs 0.002 USD a minute, with 100 minutes a month
	// free. Default: PipelineTypeV2.
	PipelineType PipelineType

	// ExecutionMode says what happens to a push while the pipeline is running for another. It needs
	// PipelineTypeV2. Default: ExecutionModeSuperseded.
	ExecutionMode ExecutionMode
}

// Identity returns the blog's name, account and region.
func (b Blog) Identity() Identity { return Identity{"blog", b.Name, b.Account, b.Region} }

// StackNames returns the names of all stacks of a blog, in the order in which they are deployed. The
// last one is that of the pipeline.
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
	b.Build = b.Build.withDefaults()
	if b.Site != nil {
		site := b.Site.WithDefaults()
		b.Site = &site
	}
	b.Deploy = b.Deploy.withDefaults()
	b.Invalidate = b.Invalidate.withDefaults(b.Deploy)
	b.Schedule = b.Schedule.withDefaults()
	b.PipelineType = cmp.Or(b.PipelineType, PipelineTypeV2)
	b.ExecutionMode = cmp.Or(b.ExecutionMode, ExecutionModeSuperseded)
	return b
}

// Validate returns everything that is wrong with these props, or nil.
func (b Blog) Validate() error {
	p := &problems{of: b.Identity()}
	validateIdentity(p, maxPipelineName)
	validatePipeline(p)
	own := b
	b = b.WithDefaults()
	oneOf(p, "PipelineType", b.PipelineType, PipelineTypeV2, PipelineTypeV1)
	if oneOf(p, "ExecutionMode", b.ExecutionMode, ExecutionModeSuperseded, ExecutionModeQueued) && b.PipelineType == PipelineTypeV1 && b.ExecutionMode != ExecutionModeSuperseded {
		p.add("ExecutionMode", string(b.ExecutionMode), "needs PipelineTypeV2")
	}
	validateSource(p, b.Source, b.PipelineType)
	b.Build.validate(p)
	if b.Site != nil {
		if b.Region == "" {
			p.add("Region", b.Region, "must be set for a Site, such as ap-northeast-1: its bucket stays in its region, and credentials with another region would create a second one")
		}
		b.Site.validate(p, b.Notifications)
	}
	b.Deploy.validate(p, b.Site)
	b.Invalidate.validate(p, b.Name, b.Site, b.Deploy)
	validatePublishEnvironment(p, b.Deploy)
	own.Schedule.validate(p, b.Source)
	b.Notifications.validate(p)
	b.Monitoring.validate(p, b.Notifications)
	p.noTokens(b)
	return p.join()
}
