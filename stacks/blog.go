package stacks

import (
	"cmp"
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// BlogProps describes one blog and its delivery.
type BlogProps struct {
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

func (b BlogProps) owner() owner { return owner{"blog", b.Name, b.Account, b.Region} }

// WithDefaults returns these props with every default in its field.
func (b BlogProps) WithDefaults() BlogProps {
	b.Source = sourceWithDefaults(b.Source)
	b.Build = b.Build.WithDefaults()
	if b.Site != nil {
		site := b.Site.WithDefaults()
		b.Site = &site
	}
	b.Invalidate = b.Invalidate.WithDefaults()
	b.Schedule = b.Schedule.WithDefaults()
	b.PipelineType = cmp.Or(b.PipelineType, V2)
	b.ExecutionMode = cmp.Or(b.ExecutionMode, Superseded)
	return b
}

// Validate returns all that is wrong with these props, or nil.
func (b BlogProps) Validate() error {
	p := &problems{owner: b.owner()}
	b.owner().validate(p, maxPipelineName)
	b.owner().validatePipeline(p)
	own := b
	b = b.WithDefaults()
	oneOf(p, "PipelineType", b.PipelineType, V2, V1)
	if oneOf(p, "ExecutionMode", b.ExecutionMode, Superseded, Queued) && b.PipelineType == V1 && b.ExecutionMode != Superseded {
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
	return p.join()
}

// BlogStackID returns the id and name of the stack of the delivery of the blog called
// name.
func BlogStackID(name string) string { return name + "-pipeline" }

// BlogStackIDs returns the ids and names of all stacks of a blog, in the order in
// which they are deployed.
func BlogStackIDs(props BlogProps) []string {
	if props.Site == nil {
		return []string{BlogStackID(props.Name)}
	}
	return append(props.Site.stackIDs(props.owner()), BlogStackID(props.Name))
}

// NewBlogStack adds the stack of a blog's delivery to scope, and those of its Site, and
// returns the former. Like every construct it panics on props that are not valid;
// [Validate] returns what is wrong instead.
func NewBlogStack(scope constructs.Construct, props BlogProps) awscdk.Stack {
	if err := props.Validate(); err != nil {
		panic(err)
	}
	examples := props.exampleValues()
	props = props.WithDefaults()
	props.Account = examples.account(props.Account)
	var to destination
	if props.Site != nil {
		to = newSite(scope, props.owner(), *props.Site, props.Notifications)
	}
	stack := awscdk.NewStack(scope, jsii.String(BlogStackID(props.Name)),
		props.owner().stackProps(fmt.Sprintf("Delivery of the blog %s: source, build, deploy, invalidate", props.Name)))
	warnOfExamples(stack, props.owner(), examples)
	if props.Site == nil {
		to = destination{bucket: existingBucket(stack, props.Deploy), distributionID: props.Invalidate.DistributionID}
	}

	artifacts := newArtifactBucket(stack)
	role := newServiceRole(stack, "PipelineRole", "codepipeline.amazonaws.com", "Runs the pipeline of the blog "+props.Name)
	source := newSource(stack, role, props.Source)
	build := newBuild(stack, props.owner(), props.Build, to.baseURL, source, artifacts)
	deploy := newDeploy(stack, props.Deploy, to.bucket, build.output, artifacts, role)
	invalidate := newInvalidate(stack, props.Name, props.Invalidate, props.Site, to.distributionID, role)

	made := newPipeline(stack, props.owner(), pipeline{
		role: role, artifacts: artifacts, kind: props.PipelineType, mode: props.ExecutionMode,
		source: source,
		stages: []*awscodepipeline.StageProps{
			stage("Build", build.action),
			stage("Deploy", deploy),
			stage("Invalidate", invalidate),
		},
	})
	if props.Schedule.Expression != "" {
		newSchedule(stack, props.Schedule, made)
	}
	notifyOfFailures(stack, made, props.owner(), newTopics(stack, props.owner(), props.Notifications))
	return stack
}
