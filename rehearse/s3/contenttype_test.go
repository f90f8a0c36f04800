package s3

import (
	"strings"
	"testing"
)

// TestDeployTellsOfTypes checks the warnings about types that browsers may handle wrongly.
func TestDeployTellsOfTypes(t *testing.T) {
	s := startServer(t)
	createBucket(t, s, "blog")
	site := artifact(t,
		file{name: "index.html", content: "日本"}, file{name: "style.css", content: "/* 日本 */"}, file{name: "robots.txt", content: "ascii"},
		file{name: "llms.txt", content: strings.Repeat("a", 70000) + "日本"}, file{name: "data.csv", content: "é"},
		file{name: "lib.wasm"}, file{name: "b/app.mjs"}, file{name: "a/app.MJS"}, file{name: "CNAME"})
	result, err := Deploy(t.Context(), s.Client(), Action{Configuration: config()}, site)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{
		"published as application/octet-stream, which browsers download and do not show or run: 4 of 9 files (.mjs .wasm without an extension; the first is CNAME). CodePipeline's S3 action chooses the type by the extension (unverified)",
		"published without a charset, so that browsers garble all characters but ASCII: 2 of 9 files (.csv .txt; the first is data.csv).",
	} {
		if len(result.Warnings) != 2 || !strings.HasPrefix(result.Warnings[i], want) {
			t.Errorf("warnings: got %q, want %q", result.Warnings, want)
		}
	}
	if len(result.Types) != 2 || !strings.HasSuffix(result.Types[0], ": CNAME, a/app.MJS, b/app.mjs, lib.wasm") {
		t.Errorf("types: got %q", result.Types)
	}
	if got, want := extensions(strings.Fields("x.a x.b x.c x.d x.e x.f x.g x.h x.i x.j x.k x.l x.m x.n")), ".a .b .c .d .e .f .g .h .i .j .k .l and 2 more extensions"; got != want {
		t.Errorf("extensions: got %q, want %q", got, want)
	}
}

func TestContentType(t *testing.T) {
	tests := map[string]string{
		"index.html":              "text/html", // No charset: the page's own <meta charset> decides.
		"PHOTO.JPG":               "image/jpeg",
		"posts/index.xml":         "application/xml",
		"feed.rss":                "application/rss+xml",
		"css/main.min.0a1b2c.css": "text/css",
		"js/app.js":               "application/javascript",
		"fonts/a.woff2":           "font/woff2",
		"favicon.ico":             "image/x-icon",
		"logo.svg":                "image/svg+xml",
		"robots.txt":              "text/plain",
		"index.json":              "application/json",
		"image.webp":              "image/webp",
		"image.avif":              "application/octet-stream",
		"site.webmanifest":        "application/octet-stream",
		"CNAME":                   "application/octet-stream",
		"v1.2/README":             "application/octet-stream",
		".nojekyll":               "application/octet-stream",
		"html":                    "application/octet-stream",
	}
	for name, want := range tests {
		if got := contentType(name); got != want {
			t.Errorf("contentType(%q): got %q, want %q", name, got, want)
		}
	}
}
