// Package edge stands for a CloudFront distribution in front of an S3 bucket. It is an HTTP handler that follows the
// distribution's configuration: it chooses a cache behaviour by the path, runs the behaviour's functions, caches objects
// for as long as CloudFront would, and obeys invalidations. With it a rehearsal shows what readers see before and after
// an invalidation.
//
// The package has one edge location with an unlimited cache. It does not support query strings and cookies in the cache
// key, Brotli, signed URLs, web ACLs, stale-while-revalidate, stale-if-error and cache tags. An invalidation of a "#tag"
// matches no object, because objects get tags from metadata that CodePipeline's S3 action cannot set.
package edge

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"blog-deploy-pipeline/rehearse/edgefunction"
	"blog-deploy-pipeline/rehearse/fakeaws"
)

const (
	// defaultErrorTTL is the error caching minimum TTL of a distribution that sets none.
	// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/custom-error-pages-expiration.html
	defaultErrorTTL = 10 * time.Second

	// originTimeout limits how long CloudFront waits for S3.
	// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/RequestAndResponseBehaviorS3Origin.html
	originTimeout = 30 * time.Second
)

// Options configure an [Edge].
type Options struct {
	// Distribution is the distribution's configuration. Required; see [Assumed].
	Distribution Distribution
	// Origin returns objects that are not in the cache, such as s3.Server.Origin. It gets a GET with the encoded path,
	// and with If-None-Match for an expired object. Required.
	Origin http.RoundTripper
	// Invalidations returns the distribution's invalidations. Default: there are none.
	Invalidations Invalidations
	// Now returns the time for ages and TTLs. Default time.Now.
	Now func() time.Time
}

// Invalidations returns a distribution's invalidations in order of creation. *fakeaws.Cloud implements it.
type Invalidations interface {
	Invalidations(distributionID string) []fakeaws.Invalidation
}

// Edge is the HTTP handler. It is safe for concurrent use.
type Edge struct {
	opts    Options
	name    string // the name of the edge's host in the header Via
	fetches singleflight.Group

	mu    sync.Mutex
	cache map[string]*entry // by cacheKey
}

// entry is a cached response of the origin. It does not change while it is in the cache.
type entry struct {
	status int
	header http.Header
	body   []byte
	// etag is the ETag of the origin, which differs from that of a compressed object.
	etag       string
	compressed bool
	stored     time.Time // when the origin sent or confirmed the response
	expires    time.Time
	// seen is the id of the last invalidation before the request to the origin, or "". Only later invalidations concern
	// this entry. It is an id and not a time, because virtual time can stand still.
	seen string
	// errorPage says that this is a custom error page, with any status.
	errorPage bool
}

