// Package edge is a CloudFront distribution before an S3 bucket: an HTTP handler that does what the
// distribution's configuration says. It picks a cache behaviour by path, runs its functions, answers
// readers from a cache, keeps objects for as long as CloudFront would, and obeys invalidations. With it
// a rehearsal shows what readers see, the old page before an invalidation and the new one after.
//
// It is one edge location with an unlimited cache. Left out: query strings and cookies in the cache key,
// Brotli, signed URLs, web ACLs, stale-while-revalidate and stale-if-error, and cache tags: an
// invalidation of a "#tag" matches nothing, as objects get tags from metadata that CodePipeline's S3
// action cannot set.
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

	// originTimeout is how long CloudFront waits for S3.
	// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/RequestAndResponseBehaviorS3Origin.html
	originTimeout = 30 * time.Second
)

// Options configure an [Edge].
type Options struct {
	// Distribution is what it does. Required; see [Assumed].
	Distribution Distribution
	// Origin answers what is not in the cache, such as s3.Server.Origin. It gets a GET with the path,
	// encoded, and, to revalidate, If-None-Match. Required.
	Origin http.RoundTripper
	// Invalidations knows those of the distribution, which are obeyed. Default: there are none.
	Invalidations Invalidations
	// Now tells the time: ages and TTLs are counted in it. Default time.Now.
	Now func() time.Time
}

// Invalidations knows a distribution's invalidations in order of their creation; *fakeaws.Cloud does.
type Invalidations interface {
	Invalidations(distributionID string) []fakeaws.Invalidation
}

// Edge is the handler. It is safe for concurrent use.
type Edge struct {
	opts    Options
	name    string // of the edge's host, in Via
	fetches singleflight.Group

	mu    sync.Mutex
	cache map[string]*entry // by cacheKey
}

// entry is a cached answer of the origin. It is not changed once it is in the cache.
type entry struct {
	status int
	header http.Header
	body   []byte
	// etag is the origin's own, which a compressed object's differs from.
	etag       string
	compressed bool
	stored     time.Time // when the origin sent or confirmed it
	expires    time.Time
	// seen is the id of the last invalidation that was created before the origin was asked, or "": only
	// later ones concern this entry. Not the time, because virtual time can stand still.
	seen string
	// errorPage says that this is a custom error page, whatever its status.
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
	// "To invalidate the default root object, specify the path the same way that you specify the path for
	// any other file": that is what is cached. That behaviours and functions see it so, too, is not
	// documented; a function that is right about this is right about "/" as well.
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

// maxURL is the longest URL that CloudFront takes, in bytes.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/RequestAndResponseBehaviorS3Origin.html
const maxURL = 8192

// refuse returns what CloudFront answers by itself to a request that goes no further.
func refuse(v *viewer, r *http.Request) (_ *entry, result string) {
	location := "https://" + r.Host + v.request.URL.RequestURI()
	isRead := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case len(location) > maxURL:
		return errorEntry(http.StatusRequestEntityTooLarge, "Bad request. The URL is too long."), "Error"
	case !v.secure && v.behavior.ViewerProtocol == redirectToHTTPS:
		return redirected(location, isRead), "Redirect"
	case !v.secure && v.behavior.ViewerProtocol == httpsOnly:
		return errorEntry(http.StatusForbidden, "Bad request. This distribution takes https only."), "Error"
	case !isRead:
		return methodNotAllowed, "Error"
	}
	return nil, ""
}

// redirected is CloudFront's own redirect to https: 301 for what only reads, and 307 for the others, so
// that method and body are sent again.
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

// question is what the cache is asked for.
type question struct {
	behavior *Behavior
	// path is what names the object, and viewerPath what it was before a function changed it.
	path, viewerPath string
	gzip             bool // may be compressed
}

// cacheKey is what tells objects in the cache apart. The behaviour is no part of it.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/understanding-the-cache-key.html
func (q question) cacheKey() string {
	if q.gzip {
		return "gzip " + q.path
	}
	return q.path
}

