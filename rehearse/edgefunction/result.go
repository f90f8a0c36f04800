package edgefunction

import (
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// maxURI limits the length of the URI that a function returns, including the query. It "must be less" than this.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-function-restrictions-all.html#function-restrictions-uri
const maxURI = 8192

// use turns the result of a viewer-request function into a request or a response, as CloudFront does.
func use(result any, ev *event, r *http.Request) (*http.Request, *http.Response, error) {
	object, isObject := result.(map[string]any)
	if !isObject {
		return nil, nil, fmt.Errorf("returned %s; it must return the request or a response", show(result))
	}
	if _, isResponse := object["statusCode"]; isResponse {
		response, err := newResponse(object, &eventResponse{}, readOnly)
		if err != nil {
			return nil, nil, err
		}
		response.Request = r
		return nil, response, nil
	}
	request, err := changed(object, ev, r)
	return request, nil, err
}

// useResponse turns the result of a viewer-response function into a response, as CloudFront does.
func useResponse(result any, ev *event, response *http.Response) (*http.Response, error) {
	object, isObject := result.(map[string]any)
	if _, isResponse := object["statusCode"]; !isObject || !isResponse {
		return nil, fmt.Errorf("returned %s; it must return the response, with its statusCode", show(result))
	}
	used, err := newResponse(object, ev.Response, readOnlyOfResponses)
	if err != nil {
		return nil, err
	}
	for name, values := range response.Header {
		if disallowed(strings.ToLower(name)) {
			used.Header[name] = slices.Clone(values) // The function did not see the header.
		}
	}
	if cookies, _ := fields(object["cookies"], "cookies", ev.Response.Cookies); reflect.DeepEqual(cookies, ev.Response.Cookies) {
		if lines, had := response.Header["Set-Cookie"]; had {
			used.Header["Set-Cookie"] = slices.Clone(lines)
		}
	}
	// "If you don't specify the body field in your viewer response function, the original body returned by
	// the CloudFront cache or origin is returned to viewer."
	if object["body"] == nil {
		used.Body, used.ContentLength = response.Body, response.ContentLength
		used.Header.Del("Content-Length")
		if lengths, had := response.Header["Content-Length"]; had {
			used.Header["Content-Length"] = slices.Clone(lengths)
		}
	} else {
		used.Header.Set("Content-Length", strconv.FormatInt(used.ContentLength, 10))
	}
	used.Proto, used.ProtoMajor, used.ProtoMinor, used.Request = response.Proto, response.ProtoMajor, response.ProtoMinor, response.Request
	return used, nil
}

func changed(object map[string]any, ev *event, r *http.Request) (*http.Request, error) {
	if object["method"] != ev.Request.Method {
		return nil, fmt.Errorf("returned a request whose method is %s; it was %q and is read-only", show(object["method"]), ev.Request.Method)
	}
	uri, isString := object["uri"].(string)
	if !isString || !strings.HasPrefix(uri, "/") {
		return nil, fmt.Errorf("returned a request whose uri is %s; it must begin with a slash", show(object["uri"]))
	}
	if uri == ev.Request.URI {
		uri = ev.path
	}
	query, err := newQuery(object["querystring"], ev)
	if err != nil {
		return nil, err
	}
	target := uri + query
	if len(target) >= maxURI {
		return nil, fmt.Errorf("returned a request whose uri has %d bytes with its query; it must have less than %d", len(target), maxURI)
	}
	if i := strings.IndexFunc(target, isControl); i >= 0 {
		return nil, fmt.Errorf("returned a request whose uri, %q, has the control character %q", target, target[i])
	}
	headers, err := fields(object["headers"], "headers", ev.Request.Headers)
	if err != nil {
		return nil, err
	}
	if err := checkHeaders(headers, ev.Request.Headers, readOnly); err != nil {
		return nil, err
	}
	cookies, err := fields(object["cookies"], "cookies", ev.Request.Cookies)
	if err != nil {
		return nil, err
	}

	request := r.Clone(r.Context())
	request.RequestURI = ""
	if r.RequestURI != "" { // Only requests that a server received have one.
		request.RequestURI = target
	}
	request.URL.RawPath = uri
	if request.URL.Path, err = url.PathUnescape(uri); err != nil {
		// A stray "%" stands for itself.
		request.URL.Path, request.URL.RawPath = uri, ""
	}
	if request.URL.RawPath == (&url.URL{Path: request.URL.Path}).EscapedPath() {
		request.URL.RawPath = "" // net/url sets it only for an unusual encoding.
	}
	request.URL.RawQuery, request.URL.ForceQuery = strings.TrimPrefix(query, "?"), query == "?"

	for name := range request.Header {
		if lower := strings.ToLower(name); !disallowed(lower) {
			delete(request.Header, name)
		}
	}
	for name, f := range headers {
		if name != "host" {
			for _, one := range f.values() {
				request.Header.Add(name, one.Value)
			}
		}
	}
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(cookies)) {
		for _, one := range cookies[name].values() {
			pairs = append(pairs, name+"="+one.Value)
		}
	}
	switch {
	case reflect.DeepEqual(cookies, ev.Request.Cookies):
		if lines, had := r.Header["Cookie"]; had {
			request.Header["Cookie"] = slices.Clone(lines)
		}
	case len(pairs) > 0:
		request.Header.Set("Cookie", strings.Join(pairs, "; "))
	}
	return request, nil
}

