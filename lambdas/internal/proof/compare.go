package proof

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/changes"
	"blog-deploy-pipeline/lambdas/internal/redact"
	"blog-deploy-pipeline/lambdas/internal/release"
)

// comparison compares answers with a release.
type comparison struct {
	release string
	// sums are the SHA-256 of the release's files.
	sums map[string]bool
	// isSite is true if the distribution is the blog's Site, which has headers policies.
	isSite bool
}

func newComparison(p changes.Published, blog changes.Settings) comparison {
	c := comparison{p.Release, map[string]bool{}, blog.Addresses.Tags}
	if len(p.Removed) > 0 {
		for _, file := range p.Files {
			c.sums[file.SHA256] = true
		}
	}
	return c
}

// sight says what an answer means for a target. since is the time since the invalidation
// began.
func (c comparison) sight(t target, a answer, since time.Duration) Sight {
	kind, instead := c.kind(t, a, since)
	s := Sight{Kind: kind}
	if a.err == nil {
		s.Edge = redact.Line(a.header.Get("X-Amz-Cf-Pop"), 40)
	}
	switch {
	case a.err != nil:
		s.Answer = "gave no whole answer: " + instead
	case kind != Live:
		s.Answer = "answered " + instead + a.circumstances()
	}
	return s
}

// kind returns the kind of an answer, and what came in words, such as "404".
func (c comparison) kind(t target, a answer, since time.Duration) (Kind, string) {
	if a.err != nil {
		return Unreachable, a.err.Error()
	}
	status := strings.TrimSpace(fmt.Sprint(a.status, " ", http.StatusText(a.status)))
	isOfS3 := strings.Contains(a.header.Get("Server"), "AmazonS3")
	waf := a.header.Get("X-Amzn-Waf-Action")
	old := Wrong
	if a.age() > since {
		old = Stale
	}
	switch {
	case waf != "":
		return Blocked, status + " and the " + quoted(waf) + " of a web ACL"
	case a.status == http.StatusOK && t.removed:
		return c.left(a, old)
	case a.status == http.StatusOK:
		return c.content(t.file, a, old)
	case a.status == http.StatusUnauthorized, a.status == http.StatusForbidden && a.header.Get("Www-Authenticate") != "":
		return Private, status
	case a.status == http.StatusTooManyRequests, a.status == http.StatusServiceUnavailable:
		return Busy, status
	case a.status >= http.StatusInternalServerError:
		return Unreachable, status
	case t.removed && (isRedirect(a.status) || isGone(a.status)):
		return Live, ""
	case isRedirect(a.status):
		return Redirected, status + " to " + quoted(destination(a.header.Get("Location")))
	case isGone(a.status) && (a.status != http.StatusForbidden || isOfS3):
		return old, status
	default:
		return Blocked, status
	}
}

func isRedirect(status int) bool { return status >= 300 && status < 400 }

// destination returns where a redirect leads, without what may be a secret: the user and
// the query of the address. It returns "" for none.
func destination(location string) string {
	to, err := url.Parse(location)
	if err != nil {
		return ""
	}
	to.User, to.RawQuery, to.Fragment = nil, "", ""
	return to.String()
}

// isGone reports whether a status says that there is no such object. S3 says 403 to a
// reader who may not list the bucket.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
func isGone(status int) bool {
	return status == http.StatusNotFound || status == http.StatusGone || status == http.StatusForbidden
}

// left returns the kind of content that came for a file that has left. A page of the
// release may come with the status 200 in place of an error.
func (c comparison) left(a answer, old Kind) (Kind, string) {
	from := a.from()
	switch {
	case c.sums[a.sum]:
		return Live, ""
	case from > c.release: // Ids sort by time.
		return Newer, "200 with the file of release " + from
	case from != "":
		old = Stale
	}
	return old, "200 with a file that has left the blog"
}

// content returns the kind of content that came for a file. What an earlier release has left
// is what readers should have, if it is the same: after a rollback it may be.
func (c comparison) content(want release.File, a answer, old Kind) (Kind, string) {
	from, by := a.from(), release.TaggedBy(want.Tag)
	known := from != "" && by != ""
	earlier := known && from < by // Ids sort by time.
	if known && from > by {
		return Newer, "200 with the file of release " + from
	}
	different := difference(want, a)
	switch {
	case different != "":
	case earlier:
		different = differentHeader(a, headersOf(want), true)
	case from == "" && !c.isSite:
		// If the object is the right one, only a policy of the distribution's can have
		// replaced its Cache-Control.
		different = differentHeader(a, []header{{"Cache-Control", want.Headers.CacheControl}}, false)
	}
	switch {
	case different == "":
		return Live, ""
	case earlier:
		return Stale, "200 with the file of release " + from
	}
	return old, "200 with " + different
}

// difference says what came in place of a file; "" if it is that file.
func difference(want release.File, a answer) string {
	switch {
	case a.size > want.Size:
		return fmt.Sprintf("more than the file's %d bytes", want.Size)
	case a.size < want.Size:
		return fmt.Sprintf("%d bytes in place of %d", a.size, want.Size)
	case a.sum != want.SHA256:
		return fmt.Sprintf("other content of %d bytes", a.size)
	}
	return differentHeader(a, headersOf(want)[:3], false)
}

type header struct{ name, want string }

// headersOf returns the headers of a file. The last is the one that policies replace.
func headersOf(f release.File) []header {
	return []header{
		{"Content-Type", f.Headers.ContentType},
		{"Content-Language", f.Headers.ContentLanguage},
		{"Content-Disposition", f.Headers.ContentDisposition},
		{"Cache-Control", f.Headers.CacheControl},
	}
}

// differentHeader returns the first header that is another one, in words; "" for none. One
// that the file does not have counts only if all do.
func differentHeader(a answer, headers []header, all bool) string {
	for _, h := range headers {
		if got := a.header.Get(h.name); (all || h.want != "") && normal(got) != normal(h.want) {
			return fmt.Sprintf("the %s %s in place of %q", h.name, quoted(got), h.want)
		}
	}
	return ""
}

// normal returns a header's value in a form in which those that mean the same are equal.
func normal(value string) string {
	return separators.ReplaceAllString(strings.ToLower(strings.TrimSpace(value)), "$1")
}

var separators = regexp.MustCompile(`\s*([;,=])\s*`)

// from returns the id of the release that has put the object, or "". S3 sends the metadata
// of an object, and CloudFront passes it on.
func (a answer) from() string {
	return release.TaggedBy(strings.Join(a.header.Values("X-Amz-Meta-"+contract.MetadataCacheTag), ","))
}

// age returns for how long the answer was in a cache; 0 if it was in none.
func (a answer) age() time.Duration {
	seconds, _ := strconv.ParseUint(a.header.Get("Age"), 10, 31) // 0 for what is no number, and the largest for a larger one
	return time.Duration(seconds) * time.Second
}

// circumstances returns what an answer says about its way, such as " (Hit from cloudfront,
// Age 4012 s, at FRA56-P4)".
func (a answer) circumstances() string {
	var all []string
	add := func(header, format string) {
		if value := redact.Line(a.header.Get(header), 60); value != "" {
			all = append(all, fmt.Sprintf(format, value))
		}
	}
	add("X-Cache", "%s")
	add("Age", "Age %s s")
	add("X-Amz-Cf-Pop", "at %s")
	if len(all) == 0 {
		return ""
	}
	return " (" + strings.Join(all, ", ") + ")"
}

// quoted returns the value of a header for a message.
func quoted(value string) string {
	return strconv.Quote(redact.Line(cmp.Or(value, "none"), maxQuote))
}
