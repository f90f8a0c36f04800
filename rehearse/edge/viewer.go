package edge

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"strconv"

	"blog-deploy-pipeline/rehearse/edgefunction"
)

// viewer is a request together with the writer of its response.
type viewer struct {
	http.ResponseWriter

	edge    *Edge
	request *http.Request
	id      string // CloudFront's id of the request
	secure  bool   // whether the request came by HTTPS
	// behavior is the behaviour of the request's path, or nil if the request does not reach the distribution.
	behavior *Behavior
	result   string // for X-Cache
	// responding is the request for the viewer-response function, or nil if the function does not run.
	responding *http.Request
	// replaced says that a function has replaced the body, so that Write must drop the original one.
	replaced bool
}

// context returns the part of a function's event that is not the request.
func (v *viewer) context() edgefunction.Context {
	d := &v.edge.opts.Distribution
	return edgefunction.Context{DistributionDomainName: d.DomainName, DistributionID: d.ID, RequestID: v.id}
}

// WriteHeader implements http.ResponseWriter. It applies the headers policy and the viewer-response function, which need
// the final headers.
func (v *viewer) WriteHeader(status int) {
	v.applyPolicy()
	var body io.ReadCloser
	// "CloudFront doesn't invoke edge functions for viewer response events when the origin returns HTTP status code 400 or
	// higher." AWS documents for Lambda@Edge that this is also so for a custom error page, a response of the
	// viewer-request function and a redirect to HTTPS. It does not mention a range that does not exist (416).
	// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-function-restrictions-all.html#function-restrictions-status-codes
	// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-cloudfront-trigger-events.html
	if v.responding != nil && v.behavior.ViewerResponse != nil && status < http.StatusBadRequest {
		status, body = v.respond(status)
	}
	header := v.Header()
	header.Set("X-Cache", v.result+" from cloudfront")
	header.Set("Via", "1.1 "+v.edge.name+" (CloudFront)")
	header.Set("X-Amz-Cf-Id", v.id)
	header.Set("X-Amz-Cf-Pop", location)
	v.ResponseWriter.WriteHeader(status)
	if body != nil {
		defer body.Close()
		v.replaced = true
		if v.request.Method != http.MethodHead {
			_, _ = io.Copy(v.ResponseWriter, body) // An error means that the reader has left.
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

// respond runs the viewer-response function. It returns the status of the response, and the body if the function has
// replaced it. "Headers configured in the policies are inserted after the response leaves the cache, and before the
// viewer response event."
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
		header["Content-Type"] = nil // See send.
	}
	if response.Body == nil || response.Body == http.NoBody {
		return response.StatusCode, nil
	}
	return response.StatusCode, response.Body
}
