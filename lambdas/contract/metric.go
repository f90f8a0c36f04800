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

	// DimensionBlog is the dimension of a blog's metrics, and DimensionService that of a
	// service's. The value is the name of the blog or service.
	DimensionBlog    = "blog"
	DimensionService = "service"
)
