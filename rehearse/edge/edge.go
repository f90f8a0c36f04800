// Package edge stands for a CloudFront distribution before an S3 bucket: an HTTP handler that answers
// readers from a cache, keeps objects for as long as CloudFront would, and obeys invalidations. With it
// a rehearsal shows what readers see, the old page before an invalidation and the new one after.
//
// It is one edge location with an unlimited cache. Left out: compression, cookies, signed URLs, cache
// behaviours by path, stale-while-revalidate and stale-if-error, and cache tags: an invalidation of a
// "#tag" matches nothing, as objects get tags from metadata that CodePipeline's S3 action cannot set.
package edge

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
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
	// Origin answers what is not in the cache, such as s3.Server.Origin. It gets a GET with the path,
	// encoded, and, to revalidate, If-None-Match. Required.
	Origin http.RoundTripper
	// DistributionID is the distribution whose invalidations are obeyed.
	DistributionID string
	// Invalidations knows them. Default: there are none.
	Invalidations Invalidations
	// Now tells the time: ages and TTLs are counted in it. Default time.Now.
	Now func() time.Time
	// DefaultRootObject is what "/" stands for, such as "index.html". Default: nothing, and S3 refuses.
	DefaultRootObject string
	// CachePolicy holds the TTLs. Default: [CachingOptimized].
	CachePolicy CachePolicy
	// Errors are the distribution's custom error responses, by the origin's status. S3 says 403 for a
	// missing object, so that a 404 page belongs to both. Default: errors pass as they are, and are
	// cached for 10 s.
	Errors map[int]ErrorResponse
	// ViewerRequest stands for a CloudFront Function on viewer requests: it may change the request's URL,
	// before the cache is asked, or return a response, such as a redirect, that is sent as it is. It
	// gets a copy of the request. Default: none; see [PrettyURLs].
	ViewerRequest func(*http.Request) *http.Response
	// ViewerResponse stands for a response headers policy: it may change the headers of any response,
	// cached or not, right before it is sent. Default: none.
	ViewerResponse func(r *http.Request, status int, header http.Header)
}

// Invalidations knows a distribution's invalidations in order of their creation; *fakeaws.Cloud does.
type Invalidations interface {
	Invalidations(distributionID string) []fakeaws.Invalidation
}

// ErrorResponse is one of a distribution's custom error responses.
type ErrorResponse struct {
	// PagePath is the page sent instead, such as "/404.html". Default: the origin's own error.
	PagePath string
	// Status is the status it is sent with. Default: the origin's.
	Status int
	// MinTTL is the error caching minimum TTL. Default 10 s; below zero for CloudFront's 0.
	MinTTL time.Duration
}

// Edge is the handler. It is safe for concurrent use.
type Edge struct {
	opts    Options
	name    string // of the edge's host, in Via
	fetches singleflight.Group

	mu    sync.Mutex
	cache map[string]*entry // by canonical path
}

