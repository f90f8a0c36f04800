// Package edge stands for a CloudFront distribution in front of an S3 bucket. It is an HTTP handler that follows the
// distribution's configuration: it chooses a cache behaviour by the path, runs the behaviour's functions, caches objects
// for as long as CloudFront would, and obeys invalidations. With it a rehearsal shows what readers see before and after
// an invalidation.
//
// The package has one edge location with an unlimited cache. It does not support query strings and cookies in the cache
// key, Brotli, signed URLs, web ACLs, stale-while-revalidate and stale-if-error.
package edge

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"slices"
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

	// location is the edge location. CloudFront names its own after the nearest airport, and no airport is called ZZZ.
	location = "ZZZ50-P1"

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
