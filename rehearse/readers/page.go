package readers

import (
	"cmp"
	"fmt"
	"net/url"
	"path"
	"reflect"
	"slices"
	"strings"

	"blog-deploy-pipeline/rehearse/distribution"
	"blog-deploy-pipeline/rehearse/edge"
	"blog-deploy-pipeline/rehearse/rehearsal"
)

// maxPages limits the pages that readers visit, besides those of chooseFiles and one that does not exist.
const maxPages = 5

// home is the object behind a site's "/".
const home = "index.html"

// page is a page, or another file, that readers visit.
type page struct {
	key   string
	built []byte
	// old is the content that the bucket had before; nil for none.
	old []byte
	// standIn says that the rehearsal itself put old into the bucket.
	standIn bool
}

// address returns the path at which readers see the page: folders have their index.html.
func (p page) address() string {
	if dir, file := path.Split(p.key); file == home {
		return "/" + dir
	}
	return "/" + p.key
}

// standInFor returns an old edition of a page that has none.
func standInFor(key string) []byte {
	return fmt.Appendf(nil, "<!doctype html>\n<title>Old edition</title>\n<h1>Old edition</h1>\n<p>%s, before the first publication.\n", key)
}

// choosePages chooses the pages to visit: first, then those that change, those that are new, and others. If there
// are pages whose address is not ASCII, it chooses at least one of them.
func choosePages(editions map[string]rehearsal.Edition, first string) []string {
	rank := map[rehearsal.Edition]int{rehearsal.Old: 1, rehearsal.Missing: 2, rehearsal.Same: 3}
	var pages []string
	for key := range editions {
		if strings.HasSuffix(key, ".html") && path.Base(key) != "404.html" {
			pages = append(pages, key)
		}
	}
	order := func(key string) int {
		if key == first {
			return 0
		}
		return rank[editions[key]]
	}
	slices.SortFunc(pages, func(a, b string) int {
		return cmp.Or(order(a)-order(b), strings.Compare(a, b))
	})
	chosen := slices.Clone(pages[:min(maxPages, len(pages))])
	if !slices.ContainsFunc(chosen, notASCII) {
		if i := slices.IndexFunc(pages, notASCII); i >= 0 {
			chosen[len(chosen)-1] = pages[i]
		}
	}
	return chosen
}

// chooseFiles chooses one file for each cache behaviour that differs from the default one, which serves the pages: a
// function can fail there while all pages are right. The behaviours of a distribution outside of the assembly (nil)
// are not known.
func chooseFiles(d *distribution.Distribution, build *Build) []string {
	if d == nil {
		return nil
	}
	var files []string
	tried := []edge.Behavior{d.Behaviors[len(d.Behaviors)-1]}
	for _, key := range build.shortestFirst() {
		behavior := *d.Behavior((&url.URL{Path: "/" + key}).EscapedPath())
		known := slices.ContainsFunc(tried, func(other edge.Behavior) bool {
			other.PathPattern = behavior.PathPattern
			return reflect.DeepEqual(other, behavior)
		})
		if !known && !strings.HasSuffix(key, ".html") {
			tried, files = append(tried, behavior), append(files, key)
		}
	}
	return files
}

func notASCII(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r > 0x7f })
}
