package edge

import (
	"context"
	"errors"
	"html"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"blog-deploy-pipeline/rehearse/fakeaws"
)

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
	if cached != nil && invalidated(after(invalidations, cached.seen), q.path, q.viewerPath, cached.tags) {
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
	// AWS does not document whether an object that the origin confirms keeps its tags. Here it does.
	if header := e.opts.Distribution.CacheTagHeader; header != "" {
		answer.tags = tagsOf(strings.Join(answer.header.Values(header), ","))
	}

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
