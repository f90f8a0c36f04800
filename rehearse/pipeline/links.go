package pipeline

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

const (
	// maxLinks is how many links of the home page are followed.
	maxLinks = 200
	// maxHops is how many redirects of the site a reader follows for one link.
	maxHops = 5
	// namedLinks is how many links a message names.
	namedLinks = 3
)

// Links are those of the home page that lead to the site itself, as readers found them after Invalidate.
type Links struct {
	// Followed are tried, of Found.
	Followed int `json:"followed"`
	Found    int `json:"found"`
	// Broken are those behind which was something else than 200.
	Broken []BrokenLink `json:"broken,omitempty"`
}

// BrokenLink is one that readers do not get to the end of.
type BrokenLink struct {
	Link string `json:"link"` // as the page has it
	// Status is that of the last answer; 0 for what is no address.
	Status int `json:"status"`
	// Built is the object that was built for it, or "" if there is none: then the fault is the page's.
	Built string `json:"built,omitempty"`
}

func (b BrokenLink) String() string {
	if b.Status == 0 {
		return b.Link + " (no address)"
	}
	return fmt.Sprintf("%s (%d)", b.Link, b.Status)
}

// link is one of a page's, and where it leads to.
type link struct {
	written string
	to      *url.URL // nil for what is no address
	// part says that it is of a part of the page, or of the page itself: of anything but <a> and <area>.
	part bool
	// canonical says that it is the page's own address.
	canonical bool
}

// key is what a reader of a link is after: the link without what the server does not see.
func (l link) key() string {
	if l.to == nil {
		return l.written
	}
	return l.to.Scheme + "://" + l.to.Host + l.to.RequestURI()
}

// withoutSlash reports whether what was built for a link is the page of a folder, which it names without the
// slash at the end.
func (l link) withoutSlash(built string) bool {
	return l.to != nil && built == strings.TrimPrefix(l.to.Path, "/")+"/"+home
}

// followLinks follows the links of the home page as the page writes them. What was built, and readers cannot
// get, fails the rehearsal where the distribution is in the template; where nothing was built, it is for the
// page's owner to know.
func (r *rehearsal) followLinks(ctx context.Context) error {
	readers := r.readers
	here := readers.front
	base, err := url.Parse(readers.base() + (&url.URL{Path: here.address()}).EscapedPath())
	if err != nil {
		return fmt.Errorf("follow the links of %s: %w", here.address(), err)
	}
	result := &Links{}
	elsewhere := map[string][]string{} // links that should lead here, by host
	var hosts, withoutSlash []string
	for _, l := range linksOf(here.built, base) {
		host := ""
		if l.to != nil {
			host = l.to.Host
		}
		switch {
		case host == "" || host == base.Host || readers.named(l.to.Hostname()) || !readers.known && !isLoopback(l.to.Hostname()) && readers.meant(l):
			result.Found++
			if result.Followed == maxLinks {
				continue
			}
			result.Followed++
			status, err := readers.follow(ctx, l.to, host)
			if err != nil {
				return err
			}
			switch built := readers.builtFor(l.to); {
			case status == http.StatusOK:
			case !readers.known && l.withoutSlash(built):
				withoutSlash = append(withoutSlash, l.written)
			default:
				result.Broken = append(result.Broken, BrokenLink{l.written, status, built})
			}
		case isLoopback(l.to.Hostname()) || readers.meant(l):
			if elsewhere[host] == nil {
				hosts = append(hosts, host)
			}
			elsewhere[host] = append(elsewhere[host], l.written)
		}
	}
	r.mu.Lock()
	r.result.Links = result
	r.mu.Unlock()
	for _, host := range hosts {
		here := "this site"
		if readers.site != "" {
			here = readers.site
		}
		r.warn("the home page has %s to %s, which is not %s: %s; is the build's baseURL right?", Count(len(elsewhere[host]), "link"), host, here, some(elsewhere[host]))
	}
	if more := result.Found - result.Followed; more > 0 {
		r.note("readers follow the first %d links of the home page; %d more were not tried", maxLinks, more)
	}
	if len(withoutSlash) > 0 {
		r.note("the home page has %s to folders without the slash at the end: %s; whether the distribution %s leads readers on to it is not known here", Count(len(withoutSlash), "link"), some(withoutSlash), readers.distribution)
	}
	var ours, dead []string
	for _, b := range result.Broken {
		if b.Built != "" {
			ours = append(ours, b.String())
		} else {
			dead = append(dead, b.String())
		}
	}
	if len(dead) > 0 {
		r.warn("the home page has %s to what was not built and is not there: %s", Count(len(dead), "link"), some(dead))
	}
	switch d := r.plan.Distributions[readers.distribution]; {
	case len(ours) == 0:
	case d == nil:
		r.warn("the home page has %s to what was built, which readers do not get by that address, unless a function of your distribution rewrites it: %s", Count(len(ours), "link"), some(ours))
	default:
		return &failure{
			Code:   "BrokenLinks",
			Reason: fmt.Sprintf("readers do not get what was built, by links of the home page: %s", some(ours)),
			Look:   d.look("the functions") + ", and these links in the home page",
		}
	}
	return nil
}

// some names the first of several.
func some(all []string) string {
	named := strings.Join(all[:min(namedLinks, len(all))], ", ")
	if more := len(all) - namedLinks; more > 0 {
		named += fmt.Sprintf(" and %d more", more)
	}
	return named
}

