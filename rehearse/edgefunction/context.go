// Package edgefunction runs CloudFront Functions.
package edgefunction

// Context is what CloudFront tells a function about where and for which request it runs.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-event-structure.html
type Context struct {
	DistributionID         string // "E…"
	DistributionDomainName string // "d….cloudfront.net"
	RequestID              string // as in X-Amz-Cf-Id
}
