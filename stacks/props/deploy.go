package props

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

// Deploy says where the site goes. CodePipeline's S3 action uploads every file each
// time, within 90 minutes, and deletes nothing: a page that left the blog stays in
// the bucket until somebody removes it.
//
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-S3Deploy.html
type Deploy struct {
	// Bucket is the name of the existing bucket behind the distribution, not one of its
	// addresses. Required without Site, which makes one. Example: "kzmorita-blog".
	Bucket string

	// KeyPrefix is the folder in the bucket, for blogs that share one; the pipeline
	// can write nowhere else. Without leading or trailing slash, at most 512 characters.
	// Not with Site.
	// Default: the bucket's root. Example: "ja/notes".
	KeyPrefix string

	// CacheControl is the Cache-Control header of every file, without the header's name:
	// directives that browsers know, in at most 1,000 characters. Default: none, so
	// that CloudFront keeps files for the TTL of its cache policy and browsers for
	// as long as they guess. Example: "public, max-age=0, s-maxage=31536000,
	// must-revalidate": browsers ask again, CloudFront keeps until invalidated. With Site
	// CloudFront alone goes by it; what browsers get is Site.Caching's.
	CacheControl string

	// EncryptionKeyARN is the KMS key of the bucket's default encryption, if that is
	// a key of your own; it must be in the bucket's region, and its policy must leave
	// access to IAM, as new keys' policies do. Not with Site. Default: none. Example:
	// "arn:aws:kms:us-east-1:123456789012:key/01234567-…".
	EncryptionKeyARN string
}

var (
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
	bucketPattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$`)
	ipPattern     = regexp.MustCompile(`^\d+\.\d+\.\d+\.\d+$`)
	// otherBucketPattern are names that S3 gives to what is no ordinary bucket, or to none.
	otherBucketPattern = regexp.MustCompile(`^(xn--|sthree-)|(-s3alias|--ol-s3|--x-s3|--table-s3|\.mrap)$`)
	// bucketAddressPattern are the ways to write a bucket that have its name in them:
	// ARN, S3 URI, and the endpoints, by path or by host, of S3's REST and website.
	// https://docs.aws.amazon.com/general/latest/gr/s3.html
	bucketAddressPattern = regexp.MustCompile(`^(?:arn:aws[a-z-]*:s3:::|s3://|(?:https?://)?` + s3Endpoint + `/|https?://)?` +
		`([a-z0-9][a-z0-9.-]*?)(?:\.` + s3Endpoint + `)?(?:/.*)?$`)
	prefixPattern = regexp.MustCompile(`^[A-Za-z0-9!_.'()-]+(/[A-Za-z0-9!_.'()-]+)*$`)
	headerPattern = regexp.MustCompile(`^[ -~]*$`)
	keyPattern    = arnPattern("kms", `key/[A-Za-z0-9-]+`)
)

const s3Endpoint = `s3(?:[.-](?:website|accelerate|dualstack|fips|[a-z]{2}-[a-z-]+-\d+))*\.amazonaws\.com(?:\.cn)?`

// maxKeyPrefix leaves the rest of S3's 1,024 bytes to the blog's own paths.
const maxKeyPrefix = 512

func (d Deploy) validate(p *Problems, site *Site) {
	if site != nil {
		p.empty("Deploy.Bucket", d.Bucket, "Site makes the bucket; keep one of them")
		p.empty("Deploy.KeyPrefix", d.KeyPrefix, "the bucket that Site makes is this blog's alone, and its home page is at /, where Hugo's baseURL has to be, too")
		p.empty("Deploy.EncryptionKeyARN", d.EncryptionKeyARN, "S3 encrypts the bucket that Site makes")
	} else {
		d.validateBucket(p)
	}
	if d.CacheControl != "" {
		if problem := cacheControlProblem(d.CacheControl); problem != "" {
			p.add("Deploy.CacheControl", d.CacheControl, problem)
		}
	}
}

// validateBucket checks what names a bucket that is there already.
func (d Deploy) validateBucket(p *Problems) {
	if len(d.Bucket) < 3 || len(d.Bucket) > 63 || !bucketPattern.MatchString(d.Bucket) || ipPattern.MatchString(d.Bucket) {
		p.add("Deploy.Bucket", d.Bucket, "must be a bucket's name (not an ARN or URL): 3 to 63 lower-case letters, digits, hyphens and dots"+bucketInside(d.Bucket))
	} else if inside := bucketInside(d.Bucket); inside != "" || strings.HasSuffix(d.Bucket, ".amazonaws.com") {
		p.add("Deploy.Bucket", d.Bucket, "must be a bucket's name, and is an address of S3's"+inside)
	} else if otherBucketPattern.MatchString(d.Bucket) {
		p.add("Deploy.Bucket", d.Bucket, "must be an ordinary bucket's name: what starts with xn-- or sthree-, or ends with -s3alias, --ol-s3, --x-s3, --table-s3 or .mrap, is an access point, or another kind of bucket")
	}
	if d.KeyPrefix != "" && (len(d.KeyPrefix) > maxKeyPrefix || !prefixPattern.MatchString(d.KeyPrefix) || path.Clean("/"+d.KeyPrefix) != "/"+d.KeyPrefix) {
		p.add("Deploy.KeyPrefix", d.KeyPrefix, "must be a folder such as ja/notes: at most 512 letters, digits and !_.'()-, with single slashes between folders alone, none of which is . or ..")
	}
	if d.EncryptionKeyARN != "" {
		validateKey(p, "Deploy.EncryptionKeyARN", d.EncryptionKeyARN)
	}
}

// validateKey reports what is no KMS key of the owner's region.
func validateKey(p *Problems, field, arn string) {
	if p.arn(field, arn, keyPattern, "must be a KMS key's ARN, such as arn:aws:kms:us-east-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef") {
		p.sameRegion(field, arn)
	}
}

// bucketInside returns the name that is in an address of a bucket, for an error, or "".
func bucketInside(address string) string {
	parts := bucketAddressPattern.FindStringSubmatch(address)
	if parts == nil || parts[1] == address || !bucketPattern.MatchString(parts[1]) {
		return ""
	}
	return fmt.Sprintf("; it is %q here", parts[1])
}