// newQuery returns the query with its "?". It is the original query unless the function has changed it. value may be a
// string, as in an example of AWS.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/example_cloudfront_functions_normalize_query_string_parameters_section.html
func newQuery(value any, ev *event) (string, error) {
	var query string
	if text, isString := value.(string); isString {
		query = text
	} else {
		parameters, err := fields(value, "querystring", ev.Request.QueryString)
		if err != nil {
			return "", err
		}
		if reflect.DeepEqual(parameters, ev.Request.QueryString) {
			if !ev.hasQuery {
				return "", nil
			}
			return "?" + ev.query, nil
		}
		// AWS does not document the order, which differs from that of the viewer.
		var pairs []string
		for _, name := range slices.Sorted(maps.Keys(parameters)) {
			for _, one := range parameters[name].values() {
				pairs = append(pairs, name+"="+one.Value)
			}
		}
		query = strings.Join(pairs, "&")
	}
	if strings.ContainsAny(query, " #") {
		return "", fmt.Errorf("returned the query %q; it cannot include spaces or #", query)
	}
	if query == "" {
		return "", nil
	}
	return "?" + query, nil
}

// newResponse returns the response that a function returned. original is the response that the function got.
func newResponse(object map[string]any, original *eventResponse, readOnly []string) (*http.Response, error) {
	number, isNumber := object["statusCode"].(float64)
	status := int(number)
	if !isNumber || float64(status) != number || status < 100 || status > 599 {
		return nil, fmt.Errorf("returned a response whose statusCode is %s; it must be a number such as 301", show(object["statusCode"]))
	}
	description := http.StatusText(status)
	if given := object["statusDescription"]; given != nil {
		text, isString := given.(string)
		if !isString || strings.ContainsFunc(text, isControl) {
			return nil, fmt.Errorf("returned a response whose statusDescription is %s; it must be a line of text", show(given))
		}
		description = text
	}
	headers, err := fields(object["headers"], "headers", original.Headers)
	if err != nil {
		return nil, err
	}
	if err := checkHeaders(headers, original.Headers, readOnly); err != nil {
		return nil, err
	}
	cookies, err := fields(object["cookies"], "cookies", original.Cookies)
	if err != nil {
		return nil, err
	}
	body, err := newBody(object["body"])
	if err != nil {
		return nil, err
	}

	header := make(http.Header)
	for name, f := range headers {
		for _, one := range f.values() {
			header.Add(name, one.Value)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(cookies)) {
		for _, one := range cookies[name].values() {
			line := name + "=" + one.Value
			if one.Attributes != "" {
				line += "; " + one.Attributes
			}
			header.Add("Set-Cookie", line)
		}
	}
	return &http.Response{
		Status: fmt.Sprintf("%d %s", status, description), StatusCode: status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}, nil
}

func newBody(value any) (string, error) {
	switch body := value.(type) {
	case nil:
		return "", nil
	case string:
		return body, nil
	case map[string]any:
		data, isString := body["data"].(string)
		switch {
		case !isString:
			return "", fmt.Errorf("returned a body whose data is %s; it must be text", show(body["data"]))
		case body["encoding"] == "text":
			return data, nil
		case body["encoding"] == "base64":
			decoded, err := base64.StdEncoding.DecodeString(data)
			if err != nil {
				return "", fmt.Errorf("returned a body that is not base64: %w", err)
			}
			return string(decoded), nil
		}
		return "", fmt.Errorf(`returned a body whose encoding is %s; it must be "text" or "base64"`, show(body["encoding"]))
	}
	return "", fmt.Errorf("returned a body that is %s; it must be text, or an object with encoding and data", show(value))
}

// fields reads an object of headers, cookies or parameters. original holds the fields before the function ran. For a field
// with several values a change of multiValue counts, or else a change of value, which concerns the first one.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-event-structure.html#functions-event-structure-query-header-cookie
func fields(value any, what string, original map[string]field) (map[string]field, error) {
	if value == nil {
		return map[string]field{}, nil
	}
	object, isObject := value.(map[string]any)
	if !isObject {
		return nil, fmt.Errorf("returned %s that are %s; they must be an object", what, show(value))
	}
	read := make(map[string]field, len(object))
	for name, value := range object {
		one, err := newItem(value, what, name)
		if err != nil {
			return nil, err
		}
		f := field{Value: one.Value, Attributes: one.Attributes}
		if several := value.(map[string]any)["multiValue"]; several != nil {
			list, isList := several.([]any)
			if !isList {
				return nil, fmt.Errorf("returned %s whose %q has the multiValue %s; it must be an array", what, name, show(several))
			}
			for _, value := range list {
				one, err := newItem(value, what, name)
				if err != nil {
					return nil, err
				}
				f.MultiValue = append(f.MultiValue, one)
			}
		}
		if len(f.MultiValue) > 0 && slices.Equal(f.MultiValue, original[name].MultiValue) {
			f.MultiValue[0].Value = f.Value
		}
		read[name] = f
	}
	return read, nil
}

func newItem(value any, what, name string) (item, error) {
	object, isObject := value.(map[string]any)
	text, isString := object["value"].(string)
	if !isObject || !isString {
		return item{}, fmt.Errorf("returned %s whose %q is %s; it must be an object like {value: 'text'}", what, name, show(value))
	}
	attributes, _ := object["attributes"].(string)
	if strings.ContainsFunc(name+text+attributes, isControl) {
		return item{}, fmt.Errorf("returned %s whose %q has a control character: %q", what, name, text+attributes)
	}
	return item{text, attributes}, nil
}

// checkHeaders checks the headers of a result against those of the event. A response of a viewer-request function has no
// original headers.
func checkHeaders(headers, original map[string]field, readOnly []string) error {
	for name := range headers {
		switch {
		case name == "" || strings.TrimLeftFunc(name, inName) != "":
			return fmt.Errorf("returned a header named %q; names are in lower case, of letters, digits and hyphens", name)
		case name == "cookie" || name == "set-cookie":
			return fmt.Errorf("returned %s among its headers; it belongs in cookies", name)
		case disallowed(name):
			return fmt.Errorf("added the header %s, which functions may not add", name)
		}
	}
	for _, name := range readOnly {
		if !reflect.DeepEqual(headers[name], original[name]) {
			return fmt.Errorf("added, changed or deleted the header %s, which is read-only", name)
		}
	}
	return nil
}

func inName(r rune) bool {
	return 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || strings.ContainsRune("-_!#$%&'*+.^`|~", r) // RFC 9110, section 5.6.2
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// show returns a text for an invalid value in an error message.
func show(value any) string {
	switch value := value.(type) {
	case nil:
		return "undefined"
	case string:
		return fmt.Sprintf("%q", value)
	case map[string]any:
		return "an object"
	}
	return fmt.Sprint(value)
}
