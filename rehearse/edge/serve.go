package edge

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// ServeHTTP implements http.Handler.
func (e *Edge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d := &e.opts.Distribution
	v := &viewer{ResponseWriter: w, edge: e, request: r, id: requestID()}
	host, secure, ok := d.reached(r)
	if !ok {
		// https://repost.aws/knowledge-center/cloudfront-troubleshoot-403-errors
		e.send(v, "Error", errorEntry(http.StatusForbidden, fmt.Sprintf("Bad request. No distribution has the name %q; this one has: %s.", host, strings.Join(d.Names(), ", "))))
		return
	}
	request := r.Clone(r.Context())
	request.Host, v.secure = host, secure
	// "To invalidate the default root object, specify the path the same way that you specify the path for any other file."
	// The cache therefore contains the default root object under its own path. AWS does not document whether behaviours
	// and functions see that path or "/". Here they see the object's path.
	// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DefaultRootObject.html
	if request.URL.Path == "/" && d.DefaultRootObject != "" {
		request.URL.Path, request.URL.RawPath, request.RequestURI = "/"+d.DefaultRootObject, "", ""
	}
	viewerPath := canonical(request.URL.EscapedPath(), decodeUnreserved)
	v.behavior = d.Behavior(viewerPath)
	if refused, result := refuse(v, request); refused != nil {
		e.send(v, result, refused)
		return
	}
	asked := request
	if function := v.behavior.ViewerRequest; function != nil {
		changed, response, err := function.ViewerRequest(request, v.context())
		switch {
		case err != nil:
			answer, result := failedFunction(err)
			e.send(v, result, answer)
			return
		case response != nil:
			e.sendGenerated(v, response)
			return
		}
		request = changed
	}

	// "If a function changes the URI for a request, that doesn't change the cache behavior for the request
	// or the origin that the request is forwarded to."
	// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-function-restrictions-all.html
	answer, result := e.get(request.Context(), question{
		behavior: v.behavior, path: canonical(request.URL.EscapedPath(), decodeUnreserved), viewerPath: viewerPath,
		gzip: v.behavior.CachePolicy.Gzip && acceptsGzip(request),
	})
	if result == "Hit" {
		age := max(0, e.opts.Now().Sub(answer.stored))
		w.Header().Set("Age", strconv.Itoa(int(age.Seconds())))
	}
	if answer.status >= http.StatusBadRequest || answer.errorPage {
		result = "Error"
	} else {
		v.responding = asked
	}
	e.send(v, result, answer)
}

// maxURL limits the length of a URL in bytes.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/RequestAndResponseBehaviorS3Origin.html
const maxURL = 8192

// refuse returns CloudFront's own response to a request that does not reach the cache, or nil.
func refuse(v *viewer, r *http.Request) (_ *entry, result string) {
	location := "https://" + r.Host + v.request.URL.RequestURI()
	isRead := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case len(location) > maxURL:
		return errorEntry(http.StatusRequestEntityTooLarge, "Bad request. The URL is too long."), "Error"
	case !v.secure && v.behavior.ViewerProtocol == redirectToHTTPS:
		return redirected(location, isRead), "Redirect"
	case !v.secure && v.behavior.ViewerProtocol == httpsOnly:
		return errorEntry(http.StatusForbidden, "Bad request. This distribution accepts only HTTPS."), "Error"
	case !isRead:
		return methodNotAllowed, "Error"
	}
	return nil, ""
}

// redirected returns CloudFront's own redirect to HTTPS. The status is 301 for GET and HEAD, and 307 for other methods,
// so that the client repeats the method and the body.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-https-viewers-to-cloudfront.html
func redirected(location string, isRead bool) *entry {
	status := http.StatusTemporaryRedirect
	if isRead {
		status = http.StatusMovedPermanently
	}
	title := strconv.Itoa(status) + " " + http.StatusText(status)
	return &entry{
		status: status,
		header: http.Header{"Content-Type": {"text/html"}, "Location": {location}, "Server": {"CloudFront"}},
		body:   []byte("<html>\n<head><title>" + title + "</title></head>\n<body>\n<center><h1>" + title + "</h1></center>\n<hr><center>CloudFront</center>\n</body>\n</html>\n"),
	}
}

var methodNotAllowed = errorEntry(http.StatusForbidden, "This distribution is not configured to allow the HTTP request method that was used for this request. The distribution supports only cachable requests.")

// send sends an answer to a reader. http.ServeContent handles ranges, HEAD and conditional requests.
func (e *Edge) send(v *viewer, result string, answer *entry) {
	header := v.Header()
	for name, values := range answer.header {
		if name != "Content-Length" && name != "Accept-Ranges" { // These are set below.
			header[name] = slices.Clone(values)
		}
	}
	date := answer.stored
	if date.IsZero() {
		date = e.opts.Now()
	}
	header.Set("Date", date.UTC().Format(http.TimeFormat))
	v.result = result
	if answer.status == http.StatusOK {
		modified, _ := http.ParseTime(header.Get("Last-Modified"))
		if header.Get("Content-Type") == "" {
			header["Content-Type"] = nil // The origin sent none, and net/http must not guess it.
		}
		http.ServeContent(v, v.request, "", modified, bytes.NewReader(answer.body))
		return
	}
	header.Set("Content-Length", strconv.Itoa(len(answer.body)))
	v.WriteHeader(answer.status)
	if v.request.Method != http.MethodHead {
		_, _ = v.Write(answer.body) // An error means that the reader has left.
	}
}

// sendGenerated sends the response of a viewer-request function to a reader.
func (e *Edge) sendGenerated(v *viewer, response *http.Response) {
	header := v.Header()
	maps.Copy(header, response.Header)
	header.Set("Server", "CloudFront")
	header.Set("Date", e.opts.Now().UTC().Format(http.TimeFormat))
	v.result = "FunctionGeneratedResponse"
	v.WriteHeader(response.StatusCode)
	if response.Body == nil {
		return
	}
	defer response.Body.Close()
	if v.request.Method != http.MethodHead {
		_, _ = io.Copy(v, response.Body) // See send.
	}
}

// requestID returns a random id in the form of CloudFront's ids.
func requestID() string {
	var id [40]byte
	_, _ = rand.Read(id[:]) // crypto/rand.Read never fails.
	return base64.URLEncoding.EncodeToString(id[:])
}
