package site

import (
	"fmt"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfront"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/stacks/props"
	"blog-deploy-pipeline/stacks/site/viewerresponse"
)

// The Cache-Control headers for browsers.
const (
	immutableForAYear = "public, max-age=31536000, immutable"
	askEveryTime      = "public, max-age=0, must-revalidate"
)

// pathHeaders say which headers answers have whose path matches a pattern.
type pathHeaders struct {
	pattern string
	policy  awscloudfront.ResponseHeadersPolicy
	// function changes answers after the policy; it may be nil.
	function awscloudfront.IFunction
}

// newResponseHeaders makes the headers of answers: the policy of pages, which the default
// behaviour has, and those of path patterns, in the order of their precedence.
//
// A policy applies to every answer, errors and redirects included, and these need a Cache-Control
// too: without one, browsers may keep a 301 for good, and a 404 for as long as they like. So
// immutable paths have the policy of pages, and a function changes its Cache-Control to a year if
// the answer is a file. CloudFront applies policies before functions. In the other order browsers
// would only ask more often.
//
// https://aws.amazon.com/blogs/networking-and-content-delivery/amazon-cloudfront-introduces-response-headers-policies/
// https://www.rfc-editor.org/rfc/rfc9111.html#section-4.2.2
func newResponseHeaders(scope constructs.Construct, blogName string, headers props.Headers, caching props.Caching) (pages awscloudfront.ResponseHeadersPolicy, byPath []pathHeaders) {
	policy := func(id, what, cacheControl string) awscloudfront.ResponseHeadersPolicy {
		// At most 128 characters.
		return newHeadersPolicy(scope, id, what+" of "+blogName, cacheControl, headers)
	}
	keptFor := func(d time.Duration) string { return fmt.Sprintf("public, max-age=%d", int(d.Seconds())) }

	cacheControl := askEveryTime
	if caching.PagesFor > 0 {
		cacheControl = keptFor(caching.PagesFor)
	}
	pages = policy("PageHeaders", "Pages", cacheControl)
	if patterns := caching.Immutable; len(patterns) > 0 {
		function := awscloudfront.NewFunction(scope, jsii.String("ViewerResponse"), &awscloudfront.FunctionProps{
			Comment: jsii.String("Files that never change of " + blogName),
			Runtime: awscloudfront.FunctionRuntime_JS_2_0(),
			Code:    awscloudfront.FunctionCode_FromInline(jsii.String(viewerresponse.Code(immutableForAYear))),
		})
		for _, pattern := range patterns {
			byPath = append(byPath, pathHeaders{pattern, pages, function})
		}
	}
	if patterns := caching.Feeds; len(patterns) > 0 {
		feeds := policy("FeedHeaders", "Feeds", keptFor(caching.FeedsFor))
		for _, pattern := range patterns {
			byPath = append(byPath, pathHeaders{pattern, feeds, nil})
		}
	}
	return pages, byPath
}