// New returns an edge with an empty cache.
func New(opts Options) (*Edge, error) {
	if opts.Origin == nil {
		return nil, errors.New("create edge: no Origin given")
	}
	if err := opts.Distribution.Validate(); err != nil {
		return nil, fmt.Errorf("create edge: %w", err)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	opts.Distribution.Behaviors = slices.Clone(opts.Distribution.Behaviors)
	for i := range opts.Distribution.Behaviors {
		if b := &opts.Distribution.Behaviors[i]; b.CachePolicy == (CachePolicy{}) {
			b.CachePolicy = CachingOptimized
		}
	}
	return &Edge{opts: opts, name: strings.ToLower(rand.Text()) + ".cloudfront.net", cache: make(map[string]*entry)}, nil
}

// ServeHTTP implements http.Handler.
func (e *Edge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d := &e.opts.Distribution
	v := &viewer{ResponseWriter: w, edge: e, request: r, id: requestID()}
	host, secure, ok := d.reached(r)
	if !ok {
		// https://repost.aws/knowledge-center/cloudfront-troubleshoot-403-errors
		e.send(v, "Error", errorEntry(http.StatusForbidden, fmt.Sprintf("Bad request. No distribution has the name %q; this one has: %s.", host, strings.Join(d.Names(), ", "))))
		return
	}
	request := r.Clone(r.Context())
	request.Host, v.secure = host, secure
	// "To invalidate the default root object, specify the path the same way that you specify the path for any other file."
	// The cache therefore contains the default root object under its own path. AWS does not document whether behaviours
	// and functions see that path or "/". Here they see the object's path.
	// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DefaultRootObject.html
	if request.URL.Path == "/" && d.DefaultRootObject != "" {
		request.URL.Path, request.URL.RawPath, request.RequestURI = "/"+d.DefaultRootObject, "", ""
	}
	viewerPath := canonical(request.URL.EscapedPath(), decodeUnreserved)
	v.behavior = d.Behavior(viewerPath)
	if refused, result := refuse(v, request); refused != nil {
		e.send(v, result, refused)
		return
	}
	asked := request
	if function := v.behavior.ViewerRequest; function != nil {
		changed, response, err := function.ViewerRequest(request, v.context())
		switch {
		case err != nil:
			answer, result := failedFunction(err)
			e.send(v, result, answer)
			return
		case response != nil:
			e.sendGenerated(v, response)
			return
		}
		request = changed
	}

	// "If a function changes the URI for a request, that doesn't change the cache behavior for the request
	// or the origin that the request is forwarded to."
	// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-function-restrictions-all.html
	answer, result := e.get(request.Context(), question{
		behavior: v.behavior, path: canonical(request.URL.EscapedPath(), decodeUnreserved), viewerPath: viewerPath,
		gzip: v.behavior.CachePolicy.Gzip && acceptsGzip(request),
	})
	if result == "Hit" {
		age := max(0, e.opts.Now().Sub(answer.stored))
		w.Header().Set("Age", strconv.Itoa(int(age.Seconds())))
	}
	if answer.status >= http.StatusBadRequest || answer.errorPage {
		result = "Error"
	} else {
		v.responding = asked
	}
	e.send(v, result, answer)
}

// maxURL limits the length of a URL in bytes.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/RequestAndResponseBehaviorS3Origin.html
const maxURL = 8192

// refuse returns CloudFront's own response to a request that does not reach the cache, or nil.
func refuse(v *viewer, r *http.Request) (_ *entry, result string) {
	location := "https://" + r.Host + v.request.URL.RequestURI()
	isRead := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case len(location) > maxURL:
		return errorEntry(http.StatusRequestEntityTooLarge, "Bad request. The URL is too long."), "Error"
	case !v.secure && v.behavior.ViewerProtocol == redirectToHTTPS:
		return redirected(location, isRead), "Redirect"
	case !v.secure && v.behavior.ViewerProtocol == httpsOnly:
		return errorEntry(http.StatusForbidden, "Bad request. This distribution accepts only HTTPS."), "Error"
	case !isRead:
		return methodNotAllowed, "Error"
	}
	return nil, ""
}

// redirected returns CloudFront's own redirect to HTTPS. The status is 301 for GET and HEAD, and 307 for other methods,
// so that the client repeats the method and the body.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-https-viewers-to-cloudfront.html
func redirected(location string, isRead bool) *entry {
	status := http.StatusTemporaryRedirect
	if isRead {
		status = http.StatusMovedPermanently
	}
	title := strconv.Itoa(status) + " " + http.StatusText(status)
	return &entry{
		status: status,
		header: http.Header{"Content-Type": {"text/html"}, "Location": {location}, "Server": {"CloudFront"}},
		body:   []byte("<html>\n<head><title>" + title + "</title></head>\n<body>\n<center><h1>" + title + "</h1></center>\n<hr><center>CloudFront</center>\n</body>\n</html>\n"),
	}
}

// question is a request to the cache.
type question struct {
	behavior *Behavior
	// path names the object. viewerPath is the path before a function changed it.
	path, viewerPath string
	gzip             bool // whether the response may be compressed
}

// cacheKey returns the key of an object in the cache. It does not contain the behaviour.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/understanding-the-cache-key.html
func (q question) cacheKey() string {
	if q.gzip {
		return "gzip " + q.path
	}
	return q.path
}

