package edge

import (
	"net/http"
	"time"
)

// HeadersPolicy is a response headers policy. It changes only the headers that viewers get. A Cache-Control in it does
// not change how long CloudFront caches an object.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/understanding-response-headers-policies.html
type HeadersPolicy struct {
	Set    []Header
	Remove []string // names
}

// Header is a header that a response headers policy sets.
type Header struct {
	Name, Value string
	// Override says that the header replaces the origin's. Without it the header is set only if the origin sends none.
	Override bool
}

// apply changes the headers of a response. "CloudFront removes the headers from every response it sends to viewers",
// "adds these headers to every response that it returns to viewers", and "removes the headers first and then adds". This
// includes errors, responses of functions and redirects to HTTPS.
//
// apply does not set Strict-Transport-Security for HTTP, where RFC 6797 forbids it. AWS does not document this. Real
// redirects to HTTPS with the managed policy SecurityHeadersPolicy have the policy's other headers.
func (p *HeadersPolicy) apply(header http.Header, secure bool, now time.Time) {
	for _, name := range p.Remove {
		header.Del(name)
	}
	for _, h := range p.Set {
		name := http.CanonicalHeaderKey(h.Name)
		if name == "Strict-Transport-Security" && !secure {
			continue
		}
		if len(header[name]) == 0 || h.Override {
			header.Set(name, h.Value)
		}
	}
	// "CloudFront adds its own version of these headers", so a policy can only remove the origin's.
	if header.Get("Server") == "" {
		header.Set("Server", "CloudFront")
	}
	if header.Get("Date") == "" {
		header.Set("Date", now.UTC().Format(http.TimeFormat))
	}
}
