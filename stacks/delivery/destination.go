package delivery

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/stacks/props"
)

// Destination is where a pipeline publishes. Its values may be tokens.
type Destination struct {
	// Bucket is where the files go. Required.
	Bucket awss3.IBucket

	// DistributionID is the id of the distribution to clear. Required.
	DistributionID string

	// BaseURL is the blog's address for Hugo, with a slash at its end. With a Site, the pipeline
	// also looks there whether readers have what was published, if the address has no path.
	// Default: the one in the blog's configuration, and nobody looks.
	BaseURL string
}

// origin returns BaseURL without the slash at its end, or "" if nobody can look there: it is no https:// address
// or has a path.
func (d Destination) origin() string {
	origin := strings.TrimSuffix(d.BaseURL, "/")
	if host, https := strings.CutPrefix(origin, "https://"); !https || strings.Contains(host, "/") {
		return ""
	}
	return origin
}

// existing returns the bucket and the distribution that the owner has already.
func existing(scope constructs.Construct, blog props.Blog) Destination {
	attributes := &awss3.BucketAttributes{BucketName: jsii.String(blog.Deploy.Bucket)}
	if key := blog.Deploy.EncryptionKeyARN; key != "" {
		attributes.EncryptionKey = awskms.Key_FromKeyArn(scope, jsii.String("SiteKey"), jsii.String(key))
	}
	bucket := awss3.Bucket_FromBucketAttributes(scope, jsii.String("Site"), attributes)
	return Destination{Bucket: bucket, DistributionID: blog.Invalidate.DistributionID}
}
