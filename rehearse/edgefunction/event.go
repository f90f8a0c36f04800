package edgefunction

import (
	"net"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// event is the argument of a function's handler.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-event-structure.html
type event struct {
	Version string       `json:"version"`
	Context eventContext `json:"context"`
	Viewer  eventViewer  `json:"viewer"`
	Request eventRequest `json:"request"`
	// Response is nil on a viewer request.
	Response *eventResponse `json:"response,omitempty"`

	// path and query are those of the request. CloudFront uses them if the function does not change them.
	path, query string
	hasQuery    bool // whether the request has a "?"
}

type eventContext struct {
	DistributionDomainName string `json:"distributionDomainName,omitempty"`
	DistributionID         string `json:"distributionId,omitempty"`
	EventType              string `json:"eventType"`
	RequestID              string `json:"requestId,omitempty"`
}

type eventViewer struct {
	IP string `json:"ip"`
}

type eventRequest struct {
	Method      string           `json:"method"`
	URI         string           `json:"uri"`
	QueryString map[string]field `json:"querystring"`
	Headers     map[string]field `json:"headers"`
	Cookies     map[string]field `json:"cookies"`
}

// eventResponse is the response for the viewer. Functions do not see its body.
type eventResponse struct {
	StatusCode        int              `json:"statusCode"`
	StatusDescription string           `json:"statusDescription"`
	Headers           map[string]field `json:"headers"`
	Cookies           map[string]field `json:"cookies"`
}

// field is a header, a cookie or a parameter of the query.
type field struct {
	Value      string `json:"value"`
	MultiValue []item `json:"multiValue,omitempty"` // all values of a field with several
	Attributes string `json:"attributes,omitempty"` // only of a cookie in a response
}

type item struct {
	Value      string `json:"value"`
	Attributes string `json:"attributes,omitempty"`
}

func newEvent(r *http.Request, context Context) *event {
	ev := &event{
		Version: "1.0",
		Context: eventContext{context.DistributionDomainName, context.DistributionID, "viewer-request", context.RequestID},
		Viewer:  eventViewer{context.ViewerIP},
		Request: eventRequest{
			Method: r.Method, QueryString: map[string]field{}, Headers: map[string]field{}, Cookies: map[string]field{},
		},
	}
	if ev.Request.Method == "" {
		ev.Request.Method = http.MethodGet // "" means GET in net/http.
	}
	if ev.Viewer.IP == "" {
		ev.Viewer.IP = r.RemoteAddr
		if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
			ev.Viewer.IP = host
		}
	}

	target := r.RequestURI
	if !strings.HasPrefix(target, "/") {
		target = r.URL.RequestURI()
	}
	ev.path, ev.query, ev.hasQuery = strings.Cut(target, "?")
	ev.Request.URI = toUTF8(ev.path)
	for parameter := range strings.SplitSeq(toUTF8(ev.query), "&") {
		if parameter != "" {
			// Names and values remain encoded.
			name, value, _ := strings.Cut(parameter, "=")
			add(ev.Request.QueryString, name, item{Value: value})
		}
	}

	addHeaders(ev.Request.Headers, r.Header, "cookie")
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	if host != "" {
		add(ev.Request.Headers, "host", item{Value: toUTF8(host)})
	}
	for _, line := range r.Header["Cookie"] {
		for cookie := range strings.SplitSeq(line, ";") {
			if name, value, _ := strings.Cut(strings.TrimSpace(cookie), "="); name != "" {
				add(ev.Request.Cookies, toUTF8(name), item{Value: toUTF8(value)})
			}
		}
	}
	return ev
}

// respond changes ev to the event of a viewer response.
func (ev *event) respond(response *http.Response) {
	ev.Context.EventType = "viewer-response"
	_, description, _ := strings.Cut(response.Status, " ")
	if description == "" {
		description = http.StatusText(response.StatusCode)
	}
	ev.Response = &eventResponse{response.StatusCode, description, map[string]field{}, map[string]field{}}
	addHeaders(ev.Response.Headers, response.Header, "set-cookie")
	for _, line := range response.Header["Set-Cookie"] {
		pair, attributes, _ := strings.Cut(toUTF8(line), ";")
		if name, value, _ := strings.Cut(strings.TrimSpace(pair), "="); name != "" {
			add(ev.Response.Cookies, name, item{value, strings.TrimSpace(attributes)})
		}
	}
}

// addHeaders adds the headers that functions see, except the header with the cookies.
func addHeaders(fields map[string]field, header http.Header, cookies string) {
	for name, values := range header {
		name = strings.ToLower(name)
		if name == cookies || disallowed(name) {
			continue
		}
		for _, value := range values {
			add(fields, name, item{Value: toUTF8(value)})
		}
	}
}

func add(fields map[string]field, name string, one item) {
	had, exists := fields[name]
	if !exists {
		fields[name] = field{Value: one.Value, Attributes: one.Attributes}
		return
	}
	if had.MultiValue == nil {
		had.MultiValue = []item{{had.Value, had.Attributes}}
	}
	had.MultiValue = append(had.MultiValue, one)
	fields[name] = had
}

// toUTF8 returns s as UTF-8. Like CloudFront it treats a string that is not UTF-8 as ISO-8859-1.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-function-restrictions-all.html#function-restrictions-encoding
func toUTF8(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	runes := make([]rune, len(s))
	for i := range len(s) {
		runes[i] = rune(s[i])
	}
	return string(runes)
}

// values returns all values of a field.
func (f field) values() []item {
	if len(f.MultiValue) > 0 {
		return f.MultiValue
	}
	return []item{{f.Value, f.Attributes}}
}

// disallowed reports whether functions neither see a header nor may add it.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-function-restrictions-all.html#function-restrictions-disallowed-headers
func disallowed(name string) bool {
	return strings.HasPrefix(name, "x-amz-cf-") || strings.HasPrefix(name, "x-edge-") || slices.Contains([]string{
		"connection", "expect", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection",
		"trailer", "upgrade", "x-accel-buffering", "x-accel-charset", "x-accel-limit-rate", "x-accel-redirect",
		"x-amzn-auth", "x-amzn-cf-billing", "x-amzn-cf-id", "x-amzn-cf-xff", "x-amzn-errortype",
		"x-amzn-fle-profile", "x-amzn-header-count", "x-amzn-header-order", "x-amzn-lambda-integration-tag",
		"x-amzn-requestid", "x-cache", "x-forwarded-proto", "x-real-ip",
	}, name)
}

// readOnly lists the headers of requests that functions see but may not add, change or delete.
var readOnly = []string{"cdn-loop", "content-length", "host", "transfer-encoding", "via"}

// readOnlyOfResponses lists such headers of responses. Content-Length is not read-only, because it changes with a body
// that the function sets.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-function-restrictions-all.html#function-restrictions-read-only-headers-viewer-response
var readOnlyOfResponses = []string{"via", "warning"}

// Context holds the values of a function's event that do not come from the request. The event omits empty values.
type Context struct {
	DistributionDomainName string // "d111111abcdef8.cloudfront.net"
	DistributionID         string // "EDFDVBD6EXAMPLE"
	RequestID              string
	ViewerIP               string // Default: the address in the request's RemoteAddr.
}
