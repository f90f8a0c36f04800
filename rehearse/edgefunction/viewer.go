package edgefunction

import (
	"fmt"
	"net/http"
)

// ViewerRequest runs the function on a request. It returns a changed copy of the request or the function's response, and
// does not change r. Every error is an [*Error].
//
// The function sees the path and the query as the viewer sent them, encoded or not. They come from r.RequestURI, or else
// from r.URL.
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

// ViewerResponse runs the function on a response to a viewer's request. It returns a changed copy of the response and does
// not change response. Both have the same Body unless the function sets another. Every error is an [*Error].
//
// The caller must know for which responses CloudFront runs a function.
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