// entry is a cached answer of the origin. It is not changed once it is in the cache.
type entry struct {
	status  int
	header  http.Header
	body    []byte
	stored  time.Time // when the origin sent or confirmed it
	expires time.Time
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
	if strings.HasPrefix(opts.DefaultRootObject, "/") {
		return nil, fmt.Errorf("create edge: DefaultRootObject is %q; CloudFront wants it without a leading slash", opts.DefaultRootObject)
	}
	for status, response := range opts.Errors {
		if response.PagePath != "" && !strings.HasPrefix(response.PagePath, "/") {
			return nil, fmt.Errorf("create edge: the page of error %d is %q; CloudFront wants it with a leading slash", status, response.PagePath)
		}
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.CachePolicy == (CachePolicy{}) {
		opts.CachePolicy = CachingOptimized
	}
	return &Edge{opts: opts, name: strings.ToLower(rand.Text()) + ".cloudfront.net", cache: make(map[string]*entry)}, nil
}

// ServeHTTP implements http.Handler.
func (e *Edge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		e.send(w, r, "Error", methodNotAllowed)
		return
	}
	// Before the function changes it: a function that rewrites does not change what the reader asked for.
	viewerPath := canonical(r.URL.EscapedPath(), decodeUnreserved)
	request := r
	if e.opts.ViewerRequest != nil {
		request = r.Clone(r.Context())
		if response := e.opts.ViewerRequest(request); response != nil { //nolint:bodyclose // sendGenerated does.
			e.sendGenerated(w, r, response)
			return
		}
	}
	path := canonical(request.URL.EscapedPath(), decodeUnreserved)
	if path == "/" && e.opts.DefaultRootObject != "" {
		if viewerPath == path {
			viewerPath = "/" + e.opts.DefaultRootObject // Invalidated as any other file, says AWS.
		}
		path = "/" + e.opts.DefaultRootObject
	}

	answer, result := e.get(r.Context(), path, viewerPath)
	if result == "Hit" {
		age := max(0, e.opts.Now().Sub(answer.stored))
		w.Header().Set("Age", strconv.Itoa(int(age.Seconds())))
	}
	if answer.status >= http.StatusBadRequest || answer.errorPage {
		result = "Error"
	}
	e.send(w, r, result, answer)
}

