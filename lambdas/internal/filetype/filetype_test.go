package filetype

import (
	"maps"
	"mime"
	"slices"
	"strings"
	"testing"
)

func TestContentType(t *testing.T) {
	for name, want := range map[string]string{
		"index.html":                             "text/html; charset=utf-8",
		"a/b.HTM":                                "text/html; charset=utf-8",
		"css/main.css":                           "text/css; charset=utf-8",
		"js/main.js":                             "text/javascript; charset=utf-8",
		"js/module.mjs":                          "text/javascript; charset=utf-8",
		"js/main.js.map":                         "application/json",
		"index.json":                             "application/json",
		"data.jsonl":                             "application/jsonl",
		"app.wasm":                               "application/wasm",
		"site.webmanifest":                       "application/manifest+json",
		"index.xml":                              "application/xml",
		"feed.rss":                               "application/rss+xml",
		"feed.atom":                              "application/atom+xml",
		"robots.txt":                             "text/plain; charset=utf-8",
		"日本語/お知らせ.txt":                           "text/plain; charset=utf-8",
		"a/index.md":                             "text/markdown; charset=utf-8",
		"talk.vtt":                               "text/vtt; charset=utf-8",
		"favicon.ico":                            "image/x-icon",
		"a.avif":                                 "image/avif",
		"a.jxl":                                  "image/jxl",
		"a.SVG":                                  "image/svg+xml",
		"a.JPeG":                                 "image/jpeg",
		"font.woff2":                             "font/woff2",
		"book.epub":                              "application/epub+zip",
		"chair.glb":                              "model/gltf-binary",
		"film/part1.ts":                          "video/mp2t",
		"main.go":                                "text/plain; charset=utf-8",
		"a.tar.gz":                               "application/gzip",
		"CNAME":                                  "text/plain; charset=utf-8",
		"a/LICENSE":                              "text/plain; charset=utf-8",
		"license":                                "application/octet-stream",
		".well-known/apple-app-site-association": "application/json",
		"_redirects":                             "text/plain; charset=utf-8",
		".nojekyll":                              "application/octet-stream",
		"pagefind/index/en_1.pf_index":           "application/octet-stream",
		"a.html/b":                               "application/octet-stream",
		"a.":                                     "application/octet-stream",
		"日本語":                                    "application/octet-stream",
	} {
		if got := ContentType(name); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

func TestTypesAreWellFormed(t *testing.T) {
	seen := map[string]string{}
	for contentType, extensions := range types {
		if _, _, err := mime.ParseMediaType(contentType); err != nil || strings.Contains(contentType, ";") {
			t.Errorf("%q is no type without a parameter: %v", contentType, err)
		}
		for extension := range strings.FieldsSeq(extensions) {
			if seen[extension] != "" {
				t.Errorf("%s has two types, %s and %s", extension, seen[extension], contentType)
			}
			seen[extension] = contentType
			if extension != strings.ToLower(extension) {
				t.Errorf("%s is not in lower case", extension)
			}
		}
	}
}

// The hashes in these names are as long as those of the tools, and are made up of the same
// characters.
const (
	hex32 = "0123456789abcdef0123456789abcdef"
	hex64 = hex32 + hex32
)

func TestFingerprints(t *testing.T) {
	for name, want := range map[string]bool{
		// Hugo.
		"css/main.min." + hex64 + ".css":                                                 true,
		"js/bundle." + hex64 + hex32 + ".js":                                             true,
		"js/bundle." + hex64 + hex64 + ".js":                                             true,
		"css/style." + hex32 + ".css":                                                    true,
		"posts/a/cover_hu_2cae7d7cae0312a8.webp":                                         true,
		"posts/a/cover_hu_cae7d7cae0312a8.jpg":                                           true,
		"posts/a/cover_hu" + hex32 + "_12345_600x0_resize_q75_box.jpg":                   true,
		"posts/a/cover_hud41d8cd98f00b204e9800998ecf8427e_1_fill_600x400_q75_center.png": false,
		"css/main.min.css":                                                               false,
		"css/main.css":                                                                   false,
		"posts/a/cover_hut_12.jpg":                                                       false,
		// Vite, VitePress, Astro, Nuxt, SvelteKit and Next.js.
		"assets/index-DIwgyqL3.js":                     true,
		"blog/assets/vendor-Bx-8_9aQ.js":               true,
		"assets/app.DkQz3x1B.js":                       true,
		"assets/guide_index.md.Bx8s9aQw.lean.js":       true,
		"assets/chunks/theme.Dk1z3xBQ.js":              true,
		"assets/inter-roman-latin.Di8DUHzh.woff2":      true,
		"_astro/hoisted.BsC8Q3sT.js":                   true,
		"_astro/photo.DxJ2k3Qa_Z1abcd.webp":            true,
		"_nuxt/entry.DIwgyqL3.css":                     true,
		"_app/immutable/chunks/scheduler.js":           true,
		"_next/static/chunks/main-0123456789abcdef.js": true,
		"_app/version.json":                            false,
		"_nuxt/builds/latest.json":                     false,
		"index-DIwgyqL3.js":                            false,
		"assets/lib-MathJax3.js":                       false,
		"assets/web-Vue3Demo.js":                       false,
		"assets/index.js":                              false,
		"assets/js-bootstrap.js":                       false,
		"assets/Report-Q3Final2.pdf":                   false,
		"assets/photo-IMG12345.jpg":                    false,
		"assets/photo-Nov20Pic.jpg":                    false,
		"assets/a-日aB1c.js":                            false,
		"assets/-DIwgyqL3.js":                          false,
		// webpack, Parcel, Gatsby, mdBook, Material for MkDocs and Docusaurus.
		"static/js/main.3f5d5a5b.chunk.js":             true,
		"static/js/main.3f5d5a5b.js.map":               true,
		"main.3f5d5a5bce2b7d12.js":                     true,
		"app-0123456789abcdef0123.js":                  true,
		"static/media/logo.6ce24c58.svg":               true,
		"static/media/logo." + hex32 + ".svg":          true,
		"book-a0b12cfe.js":                             true,
		"css/general-2459343d.css":                     false, // It may be a date with a letter behind.
		"assets/javascripts/bundle.1e8ae164.min.js":    true,
		"assets/js/runtime~main.2d8a1c9f.js":           true,
		"static.files/FiraSans-Regular-0fe48ade.woff2": true,
		"static/js/main.chunk.js":                      false,
		"3f5d5a5b.js":                                  false,
		".3f5d5a5b.js":                                 false,
		// Dates, numbers, versions, words, hashes of git, and ids.
		"js/app-20261127.js":                                 false,
		"js/app.20261127.min.js":                             false,
		"js/app-2026112a.js":                                 false,
		"js/app-2026-11-27.js":                               false,
		"css/style.2.10.38.css":                              false,
		"js/jquery-3.7.1.min.js":                             false,
		"js/jquery-3.7.1.slim.min.js":                        false,
		"js/polyfill.es2015.js":                              false,
		"js/deadbeef.js":                                     false,
		"js/le-facadeb.js":                                   false,
		"js/app-3f5d5a5.js":                                  false,
		"js/app-3f5d5a5bce2b7d120123456789abcdef01234567.js": false,
		"img/diff-3f5d5a5b.png":                              false,
		"img/3f5d5a5b-ce2b-7d12-0123-456789abcdef.png":       false,
		"img/IMG_20261127_123456.jpg":                        false,
		"img/photo-1234567890.jpg":                           false,
		"img/photo." + strings.Repeat("1", 32) + ".jpg":      false,
		"js/APP.3F5D5A5B.js":                                 false,
		// Pages, data and downloads, whatever their names.
		"posts/a." + hex64 + ".html":     false,
		"posts/" + hex64 + "/index.html": false,
		"data." + hex64 + ".json":        false,
		"release." + hex64 + ".txt":      false,
		"release." + hex64 + ".zip":      false,
		"_astro/index.html":              false,
		"":                               false,
		".js":                            false,
		"a.js":                           false,
		"日本語.js":                         false,
		"日本語." + hex64 + ".js":           true,
	} {
		if got := ClassOf(name) == Fingerprinted; got != want {
			t.Errorf("%s is fingerprinted: got %t, want %t", name, got, want)
		}
	}
}

func TestCacheControl(t *testing.T) {
	for _, class := range []Class{Asset, Style, Page, List} {
		if got, want := class.CacheControl(), "public, max-age=0, s-maxage=86400, must-revalidate"; got != want {
			t.Errorf("class %d: got %q, want %q", class, got, want)
		}
	}
	if got, want := Fingerprinted.CacheControl(), "public, max-age=31536000, immutable"; got != want {
		t.Errorf("fingerprinted: got %q, want %q", got, want)
	}
}

func TestWaves(t *testing.T) {
	waves := map[string]int{
		"favicon.ico": 0, "posts/a/cover.jpg": 0, "font.woff2": 0, "talk.pdf": 0, "data/chart.json": 0,
		"css/main." + hex64 + ".css": 0,

		"css/main.css": 1, "js/main.js": 1, "js/main.js.map": 1, "manifest.json": 1, "feed.xsl": 1,

		"posts/a/index.html": 2, "posts/b/index.html": 2, "about/index.html": 2, "404.html": 2,
		"robots.txt": 2, "posts/a/index.md": 2,

		"index.html": 3, "index.xml": 3, "sitemap.xml": 3, "index.json": 3, "js/searchindex.json": 3, "sitemap.txt": 3,
		"posts/index.html": 3, "posts/page/2/index.html": 3, "page/2/index.html": 3,
		"tags/index.html": 3, "tags/go/index.html": 3, "tags/go/index.xml": 3, "sw.js": 3,
		"ja/index.html": 3, "ja/posts/c/index.html": 2, "llms.txt": 3,
	}
	order := NewWaves(maps.Keys(waves))
	for name, want := range waves {
		if got := order.Of(name); got != want || got >= WaveCount {
			t.Errorf("%s: got wave %d, want %d", name, got, want)
		}
	}
}

func TestPagesGoAtOnce(t *testing.T) {
	for name, want := range map[string]bool{
		"a/index.html": true, "index.xml": true, "index.json": true, "notes.txt": true, "a.md": true,
		"a.jpg": false, "main.css": false, "main.js": false, "talk.pdf": false, "main." + hex64 + ".css": false,
	} {
		if got := ClassOf(name).IsPage(); got != want {
			t.Errorf("%s: got %t, want %t", name, got, want)
		}
	}
}

// TestClassesDoNotDependOnFolders checks that a name keeps its class below a folder.
func TestClassesDoNotDependOnFolders(t *testing.T) {
	names := []string{"index.xml", "a.css", "a.html", "a.png", "main." + hex64 + ".js", "_astro/a.js"}
	for _, name := range names {
		if got, want := ClassOf("ja/notes/"+name), ClassOf(name); got != want {
			t.Errorf("%s below a folder: got class %d, want %d", name, got, want)
		}
	}
	if !slices.ContainsFunc(names, func(name string) bool { return ClassOf(name) == Fingerprinted }) {
		t.Error("no name is fingerprinted")
	}
}
