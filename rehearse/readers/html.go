package readers

import (
	"bytes"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// link is a link of a page.
type link struct {
	written string
	to      *url.URL // nil if the address is not valid
	// part says that it loads a part of the page, or describes the page: it is not of <a> or <area>.
	part bool
	// canonical says that it names the page's own address.
	canonical bool
}

// key returns the address of the link without its fragment, which no server sees.
func (l link) key() string {
	if l.to == nil {
		return l.written
	}
	return l.to.Scheme + "://" + l.to.Host + l.to.RequestURI()
}

// withoutSlash reports whether the link names a folder, whose page is built, without the slash at the end.
func (l link) withoutSlash(built string) bool {
	return l.to != nil && built == strings.TrimPrefix(l.to.Path, "/")+"/"+home
}

var refreshTo = regexp.MustCompile(`(?i)^[^;,]*[;,]\s*(?:url\s*=)?\s*['"]?([^'"]*)`)

// maxAlias limits the size of a page that can be an alias.
const maxAlias = 2000

// aliasOf returns where a page leads that only redirects, as Hugo's aliases do; "" for any other page.
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

// attributesOf returns a tag's attributes as browsers read addresses in them: the first of two with the same name, and
// without line breaks and tabs.
func attributesOf(tag html.Token) map[string]string {
	attributes := map[string]string{}
	for _, a := range tag.Attr {
		if _, again := attributes[a.Key]; !again {
			attributes[a.Key] = strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(strings.TrimSpace(a.Val))
		}
	}
	return attributes
}

// linksOf returns the links of a page at base, each address once: href of <a>, <area> and <link>, and every src. It
// leaves out other schemes than http and https, and places in the page itself.
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
