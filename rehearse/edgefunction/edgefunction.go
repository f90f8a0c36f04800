// Package edgefunction runs a CloudFront Function (JavaScript runtime 2.0) on viewer requests or viewer
// responses: it gives it the event that CloudFront gives it, and is as strict about what it returns.
//
// Left out: imports (the key value store, choosing an origin) and require (crypto, querystring), with an
// error that says so; Buffer, atob, btoa, TextEncoder and TextDecoder, which are not defined; the limits on
// memory (2 MB) and on compute utilisation.
package edgefunction

import (
	"fmt"
	"net/http"
	"regexp"
	"time"

	"github.com/dop251/goja"
	"github.com/dop251/goja/parser"
)

// maxCode is how long a function's code may be, in bytes; the quota cannot be raised.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html#limits-functions
const maxCode = 10 * 1024

// patience ends a function that does not come to an end. CloudFront's own limit is about a millisecond of
// computing; this is in time that passes, on a machine with other work.
const patience = 10 * time.Second

// Context is what a function's event says besides the request. What is empty is left out of the event.
type Context struct {
	DistributionDomainName string // "d111111abcdef8.cloudfront.net"
	DistributionID         string // "EDFDVBD6EXAMPLE"
	RequestID              string
	ViewerIP               string // Default: that of the request's RemoteAddr.
}

// Function is a function ready to run. It is safe for concurrent use, and keeps nothing from one request
// to the next, as CloudFront's do not.
type Function struct {
	lockdown, program *goja.Program
	patience          time.Duration
}

// Error is what happened instead of a result.
type Error struct {
	// Status is what CloudFront answers the reader: 503 for a function that did not come to an end,
	// 502 for a result that it refuses.
	Status int
	err    error
}

// Error implements error.
func (e *Error) Error() string { return e.err.Error() }

// Unwrap implements errors.Unwrap.
func (e *Error) Unwrap() error { return e.err }

var imports = regexp.MustCompile(`(?m)^\s*import\b.*`)

// New compiles a function. An error names what CloudFront would refuse, or what is not rehearsed here.
func New(code string) (*Function, error) {
	if len(code) > maxCode {
		return nil, fmt.Errorf("compile CloudFront Function: its code has %d bytes; CloudFront takes %d, comments included", len(code), maxCode)
	}
	prepared, err := lockdown(code)
	if err != nil {
		return nil, fmt.Errorf("compile CloudFront Function: %w", err)
	}
	// The value of the program is the handler, however it is declared.
	code += "\n;typeof handler === 'function' ? handler : undefined;"
	program, err := parser.ParseFile(nil, "function.js", code, 0, parser.WithDisableSourceMaps)
	if found := imports.FindString(code); err != nil && found != "" { // The engine knows none, either.
		return nil, fmt.Errorf("compile CloudFront Function: %q: imports are not rehearsed", found)
	}
	if err != nil {
		return nil, fmt.Errorf("compile CloudFront Function: %w", err)
	}
	if err := checkSyntax(program); err != nil {
		return nil, fmt.Errorf("compile CloudFront Function: %w", err)
	}
	// Functions run in strict mode, says AWS, and this cannot be changed.
	compiled, err := goja.CompileAST(program, true)
	if err != nil {
		return nil, fmt.Errorf("compile CloudFront Function: %w", err)
	}
	return &Function{prepared, compiled, patience}, nil
}

// ViewerRequest runs the function on a request. It returns either a changed copy of the request or the
// response that the function made; r itself is left alone. Any error is an [*Error].
//
// The function sees the path and the query as the reader sent them, encoded or not: they are taken from
// r.RequestURI if it has one, else from r.URL.
func (f *Function) ViewerRequest(r *http.Request, context Context) (*http.Request, *http.Response, error) {
	ev := newEvent(r, context)
	result, err := f.run(ev)
	if err != nil {
		return nil, nil, failed(err)
	}
	changed, response, err := use(result, ev, r)
	if err != nil {
		return nil, nil, refused(err)
	}
	return changed, response, nil
}

// ViewerResponse runs the function on a response to a viewer's request. It returns a changed copy of the
// response, whose Body is that of response itself unless the function has put another there; response is
// left alone. Any error is an [*Error].
//
// For which responses CloudFront runs a function is the caller's concern.
func (f *Function) ViewerResponse(r *http.Request, response *http.Response, context Context) (*http.Response, error) {
	ev := newEvent(r, context)
	ev.respond(response)
	result, err := f.run(ev)
	if err != nil {
		return nil, failed(err)
	}
	used, err := useResponse(result, ev, response)
	if err != nil {
		return nil, refused(err)
	}
	return used, nil
}

func failed(err error) error {
	return &Error{http.StatusServiceUnavailable, fmt.Errorf("run CloudFront Function: %w", err)}
}

func refused(err error) error {
	return &Error{http.StatusBadGateway, fmt.Errorf("CloudFront Function: %w", err)}
}
