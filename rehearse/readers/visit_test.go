package readers

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/rehearse/rehearsal"
)

func TestAMissingPageIsNotBlamedOnThePathsOfTheInvalidation(t *testing.T) {
	site := httptest.NewServer(http.NotFoundHandler())
	defer site.Close()
	s := &Site{Options: Options{Record: silent(), Skip: func(time.Duration) {}}, url: site.URL, client: site.Client(), missing: "/x", pages: []page{{key: "a.html", built: []byte("new")}}}
	why := (*rehearsal.Failure)(nil)
	if err := s.Visit(t.Context(), rehearsal.AfterInvalidate); !errors.As(err, &why) || !strings.Contains(why.Reason, "/a.html (missing, 404)") || strings.Contains(why.Look, "paths of the invalidation") {
		t.Errorf("got %v, look at %+v", err, why)
	}
}
