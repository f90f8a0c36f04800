package s3

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// noType is what browsers download and do not show.
const noType = "application/octet-stream"

// contentType guesses a file's type by its extension.
//
// No documentation says how CodePipeline guesses. Its error messages are those of the AWS SDK for Java,
// and so this is that SDK's table, the rows that a blog can have: no charset on anything, so that a
// page must name its own; and application/octet-stream, which browsers download, for whatever the table
// lacks, such as .avif, .mjs, .wasm and .webmanifest. Unverified; which is why it is one function.
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

// guesses are what browsers may not take for what it is.
type guesses struct {
	noType, noCharset []string // keys
}

// needsCharset says of which types the file itself cannot say what its charset is: browsers take it for
// Windows-1252.
func needsCharset(kind string) bool {
	return slices.Contains([]string{"text/plain", "text/csv", "text/calendar"}, kind)
}

// add looks at an object that was uploaded.
func (g *guesses) add(key, kind string, notASCII bool) {
	switch {
	case kind == noType:
		g.noType = append(g.noType, key)
	case notASCII && needsCharset(kind):
		g.noCharset = append(g.noCharset, key)
	}
}

// tell words them: a line for each kind, and one with all names.
func (g *guesses) tell(objects int) (warnings, all []string) {
	for _, kind := range []struct {
		keys      []string
		published string
	}{
		{g.noType, "as " + noType + ", which browsers download and do not show or run"},
		{g.noCharset, "without a charset, in which browsers show all but ASCII garbled"},
	} {
		if len(kind.keys) == 0 {
			continue
		}
		slices.Sort(kind.keys)
		warnings = append(warnings, fmt.Sprintf("published %s, by the guess of CodePipeline's S3 action (unverified): %d of %d files, %s; the first is %s",
			kind.published, len(kind.keys), objects, extensions(kind.keys), kind.keys[0]))
		all = append(all, "published "+kind.published+": "+strings.Join(kind.keys, ", "))
	}
	return warnings, all
}

// extensions lists those of keys, as many as a person reads.
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
