package contract

// The metrics that the functions write, and that alarms read.
const (
	MetricNamespace = "BlogDeployPipeline"

	// MetricFailed is 1 for an invalidation that failed and 0 for one that did not.
	// There is no value between deployments, so an alarm must treat missing data as not
	// breaching.
	MetricFailed = "InvalidationFailed"
	// MetricLate is 1 for an invalidation that CloudFront did not complete before its
	// deadline.
	MetricLate = "InvalidationLate"
	// MetricSeconds is the time from the first call to CloudFront until the invalidation
	// was completed.
	MetricSeconds = "InvalidationSeconds"

	// MetricFilesPut, MetricFilesRemoved and MetricBytesPut count the files that a
	// publication has put into the site's bucket and removed from it, and the bytes that
	// it has put. There is no value for a publication that failed, nor for a blog that
	// CodePipeline's own action publishes.
	MetricFilesPut     = "FilesPut"
	MetricFilesRemoved = "FilesRemoved"
	MetricBytesPut     = "BytesPut"
	// MetricPublishSeconds is the time from the action's first job until the release was
	// committed.
	MetricPublishSeconds = "PublishSeconds"
	// MetricInvalidationItems is the number of items of an invalidation of what has
	// changed, of which an account has 1,000 a month for nothing.
	MetricInvalidationItems = "InvalidationItems"
	// MetricNeedlessEvictions is how many files that have not changed an invalidation of
	// what has changed evicts, because it has fewer items than files have changed.
	MetricNeedlessEvictions = "NeedlessEvictions"
	// MetricSecondsToLive is the time from the commit of a release until what it changed
	// was seen at the blog's own address.
	MetricSecondsToLive = "SecondsToLive"
	// MetricProofFailed is 1 for a publication that was looked for at the blog's own
	// address and not seen there, and 0 for one that was seen. There is no value if nobody
	// looked, or if something else than the blog answered.
	MetricProofFailed = "ProofFailed"

	// DimensionBlog is the dimension of a blog's metrics, and DimensionService that of a
	// service's. The value is the name of the blog or service.
	DimensionBlog    = "blog"
	DimensionService = "service"
)
