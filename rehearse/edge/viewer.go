package edge

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"strconv"

	"blog-deploy-pipeline/rehearse/edgefunction"
)

// viewer is one request and where its answer goes.
type viewer struct {
	http.ResponseWriter

	edge    *Edge
	request *http.Request
	// id is CloudFront's for the request.
	id     string
	secure bool // by https
	// behavior is the one that the request's path has, or nil where the request reaches no distribution.
	behavior *Behavior
	result   string // for X-Cache
	// responding is the request that a function on viewer responses sees, or nil where none is run.
	responding *http.Request
	// replaced says that the body is not the one that is being written.
	replaced bool
}

// context is what functions are told besides the request.
func (v *viewer) context() edgefunction.Context {
	d := &v.edge.opts.Distribution
	return edgefunction.Context{DistributionDomainName: d.DomainName, DistributionID: d.ID, RequestID: v.id}
}

// WriteHeader implements http.ResponseWriter. Only here is it known what the headers would be without
// the policy and the function.
func (v *viewer) WriteHeader(status int) {
	v.applyPolicy()
	var body io.ReadCloser
	// "CloudFront doesn't invoke edge functions for viewer response events when the origin returns HTTP status
	// code 400 or higher"; nor, says AWS of Lambda@Edge, for a custom error page, a response of the function
	// on viewer requests, or a redirect to https. Of a range that is not there (416) it says nothing.
	// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-function-restrictions-all.html#function-restrictions-status-codes
	// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-cloudfront-trigger-events.html
	if v.responding != nil && v.behavior.ViewerResponse != nil && status < http.StatusBadRequest {
		status, body = v.respond(status)
	}
	header := v.Header()
	header.Set("X-Cache", v.result+" from cloudfront")
	header.Set("Via", "1.1 "+v.edge.name+" (CloudFront)")
	header.Set("X-Amz-Cf-Id", v.id)
	v.ResponseWriter.WriteHeader(status)
	if body != nil {
		defer body.Close()
		v.replaced = true
		if v.request.Method != http.MethodHead {
			_, _ = io.Copy(v.ResponseWriter, body) // The reader has gone: nobody is left to tell.
		}
	}
}

// Write implements http.ResponseWriter.
func (v *viewer) Write(p []byte) (int, error) {
	if v.replaced {
		return len(p), nil
	}
	return v.ResponseWriter.Write(p)
}

func (v *viewer) applyPolicy() {
	if v.behavior != nil {
		v.behavior.Headers.apply(v.Header(), v.secure, v.edge.opts.Now())
	}
}

// respond runs the function on viewer responses, and returns the status of the answer, and its body if it is
// another. "Headers configured in the policies are inserted after the response leaves the cache, and before
// the viewer response event."
// https://aws.amazon.com/blogs/networking-and-content-delivery/amazon-cloudfront-introduces-response-headers-policies/
func (v *viewer) respond(status int) (int, io.ReadCloser) {
	header := v.Header()
	response, err := v.behavior.ViewerResponse.ViewerResponse(v.responding, &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header.Clone(), Body: http.NoBody, Request: v.responding,
	}, v.context())
	if err != nil {
		var failed *entry
		failed, v.result = failedFunction(err)
		clear(header)
		maps.Copy(header, failed.header.Clone())
		header.Set("Content-Length", strconv.Itoa(len(failed.body)))
		header.Set("Date", v.edge.opts.Now().UTC().Format(http.TimeFormat))
		v.applyPolicy()
		return failed.status, io.NopCloser(bytes.NewReader(failed.body))
	}
	clear(header)
	maps.Copy(header, response.Header)
	if header.Get("Content-Type") == "" {
		header["Content-Type"] = nil // As in send.
	}
	if response.Body == nil || response.Body == http.NoBody {
		return response.StatusCode, nil
	}
	return response.StatusCode, response.Body
}
