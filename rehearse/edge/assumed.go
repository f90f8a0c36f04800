package edge

import (
	"net/http"
	"strings"

	"blog-deploy-pipeline/rehearse/edgefunction"
)

// Assumed is what a distribution that nobody can look at is taken to be: it answers to every name, has
// index.html for "/" and, by a function, for folders, and caches as [CachingOptimized] says.
func Assumed(distributionID string) Distribution {
	return Distribution{
		ID:                distributionID,
		DefaultRootObject: index,
		Behaviors:         []Behavior{{PathPattern: "*", ViewerProtocol: allowAll, ViewerRequest: folders{}}},
	}
}

// index is a folder's page.
const index = "index.html"

// folders is a function that rewrites "/a/" to "/a/index.html".
type folders struct{}

// ViewerRequest implements ViewerRequest.
func (folders) ViewerRequest(r *http.Request, _ edgefunction.Context) (*http.Request, *http.Response, error) {
	r = r.Clone(r.Context())
	if strings.HasSuffix(r.URL.Path, "/") {
		r.URL.Path += index
		if r.URL.RawPath != "" {
			r.URL.RawPath += index
		}
	}
	return r, nil, nil
}
