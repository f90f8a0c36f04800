package readers

import (
	"bytes"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// assetsOf returns the addresses of what a browser loads with a page at base, each once: scripts, style sheets, images
// and other media, also by srcset and by url() in a style. Addresses that are not of http or https are left out.
func assetsOf(page []byte, base *url.URL) []*url.URL {
	found := &addresses{base: base}
	inStyle := false
	for z := html.NewTokenizer(bytes.NewReader(page)); ; {
		kind := z.Next()
		switch kind {
		case html.ErrorToken:
			return found.all
		case html.TextToken:
			if inStyle {
				found.addStyle(string(z.Text()))
			}
			continue
		case html.StartTagToken, html.SelfClosingTagToken:
		default:
			inStyle = false
			continue
		}
		tag := z.Token()
		attributes := attributesOf(tag)
		inStyle = tag.Data == "style" && kind == html.StartTagToken
		found.addStyle(written(tag, "style"))
		switch tag.Data {
		case "base":
			if changed, err := base.Parse(attributes["href"]); err == nil && attributes["href"] != "" {
				found.base = changed
			}
		case "link":
			if loads(attributes["rel"]) {
				found.add(attributes["href"])
				found.addSet(written(tag, "imagesrcset"))
			}
		case "script", "audio", "track", "embed", "iframe":
			found.add(attributes["src"])
		case "img", "source", "input":
			found.add(attributes["src"])
			found.addSet(written(tag, "srcset"))
		case "video":
			found.add(attributes["src"])
			found.add(attributes["poster"])
		case "object":
			found.add(attributes["data"])
		}
	}
}

// written returns an attribute as the page has it, with the line breaks that addresses would not have.
func written(tag html.Token, name string) string {
	i := slices.IndexFunc(tag.Attr, func(a html.Attribute) bool { return a.Key == name })
	if i < 0 {
		return ""
	}
	return tag.Attr[i].Val
}

// loads reports whether browsers load what a <link> of these relations names.
func loads(rel string) bool {
	return slices.ContainsFunc(strings.Fields(strings.ToLower(rel)), func(word string) bool {
		return slices.Contains([]string{"stylesheet", "icon", "apple-touch-icon", "mask-icon", "manifest", "preload", "modulepreload"}, word)
	})
}

// assetsOfStyle returns the addresses of what a browser loads with a style sheet at base.
func assetsOfStyle(style []byte, base *url.URL) []*url.URL {
	found := &addresses{base: base}
	found.addStyle(string(style))
	return found.all
}

// addresses collects addresses, each once.
type addresses struct {
	base *url.URL
	all  []*url.URL
}

func (a *addresses) add(address string) {
	if address == "" || strings.HasPrefix(address, "#") {
		return
	}
	to, err := a.base.Parse(address)
	if err != nil || to.Scheme != "http" && to.Scheme != "https" {
		return
	}
	to.Fragment, to.RawFragment = "", ""
	if !slices.ContainsFunc(a.all, func(known *url.URL) bool { return *known == *to }) {
		a.all = append(a.all, to)
	}
}

// addSet adds the addresses of a srcset. Commas may be part of an address, except at its end.
// https://html.spec.whatwg.org/multipage/images.html#parsing-a-srcset-attribute
func (a *addresses) addSet(srcset string) {
	for {
		srcset = strings.TrimLeft(srcset, ", \t\n\r\f")
		if srcset == "" {
			return
		}
		end := strings.IndexAny(srcset, " \t\n\r\f")
		if end < 0 {
			end = len(srcset)
		}
		address := strings.TrimRight(srcset[:end], ",")
		a.add(address)
		if srcset = srcset[end:]; len(address) == end {
			_, srcset, _ = strings.Cut(srcset, ",") // what follows an address up to the comma describes it
		}
	}
}

var (
	styleComment = regexp.MustCompile(`(?s)/\*.*?\*/`)
	styleURL     = regexp.MustCompile(`(?i)(?:url\(\s*|@import\s+)(?:"([^"]*)"|'([^']*)')|url\(\s*([^"')\s]+)\s*\)`)
)

// addStyle adds the addresses in url() and @import of a style.
func (a *addresses) addStyle(style string) {
	for _, match := range styleURL.FindAllStringSubmatch(styleComment.ReplaceAllString(style, ""), -1) {
		a.add(match[1] + match[2] + match[3])
	}
}
