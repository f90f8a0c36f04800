package props_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/stacks/props"
)

func TestHeadersRefuse(t *testing.T) {
	policy := func(policy string) props.Headers { return props.Headers{ContentSecurityPolicy: policy} }
	other := func(name, value string) props.Headers { return props.Headers{Others: map[string]string{name: value}} }
	many := func(n int, value string) props.Headers {
		headers := props.Headers{Others: map[string]string{}}
		for i := range n {
			headers.Others[fmt.Sprintf("X-Header-%d", i)] = value
		}
		return headers
	}
	for _, tt := range []struct {
		name    string
		headers props.Headers
		want    string // after `blog "bare": Site.Headers.`
	}{
		{"negative age", props.Headers{HSTS: props.HSTS{MaxAge: -time.Hour}}, "HSTS.MaxAge is -1h0m0s: must be whole seconds"},
		{"age in thousandths", props.Headers{HSTS: props.HSTS{MaxAge: time.Millisecond}}, "HSTS.MaxAge is 1ms"},
		{"age past CloudFront's numbers", props.Headers{HSTS: props.HSTS{MaxAge: props.MaxHSTS + time.Second}}, "HSTS.MaxAge is"},
		{"preload of one name", props.Headers{HSTS: props.HSTS{Preload: true}}, "HSTS.Preload is true: needs IncludeSubDomains"},
		{"preload for months", props.Headers{HSTS: props.HSTS{MaxAge: 180 * 24 * time.Hour, IncludeSubDomains: true, Preload: true}}, "HSTS.Preload is"},
		{"preload to forget", props.Headers{HSTS: props.HSTS{MaxAge: props.ForgetHSTS, IncludeSubDomains: true, Preload: true}}, "HSTS.Preload is"},

		{"frames", props.Headers{Frames: "ALLOW-FROM https://kzmorita.dev"}, `Frames is "ALLOW-FROM https://kzmorita.dev": must be one of "SAMEORIGIN", "DENY", "any"`},
		{"frames of the blog, policy of nobody", props.Headers{Frames: props.FramesSameOrigin, ContentSecurityPolicy: "frame-ancestors 'none'"}, `Frames is "SAMEORIGIN": frame-ancestors in ContentSecurityPolicy says "DENY"`},
		{"frames of nobody, policy of one", props.Headers{Frames: props.FramesDeny, ContentSecurityPolicy: "frame-ancestors https://kzmorita.dev"}, `Frames is "DENY"`},
		{"referrer", props.Headers{Referrer: "unsafe-url"}, `Referrer is "unsafe-url": must be one of "strict-origin-when-cross-origin", "same-origin", "no-referrer"`},

		{"policy on two lines", policy("default-src 'self';\nimg-src *"), "ContentSecurityPolicy is"},
		{"policy with a control character", policy("default-src 'self'\x7f"), "ContentSecurityPolicy is"},
		{"policy in Japanese", policy("default-src ブログ.io"), "must be one line of plain ASCII; write a name in another script as xn--"},
		{"policy too long", policy("img-src" + strings.Repeat(" a", 889)), `ContentSecurityPolicy is "1785 characters long": CloudFront allows at most 1783`},
		{"self without quotes", policy("default-src self"), `ContentSecurityPolicy is "default-src self": needs quotes, as in 'self'`},
		{"unsafe-inline without quotes", policy("style-src 'self' unsafe-inline"), "as in 'unsafe-inline'"},
		{"two without quotes", policy("default-src self; style-src unsafe-inline"), "as in 'self'"},
		{"comma", policy("default-src 'self', img-src *"), "has a comma, after which browsers start another policy: write ; between directives"},
		{"the header's name, too", policy("Content-Security-Policy: default-src 'self'"), `has "Content-Security-Policy:" where a directive's name must be`},
		{"a keyword alone", policy("'none'"), `has "'none'" where a directive's name must be, as in default-src 'self'; props.NoHeader sends no policy`},
		{"NoHeader in capitals", policy("None"), `has "None" where a directive's name must be`},
		{"only a space", policy(" "), `ContentSecurityPolicy is " ": has no directive`},
		{"only a semicolon", policy(";"), "has no directive: leave it out for the default, or set props.NoHeader"},
		{"hash without quotes", policy("script-src sha256-abc="), "as in 'sha256-abc='"},

		{"name with a space", other("X Header", "a"), `Others is "X Header": must be a header's name`},
		{"name with a colon", other("X-Header:", "a"), "must be a header's name"},
		{"no name", other("", "a"), "must be a header's name"},
		{"name too long", other(strings.Repeat("a", 257), "a"), "of at most 256 characters"},
		{"no value", other("X-Header", ""), `Others["X-Header"] is "": must be one line`},
		{"value on two lines", other("X-Header", "a\r\nSet-Cookie: b"), `Others["X-Header"] is`},
		{"value too long", other("X-Header", strings.Repeat("a", 1784)), "of at most 1783 characters"},
		{"with a field", other("content-security-policy", "default-src 'self'"), `Others is "content-security-policy": has a field of its own: set Site.Headers.ContentSecurityPolicy`},
		{"Cache-Control", other("Cache-Control", "no-store"), "set Site.Caching"},
		{"CloudFront's", other("X-Amz-Cf-Id", "a"), "a header that CloudFront does not accept here"},
		{"the connection's", other("Transfer-Encoding", "chunked"), "a header that CloudFront does not accept here"},
		{"CORS", other("Access-Control-Allow-Origin", "*"), "a header that CloudFront does not accept here"},
		{"a file's", other("Content-Type", "text/html; charset=utf-8"), `Others is "Content-Type": cannot be the same for every answer`},
		{"only a space as value", other("X-Header", " "), `Others["X-Header"] is " ": must be one line`},
		{"the same twice", props.Headers{Others: map[string]string{"X-Header": "a", "x-header": "b"}}, `Others is "x-header": is listed as "X-Header", too`},
		{"ten", many(10, "a"), `Others is "10 headers": CloudFront allows at most 9 besides Cache-Control`},
		{"too much in all", many(6, strings.Repeat("a", 1783)), `Others is "10758 characters in all": CloudFront allows at most 10240`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wantProblem(t, withSite(func(s *props.Site) { s.Headers = tt.headers }).Validate(), tt.want)
		})
	}
}

