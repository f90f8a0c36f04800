package s3

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"blog-deploy-pipeline/rehearse/amount"
)

// noType is the Content-Type of files that browsers download and do not show.
const noType = "application/octet-stream"

// contentType returns the Content-Type that CodePipeline derives from a file's extension.
//
// AWS does not document how CodePipeline does that. Its error messages are those of the AWS SDK for Java, so this
// function uses the rows of that SDK's table that concern blogs. No type has a charset, so a page must name its own.
// A file with another extension, such as .avif, .mjs, .wasm or .webmanifest, is application/octet-stream. This is
// unverified, and therefore in one function.
//
// https://github.com/aws/aws-sdk-java-v2/blob/master/core/sdk-core/src/main/resources/software/amazon/awssdk/core/util/mime.types
func contentType(name string) string {
	extension := strings.ToLower(strings.TrimPrefix(path.Ext(name), "."))
	if guess, ok := typesByExtension[extension]; ok {
		return guess
	}
	return noType
}

var typesByExtension = map[string]string{
	"atom":  "application/atom+xml",
	"css":   "text/css",
	"csv":   "text/csv",
	"eot":   "application/vnd.ms-fontobject",
	"epub":  "application/epub+zip",
	"gif":   "image/gif",
	"gz":    "application/gzip",
	"htm":   "text/html",
	"html":  "text/html",
	"ico":   "image/x-icon",
	"ics":   "text/calendar",
	"jpeg":  "image/jpeg",
	"jpg":   "image/jpeg",
	"js":    "application/javascript",
	"json":  "application/json",
	"m4a":   "audio/mp4",
	"m4v":   "video/x-m4v",
	"mov":   "video/quicktime",
	"mp3":   "audio/mpeg",
	"mp4":   "video/mp4",
	"ogg":   "audio/ogg",
	"opml":  "text/x-opml",
	"otf":   "font/otf",
	"pdf":   "application/pdf",
	"png":   "image/png",
	"rss":   "application/rss+xml",
	"svg":   "image/svg+xml",
	"tif":   "image/tiff",
	"tiff":  "image/tiff",
	"ttf":   "font/ttf",
	"txt":   "text/plain",
	"wav":   "audio/x-wav",
	"webm":  "video/webm",
	"webp":  "image/webp",
	"woff":  "font/woff",
	"woff2": "font/woff2",
	"xhtml": "application/xhtml+xml",
	"xml":   "application/xml",
	"xsl":   "application/xml",
	"xslt":  "application/xslt+xml",
	"zip":   "application/zip",
}

// guesses collects the keys of objects whose Content-Type browsers may handle wrongly.
type guesses struct{ noType, noCharset []string }

// needsCharset reports whether files of a type cannot name their charset. Browsers then assume Windows-1252.
func needsCharset(kind string) bool {
	return slices.Contains([]string{"text/plain", "text/csv", "text/calendar"}, kind)
}

// add records an uploaded object if its type is a problem.
func (g *guesses) add(key, kind string, notASCII bool) {
	switch {
	case kind == noType:
		g.noType = append(g.noType, key)
	case notASCII && needsCharset(kind):
		g.noCharset = append(g.noCharset, key)
	}
}

// tell returns a warning for each kind of problem, and a text for each kind with all keys.
func (g *guesses) tell(objects int) (warnings, all []string) {
	for _, kind := range []struct {
		keys      []string
		published string
	}{
		{g.noType, "as " + noType + ", which browsers download and do not show or run"},
		{g.noCharset, "without a charset, so that browsers garble all characters but ASCII"},
	} {
		if len(kind.keys) == 0 {
			continue
		}
		slices.Sort(kind.keys)
		warnings = append(warnings, fmt.Sprintf("published %s: %s of %s (%s; the first is %s). CodePipeline's S3 action chooses the type by the extension (unverified)",
			kind.published, amount.Number(len(kind.keys)), amount.Count(objects, "file"), extensions(kind.keys), kind.keys[0]))
		all = append(all, "published "+kind.published+": "+strings.Join(kind.keys, ", "))
	}
	return warnings, all
}

// extensions lists the extensions of keys, but at most 12.
func extensions(keys []string) string {
	const most = 12
	var found []string
	for _, key := range keys {
		extension := strings.ToLower(path.Ext(key))
		if extension == "" {
			extension = "without an extension"
		}
		found = append(found, extension)
	}
	slices.Sort(found)
	found = slices.Compact(found)
	if n := len(found); n > most {
		return strings.Join(found[:most], " ") + fmt.Sprintf(" and %d more extensions", n-most)
	}
	return strings.Join(found, " ")
}
