package readers

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"blog-deploy-pipeline/rehearse/edge"
	"blog-deploy-pipeline/rehearse/loopback"
	"blog-deploy-pipeline/rehearse/rehearsal"
	"blog-deploy-pipeline/rehearse/s3"
)

// Open opens an edge in front of the bucket, and chooses the pages that readers visit. If the bucket is empty, it puts
// old editions of them there. The caller closes the site.
func Open(ctx context.Context, o Options, build *Build) (_ *Site, err error) {
	s := &Site{
		Options: o, missing: "/" + path.Join(build.prefix, "there-is-no-such-page-"+o.Unique) + "/", built: map[string]bool{},
		client: &http.Client{
			Transport:     &http.Transport{}, // Without a proxy: the edge is on this machine.
			Timeout:       time.Minute,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	for key := range build.files {
		s.built[key] = true
	}
	if s.kept, err = readKept(o.Kept); err != nil {
		return nil, err
	}
	for key := range s.kept {
		if s.built[key] {
			build.editions[key] = rehearsal.Old
		}
	}
	if err := s.openEdge(ctx, build); err != nil {
		return nil, err
	}
	if s.Distribution != nil {
		s.checkNames(build)
	}
	s.first = path.Join(build.prefix, home)
	if s.front, err = s.frontPage(build, s.first); err != nil {
		return nil, err
	}
	for _, key := range append(choosePages(build.editions, s.first), chooseFiles(s.Distribution, build)...) {
		if !build.small(key) {
			continue
		}
		p, err := s.openPage(ctx, build, key)
		if err != nil {
			return nil, err
		}
		s.pages = append(s.pages, p)
	}
	for _, key := range slices.Sorted(maps.Keys(build.files)) {
		if p := (page{key: key}); s.Distribution == nil && strings.Contains(key, "+") {
			s.Record.Note("%s has a + in its address: S3 reads a bare one as a space, and unless a function of the distribution sends %%2B in its place, links to it must be %s (a Site has such a function)", p.address(), escaped(p.address()))
			break // One note is enough.
		}
	}
	return s, nil
}

// openPage reads both editions of a page. Where the bucket is empty, it puts a stand-in there.
func (s *Site) openPage(ctx context.Context, build *Build, key string) (p page, err error) {
	p.key = key
	if p.built, err = build.content(key); err != nil {
		return p, err
	}
	kept, isKept := s.kept[key]
	switch {
	case isKept:
		p.old = kept.Body
	case build.editions[key] != rehearsal.Missing:
		_, p.old, err = s.S3.Object(ctx, s.Bucket, key)
	case build.first:
		p.old, p.standIn = standInFor(key), true
		err = s.S3.PutObject(ctx, s.Bucket, s3.Object{Key: key, Size: int64(len(p.old)), ContentType: "text/html", CacheControl: s.CacheControl}, bytes.NewReader(p.old))
	}
	return p, err
}

// RemoveStandIns removes the stand-ins that a failed deployment has not replaced.
func (s *Site) RemoveStandIns(ctx context.Context) error {
	var errs []error
	for _, p := range s.pages {
		if !p.standIn {
			continue
		}
		_, content, err := s.S3.Object(ctx, s.Bucket, p.key)
		if err == nil && bytes.Equal(content, p.old) {
			_, err = s.S3.Client().DeleteObject(ctx, &awss3.DeleteObjectInput{Bucket: aws.String(s.Bucket), Key: aws.String(p.key)})
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// openEdge puts an edge in front of the bucket.
func (s *Site) openEdge(ctx context.Context, build *Build) error {
	options := edge.Options{Invalidations: s.Invalidations, Now: s.Now}
	if d := s.Distribution; d != nil {
		access, err := s.access(ctx, build)
		if err != nil {
			return err
		}
		options.Distribution, options.Origin = d.Distribution, s.S3.OriginWith(d.Origin, access)
	} else {
		options.Distribution, options.Origin = s.assumed(build), s.S3.Origin(s.Bucket)
	}
	return s.serve(options)
}

// assumed returns what a distribution that is in no template is assumed to be.
func (s *Site) assumed(build *Build) edge.Distribution {
	d := edge.Assumed(s.DistributionID)
	assumed := "index.html for folders (a CloudFront Function), the cache policy CachingOptimized"
	page := path.Join(build.prefix, "404.html")
	if build.files[page] != nil {
		response := edge.ErrorResponse{PagePath: (&url.URL{Path: "/" + page}).EscapedPath(), Status: http.StatusNotFound}
		d.Errors = map[int]edge.ErrorResponse{http.StatusForbidden: response, http.StatusNotFound: response}
		assumed += ", /" + page + " for what is not there"
	}
	s.Record.Note("the distribution %s is not in the template; assumed are %s", s.DistributionID, assumed)
	return d
}

// serve serves the edge.
func (s *Site) serve(options edge.Options) error {
	s.edge = options
	if len(s.kept) > 0 {
		options.Origin = &restoring{RoundTripper: options.Origin, copies: maps.Clone(s.kept)}
	}
	handler, err := edge.New(options)
	if err != nil {
		return err
	}
	// To the edge, a loopback address is the first of the distribution's names, by https.
	server, address, err := loopback.Serve(byHTTP(handler))
	if err != nil {
		return err
	}
	s.close = append(s.close, server.Close)
	s.url = address
	s.served = rehearsal.Served{URL: address, Names: options.Distribution.Names()}
	if server, address, err = loopback.Serve(s.forFunction(handler)); err != nil {
		return err
	}
	s.close = append(s.close, server.Close)
	s.lookAt = strings.TrimPrefix(address, "http://")
	if !s.Secure || len(s.served.Names) == 0 {
		return nil
	}
	s.Record.Note("at its http address the site is served without what sends browsers to https: %s, and %s of %s; its https address has them", hsts, upgradeInsecureRequests, contentSecurityPolicy)
	certificate, err := edge.Certificate(s.served.Names)
	if err != nil {
		return err
	}
	server, s.served.SecureURL, err = loopback.ServeTLS(handler, certificate)
	if err != nil {
		return err
	}
	s.close = append(s.close, server.Close)
	return nil
}
