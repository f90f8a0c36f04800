package site

import (
	"slices"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscertificatemanager"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfront"
	origins "github.com/aws/aws-cdk-go/awscdk/v2/awscloudfrontorigins"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/props"
	"blog-deploy-pipeline/stacks/site/viewerrequest"
)

const (
	// notFoundSeconds is how long an edge location remembers that a page does not exist. It is short, for a
	// delivery that does not clear "/*".
	notFoundSeconds = 10
	// cacheTagHeader is the header that S3 makes of an object's cache tags.
	// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-by-tags.html
	cacheTagHeader = "x-amz-meta-" + contract.MetadataCacheTag
)

// priceClasses has the CDK's name of each price class.
var priceClasses = map[props.PriceClass]awscloudfront.PriceClass{
	props.PriceClassAll: awscloudfront.PriceClass_PRICE_CLASS_ALL,
	props.PriceClass200: awscloudfront.PriceClass_PRICE_CLASS_200,
	props.PriceClass100: awscloudfront.PriceClass_PRICE_CLASS_100,
}

// newDistribution makes the CloudFront distribution that serves the bucket.
func newDistribution(scope constructs.Construct, blogName string, s props.Site, bucket awss3.IBucket, certificate awscertificatemanager.ICertificate) awscloudfront.Distribution {
	function := awscloudfront.NewFunction(scope, jsii.String("ViewerRequest"), &awscloudfront.FunctionProps{
		// At most 128 characters.
		Comment: jsii.String("Addresses of the blog " + blogName),
		Runtime: awscloudfront.FunctionRuntime_JS_2_0(),
		Code:    awscloudfront.FunctionCode_FromInline(jsii.String(viewerrequest.Code(s.FunctionSettings()))),
	})
	// With LIST, S3 answers 404 and not 403 for a file that does not exist. Readers cannot list
	// the bucket, because no query string reaches S3.
	origin := origins.S3BucketOrigin_WithOriginAccessControl(bucket, &origins.S3BucketOriginWithOACProps{
		OriginAccessLevels: &[]awscloudfront.AccessLevel{awscloudfront.AccessLevel_READ, awscloudfront.AccessLevel_LIST},
	})
	// AWS manages this policy; an account may have only 20 of its own. It ignores query strings,
	// cookies and headers, and keeps an answer without Cache-Control for a day at most.
	cachePolicy := awscloudfront.CachePolicy_CACHING_OPTIMIZED()
	functions := []*awscloudfront.FunctionAssociation{{
		Function:  function,
		EventType: awscloudfront.FunctionEventType_VIEWER_REQUEST,
	}}
	pages, byPath := newResponseHeaders(scope, blogName, s.Headers, s.Caching)
	settings := &awscloudfront.DistributionProps{
		Comment:           jsii.String("Blog " + blogName),
		DefaultRootObject: jsii.String(viewerrequest.IndexPage),
		DefaultBehavior: &awscloudfront.BehaviorOptions{
			Origin:                origin,
			ViewerProtocolPolicy:  awscloudfront.ViewerProtocolPolicy_REDIRECT_TO_HTTPS,
			CachePolicy:           cachePolicy,
			ResponseHeadersPolicy: pages,
			Compress:              jsii.Bool(true),
			FunctionAssociations:  &functions,
		},
		ErrorResponses: &[]*awscloudfront.ErrorResponse{{
			HttpStatus:         jsii.Number(404),
			ResponseHttpStatus: jsii.Number(404),
			ResponsePagePath:   jsii.String(s.NotFoundPage),
			Ttl:                cdk.Duration(notFoundSeconds * time.Second),
		}},
		HttpVersion: awscloudfront.HttpVersion_HTTP2_AND_3,
		EnableIpv6:  jsii.Bool(true),
		PriceClass:  priceClasses[s.PriceClass],
	}
	justifications := []cdk.Justification{
		{Rule: "AwsSolutions-CFR1", Reason: "A blog is for readers everywhere."},
		{Rule: "AwsSolutions-CFR3", Reason: "The rule knows the legacy logs alone; Site.AccessLogRetentionDays turns on standard logging v2, and without it readers have more privacy."},
	}
	if s.WebACLARN != "" {
		settings.WebAclId = jsii.String(s.WebACLARN)
	} else {
		justifications = append(justifications, cdk.Justification{Rule: "AwsSolutions-CFR2", Reason: "Static files have no input to protect, and a web ACL costs 5 USD a month; Site.WebACLARN attaches one."})
	}
	if certificate != nil {
		settings.DomainNames, settings.Certificate = jsii.Strings(names(s)...), certificate
		settings.MinimumProtocolVersion = awscloudfront.SecurityPolicyProtocol_TLS_V1_2_2021
	} else {
		// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesGeneral.html#DownloadDistValues-security-policy
		justifications = append(justifications, cdk.Justification{Rule: "AwsSolutions-CFR4", Reason: "Under its own name cloudfront.net CloudFront sets the security policy itself; a Domain has TLS 1.2 at least."})
	}
	distribution := awscloudfront.NewDistribution(scope, jsii.String("Distribution"), settings)
	for _, path := range byPath {
		functions := slices.Clone(functions)
		if path.function != nil {
			functions = append(functions, &awscloudfront.FunctionAssociation{
				Function:  path.function,
				EventType: awscloudfront.FunctionEventType_VIEWER_RESPONSE,
			})
		}
		distribution.AddBehavior(jsii.String(path.pattern), origin, &awscloudfront.AddBehaviorOptions{
			ViewerProtocolPolicy:  awscloudfront.ViewerProtocolPolicy_REDIRECT_TO_HTTPS,
			CachePolicy:           cachePolicy,
			ResponseHeadersPolicy: path.policy,
			Compress:              jsii.Bool(true),
			FunctionAssociations:  &functions,
		})
	}
	// The CDK's construct has no prop for cache tags yet.
	distribution.Node().DefaultChild().(awscloudfront.CfnDistribution).AddPropertyOverride(
		jsii.String("DistributionConfig.CacheTagConfig"), map[string]string{"HeaderName": cacheTagHeader})
	awscdk.Annotations_Of(distribution).AcknowledgeWarning(jsii.String("@aws-cdk/aws-cloudfront-origins:listBucketSecurityRisk"),
		jsii.String("There is a default root object, and no query reaches S3"))
	cdk.Justify(distribution, justifications...)
	return distribution
}
