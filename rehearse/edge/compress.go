package edge

import (
	"bytes"
	"compress/gzip"
	"mime"
	"net/http"
	"slices"
	"strings"
)

// The smallest and the largest object that CloudFront compresses, in bytes.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/ServingCompressedFiles.html
const (
	minCompressed = 1_000
	maxCompressed = 10_000_000
)

// compressible lists the content types that CloudFront compresses, by the same page.
var compressible = strings.Fields(`
	application/dash+xml application/eot application/font application/font-sfnt application/javascript
	application/json application/opentype application/otf application/pkcs7-mime
	application/protobuf application/rss+xml application/truetype application/ttf
	application/vnd.apple.mpegurl application/vnd.mapbox-vector-tile application/vnd.ms-fontobject
	application/xhtml+xml application/xml application/x-font-opentype application/x-font-truetype
	application/x-font-ttf application/x-httpd-cgi application/x-javascript
	application/x-mpegurl application/x-opentype application/x-otf application/x-perl application/x-ttf
	font/eot font/opentype font/otf font/ttf image/svg+xml text/css text/csv text/html text/javascript
	text/js text/plain text/richtext text/tab-separated-values text/xml text/x-component
	text/x-java-source text/x-script vnd.apple.mpegurl`)

// acceptsGzip reports whether a viewer accepts gzip. CloudFront ignores Accept-Encoding in HTTP/1.0.
func acceptsGzip(r *http.Request) bool {
	for value := range strings.SplitSeq(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		encoding, weight, _ := strings.Cut(strings.ReplaceAll(value, " ", ""), ";")
		refused := strings.HasPrefix(weight, "q=0") && strings.Trim(weight, "q=0.") == ""
		if strings.EqualFold(encoding, "gzip") && !refused {
			return r.ProtoAtLeast(1, 1)
		}
	}
	return false
}

// compress compresses the origin's response if CloudFront would. CloudFront prefers Brotli, but this function uses gzip,
// because Go's standard library has no Brotli.
func (a *entry) compress() {
	mediaType, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	switch {
	case a.header.Get("Content-Encoding") != "",
		len(a.body) < minCompressed, len(a.body) > maxCompressed,
		!slices.Contains([]int{http.StatusOK, http.StatusForbidden, http.StatusNotFound}, a.status),
		!slices.Contains(compressible, mediaType):
		return
	}
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(a.body) // Writing to a buffer cannot fail.
	_ = w.Close()
	a.body, a.compressed = b.Bytes(), true
	a.header.Set("Content-Encoding", "gzip")
	a.header.Add("Vary", "Accept-Encoding")
	a.weaken()
}

// weaken makes the ETag of a compressed object weak, and removes an invalid ETag.
func (a *entry) weaken() {
	switch etag := a.header.Get("Etag"); {
	case strings.HasPrefix(etag, `"`):
		a.header.Set("Etag", "W/"+etag)
	case !strings.HasPrefix(etag, "W/"):
		a.header.Del("Etag")
	}
}
