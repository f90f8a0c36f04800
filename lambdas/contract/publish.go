package contract

// The environment of the function publish, and of invalidate if that clears what has
// changed. EnvReleases and EnvKeyPrefix are for both, EnvMaxPaths and EnvAddresses for
// invalidate.
const (
	// EnvReleases is the name of the blog's releases bucket.
	EnvReleases = "RELEASES_BUCKET"
	// EnvSiteBucket is the name of the bucket that the blog is published to.
	EnvSiteBucket = "SITE_BUCKET"
	// EnvKeyPrefix is the folder in the bucket that the blog has, without a slash at its
	// start or end. It is not set for the bucket's root.
	EnvKeyPrefix = "KEY_PREFIX"
	// EnvHeaders is a JSON list of [HeaderRule]. The first one that matches a file has its
	// fields; what it leaves empty has its default.
	EnvHeaders = "HEADER_RULES"
	// EnvGrace is how long a file that is no page stays in the bucket after it has left
	// the blog, as a Go duration.
	EnvGrace = "GRACE"
	// EnvMaxDeletePercent is the share of the blog's files that one publication may
	// remove, in per cent.
	EnvMaxDeletePercent = "MAX_DELETE_PERCENT"
	// EnvPublishFunction is the name of the function publish, which invalidate calls to
	// publish the release before again. It is set for OnFailureRollBack only.
	EnvPublishFunction = "PUBLISH_FUNCTION"
	// EnvMaxPaths limits the items of an invalidation of what has changed.
	EnvMaxPaths = "MAX_PATHS"
	// EnvAddresses is an [Addresses] as JSON.
	EnvAddresses = "ADDRESSES"
	// EnvVerify is the origin of the address at which readers have the blog, such as
	// "https://example.com". The paths come from [EnvAddresses]. Nothing is fetched if it
	// is not set.
	EnvVerify = "VERIFY"
	// EnvVerifyAt is a loopback address and port, such as "127.0.0.1:8080", that answers
	// for the host of [EnvVerify] over plain HTTP. Only tests and the rehearsal set it.
	EnvVerifyAt = "VERIFY_AT"
)

// HeaderRule says with which headers the files that Match are stored.
type HeaderRule struct {
	// Match is a path pattern as CloudFront has them (package pathpattern), for the
	// file's path in the blog.
	Match              string
	CacheControl       string            `json:",omitempty"`
	ContentType        string            `json:",omitempty"`
	ContentLanguage    string            `json:",omitempty"`
	ContentDisposition string            `json:",omitempty"`
	Metadata           map[string]string `json:",omitempty"`
}

// Addresses say at which URLs a distribution serves the files of a blog.
type Addresses struct {
	// BasePath is the URL's path at which the blog's home is, such as "/blog/". Default:
	// "/".
	BasePath string `json:",omitempty"`
	// Bare is true if "/a" serves the page "/a/index.html", as well as "/a/".
	Bare bool `json:",omitempty"`
	// QueryStrings is true if query strings are a part of the cache key.
	QueryStrings bool `json:",omitempty"`
	// Tags is true if the distribution reads the cache tags in the objects' metadata
	// [MetadataCacheTag].
	Tags bool `json:",omitempty"`
}

// MetadataCacheTag is the key of an object's user-defined metadata that has its cache
// tags. A distribution with a CacheTagConfig of "x-amz-meta-" and this key reads it.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-tags.html
const MetadataCacheTag = "cache-tag"

// PublishParameters are the UserParameters of the action that calls publish.
type PublishParameters struct {
	// PipelineName is the name of the pipeline and of its blog, for logs and metrics.
	PipelineName string
	// Execution is the id of the pipeline's execution.
	Execution string `json:",omitempty"`
	// Revision is the id of the commit.
	Revision string `json:",omitempty"`
	// AllowDeletions is [AllowDeletionsYes] if this execution may remove any number of
	// files.
	AllowDeletions string `json:",omitempty"`
}

// VariableAllowDeletions is the pipeline's variable for
// [PublishParameters.AllowDeletions]. Its value is AllowDeletionsNo unless a person starts
// an execution with another one.
const (
	VariableAllowDeletions = "AllowDeletions"
	AllowDeletionsYes      = "yes"
	AllowDeletionsNo       = "no"
)

// The keys of the releases bucket.
const (
	// ReleaseState is the key of the state.
	ReleaseState = "state.json"
	// ReleaseManifests is the prefix of the manifests: manifests/<release>.json.gz.
	ReleaseManifests = "manifests/"
	// ReleaseArtifacts is the prefix of the builds: artifacts/<release>.zip.
	ReleaseArtifacts = "artifacts/"
)
