// Package delivery has the construct of a blog's delivery: the pipeline that builds the blog,
// uploads it and clears CloudFront's cache. Each stage has a file.
package delivery

import (
	"cmp"
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscodebuild"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"

	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/monitoring"
	"blog-deploy-pipeline/stacks/notify"
	"blog-deploy-pipeline/stacks/pipeline"
	"blog-deploy-pipeline/stacks/props"
)

// Props describe a [Delivery].
type Props struct {
	props.Blog

	// To is where the pipeline publishes. Required if the blog has a Site. Default: the bucket
	// and the distribution that Deploy and Invalidate name.
	To Destination
}

// Delivery brings a blog from its repository to its readers.
//
//	blog := props.Blog{Name: "travel", Region: "eu-west-1", Source: connection, Site: &travel}
//	d := delivery.NewDelivery(stack, "Delivery", delivery.Props{Blog: blog, To: delivery.Destination{
//		Bucket:         s.Bucket,
//		DistributionID: *s.Distribution.DistributionId(),
//		BaseURL:        s.URL + "/",
//	}})
//	secret.GrantRead(d.BuildRole, nil)
type Delivery struct {
	constructs.Construct

	// Pipeline has the blog's name.
	Pipeline awscodepipeline.Pipeline

	// Artifacts is the bucket in which one stage leaves its output for the next.
	Artifacts awss3.IBucket

	// BuildProject builds the blog.
	BuildProject awscodebuild.PipelineProject

	// BuildRole is the role of BuildProject. Grant to it what the build needs: a grant to
	// BuildProject itself has no effect.
	BuildRole awsiam.Role

	// PublishFunction publishes the blog. It is nil with DeployByS3Action.
	PublishFunction awslambda.Function

	// Releases is the bucket that has the state of the blog's publication, a list of the files of
	// each release, and the builds of the last KeepDays. It is nil with DeployByS3Action.
	Releases awss3.Bucket

	// InvalidateFunction clears CloudFront's cache. Its role allows that, writing the function's
	// log and, if it clears what changed, to read and to mark in Releases what that is. With
	// OnFailureRollBack it may also call PublishFunction.
	InvalidateFunction awslambda.Function
}

// NewDelivery makes the delivery of a blog. It panics if the blog is not valid.
func NewDelivery(scope constructs.Construct, id string, p Props) *Delivery {
	if err := p.Blog.Validate(); err != nil {
		panic(err)
	}
	switch hasBucket, hasDistribution := p.To.Bucket != nil, p.To.DistributionID != ""; {
	case hasBucket != hasDistribution:
		panic(fmt.Errorf("the delivery of %s has only one of To.Bucket and To.DistributionID: set both", p.Blog.Identity()))
	case p.Blog.Site != nil && !hasBucket:
		panic(fmt.Errorf("%s has a Site, and delivery.Props has no To: set it to the Site's bucket and distribution", p.Blog.Identity()))
	}
	blog := p.Blog.WithDefaults()
	this := &Delivery{Construct: cdk.NewConstruct(scope, id)}
	to := p.To
	if to.Bucket == nil {
		to = existing(this.Construct, blog)
	}

	base := pipeline.NewBase(this.Construct, blog.Identity(), blog.Source)
	this.Artifacts = base.Artifacts
	build := newBuild(this.Construct, base, blog.Build, to.BaseURL)
	this.BuildProject, this.BuildRole = build.Project, build.Role
	var kept releases
	var deploy awscodepipeline.IAction
	if blog.Deploy.By == props.DeployByFunction {
		kept = newReleases(this.Construct, blog.Deploy.KeepDays)
		publish, action := newPublish(this.Construct, base, blog, to.Bucket, kept, build.Output)
		this.Releases, this.PublishFunction, deploy = kept.bucket, publish.Function, action
	} else {
		deploy = newUpload(this.Construct, base, blog.Deploy, to.Bucket, build.Output)
	}
	clears, invalidate := newInvalidate(this.Construct, base, blog, to, kept, this.PublishFunction)
	this.InvalidateFunction = clears.Function

	topics, address := notify.NewTopics(this.Construct, blog.Identity(), blog.Notifications), cmp.Or(blog.Invalidate.Address(), to.BaseURL)
	this.Pipeline = pipeline.NewPipeline(this.Construct, pipeline.Props{
		Base: base, Type: blog.PipelineType, ExecutionMode: blog.ExecutionMode, Variables: publishVariables(blog),
		Stages: []*awscodepipeline.StageProps{
			pipeline.Stage("Build", build.Action),
			pipeline.Stage("Deploy", deploy),
			pipeline.Stage("Invalidate", invalidate),
		},
		Topics: topics, Success: success(blog, address),
	})
	if blog.Schedule.Expression != "" {
		newSchedule(this.Construct, blog.Schedule, this.Pipeline)
	}
	monitoring.New(this.Construct, "Monitoring", monitoring.Props{
		Monitoring: blog.Monitoring, BlogName: blog.Name, Address: address, Topics: topics,
		Publish: this.PublishFunction, Invalidate: this.InvalidateFunction,
		ClearsChanges: blog.Invalidate.ClearsChanges(blog.Deploy), Proves: blog.Invalidate.LooksAt(blog.Deploy, blog.Site, to.origin()) != "",
	})
	return this
}

// success begins the message about a publication, or is "" if nobody wants that. Some blogs' addresses are unknown.
func success(blog props.Blog, address string) string {
	switch {
	case !blog.Notifications.OnSuccess:
		return ""
	case address == "":
		return fmt.Sprintf("The blog %s was published.", blog.Name)
	}
	return fmt.Sprintf("The blog %s was published: %s", blog.Name, address)
}