func TestHeadersAccept(t *testing.T) {
	for name, headers := range map[string]props.Headers{
		"policy of 1,783 characters": {ContentSecurityPolicy: "img-src" + strings.Repeat(" a", 888)},
		"quoted keywords":            {ContentSecurityPolicy: "script-src 'self' 'nonce-abc' 'sha256-abc=' https://self.example; style-src 'unsafe-inline'"},
		"directives without a value": {ContentSecurityPolicy: "sandbox; upgrade-insecure-requests;"},
		"a policy to try":            {Others: map[string]string{"Content-Security-Policy-Report-Only": "default-src 'self'"}},
		"both say the same":          {Frames: props.FramesDeny, ContentSecurityPolicy: "frame-ancestors 'none'"},
		"the longest age":            {HSTS: props.HSTS{MaxAge: props.MaxHSTS}},
		"preload":                    {HSTS: props.HSTS{IncludeSubDomains: true, Preload: true}},
		"a short age first":          {HSTS: props.HSTS{MaxAge: 5 * time.Minute}},
		"a name of 256 characters":   {Others: map[string]string{strings.Repeat("a", 256): strings.Repeat("b", 1783)}},
	} {
		if err := withSite(func(s *props.Site) { s.Headers = headers }).Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The default policy follows the owner's Frames, and X-Frame-Options follows the owner's policy.
func TestFrames(t *testing.T) {
	const others = "upgrade-insecure-requests; object-src 'none'; base-uri 'self'"
	for _, tt := range []struct {
		name       string
		headers    props.Headers
		wantFrames props.Frames
		wantPolicy string
	}{
		{"nothing said", props.Headers{}, props.FramesSameOrigin, others + "; frame-ancestors 'self'"},
		{"nobody", props.Headers{Frames: props.FramesDeny}, props.FramesDeny, others + "; frame-ancestors 'none'"},
		{"everybody", props.Headers{Frames: props.FramesAny}, props.FramesAny, others},
		{"policy says nobody", props.Headers{ContentSecurityPolicy: "Frame-Ancestors 'none'"}, props.FramesDeny, "Frame-Ancestors 'none'"},
		{"policy says nobody, by no word", props.Headers{ContentSecurityPolicy: "frame-ancestors"}, props.FramesDeny, "frame-ancestors"},
		{"policy says the blog", props.Headers{ContentSecurityPolicy: "default-src https:;frame-ancestors  'SELF' ;"}, props.FramesSameOrigin, "default-src https:;frame-ancestors  'SELF' ;"},
		{"policy names others", props.Headers{ContentSecurityPolicy: "frame-ancestors 'self' https://kzmorita.dev"}, props.FramesAny, "frame-ancestors 'self' https://kzmorita.dev"},
		{"the first of two counts", props.Headers{ContentSecurityPolicy: "frame-ancestors 'none'; frame-ancestors *"}, props.FramesDeny, "frame-ancestors 'none'; frame-ancestors *"},
		{"policy says nothing", props.Headers{ContentSecurityPolicy: "default-src 'self'"}, props.FramesSameOrigin, "default-src 'self'"},
		{"no policy", props.Headers{ContentSecurityPolicy: props.NoHeader}, props.FramesSameOrigin, props.NoHeader},
	} {
		headers := props.Site{Headers: tt.headers}.WithDefaults().Headers
		equal(t, tt.name+": frames", headers.Frames, tt.wantFrames)
		equal(t, tt.name+": policy", headers.ContentSecurityPolicy, tt.wantPolicy)
		if err := withSite(func(s *props.Site) { s.Headers = tt.headers }).Validate(); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
