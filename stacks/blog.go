package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/stacks/delivery"
	"blog-deploy-pipeline/stacks/props"
	"blog-deploy-pipeline/stacks/site"
)

// NewBlogStack makes the stacks of a blog: those of its Site, and that of its delivery, which it
// returns. It panics on props that are not valid; [props.Validate] returns what is wrong instead.
func NewBlogStack(scope constructs.Construct, blog props.Blog) awscdk.Stack {
	if err := blog.Validate(); err != nil {
		panic(err)
	}
	examples := blog.ExampleValues()
	identity := deployedTo(blog.Identity(), examples)
	var to delivery.Destination
	if blog.Site != nil {
		to = newSiteStacks(scope, blog, identity)
	}
	stack := newStack(scope, identity, contract.StackPipeline, "Delivery of the blog "+blog.Name+": source, build, deploy, invalidate")
	warnOfExamples(stack, identity, examples)
	delivery.NewDelivery(stack, onlyConstruct, delivery.Props{Blog: blog, To: to})
	return stack
}

// newSiteStacks makes the stacks of a blog's Site, and returns where its delivery publishes. The
// Site is in the blog's region. If that is not us-east-1, the certificate and the delivery of
// access logs have stacks of their own there, because CloudFront works with these in us-east-1
// only.
func newSiteStacks(scope constructs.Construct, blog props.Blog, identity props.Identity) delivery.Destination {
	stack := newStack(scope, identity, contract.StackSite, "What the blog "+blog.Name+" is served from: bucket, distribution, DNS records")
	inUSEast1 := func(kind contract.StackKind, description string) awscdk.Stack {
		if blog.Region == props.CloudFrontRegion {
			return stack
		}
		elsewhere := identity
		elsewhere.Region = props.CloudFrontRegion
		return newStack(scope, elsewhere, kind, description)
	}

	certificateStack := stack
	if blog.Site.MakesCertificate() {
		certificateStack = inUSEast1(contract.StackCertificate, "Certificate of the blog "+blog.Name+", in the region that CloudFront accepts it from")
	}
	certificate := site.NewCertificate(certificateStack, "Certificate", *blog.Site)
	if certificateStack != stack {
		site.KeepUntilReplaced(certificate)
	}
	made := site.NewSite(stack, onlyConstruct, site.Props{
		Site: *blog.Site, BlogName: blog.Name, Certificate: certificate, Notifications: blog.Notifications,
	})
	if made.AccessLogBucket != nil {
		scope := made.Construct
		if logs := inUSEast1(contract.StackLogs, "Access logs of the blog "+blog.Name+", from the region that CloudFront delivers them from"); logs != stack {
			scope = logs
		}
		site.NewAccessLogs(scope, onlyConstruct, site.AccessLogsProps{BlogName: blog.Name, Distribution: made.Distribution, Bucket: made.AccessLogBucket})
	}
	return delivery.Destination{Bucket: made.Bucket, DistributionID: *made.Distribution.DistributionId(), BaseURL: made.URL + "/"}
}
