package edge

import (
	"net/http"

	"blog-deploy-pipeline/rehearse/edgefunction"
)

// Distribution is what a distribution's configuration says, as CloudFormation words it.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-cloudfront-distribution-distributionconfig.html
type Distribution struct {
	// ID is the one that invalidations name, such as "E2QWRUHAPOMQZL".
	ID string
	// DomainName is the distribution's own name, such as "d111111abcdef8.cloudfront.net".
	DomainName string
	// Aliases are the names that viewers use. The first stands for a loopback address, where there is one.
	Aliases []string
	// DefaultRootObject is what "/" stands for, such as "index.html". Default: nothing, and S3 refuses.
	DefaultRootObject string
	// Behaviors are in order of precedence; the last is the default one, whose PathPattern is "*".
	Behaviors []Behavior
	// Errors are the distribution's custom error responses, by the origin's status. Default: errors pass
	// as they are, and are cached for 10 s.
	Errors map[int]ErrorResponse
}

// Behavior is a cache behaviour: what is done with the paths that a pattern matches.
type Behavior struct {
	// PathPattern has "*" for any number of characters and "?" for one; case counts.
	PathPattern string
	// CachePolicy holds the TTLs. Default: [CachingOptimized].
	CachePolicy CachePolicy
	// Headers is the response headers policy. Default: none.
	Headers HeadersPolicy
	// ViewerRequest is the CloudFront Function on viewer requests, or nil.
	ViewerRequest ViewerRequest
	// ViewerProtocol is "allow-all", "redirect-to-https" or "https-only".
	ViewerProtocol string
	// Compress has text compressed for viewers who accept it.
	Compress bool
}

// ViewerRequest is a CloudFront Function on viewer requests: it returns the request that goes on to the
// cache, or a response that is sent as it is. An error is a function that failed, and a 502 or 503 for
// the viewer. *edgefunction.Function is one.
type ViewerRequest interface {
	ViewerRequest(r *http.Request, context edgefunction.Context) (*http.Request, *http.Response, error)
}

// HeadersPolicy is a response headers policy.
type HeadersPolicy struct {
	Set    []Header
	Remove []string // names
}

// Header is one that a response headers policy sets.
type Header struct {
	Name, Value string
	// Override has it replace the origin's; else it is set only where the origin sends none.
	Override bool
}