// frontPage is the page whose links are followed: the first or, where every language has a folder and that is an
// alias, the one that it leads to.
func (r *readers) frontPage(built map[string]*zip.File, first string) (front page, err error) {
	front.key = first
	file := built[first]
	if file == nil || file.UncompressedSize64 > maxPage {
		return front, nil
	}
	if front.built, err = contentOf(file); err != nil {
		return front, err
	}
	here := &url.URL{Path: front.address()}
	to, err := here.Parse(aliasOf(front.built))
	if err != nil {
		return front, nil //nolint:nilerr // It leads nowhere.
	}
	if key := r.builtFor(to); strings.HasSuffix(key, ".html") {
		front.key = key
		front.built, err = contentOf(built[key])
	}
	return front, err
}

var refreshTo = regexp.MustCompile(`(?i)^[^;,]*[;,]\s*(?:url\s*=)?\s*['"]?([^'"]*)`)

// maxAlias is how large a page is that leads to another: one that has more to say does more.
const maxAlias = 2000

// aliasOf is where a page leads to that does nothing else, as Hugo's aliases do; "" for any other.
func aliasOf(content []byte) string {
	if len(content) > maxAlias {
		return ""
	}
	for z := html.NewTokenizer(bytes.NewReader(content)); ; {
		switch z.Next() {
		case html.ErrorToken:
			return ""
		case html.StartTagToken, html.SelfClosingTagToken:
			tag := z.Token()
			attributes := attributesOf(tag)
			if tag.Data == "meta" && strings.EqualFold(attributes["http-equiv"], "refresh") {
				if found := refreshTo.FindStringSubmatch(attributes["content"]); found != nil {
					return found[1]
				}
			}
		}
	}
}

// attributesOf returns a tag's attributes as browsers read addresses in them: of two the first, and without
// line breaks and tabs.
func attributesOf(tag html.Token) map[string]string {
	attributes := map[string]string{}
	for _, a := range tag.Attr {
		if _, again := attributes[a.Key]; !again {
			attributes[a.Key] = strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(strings.TrimSpace(a.Val))
		}
	}
	return attributes
}

// linksOf returns the links of a page at base, each address once: href of <a>, <area> and <link>, and every src.
// Other schemes than http and https are left out, and so are places in the page itself.
func linksOf(page []byte, base *url.URL) []link {
	var links []link
	found := map[string]bool{}
	for z := html.NewTokenizer(bytes.NewReader(page)); ; {
		kind := z.Next()
		if kind == html.ErrorToken {
			return links
		}
		if kind != html.StartTagToken && kind != html.SelfClosingTagToken {
			continue
		}
		tag := z.Token()
		attributes := attributesOf(tag)
		href, src := attributes["href"], attributes["src"]
		rel := strings.Fields(strings.ToLower(attributes["rel"]))
		switch tag.Data {
		case "base":
			if changed, err := base.Parse(href); err == nil && href != "" {
				base = changed
			}
			href = ""
		case "a", "area":
		case "link":
			if slices.Contains(rel, "preconnect") || slices.Contains(rel, "dns-prefetch") {
				href = ""
			}
		default:
			href = ""
		}
		for _, written := range []string{href, src} {
			if written == "" || strings.HasPrefix(written, "#") {
				continue
			}
			l := link{
				written: written, part: tag.Data != "a" && tag.Data != "area",
				canonical: tag.Data == "link" && slices.Contains(rel, "canonical"),
			}
			if to, err := base.Parse(written); err == nil {
				l.to = to
				if to.Scheme != "http" && to.Scheme != "https" {
					continue
				}
			}
			if !found[l.key()] {
				found[l.key()] = true
				links = append(links, l)
			}
		}
	}
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && (ip.IsLoopback() || ip.IsUnspecified())
}

// base is how addresses of the site begin.
func (r *readers) base() string {
	if r.site != "" {
		return r.site
	}
	return r.url
}

// named reports whether a host is one of the distribution's.
func (r *readers) named(host string) bool {
	return slices.ContainsFunc(r.served.Names, func(name string) bool { return strings.EqualFold(name, host) })
}

// meant reports whether a link to another host means this site: the page says so, or what it leads to was built.
// Many sites have an "/about/": such a one is no proof.
func (r *readers) meant(l link) bool {
	within := strings.Trim(l.to.Path, "/")
	return l.canonical || within != "" && (l.part || strings.Contains(within, "/")) && r.builtFor(l.to) != ""
}

// builtFor is the object that was built for an address, or "".
func (r *readers) builtFor(to *url.URL) string {
	if to == nil {
		return ""
	}
	key := strings.TrimPrefix(to.Path, "/")
	if r.built[key] {
		return key
	}
	if page := path.Join(key, home); r.built[page] {
		return page
	}
	return ""
}

// follow follows an address of the site, and its redirects, to the status that ends it. A redirect to another
// site ends well: it is not this one's to answer.
func (r *readers) follow(ctx context.Context, to *url.URL, host string) (status int, err error) {
	for range maxHops {
		if to == nil {
			return 0, nil
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url+to.RequestURI(), nil)
		if err != nil {
			return 0, nil //nolint:nilerr // What cannot be asked for is no address.
		}
		response, err := r.client.Do(request)
		if err != nil {
			return 0, fmt.Errorf("follow the link to %s: %w", to, err)
		}
		_, _ = io.Copy(io.Discard, response.Body) // Its status is what counts.
		_ = response.Body.Close()
		status = response.StatusCode
		location := response.Header.Get("Location")
		if status < http.StatusMultipleChoices || status >= http.StatusBadRequest || location == "" {
			return status, nil
		}
		next, err := to.Parse(location)
		if err != nil {
			return status, nil //nolint:nilerr // It ends there.
		}
		if next.Host != to.Host && next.Host != host && !r.named(next.Hostname()) {
			return http.StatusOK, nil
		}
		to = next
	}
	return status, nil
}
