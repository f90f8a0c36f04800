// Package delivery has the construct of a blog's delivery: the pipeline that builds the blog,
// uploads it and clears CloudFront's cache.
package delivery

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/stacks/notify"
	"blog-deploy-pipeline/stacks/pipeline"
	"blog-deploy-pipeline/stacks/props"
)

// Props describe a Delivery.
type Props struct {
	props.Blog

	// To is where a blog with a Site goes. Default: to the bucket and the distribution that
	// Deploy and Invalidate name.
	To Destination
}

// Destination is where a pipeline publishes. Its values may be tokens.
type Destination struct {
	Bucket         awss3.IBucket
	DistributionID string
	// BaseURL is where readers find the blog, with a slash at its end, for Hugo. Default: the
	// blog's own configuration says it.
	BaseURL string
}

// Delivery is what takes a blog from its repository to its readers.
type Delivery struct {
	constructs.Construct

	// Pipeline is the blog's, and has its name.
	Pipeline awscodepipeline.Pipeline

	// Artifacts is the bucket of the pipeline's artifacts.
	Artifacts awss3.IBucket
}

// NewDelivery makes the delivery of a blog in scope. It panics on props that are not valid,
// as constructs do.
func NewDelivery(scope constructs.Construct, id string, p Props) *Delivery {
	if err := p.Blog.Validate(); err != nil {
		panic(err)
	}
	blog := p.Blog.WithDefaults()
	this := &Delivery{Construct: constructs.NewConstruct(scope, jsii.String(id))}
	to := p.To
	if to.Bucket == nil {
		to = Destination{Bucket: existingBucket(this.Construct, blog.Deploy), DistributionID: blog.Invalidate.DistributionID}
	}

	base := pipeline.NewBase(this.Construct, blog.Identity(), blog.Source)
	this.Artifacts = base.Artifacts
	build := newBuild(this.Construct, base, blog.Build, to.BaseURL)
	deploy := newDeploy(this.Construct, base, blog.Deploy, to.Bucket, build.Output)
	invalidate := newInvalidate(this.Construct, base, blog.Invalidate, blog.Site, to.DistributionID)

	this.Pipeline = pipeline.NewPipeline(this.Construct, pipeline.Props{
		Base: base, Type: blog.PipelineType, ExecutionMode: blog.ExecutionMode,
		Stages: []*awscodepipeline.StageProps{
			pipeline.Stage("Build", build.Action),
			pipeline.Stage("Deploy", deploy),
			pipeline.Stage("Invalidate", invalidate),
		},
		Topics: notify.NewTopics(this.Construct, blog.Identity(), blog.Notifications),
	})
	if blog.Schedule.Expression != "" {
		newSchedule(this.Construct, blog.Schedule, this.Pipeline)
	}
	return this
}
