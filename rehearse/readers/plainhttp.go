package readers

import (
	"crypto/tls"
	"net/http"
	"path"
	"strings"
)

const (
	hsts                    = "Strict-Transport-Security"
	contentSecurityPolicy   = "Content-Security-Policy"
	upgradeInsecureRequests = "upgrade-insecure-requests"
)

// byHTTP removes from a site's answers what sends browsers to https. At the address of this machine where the site is
// served by http, there is no https.
func byHTTP(site http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		site.ServeHTTP(&insecure{ResponseWriter: w}, r)
	})
}

// insecure removes those headers.
type insecure struct {
	http.ResponseWriter

	begun bool
}

// WriteHeader implements http.ResponseWriter.
func (w *insecure) WriteHeader(status int) {
	w.begun = true
	header := w.Header()
	header.Del(hsts)
	policies := header[contentSecurityPolicy]
	header.Del(contentSecurityPolicy)
	for _, policy := range policies {
		if rest := withoutUpgrades(policy); rest != "" {
			header.Add(contentSecurityPolicy, rest)
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *insecure) Write(p []byte) (int, error) {
	if !w.begun {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(p)
}

// withoutUpgrades returns a Content-Security-Policy without the directive that makes browsers use https.
func withoutUpgrades(policy string) string {
	var kept []string
	for directive := range strings.SplitSeq(policy, ";") {
		words := strings.Fields(directive)
		if len(words) > 0 && !strings.EqualFold(words[0], upgradeInsecureRequests) {
			kept = append(kept, strings.TrimSpace(directive))
		}
	}
	return strings.Join(kept, "; ")
}

// forFunction serves a site to a function that looks whether it is live; see LookAt.
func (s *Site) forFunction(site http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.Intercept != nil && s.Intercept(w, r) {
			return
		}
		r = r.Clone(r.Context())
		r.TLS = &tls.ConnectionState{}
		site.ServeHTTP(w, r)
		// Without compression it gets another copy than readers, which the edge has for nobody else.
		if (answer{header: w.Header()}).cache() != "Miss" || !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			return
		}
		key := strings.TrimPrefix(r.URL.Path, "/")
		if key == "" || strings.HasSuffix(key, "/") {
			key = path.Join(key, home)
		}
		s.again.add(key)
	})
}
