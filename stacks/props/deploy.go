package props

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"strings"
	"time"
)

// Deploy says where the pipeline publishes the site to, by what, and how.
type Deploy struct {
	// Bucket is the name of the existing bucket behind the distribution, not one of its addresses. Required
	// without Site; a Site creates the bucket. Example: "amzn-s3-demo-bucket".
	Bucket string

	// KeyPrefix is a folder in the bucket, for blogs that share one. The pipeline cannot write anywhere else.
	// It has at most 512 characters, without a slash at its start or end. With DeployByFunction, set
	// Invalidate.BasePath, too. Not allowed with Site. Default: the bucket's root. Example: "ja/notes".
	KeyPrefix string

	// EncryptionKeyARN is the KMS key of the bucket's default encryption, if that is a key of your own. The
	// key must be in the bucket's region, and its policy must delegate access to IAM, as the policies of new
	// keys do. Not allowed with Site. Default: none. Example:
	// "arn:aws:kms:us-east-1:123456789012:key/01234567-…".
	EncryptionKeyARN string

	// By says what publishes the site. A change loses no file: those in the bucket stay as they are. The
	// function uploads all of them once more at first, and removes none that it has not uploaded. When it
	// goes, its log goes, too, and its releases bucket stays (KeepDays). Default: DeployByFunction.
	By DeployBy

	// CacheControl is the value of the Cache-Control header of every file for which Headers has none:
	// directives that browsers know, in at most 1,000 characters. With Site, it is for CloudFront only, and
	// Site.Caching is for browsers. Default, with DeployByFunction: a value for each kind of file (docs/blog.md,
	// "Headers"); with DeployByS3Action: none, CloudFront keeps files for the TTL of its cache policy, and
	// browsers decide for themselves. Example: "public, max-age=0, s-maxage=31536000, must-revalidate", with
	// which browsers ask every time and CloudFront keeps files until the pipeline clears its cache.
	CacheControl string

	// Headers are the headers of files by their names. The first element that matches a file decides; what
	// it leaves empty has the default. A change of headers alone is uploaded, too. All of them together have
	// about 2,500 characters at most, because Lambda allows 4 KB of settings. Not allowed with
	// DeployByS3Action. Default: a Content-Type for each kind of file, in UTF-8 if it is text, and
	// CacheControl. Example: []FileHeaders{{Match: "*.pdf", ContentDisposition: "attachment"}}.
	Headers []FileHeaders

	// Grace is how long a file that is no page stays in the bucket after it has left the blog, for visitors
	// with an older page: whole minutes, up to 365 days, or NoGrace. The first publication after that removes
	// it. A page that has left is removed at once. Not allowed with DeployByS3Action, which removes nothing.
	// Default: 24 hours. Example: 7 * 24 * time.Hour.
	Grace time.Duration

	// MaxDeletePercent is the share of the blog's files that one publication may remove, in per cent, 1 to
	// 100. A build that lacks more than that is not published, unless they are fewer than 20 files. Files with
	// a fingerprint in their names do not count. Somebody who means it starts the pipeline with its variable
	// AllowDeletions set to "yes" (PipelineTypeV2), or raises the limit for one deployment. Not allowed with
	// DeployByS3Action. Default: 30. Example: 100, no limit.
	MaxDeletePercent int

	// KeepDays is the number of days for which the builds that were published are kept, 1 to 3650. From the last
	// one the function learns why pages have changed. They are in the releases bucket, in the stack of the
	// pipeline, with a list of the files of each release. The bucket stays when the stack is deleted, or when By
	// changes, and goes on deleting old builds. A month's builds of a blog of 50 MB cost 0.04 USD a month, with
	// one a day. Not allowed with DeployByS3Action. Default: 90. Example: 30.
	KeepDays int

	// LogRetentionDays is the number of days for which the function's log is kept. Not allowed with
	// DeployByS3Action. Default: 30.
	LogRetentionDays int
}

// DeployBy says what publishes a site.
type DeployBy string

