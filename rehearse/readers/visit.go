package readers

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"html"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"blog-deploy-pipeline/rehearse/rehearsal"
)

// errorsLast is how long CloudFront keeps an error, unless the distribution says otherwise.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/custom-error-pages-expiration.html
const errorsLast = 10 * time.Second

// VisitMistake has a reader visit the home page, in place of which another one has been published.
func (s *Site) VisitMistake(ctx context.Context, published []byte) error {
	i := slices.IndexFunc(s.pages, func(p page) bool { return p.key == s.first })
	if i < 0 {
		return nil // It is too large to be visited.
	}
	s.mistake = published
	visit, _, err := s.visit(ctx, rehearsal.AfterMistake, s.pages[i])
	if err != nil {
		return err
	}
	visit.Wanted = rehearsal.Broken
	s.Record.Visited(visit)
	if !visit.Missed() {
		return nil
	}
	return s.whyStale([]string{fmt.Sprintf("%s (%s, %d)", visit.Path, visit.Edition, visit.Status)}, nil, nil)
}

// Visit has readers visit the pages, and a page that does not exist. After Invalidate they must get what was built, and
// follow the links of the home page. After Rollback they must get it, too.
func (s *Site) Visit(ctx context.Context, when rehearsal.When) error {
	published := when == rehearsal.AfterInvalidate || when == rehearsal.AfterRollback
	var stale []string
	var old *page
	var failed *rehearsal.Failure
	for _, p := range s.pages {
		visit, body, err := s.visit(ctx, when, p)
		if err == nil && published && p.old == nil && visit.Edition == rehearsal.Missing {
			// A reader may have asked for the page before it was there.
			s.Skip(errorsLast)
			visit, body, err = s.visit(ctx, when, p)
		}
		if err != nil {
			return err
		}
		failed = cmp.Or(failed, s.failedFunction(visit, body))
		if published {
			if visit.Cache == "Miss" {
				s.again.add(p.key)
			}
			visit.Wanted = rehearsal.New
			if bytes.Equal(p.old, p.built) {
				visit.Wanted = rehearsal.Same
			}
			if visit.Missed() {
				stale = append(stale, fmt.Sprintf("%s (%s, %d)", visit.Path, visit.Edition, visit.Status))
				if visit.Edition == rehearsal.Old {
					old = &p
				}
			}
		}
		s.Record.Visited(visit)
	}
	visit, body, err := s.visit(ctx, when, page{key: strings.TrimPrefix(s.missing, "/")})
	if err != nil {
		return err
	}
	var instead *rehearsal.Failure
	if published {
		visit.Wanted = rehearsal.Missing
		switch own := s.notFound; {
		case visit.Edition != rehearsal.Missing:
			stale = append(stale, fmt.Sprintf("%s (%d, and nothing is there)", visit.Path, visit.Status))
		case own != nil && (visit.Status != own.status || !bytes.Equal(body, own.built)):
			visit.Edition, instead = rehearsal.Unknown, own.instead
			stale = append(stale, fmt.Sprintf("%s (%d, and not %s with %d)", visit.Path, visit.Status, own.path, own.status))
		}
	}
	s.Record.Visited(visit)
	switch {
	case len(stale) > 0:
		return s.whyStale(stale, old, cmp.Or(failed, s.refused, instead))
	case when != rehearsal.AfterInvalidate:
		return nil
	}
	if stale, err = s.lookAtCopies(ctx); err != nil {
		return err
	}
	if len(stale) > 0 {
		slices.Sort(stale)
		return s.whyStale(stale, nil, nil)
	}
	return s.followLinks(ctx)
}

// whyStale explains why readers do not get what was built at stale addresses. old is such a page whose old edition they
// get, and known a reason that is known; both may be nil.
func (s *Site) whyStale(stale []string, old *page, known *rehearsal.Failure) error {
	addresses := "readers do not get what was built: " + strings.Join(stale, ", ")
	if known != nil {
		return &rehearsal.Failure{Code: known.Code, Reason: known.Reason + "; " + addresses, Look: known.Look}
	}
	why := &rehearsal.Failure{
		Code:   "StaleReaders",
		Reason: "the pipeline says that the cache is cleared, and " + addresses,
		Look:   "what the bucket has at these addresses, and how the distribution answers them",
	}
	switch {
	case s.Early != "":
		why.Reason = fmt.Sprintf("the invalidation (%s) ran before the upload, and %s", s.Early, addresses)
		why.Look = "the order of the stages: " + s.Early + " must come after the upload"
	case old != nil:
		why.Look = "the paths of the invalidation: do they cover these pages?"
		if file := "/" + old.key; file != old.address() {
			why.Look = fmt.Sprintf("the paths of the invalidation: do they cover these pages by both of their names, such as %s and %s?", old.address(), file)
		}
	}
	return why
}

// failedFunction returns the failure of a function of the distribution, if a reader met one; nil otherwise. CloudFront
// names it in X-Cache. The edge's page contains the error itself, which CloudFront's does not.
func (s *Site) failedFunction(visit rehearsal.Visit, page []byte) *rehearsal.Failure {
	if visit.Cache != "FunctionExecutionError" && visit.Cache != "FunctionValidationError" {
		return nil
	}
	_, why, _ := strings.Cut(string(page), "<p>")
	return &rehearsal.Failure{Code: visit.Cache, Reason: strings.TrimSpace(html.UnescapeString(why)), Look: s.Distribution.Look("the functions")}
}

// visit has a reader visit a page. It also returns the body of the answer.
func (s *Site) visit(ctx context.Context, when rehearsal.When, p page) (_ rehearsal.Visit, body []byte, _ error) {
	visit := rehearsal.Visit{When: when, Path: p.address()}
	if s.address != "" {
		visit.URL = s.address + visit.Path
	}
	began := time.Now()
	got, err := s.get(ctx, s.asked(visit.Path))
	if err != nil {
		return visit, nil, fmt.Errorf("visit %s: %w", visit.Path, err)
	}
	visit.Took, visit.Status = time.Since(began), got.status
	visit.Cache = got.cache()
	if seconds, err := strconv.Atoi(got.header.Get("Age")); err == nil {
		visit.Age = time.Duration(seconds) * time.Second
	}
	visit.Edition = p.edition(visit.Status, got.body)
	if p.key == s.first && s.mistake != nil && bytes.Equal(got.body, s.mistake) {
		visit.Edition = rehearsal.Broken
	}
	return visit, got.body, nil
}

// edition returns which edition of the page an answer has.
func (p page) edition(status int, body []byte) rehearsal.Edition {
	switch {
	case status >= http.StatusBadRequest:
		return rehearsal.Missing
	case status != http.StatusOK || p.built == nil:
		return rehearsal.Unknown
	case bytes.Equal(body, p.built) && bytes.Equal(p.old, p.built):
		return rehearsal.Same
	case bytes.Equal(body, p.built):
		return rehearsal.New
	case p.old != nil && bytes.Equal(body, p.old):
		return rehearsal.Old
	default:
		return rehearsal.Unknown
	}
}