// get returns the answer to a question, and Hit, Miss or RefreshHit.
func (e *Edge) get(ctx context.Context, q question) (*entry, string) {
	invalidations := e.invalidations()
	key := q.cacheKey()
	e.mu.Lock()
	cached := e.cache[key]
	e.mu.Unlock()
	if cached != nil && invalidated(after(invalidations, cached.seen), q.path, q.viewerPath) {
		cached = nil
	}
	if cached != nil && e.opts.Now().Before(cached.expires) {
		return cached, "Hit"
	}

	// A reader who comes during a request to the origin waits for its response, which is a hit. A reader after a further
	// invalidation needs a request of its own, because the response may be older than that invalidation.
	result := "Hit"
	var seen string
	if len(invalidations) > 0 {
		seen = invalidations[len(invalidations)-1].ID
	}
	answer, _, _ := e.fetches.Do(seen+" "+key, func() (any, error) {
		var fresh *entry
		// Several readers may wait for the response, so it is not cancelled when the first one leaves.
		fresh, result = e.fetch(context.WithoutCancel(ctx), q, cached, seen)
		e.mu.Lock()
		defer e.mu.Unlock()
		if fresh.expires.After(fresh.stored) || fresh.etag != "" && !noStore(fresh.header) {
			e.cache[key] = fresh
		} else {
			delete(e.cache, key)
		}
		return fresh, nil
	})
	return answer.(*entry), result
}

func (e *Edge) invalidations() []fakeaws.Invalidation {
	if e.opts.Invalidations == nil {
		return nil
	}
	return e.opts.Invalidations.Invalidations(e.opts.Distribution.ID)
}

// fetch requests an object from the origin. With an expired object it asks whether that is still current.
func (e *Edge) fetch(ctx context.Context, q question, expired *entry, seen string) (_ *entry, result string) {
	if expired != nil && (expired.status != http.StatusOK || expired.errorPage) {
		expired = nil // The origin cannot confirm an error.
	}
	var etag string
	if expired != nil {
		etag = expired.etag
	}
	policy := q.behavior.CachePolicy
	answer := e.ask(ctx, q.path, etag)
	now := e.opts.Now()
	answer.stored, answer.seen = now, seen

	switch {
	case answer.status == http.StatusNotModified && etag != "":
		confirmed := *expired
		confirmed.header, confirmed.stored, confirmed.seen = expired.header.Clone(), now, seen
		for _, name := range []string{"Cache-Control", "Expires", "Last-Modified"} { // RFC 9110, section 15.4.5
			if values, given := answer.header[name]; given {
				confirmed.header[name] = values
			}
		}
		confirmed.expires = now.Add(policy.ttl(confirmed.header, now))
		return &confirmed, "RefreshHit"

	case answer.status >= http.StatusInternalServerError && expired != nil:
		// CloudFront serves the expired object if the origin fails.
		stale := *expired
		stale.expires = now.Add(e.errorTTL(policy, answer, now))
		return &stale, "Hit"

	case answer.status >= http.StatusBadRequest:
		answer.expires = now.Add(e.errorTTL(policy, answer, now))
		return e.withErrorPage(ctx, q, answer), "Miss"

	default:
		answer.expires = now.Add(policy.ttl(answer.header, now))
		if q.gzip && q.behavior.Compress {
			answer.compress()
		}
		return answer, "Miss"
	}
}

// errorTTL returns how long an error is cached.
func (e *Edge) errorTTL(policy CachePolicy, answer *entry, now time.Time) time.Duration {
	minimum := e.opts.Distribution.Errors[answer.status].MinTTL
	if minimum == 0 {
		minimum = defaultErrorTTL
	}
	return policy.errorTTL(answer.status, answer.header, max(0, minimum), now)
}