// get returns the answer to a question and how it came about: Hit, Miss or RefreshHit.
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

	// Who comes while the origin is being asked waits for that answer, and is a hit. But not who has seen
	// an invalidation that the question has not: the answer may be older.
	result := "Hit"
	var seen string
	if len(invalidations) > 0 {
		seen = invalidations[len(invalidations)-1].ID
	}
	answer, _, _ := e.fetches.Do(seen+" "+key, func() (any, error) {
		var fresh *entry
		// Not cancelled with the first of possibly many readers.
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

// fetch asks the origin for an object, or whether the expired one in the cache is still the latest.
func (e *Edge) fetch(ctx context.Context, q question, expired *entry, seen string) (_ *entry, result string) {
	if expired != nil && (expired.status != http.StatusOK || expired.errorPage) {
		expired = nil // There is nothing to confirm.
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
		// Rather an old page than none, until the origin is asked again.
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

// errorTTL is how long an error is cached.
func (e *Edge) errorTTL(policy CachePolicy, answer *entry, now time.Time) time.Duration {
	minimum := e.opts.Distribution.Errors[answer.status].MinTTL
	if minimum == 0 {
		minimum = defaultErrorTTL
	}
	return policy.errorTTL(answer.status, answer.header, max(0, minimum), now)
}

// withErrorPage replaces an error's content by the distribution's page for it, from the origin of the
// behaviour that the page's path has; no function sees that path. The page is cached with the error and
// for as long. "If the custom error page isn't available, CloudFront returns to the viewer the status
// code that CloudFront received from the origin that contains the custom error pages."
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

// ask sends one request to the origin. An origin that cannot be reached is a 502 or, if it does not
// answer, a 504.
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

// errorEntry is an error that CloudFront makes up itself.
func errorEntry(status int, message string) *entry {
	body := fmt.Sprintf("<!DOCTYPE html>\n<title>ERROR: The request could not be satisfied</title>\n<h1>%d ERROR</h1>\n<p>%s\n", status, message)
	return &entry{
		status: status,
		header: http.Header{"Content-Type": {"text/html"}, "Server": {"CloudFront"}},
		body:   []byte(body),
	}
}

var methodNotAllowed = errorEntry(http.StatusForbidden, "This distribution is not configured to allow the HTTP request method that was used for this request. The distribution supports only cachable requests.")

// failedFunction is the answer where a function did not come to an end (503), or came to a result that
// CloudFront refuses (502). The results are named as CloudFront names them in X-Cache.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/troubleshooting-response-errors.html
func failedFunction(err error) (_ *entry, result string) {
	why := html.EscapeString(err.Error())
	if failed := (*edgefunction.Error)(nil); errors.As(err, &failed) && failed.Status == http.StatusBadGateway {
		return errorEntry(http.StatusBadGateway, "The CloudFront function returned an invalid value: "+why), "FunctionValidationError"
	}
	return errorEntry(http.StatusServiceUnavailable, "The CloudFront function associated with the CloudFront distribution is invalid or could not run: "+why), "FunctionExecutionError"
}

// send answers a reader. http.ServeContent knows about ranges, HEAD, and what the reader has already.
func (e *Edge) send(v *viewer, result string, answer *entry) {
	header := v.Header()
	for name, values := range answer.header {
		if name != "Content-Length" && name != "Accept-Ranges" { // Those of this response are set below.
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
			header["Content-Type"] = nil // As the origin has it: no guessing.
		}
		http.ServeContent(v, v.request, "", modified, bytes.NewReader(answer.body))
		return
	}
	header.Set("Content-Length", strconv.Itoa(len(answer.body)))
	v.WriteHeader(answer.status)
	if v.request.Method != http.MethodHead {
		_, _ = v.Write(answer.body) // The reader has gone: nobody is left to tell.
	}
}

// sendGenerated answers a reader with what the viewer-request function returned.
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
		_, _ = io.Copy(v, response.Body) // As in send.
	}
}

// requestID makes up an id as CloudFront's are.
func requestID() string {
	var id [40]byte
	_, _ = rand.Read(id[:]) // Never fails (crypto/rand).
	return base64.URLEncoding.EncodeToString(id[:])
}