const (
	// DeployByFunction is a function of this project. It uploads only files that have changed, by their
	// content and their headers, and a page after what the page needs. It removes what has left the blog, and
	// never a file that it has not uploaded itself. Invalidate clears what changed. A publication costs about
	// 0.0005 USD for 100 changed files.
	DeployByFunction DeployBy = "function"
	// DeployByS3Action is CodePipeline's S3 action. It uploads every file each time, in no order, within 90
	// minutes, and deletes nothing: a page that you remove from the blog stays in the bucket until somebody
	// deletes it there. No code of this project touches the files.
	// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-S3Deploy.html
	DeployByS3Action DeployBy = "s3-action"
)

// NoGrace is a Grace that removes every file at once.
const NoGrace time.Duration = -1

const (
	defaultDeployBy = DeployByFunction

	defaultGrace         = 24 * time.Hour
	minGrace, maxGrace   = time.Minute, 365 * 24 * time.Hour
	defaultDeletePercent = 30
	defaultKeepDays      = 90
	maxKeepDays          = 3650
)

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

// withDefaults returns these props with every default in its field.
func (d Deploy) withDefaults() Deploy {
	d.By = cmp.Or(d.By, defaultDeployBy)
	if d.By == DeployByFunction {
		d.Grace = cmp.Or(d.Grace, defaultGrace)
		d.MaxDeletePercent = cmp.Or(d.MaxDeletePercent, defaultDeletePercent)
		d.KeepDays = cmp.Or(d.KeepDays, defaultKeepDays)
		d.LogRetentionDays = logDaysWithDefault(d.LogRetentionDays)
	}
	return d
}

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
	if !oneOf(p, "Deploy.By", d.By, DeployByFunction, DeployByS3Action) {
		return
	}
	if d.By == DeployByS3Action {
		d.validateS3Action(p)
		return
	}
	validateFileHeaders(p, d.Headers)
	if g := d.Grace; g != NoGrace && (g < minGrace || g > maxGrace || g%time.Minute != 0) {
		p.add("Deploy.Grace", g, "must be whole minutes, from 1 minute to 365 days, written as 24 * time.Hour, or NoGrace")
	}
	if n := d.MaxDeletePercent; n < 1 || n > 100 {
		p.add("Deploy.MaxDeletePercent", n, "must be from 1 to 100")
	}
	if n := d.KeepDays; n < 1 || n > maxKeepDays {
		p.add("Deploy.KeepDays", n, fmt.Sprintf("must be from 1 to %d", maxKeepDays))
	}
	validateLogDays(p, "Deploy.LogRetentionDays", d.LogRetentionDays)
}

// validateS3Action reports what CodePipeline's S3 action cannot do.
func (d Deploy) validateS3Action(p *problems) {
	for _, field := range []struct {
		name string
		got  any
		set  bool
	}{
		{"Deploy.Headers", count(len(d.Headers), "element"), d.Headers != nil},
		{"Deploy.Grace", d.Grace, d.Grace != 0},
		{"Deploy.MaxDeletePercent", d.MaxDeletePercent, d.MaxDeletePercent != 0},
		{"Deploy.KeepDays", d.KeepDays, d.KeepDays != 0},
		{"Deploy.LogRetentionDays", d.LogRetentionDays, d.LogRetentionDays != 0},
	} {
		if field.set {
			p.add(field.name, field.got, "is for the function alone: leave it out, or set By to DeployByFunction")
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
	if d.KeyPrefix != "" && !d.isFolder() {
		p.add("Deploy.KeyPrefix", d.KeyPrefix, "must be a folder such as ja/notes: at most 512 letters, digits and !_.'()-, with one slash between folders, none of which is . or ..")
	}
	if d.EncryptionKeyARN != "" {
		validateKey(p, "Deploy.EncryptionKeyARN", d.EncryptionKeyARN)
	}
}

// isFolder returns whether KeyPrefix is a folder in a bucket.
func (d Deploy) isFolder() bool {
	return len(d.KeyPrefix) <= maxKeyPrefix && prefixPattern.MatchString(d.KeyPrefix) && path.Clean("/"+d.KeyPrefix) == "/"+d.KeyPrefix
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