// withErrorPage replaces the content of an error by the distribution's custom error page. It fetches the page by the
// behaviour of the page's path, without functions. The page is cached for as long as the error. "If the custom error
// page isn't available, CloudFront returns to the viewer the status code that CloudFront received from the origin that
// contains the custom error pages."
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HTTPStatusCodes.html
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/GeneratingCustomErrorResponses.html
func (e *Edge) withErrorPage(ctx context.Context, q question, failed *entry) *entry {
	custom, behavior := e.opts.Distribution.Errors[failed.status], q.behavior
	answer := failed
	if custom.PagePath != "" {
		behavior = e.opts.Distribution.Behavior(custom.PagePath)
		answer = e.ask(ctx, custom.PagePath, "")
		answer.errorPage = true
		answer.stored, answer.expires, answer.seen = failed.stored, failed.expires, failed.seen
	}
	if q.gzip && behavior.Compress && behavior.CachePolicy.Gzip {
		answer.compress()
	}
	if answer.errorPage && answer.status == http.StatusOK {
		answer.status = failed.status
		if custom.Status != 0 {
			answer.status = custom.Status
		}
	}
	return answer
}

// ask sends one request to the origin. If the origin cannot be reached, the result is a 502, and a 504 after a timeout.
func (e *Edge) ask(ctx context.Context, path, etag string) *entry {
	ctx, cancel := context.WithTimeout(ctx, originTimeout)
	defer cancel()
	unreachable := func(err error) *entry {
		status := http.StatusBadGateway
		if errors.Is(err, context.DeadlineExceeded) {
			status = http.StatusGatewayTimeout
		}
		return errorEntry(status, "CloudFront wasn't able to connect to the origin: "+html.EscapeString(err.Error()))
	}
	u, err := url.Parse("http://origin.invalid" + path)
	if err != nil {
		return errorEntry(http.StatusBadRequest, "Bad request.")
	}
	request := (&http.Request{Method: http.MethodGet, URL: u, Host: u.Host, Header: make(http.Header)}).WithContext(ctx)
	if etag != "" {
		request.Header.Set("If-None-Match", etag)
	}
	response, err := e.opts.Origin.RoundTrip(request)
	if err != nil {
		return unreachable(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return unreachable(err)
	}
	return &entry{status: response.StatusCode, header: response.Header.Clone(), body: body, etag: response.Header.Get("Etag")}
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

var methodNotAllowed = errorEntry(http.StatusForbidden, "This distribution is not configured to allow the HTTP request method that was used for this request. The distribution supports only cachable requests.")

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

// send sends an answer to a reader. http.ServeContent handles ranges, HEAD and conditional requests.
func (e *Edge) send(v *viewer, result string, answer *entry) {
	header := v.Header()
	for name, values := range answer.header {
		if name != "Content-Length" && name != "Accept-Ranges" { // These are set below.
			header[name] = slices.Clone(values)
		}
	}
	date := answer.stored
	if date.IsZero() {
		date = e.opts.Now()
	}
	header.Set("Date", date.UTC().Format(http.TimeFormat))
	v.result = result
	if answer.status == http.StatusOK {
		modified, _ := http.ParseTime(header.Get("Last-Modified"))
		if header.Get("Content-Type") == "" {
			header["Content-Type"] = nil // The origin sent none, and net/http must not guess it.
		}
		http.ServeContent(v, v.request, "", modified, bytes.NewReader(answer.body))
		return
	}
	header.Set("Content-Length", strconv.Itoa(len(answer.body)))
	v.WriteHeader(answer.status)
	if v.request.Method != http.MethodHead {
		_, _ = v.Write(answer.body) // An error means that the reader has left.
	}
}

// sendGenerated sends the response of a viewer-request function to a reader.
func (e *Edge) sendGenerated(v *viewer, response *http.Response) {
	header := v.Header()
	maps.Copy(header, response.Header)
	header.Set("Server", "CloudFront")
	header.Set("Date", e.opts.Now().UTC().Format(http.TimeFormat))
	v.result = "FunctionGeneratedResponse"
	v.WriteHeader(response.StatusCode)
	if response.Body == nil {
		return
	}
	defer response.Body.Close()
	if v.request.Method != http.MethodHead {
		_, _ = io.Copy(v, response.Body) // See send.
	}
}

// requestID returns a random id in the form of CloudFront's ids.
func requestID() string {
	var id [40]byte
	_, _ = rand.Read(id[:]) // crypto/rand.Read never fails.
	return base64.URLEncoding.EncodeToString(id[:])
}
