package stacks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscertificatemanager"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfront"
	origins "github.com/aws/aws-cdk-go/awscdk/v2/awscloudfrontorigins"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/stacks/viewerrequest"
)

// PriceClass is a choice of CloudFront's edge locations. Visitors near one that is
// left out are served from the next, more slowly.
//
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/PriceClass.html
type PriceClass string

const (
	// AllEdges serves from everywhere.
	AllEdges PriceClass = "PriceClass_All"
	// FewerEdges leaves out South America, Australia and New Zealand.
	FewerEdges PriceClass = "PriceClass_200"
	// FewestEdges serves from North America, Europe and Israel alone.
	FewestEdges PriceClass = "PriceClass_100"
)

// priceClasses are the choices as CDK names them.
var priceClasses = map[PriceClass]awscloudfront.PriceClass{
	AllEdges:    awscloudfront.PriceClass_PRICE_CLASS_ALL,
	FewerEdges:  awscloudfront.PriceClass_PRICE_CLASS_200,
	FewestEdges: awscloudfront.PriceClass_PRICE_CLASS_100,
}

const (
	homePage            = "index.html"
	defaultNotFoundPage = "/404.html"
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
	maxErrorPage = 1 + 1024
	// notFoundSeconds is how long an edge remembers that a page is not there: not long
	// after the page is, for a delivery that does not clear "/*".
	notFoundSeconds = 10

	// cacheTagHeader is what S3 makes of an object's metadata cache-tag.
	// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-by-tags.html
	cacheTagHeader = "x-amz-meta-cache-tag"
)

// functionSettings is what the viewer request function is told about the Site.
func (s Site) functionSettings() viewerrequest.Settings {
	return viewerrequest.Settings{
		Domain:       s.Domain,
		RedirectFrom: s.RedirectFrom,
		MissingSlash: string(s.MissingSlash),
	}
}

// notFoundPageProblem says why CloudFront would not find an error page, or nothing. It
// asks S3 for the page by this path, past the function that knows pages and plus signs.
//
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/GeneratingCustomErrorResponses.html
func notFoundPageProblem(path string) string {
	switch {
	case !strings.HasPrefix(path, "/"):
		return "must be a path from /, such as /en/404.html"
	case strings.ContainsAny(path, "?#*"):
		return "must be the path of one file, such as /en/404.html; ? is written %3F there, # as %23, and * as %2A"
	case !pathPattern.MatchString(path) || strings.Contains(path, "+"):
		return fmt.Sprintf("must be URL-encoded: %q", strings.ReplaceAll(encode(path), "+", "%2B"))
	case hasDots(path) || strings.Contains(path, "//"):
		return "must be the path of a file as Hugo writes it, such as /en/404.html, without . or .. or nothing for a folder"
	case viewerrequest.IsFolder(path):
		return fmt.Sprintf("must be a file, which CloudFront asks S3 for: %q", path+homePage)
	case viewerrequest.IsPage(path):
		return fmt.Sprintf("must be a file, which CloudFront asks S3 for: %q", path+"/"+homePage)
	case len(path) > maxErrorPage:
		return fmt.Sprintf("is %d characters long, and S3's names have at most %d bytes", len(path), maxErrorPage-1)
	}
	return ""
}

// newDistribution puts CloudFront before the bucket.
func newDistribution(stack awscdk.Stack, owner owner, s Site, bucket awss3.IBucket, certificate awscertificatemanager.ICertificate) awscloudfront.Distribution {
	function := awscloudfront.NewFunction(stack, jsii.String("ViewerRequest"), &awscloudfront.FunctionProps{
		// At most 128 characters.
		Comment: jsii.String("Addresses of the blog " + owner.name),
		Runtime: awscloudfront.FunctionRuntime_JS_2_0(),
		Code:    awscloudfront.FunctionCode_FromInline(jsii.String(viewerrequest.Code(s.functionSettings()))),
	})
	// With LIST, S3 says 404 and not 403 for what is missing, and a 403 can mean only
	// what it says. Nobody can list: no query reaches S3.
	origin := origins.S3BucketOrigin_WithOriginAccessControl(bucket, &origins.S3BucketOriginWithOACProps{
		OriginAccessLevels: &[]awscloudfront.AccessLevel{awscloudfront.AccessLevel_READ, awscloudfront.AccessLevel_LIST},
	})
	// An account may have 20 cache policies of its own; this one is AWS's. It ignores
	// query, cookies and headers, and keeps what has no Cache-Control for a day at most.
	cachePolicy := awscloudfront.CachePolicy_CACHING_OPTIMIZED()
	functions := []*awscloudfront.FunctionAssociation{{
		Function:  function,
		EventType: awscloudfront.FunctionEventType_VIEWER_REQUEST,
	}}
	pages, byPath := newResponseHeaders(stack, owner, s.Headers, s.Caching)
	props := &awscloudfront.DistributionProps{
		Comment:           jsii.String("Blog " + owner.name),
		DefaultRootObject: jsii.String(homePage),
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
			Ttl:                awscdk.Duration_Seconds(jsii.Number(notFoundSeconds)),
		}},
		HttpVersion: awscloudfront.HttpVersion_HTTP2_AND_3,
		EnableIpv6:  jsii.Bool(true),
		PriceClass:  priceClasses[s.PriceClass],
	}
	justifications := []justification{
		{rule: "AwsSolutions-CFR1", reason: "A blog is for readers everywhere."},
		{rule: "AwsSolutions-CFR3", reason: "The rule knows the legacy logs alone; Site.AccessLogDays turns on standard logging v2, and off is a reader's privacy."},
	}
	if s.WebACLARN != "" {
		props.WebAclId = jsii.String(s.WebACLARN)
	} else {
		justifications = append(justifications, justification{rule: "AwsSolutions-CFR2", reason: "Static files have no input to protect, and a web ACL costs 5 USD a month; Site.WebACLARN attaches one."})
	}
	if certificate != nil {
		var aliases []*string
		for _, n := range s.names() {
			aliases = append(aliases, jsii.String(n.value))
		}
		props.DomainNames, props.Certificate = &aliases, certificate
		props.MinimumProtocolVersion = awscloudfront.SecurityPolicyProtocol_TLS_V1_2_2021
	} else {
		// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesGeneral.html#DownloadDistValues-security-policy
		justifications = append(justifications, justification{rule: "AwsSolutions-CFR4", reason: "Under its own name cloudfront.net CloudFront sets the security policy itself; a Domain has TLS 1.2 at least."})
	}
	distribution := awscloudfront.NewDistribution(stack, jsii.String("Distribution"), props)
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
	// CDK's construct does not have it yet.
	distribution.Node().DefaultChild().(awscloudfront.CfnDistribution).AddPropertyOverride(
		jsii.String("DistributionConfig.CacheTagConfig"), map[string]string{"HeaderName": cacheTagHeader})
	awscdk.Annotations_Of(distribution).AcknowledgeWarning(jsii.String("@aws-cdk/aws-cloudfront-origins:listBucketSecurityRisk"),
		jsii.String("There is a default root object, and no query reaches S3"))
	justify(distribution, justifications...)
	return distribution
}
