package edge

import (
	"net/http"
	"strings"

	"blog-deploy-pipeline/rehearse/edgefunction"
)

// Assumed returns a distribution for a template that does not contain the real one. It accepts every host name, serves
// index.html for "/" and for folders, and caches as [CachingOptimized] says.
func Assumed(distributionID string) Distribution {
	return Distribution{
		ID:                distributionID,
		DefaultRootObject: index,
		Behaviors:         []Behavior{{PathPattern: "*", ViewerProtocol: allowAll, ViewerRequest: folders{}}},
	}
}

// index is the name of a folder's page.
const index = "index.html"

// folders is a viewer-request function that rewrites "/a/" to "/a/index.html".
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
