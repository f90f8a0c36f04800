package props

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

// Deploy says where the pipeline uploads the site to. CodePipeline's S3 action uploads every file each
// time, within 90 minutes, and deletes nothing: a page that you remove from the blog stays in the bucket
// until somebody deletes it there.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-S3Deploy.html
type Deploy struct {
	// Bucket is the name of the existing bucket behind the distribution, not one of its addresses. Required
	// without Site; a Site creates the bucket. Example: "amzn-s3-demo-bucket".
	Bucket string

	// KeyPrefix is a folder in the bucket, for blogs that share one. The pipeline cannot write anywhere else.
	// It has at most 512 characters, without a slash at its start or end. Not allowed with Site. Default: the
	// bucket's root. Example: "ja/notes".
	KeyPrefix string

	// CacheControl is the value of the Cache-Control header of every file: directives that browsers know, in
	// at most 1,000 characters. With Site, it is for CloudFront only, and Site.Caching is for browsers.
	// Default: none; CloudFront keeps files for the TTL of its cache policy, and browsers decide for
	// themselves. Example: "public, max-age=0, s-maxage=31536000, must-revalidate", with which browsers ask
	// every time and CloudFront keeps files until the pipeline clears its cache.
	CacheControl string

	// EncryptionKeyARN is the KMS key of the bucket's default encryption, if that is a key of your own. The
	// key must be in the bucket's region, and its policy must delegate access to IAM, as the policies of new
	// keys do. Not allowed with Site. Default: none. Example:
	// "arn:aws:kms:us-east-1:123456789012:key/01234567-…".
	EncryptionKeyARN string
}

var (
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
	bucketPattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$`)
	ipPattern     = regexp.MustCompile(`^\d+\.\d+\.\d+\.\d+$`)
	// otherBucketPattern matches names of access points and of other kinds of buckets.
	otherBucketPattern = regexp.MustCompile(`^(xn--|sthree-)|(-s3alias|--ol-s3|--x-s3|--table-s3|\.mrap)$`)
	// bucketAddressPattern matches addresses that contain a bucket's name: its ARN, its S3 URI, and the
	// endpoints of S3's API and website, by path and by host.
	// https://docs.aws.amazon.com/general/latest/gr/s3.html
	bucketAddressPattern = regexp.MustCompile(`^(?:arn:aws[a-z-]*:s3:::|s3://|(?:https?://)?` + s3Endpoint + `/|https?://)?` +
		`([a-z0-9][a-z0-9.-]*?)(?:\.` + s3Endpoint + `)?(?:/.*)?$`)
	prefixPattern = regexp.MustCompile(`^[A-Za-z0-9!_.'()-]+(/[A-Za-z0-9!_.'()-]+)*$`)
	keyPattern    = arnPattern("kms", `key/[A-Za-z0-9-]+`)
)

const s3Endpoint = `s3(?:[.-](?:website|accelerate|dualstack|fips|[a-z]{2}-[a-z-]+-\d+))*\.amazonaws\.com(?:\.cn)?`

// maxKeyPrefix leaves half of the 1,024 bytes of a key in S3 to the blog's own paths.
const maxKeyPrefix = 512

func (d Deploy) validate(p *problems, site *Site) {
	if site != nil {
		p.empty("Deploy.Bucket", d.Bucket, "Site creates the bucket; remove one of them")
		p.empty("Deploy.KeyPrefix", d.KeyPrefix, "only this blog uses the bucket that Site creates, and its home page is at /, as Hugo's baseURL must be")
		p.empty("Deploy.EncryptionKeyARN", d.EncryptionKeyARN, "S3 encrypts the bucket that Site creates with a key of its own")
	} else {
		d.validateBucket(p)
	}
	if d.CacheControl != "" {
		if problem := cacheControlProblem(d.CacheControl); problem != "" {
			p.add("Deploy.CacheControl", d.CacheControl, problem)
		}
	}
}

// validateBucket checks the fields that are about an existing bucket.
func (d Deploy) validateBucket(p *problems) {
	if len(d.Bucket) < 3 || len(d.Bucket) > 63 || !bucketPattern.MatchString(d.Bucket) || ipPattern.MatchString(d.Bucket) {
		p.add("Deploy.Bucket", d.Bucket, "must be a bucket's name (not an ARN or URL): 3 to 63 lower-case letters, digits, hyphens and dots"+bucketInside(d.Bucket))
	} else if inside := bucketInside(d.Bucket); inside != "" || strings.HasSuffix(d.Bucket, ".amazonaws.com") {
		p.add("Deploy.Bucket", d.Bucket, "must be a bucket's name, not an address of S3"+inside)
	} else if otherBucketPattern.MatchString(d.Bucket) {
		p.add("Deploy.Bucket", d.Bucket, "must be an ordinary bucket's name: names that start with xn-- or sthree-, or end with -s3alias, --ol-s3, --x-s3, --table-s3 or .mrap, are those of access points and of other kinds of buckets")
	}
	if d.KeyPrefix != "" && (len(d.KeyPrefix) > maxKeyPrefix || !prefixPattern.MatchString(d.KeyPrefix) || path.Clean("/"+d.KeyPrefix) != "/"+d.KeyPrefix) {
		p.add("Deploy.KeyPrefix", d.KeyPrefix, "must be a folder such as ja/notes: at most 512 letters, digits and !_.'()-, with one slash between folders, none of which is . or ..")
	}
	if d.EncryptionKeyARN != "" {
		validateKey(p, "Deploy.EncryptionKeyARN", d.EncryptionKeyARN)
	}
}

// validateKey reports an ARN that is not that of a KMS key in the region of the blog or service.
func validateKey(p *problems, field, arn string) {
	if p.arn(field, arn, keyPattern, "must be a KMS key's ARN, such as arn:aws:kms:us-east-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef") {
		p.sameRegion(field, arn)
	}
}

// bucketInside returns what a message says about the bucket's name in an address, or "".
func bucketInside(address string) string {
	parts := bucketAddressPattern.FindStringSubmatch(address)
	if parts == nil || parts[1] == address || !bucketPattern.MatchString(parts[1]) {
		return ""
	}
	return fmt.Sprintf("; the name in it is %q", parts[1])
}