// get returns the answer for a path and how it came about: Hit, Miss or RefreshHit. A path that a
// function rewrote has been asked for by another, viewerPath.
func (e *Edge) get(ctx context.Context, path, viewerPath string) (*entry, string) {
	invalidations := e.invalidations()
	e.mu.Lock()
	cached := e.cache[path]
	e.mu.Unlock()
	if cached != nil && invalidated(after(invalidations, cached.seen), path, viewerPath) {
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
	answer, _, _ := e.fetches.Do(seen+" "+path, func() (any, error) {
		var fresh *entry
		// Not cancelled with the first of possibly many readers.
		fresh, result = e.fetch(context.WithoutCancel(ctx), path, cached, seen)
		e.mu.Lock()
		defer e.mu.Unlock()
		if fresh.expires.After(fresh.stored) || fresh.header.Get("Etag") != "" && !noStore(fresh.header) {
			e.cache[path] = fresh
		} else {
			delete(e.cache, path)
		}
		return fresh, nil
	})
	return answer.(*entry), result
}

func (e *Edge) invalidations() []fakeaws.Invalidation {
	if e.opts.Invalidations == nil {
		return nil
	}
	return e.opts.Invalidations.Invalidations(e.opts.DistributionID)
}

// fetch asks the origin for an object, or whether the expired one in the cache is still the latest.
func (e *Edge) fetch(ctx context.Context, path string, expired *entry, seen string) (_ *entry, result string) {
	if expired != nil && (expired.status != http.StatusOK || expired.errorPage) {
		expired = nil // There is nothing to confirm.
	}
	var etag string
	if expired != nil {
		etag = expired.header.Get("Etag")
	}
	answer := e.ask(ctx, path, etag)
	now := e.opts.Now()
	answer.stored, answer.seen = now, seen

	switch {
	case answer.status == http.StatusNotModified && etag != "":
		confirmed := &entry{status: expired.status, header: expired.header.Clone(), body: expired.body, stored: now, seen: seen}
		for _, name := range []string{"Cache-Control", "Etag", "Expires", "Last-Modified"} { // RFC 9110, section 15.4.5
			if values, given := answer.header[name]; given {
				confirmed.header[name] = values
			}
		}
		confirmed.expires = now.Add(e.opts.CachePolicy.ttl(confirmed.header, now))
		return confirmed, "RefreshHit"

	case answer.status >= http.StatusInternalServerError && expired != nil:
		// Rather an old page than none, until the origin is asked again.
		stale := *expired
		stale.expires = now.Add(e.errorTTL(answer, now))
		return &stale, "Hit"

	case answer.status >= http.StatusBadRequest:
		answer.expires = now.Add(e.errorTTL(answer, now))
		return e.withErrorPage(ctx, answer), "Miss"

	default:
		answer.expires = now.Add(e.opts.CachePolicy.ttl(answer.header, now))
		return answer, "Miss"
	}
}

// errorTTL is how long an error is cached.
func (e *Edge) errorTTL(answer *entry, now time.Time) time.Duration {
	minimum := e.opts.Errors[answer.status].MinTTL
	if minimum == 0 {
		minimum = defaultErrorTTL
	}
	return e.opts.CachePolicy.errorTTL(answer.status, answer.header, max(0, minimum), now)
}

// withErrorPage replaces an error's content by the distribution's page for it. The page is cached with
// the error and for as long. If it cannot be had, readers get the error itself.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HTTPStatusCodes.html
func (e *Edge) withErrorPage(ctx context.Context, failed *entry) *entry {
	custom := e.opts.Errors[failed.status]
	if custom.PagePath == "" {
		return failed
	}
	page := e.ask(ctx, custom.PagePath, "")
	if page.status != http.StatusOK {
		return failed
	}
	page.status = failed.status
	if custom.Status != 0 {
		page.status = custom.Status
	}
	page.errorPage = true
	page.stored, page.expires, page.seen = failed.stored, failed.expires, failed.seen
	return page
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
		return errorEntry(status, "CloudFront wasn't able to connect to the origin: "+err.Error())
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
	return &entry{status: response.StatusCode, header: response.Header.Clone(), body: body}
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

// send answers a reader. http.ServeContent knows about ranges, HEAD, and what the reader has already.
func (e *Edge) send(w http.ResponseWriter, r *http.Request, result string, answer *entry) {
	header := w.Header()
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
	e.finish(r, answer.status, header, result)
	if answer.status == http.StatusOK {
		modified, _ := http.ParseTime(header.Get("Last-Modified"))
		if header.Get("Content-Type") == "" {
			header["Content-Type"] = nil // As the origin has it: no guessing.
		}
		http.ServeContent(w, r, "", modified, bytes.NewReader(answer.body))
		return
	}
	header.Set("Content-Length", strconv.Itoa(len(answer.body)))
	w.WriteHeader(answer.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(answer.body) // The reader has gone: nobody is left to tell.
	}
}

// sendGenerated answers a reader with what the viewer-request function returned.
func (e *Edge) sendGenerated(w http.ResponseWriter, r *http.Request, response *http.Response) {
	header := w.Header()
	maps.Copy(header, response.Header)
	header.Set("Server", "CloudFront")
	header.Set("Date", e.opts.Now().UTC().Format(http.TimeFormat))
	e.finish(r, response.StatusCode, header, "FunctionGeneratedResponse")
	w.WriteHeader(response.StatusCode)
	if response.Body == nil {
		return
	}
	defer response.Body.Close()
	if r.Method != http.MethodHead {
		_, _ = io.Copy(w, response.Body) // As in send.
	}
}

// finish sets the headers that every response of CloudFront has.
func (e *Edge) finish(r *http.Request, status int, header http.Header, result string) {
	header.Set("X-Cache", result+" from cloudfront")
	header.Set("Via", "1.1 "+e.name+" (CloudFront)")
	var id [40]byte
	_, _ = rand.Read(id[:]) // Never fails (crypto/rand).
	header.Set("X-Amz-Cf-Id", base64.URLEncoding.EncodeToString(id[:]))
	if e.opts.ViewerResponse != nil {
		e.opts.ViewerResponse(r, status, header)
	}
}

// PrettyURLs is a ViewerRequest function for sites whose pages are index.html files in folders: it
// rewrites "/a/" to "/a/index.html".
func PrettyURLs(r *http.Request) *http.Response {
	if strings.HasSuffix(r.URL.Path, "/") {
		r.URL.Path += "index.html"
		if r.URL.RawPath != "" {
			r.URL.RawPath += "index.html"
		}
	}
	return nil
}
