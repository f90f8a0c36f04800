package pipeline

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"testing"

	"blog-deploy-pipeline/rehearse/rehearsal"
)

func TestTheSiteIsServedUntilTheRehearsalIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	pages := map[string]string{}
	var address string
	r := rehearse(t, ctx, read(t, template(t, "uploaded-pipeline")), Options{Source: blog(t), Serve: true}, func(e rehearsal.Event) {
		if e.Kind != rehearsal.Serving {
			return
		}
		defer cancel()
		address = strings.TrimPrefix(e.Result.Served.URL, "http://")
		if served := e.Result.Served; served.SecureURL != "" || len(served.Names) > 0 {
			t.Errorf("a distribution that nobody knows has names: %+v", *e.Result.Served)
		}
		for _, path := range []string{"/", "/posts/%E7%8C%AB/", "/nothing"} {
			status, _, body := get(t, ctx, e.Result.Served.URL+path)
			if status == "" {
				return
			}
			pages[path] = status + string(bytes.TrimSpace(body))
		}
	})
	want := map[string]string{"/": "200 OK<h1>home</h1>", "/posts/%E7%8C%AB/": "200 OK<h1>猫</h1>", "/nothing": "404 Not Found<h1>not here</h1>"}
	if !maps.Equal(pages, want) {
		t.Errorf("got %v, want %v", pages, want)
	}
	if r.Status != rehearsal.Succeeded || r.err != nil {
		t.Errorf("it ends as %s, %v", r.Status, r.err)
	}
	if conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address); err == nil {
		t.Errorf("the site is still there: %v", conn.Close())
	}
}

// get reads what a site that is served answers; the status is empty if it does not.
// trusting trusts every certificate: that of a site is made up.
var trusting = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // See above.

func get(t *testing.T, ctx context.Context, address string) (status string, header http.Header, body []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		t.Error(err)
		return "", nil, nil
	}
	response, err := trusting.Do(request)
	if err != nil {
		t.Error(err)
		return "", nil, nil
	}
	defer response.Body.Close()
	body, err = io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
		return "", nil, nil
	}
	return response.Status, response.Header, body
}
