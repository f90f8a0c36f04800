// Package filetype tells from a file's name how a blog's files are stored, and in which
// order they are published.
package filetype

import (
	"path"
	"slices"
	"strings"
)

// Class is a kind of file that is published, kept and removed in one way.
type Class int

// The classes, in the order in which a release's files are put: what a page needs is there
// before the page, and the page before what leads readers to it.
const (
	// Asset is an image, a font, a film, a download, and whatever is not below.
	Asset Class = iota
	// Fingerprinted is a file whose name changes with its content.
	Fingerprinted
	// Style is a style sheet or a script that keeps its name. It names assets.
	Style
	// Page is a text that readers open, except for lists.
	Page
	// List is a feed, a sitemap, or the index of a search. It names pages.
	List
)

// ClassOf returns the class of a file. Of a page it does not know whether it lists others
// (see [Waves]).
func ClassOf(name string) Class {
	base, ext := strings.ToLower(path.Base(name)), extension(name)
	switch {
	case isFingerprinted(name):
		return Fingerprinted
	case slices.Contains(indexes, base), slices.Contains(feeds, ext),
		ext == "json" && strings.Contains(base, "search"),
		ext == "txt" && strings.HasPrefix(base, "sitemap"):
		return List
	case slices.Contains(pages, ext):
		return Page
	case slices.Contains(styles, ext), base == "manifest.json":
		return Style
	default:
		return Asset
	}
}

// The extensions of three classes.
var (
	feeds  = strings.Fields("xml rss atom rdf opml")
	pages  = strings.Fields("html htm xhtml xht txt text md markdown")
	styles = strings.Fields("css js mjs cjs map wasm webmanifest xsl xslt")
)

// indexes are names of files that name pages. A service worker may fetch all files that it
// names as soon as it is there.
var indexes = strings.Fields("index.json feed.json pagefind-entry.json llms.txt llms-full.txt " +
	"sw.js service-worker.js serviceworker.js")

// IsPage reports whether a file is a text or leads to texts. It is removed at once when it
// has left the blog, since its author takes it back. What pages need stays for a while.
func (c Class) IsPage() bool { return c == Page || c == List }

// CacheControl returns the Cache-Control of a file for which its owner has named none. A
// Site's browsers do not see it (props.Caching is for them), but its edge locations do.
//
// Browsers keep a fingerprinted file for a year, and ask for all others every time, since
// nobody can clear a browser's cache. Edge locations keep those for a day, which is what
// CloudFront does with files without a header. The pipeline clears what has changed, and a
// day bounds the time for which a mistake is seen: a list of paths that lacks one, or an
// object that was changed by hand.
func (c Class) CacheControl() string {
	if c == Fingerprinted {
		return "public, max-age=31536000, immutable"
	}
	return "public, max-age=0, s-maxage=86400, must-revalidate"
}
