// Package readers visits a published site as the readers of a blog do: through an edge in front of the bucket, before
// and after the site is published.
package readers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"blog-deploy-pipeline/rehearse/distribution"
	"blog-deploy-pipeline/rehearse/edge"
	"blog-deploy-pipeline/rehearse/iam"
	"blog-deploy-pipeline/rehearse/rehearsal"
	"blog-deploy-pipeline/rehearse/s3"
)

// Options configure a [Site]. All are required unless they say otherwise.
type Options struct {
	Record *rehearsal.Record
	// S3 has the bucket that the site is published to, and CacheControl is the header of its objects.
	S3                   *s3.Server
	Bucket, CacheControl string
	// DistributionID is the id of the distribution in front of the bucket, and Distribution what its template says;
	// nil if it is in none.
	DistributionID string
	Distribution   *distribution.Distribution
	// Invalidations and Now are those of the double of CloudFront, and Skip sets its clock forward.
	Invalidations edge.Invalidations
	Now           func() time.Time
	Skip          func(time.Duration)
	// Account decides what the bucket's policy allows the distribution.
	Account *iam.Account
	// Early names the action that invalidates the distribution before the site is published; "" if none does.
	Early string
	// Unique is part of an address at which nothing is.
	Unique string
	// Kept is the file with copies that the edge of the last rehearsal had; see Keep. Default: there are none.
	Kept string
	// Secure serves the site by https, too, if the distribution has names.
	Secure bool
	// Intercept answers a request of a function that looks whether the site is live (see LookAt), and returns false for
	// one that the edge is to answer. Default: the edge answers all.
	Intercept func(w http.ResponseWriter, r *http.Request) bool
}

// Site is a site that readers visit.
type Site struct {
	Options

	edge   edge.Options
	url    string // of the edge
	lookAt string // host and port of the edge, for a function
	served rehearsal.Served
	client *http.Client
	close  []func() error
	// address begins the addresses of the site, such as "https://blog.example.com"; "" if that is not known.
	address string
	pages   []page
	built   map[string]bool // the keys of all files that were built
	front   page            // whose links are followed
	first   string          // the key of the home page
	mistake []byte          // what was published in its place
	missing string          // a path at which nothing is
	// notFound is the page that the distribution shows there; nil where any error is right.
	notFound *notFound
	// kept has the copies of Options.Kept, by the key of their object.
	kept map[string]keptCopy
	// had has what readers got from the bucket before the publication, ETags by key, and held those of them that the edge got a copy of.
	had  map[string]string
	held map[string]bool
	// again has the keys of what the edge had to fetch again after Invalidate, and written those that were put or
	// removed while a Crawler looked on.
	again   keys
	written map[string]bool
	// refused says why S3 refuses the distribution; nil if it does not.
	refused *rehearsal.Failure
}

// keys are keys of objects. Several goroutines may use them.
type keys struct {
	mu  sync.Mutex
	all map[string]bool
}

func (k *keys) add(key string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.all == nil {
		k.all = map[string]bool{}
	}
	k.all[key] = true
}

func (k *keys) has(key string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.all[key]
}

// keptCopy is a copy of the edge that is not what the bucket has.
type keptCopy struct {
	Header http.Header
	Body   []byte
}

// notFound is the site's own page for what is not there.
type notFound struct {
	path   string
	built  []byte
	status int
	// instead says why readers get another page; nil if no reason is known.
	instead *rehearsal.Failure
}

// Served returns where the site can be looked at until it is closed.
func (s *Site) Served() rehearsal.Served { return s.served }

// LookAt returns host and port at which a function visits the site, from the same copies as readers: by plain HTTP, with
// the name of the site in the header Host. The edge takes such a request for one by HTTPS, and answers it as it would
// answer that.
func (s *Site) LookAt() string { return s.lookAt }

// Close ends the edge.
func (s *Site) Close() error {
	s.client.CloseIdleConnections()
	var errs []error
	for _, c := range slices.Backward(s.close) {
		errs = append(errs, c())
	}
	return errors.Join(errs...)
}

// escaped encodes a path for S3, which reads a bare + as a space.
func escaped(path string) string {
	return strings.ReplaceAll((&url.URL{Path: path}).EscapedPath(), "+", "%2B")
}

// asked encodes a path as links have it. If the distribution is not known, it encodes the path as S3 needs it, because
// nobody knows what a function of the distribution does to a plus.
func (s *Site) asked(path string) string {
	if s.Distribution != nil {
		return (&url.URL{Path: path}).EscapedPath()
	}
	return escaped(path)
}

// named reports whether a host is one of the distribution's names.
func (s *Site) named(host string) bool {
	return slices.ContainsFunc(s.served.Names, func(name string) bool { return strings.EqualFold(name, host) })
}

// answer holds the response to a reader's request.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// cache returns CloudFront's word for where the answer comes from.
func (a answer) cache() string {
	word, _, _ := strings.Cut(a.header.Get("X-Cache"), " ")
	return word
}

// missing reports whether nothing was there. The status does not say so where a distribution answers errors with 200.
func (a answer) missing() bool { return a.cache() == "Error" }

// at asks an edge location for a path, without the network.
func (s *Site) at(ctx context.Context, location http.Handler, path string) answer {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+path, nil)
	if err != nil {
		return answer{status: http.StatusBadRequest}
	}
	request.RequestURI = path
	w := &recorder{header: http.Header{}}
	location.ServeHTTP(w, request)
	return answer{status: w.status, header: w.header, body: w.body.Bytes()}
}

// recorder keeps an answer.
type recorder struct {
	status int
	header http.Header
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (r *recorder) Header() http.Header { return r.header }

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(status int) { r.status = status }

// Write implements http.ResponseWriter.
func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }

// get sends a reader's request, and reads the answer.
func (s *Site) get(ctx context.Context, path string) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+path, nil)
	if err != nil {
		return answer{}, err
	}
	response, err := s.client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, fmt.Errorf("read the answer: %w", err)
	}
	return answer{status: response.StatusCode, header: response.Header, body: body}, nil
}
