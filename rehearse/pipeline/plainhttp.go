package pipeline

import (
	"net/http"
	"strings"
)

const (
	hsts                    = "Strict-Transport-Security"
	contentSecurityPolicy   = "Content-Security-Policy"
	upgradeInsecureRequests = "upgrade-insecure-requests"
)

// byHTTP leaves out of a site's answers what sends a browser to https: where the site is looked at by http, at
// an address of this machine, no https is.
func byHTTP(site http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		site.ServeHTTP(&insecure{ResponseWriter: w}, r)
	})
}

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

// withoutUpgrades is a Content-Security-Policy without the directive that has browsers ask by https.
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
