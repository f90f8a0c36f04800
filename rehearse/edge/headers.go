package edge

import (
	"net/http"
	"time"
)

// HeadersPolicy is a response headers policy. It is about what viewers get, and about nothing else: a
// Cache-Control in it changes nothing of how long CloudFront keeps an object.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/understanding-response-headers-policies.html
type HeadersPolicy struct {
	Set    []Header
	Remove []string // names
}

// Header is one that a response headers policy sets.
type Header struct {
	Name, Value string
	// Override has it replace the origin's; else it is set only where the origin sends none.
	Override bool
}

// apply changes a response's headers. "CloudFront removes the headers from every response it sends to
// viewers", "adds these headers to every response that it returns to viewers", and "removes the headers
// first and then adds": also to errors, to what a function made, and to redirects to https.
//
// Strict-Transport-Security is not sent over http, where RFC 6797 forbids it. AWS documents it nowhere;
// captured redirects to https, with the managed policy SecurityHeadersPolicy, have its other headers.
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
	// "CloudFront adds its own version of these headers": a policy can only remove the origin's.
	if header.Get("Server") == "" {
		header.Set("Server", "CloudFront")
	}
	if header.Get("Date") == "" {
		header.Set("Date", now.UTC().Format(http.TimeFormat))
	}
}
