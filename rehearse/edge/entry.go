package edge

import (
	"errors"
	"fmt"
	"html"
	"net/http"
	"time"

	"blog-deploy-pipeline/rehearse/edgefunction"
)

// entry is a cached response of the origin. It does not change while it is in the cache.
type entry struct {
	status int
	header http.Header
	body   []byte
	// etag is the ETag of the origin, which differs from that of a compressed object.
	etag       string
	compressed bool
	// tags holds the object's cache tags in lower case.
	tags    []string
	stored  time.Time // when the origin sent or confirmed the response
	expires time.Time
	// seen is the id of the last invalidation before the request to the origin, or "". Only later invalidations concern
	// this entry. It is an id and not a time, because virtual time can stand still.
	seen string
	// errorPage says that this is a custom error page, with any status.
	errorPage bool
}

// errorEntry returns an error response of CloudFront itself.
func errorEntry(status int, message string) *entry {
	body := fmt.Sprintf("<!DOCTYPE html>\n<title>ERROR: The request could not be satisfied</title>\n<h1>%d ERROR</h1>\n<p>%s\n", status, message)
	return &entry{
		status: status,
		header: http.Header{"Content-Type": {"text/html"}, "Server": {"CloudFront"}},
		body:   []byte(body),
	}
}

// failedFunction returns the response for a function that failed (503) or whose result CloudFront refuses (502), and
// CloudFront's name for this in X-Cache.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/troubleshooting-response-errors.html
func failedFunction(err error) (_ *entry, result string) {
	why := html.EscapeString(err.Error())
	if failed := (*edgefunction.Error)(nil); errors.As(err, &failed) && failed.Status == http.StatusBadGateway {
		return errorEntry(http.StatusBadGateway, "The CloudFront function returned an invalid value: "+why), "FunctionValidationError"
	}
	return errorEntry(http.StatusServiceUnavailable, "The CloudFront function associated with the CloudFront distribution is invalid or could not run: "+why), "FunctionExecutionError"
}
