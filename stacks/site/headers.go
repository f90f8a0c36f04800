package site

import (
	"maps"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfront"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/props"
)

// referrers has the CDK's name of each referrer policy.
var referrers = map[props.Referrer]awscloudfront.HeadersReferrerPolicy{
	props.ReferrerStrictOriginWhenCrossOrigin: awscloudfront.HeadersReferrerPolicy_STRICT_ORIGIN_WHEN_CROSS_ORIGIN,
	props.ReferrerSameOrigin:                  awscloudfront.HeadersReferrerPolicy_SAME_ORIGIN,
	props.ReferrerNone:                        awscloudfront.HeadersReferrerPolicy_NO_REFERRER,
}

// newHeadersPolicy makes a response headers policy: the security headers, and the Cache-Control
// for browsers. An account may have 20 policies, and a Site uses up to two.
func newHeadersPolicy(scope constructs.Construct, id, comment, cacheControl string, h props.Headers) awscloudfront.ResponseHeadersPolicy {
	security := &awscloudfront.ResponseSecurityHeadersBehavior{
		ContentTypeOptions: &awscloudfront.ResponseHeadersContentTypeOptions{Override: jsii.Bool(true)},
		ReferrerPolicy: &awscloudfront.ResponseHeadersReferrerPolicy{
			ReferrerPolicy: referrers[h.Referrer], Override: jsii.Bool(true),
		},
		StrictTransportSecurity: &awscloudfront.ResponseHeadersStrictTransportSecurity{
			AccessControlMaxAge: cdk.Duration(max(0, h.HSTS.MaxAge)), // ForgetHSTS is below 0
			IncludeSubdomains:   jsii.Bool(h.HSTS.IncludeSubDomains),
			Preload:             jsii.Bool(h.HSTS.Preload),
			Override:            jsii.Bool(true),
		},
	}
	if frames := h.Frames; frames != props.FramesAny {
		security.FrameOptions = &awscloudfront.ResponseHeadersFrameOptions{
			FrameOption: awscloudfront.HeadersFrameOption(frames), Override: jsii.Bool(true),
		}
	}
	if policy := h.ContentSecurityPolicy; policy != props.NoHeader {
		security.ContentSecurityPolicy = &awscloudfront.ResponseHeadersContentSecurityPolicy{
			ContentSecurityPolicy: jsii.String(policy), Override: jsii.Bool(true),
		}
	}
	custom := []*awscloudfront.ResponseCustomHeader{customHeader("Cache-Control", cacheControl)}
	for _, name := range slices.Sorted(maps.Keys(h.Others)) {
		custom = append(custom, customHeader(name, h.Others[name]))
	}
	return awscloudfront.NewResponseHeadersPolicy(scope, jsii.String(id), &awscloudfront.ResponseHeadersPolicyProps{
		Comment:                 jsii.String(comment),
		SecurityHeadersBehavior: security,
		CustomHeadersBehavior:   &awscloudfront.ResponseCustomHeadersBehavior{CustomHeaders: &custom},
	})
}

func customHeader(name, value string) *awscloudfront.ResponseCustomHeader {
	return &awscloudfront.ResponseCustomHeader{Header: jsii.String(name), Value: jsii.String(value), Override: jsii.Bool(true)}
}
