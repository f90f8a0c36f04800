package s3

import (
	"path"
	"strings"
)

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
	return "application/octet-stream"
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
