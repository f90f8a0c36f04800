package filetype

import (
	"path"
	"strings"
)

// types has the extensions of each content type. Browsers and CloudFront go by the type:
// a module or a style sheet with another one is not used, and CloudFront compresses the
// types of its list only. So a type that is on that list is preferred to a newer name.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/ServingCompressedFiles.html
var types = map[string]string{
	// Pages, styles, scripts and data.
	"text/html":                 "html htm",
	"application/xhtml+xml":     "xhtml xht",
	"text/css":                  "css",
	"text/javascript":           "js mjs cjs",
	"application/json":          "json map json5 jsonc har ipynb excalidraw",
	"application/ld+json":       "jsonld",
	"application/geo+json":      "geojson",
	"application/jsonl":         "jsonl ndjson",
	"application/manifest+json": "webmanifest",
	"application/wasm":          "wasm",
	"application/xml":           "xml xsl xslt xsd opml kml gpx drawio",
	"application/rss+xml":       "rss",
	"application/atom+xml":      "atom",
	"application/rdf+xml":       "rdf",
	"application/yaml":          "yaml yml",
	"application/toml":          "toml",
	// Text.
	"text/plain": "txt text log ini conf cfg rst adoc org tex bib sql diff patch asc sha1 sha256 sha512 md5 srt " +
		"c h cc cpp hpp cs go java kt kts lua py r rb rs scss sass less swift tsx jsx vim zig clj dart el erl ex exs " +
		"hcl hs jl nix php pl proto ps1 scala sh bash zsh bat tf vue svelte",
	"text/markdown":             "md markdown mdx",
	"text/csv":                  "csv",
	"text/tab-separated-values": "tsv",
	"text/calendar":             "ics",
	"text/vcard":                "vcf",
	"text/vtt":                  "vtt",
	// Images.
	"image/svg+xml":             "svg svgz",
	"image/png":                 "png",
	"image/apng":                "apng",
	"image/jpeg":                "jpg jpeg jfif",
	"image/gif":                 "gif",
	"image/webp":                "webp",
	"image/avif":                "avif",
	"image/jxl":                 "jxl",
	"image/heic":                "heic",
	"image/heif":                "heif",
	"image/bmp":                 "bmp",
	"image/tiff":                "tif tiff",
	"image/x-icon":              "ico cur",
	"image/vnd.adobe.photoshop": "psd",
	// Fonts.
	"font/woff":                     "woff",
	"font/woff2":                    "woff2",
	"font/ttf":                      "ttf",
	"font/otf":                      "otf",
	"font/collection":               "ttc",
	"application/vnd.ms-fontobject": "eot",
	// Sound and film.
	"audio/mpeg":                    "mp3",
	"audio/mp4":                     "m4a m4b",
	"audio/aac":                     "aac",
	"audio/aiff":                    "aif aiff",
	"audio/flac":                    "flac",
	"audio/midi":                    "mid midi",
	"audio/ogg":                     "oga ogg opus",
	"audio/wav":                     "wav",
	"audio/webm":                    "weba",
	"video/mp4":                     "mp4 m4v",
	"video/mpeg":                    "mpeg mpg",
	"video/ogg":                     "ogv",
	"video/webm":                    "webm",
	"video/quicktime":               "mov",
	"video/x-msvideo":               "avi",
	"video/x-matroska":              "mkv",
	"video/3gpp":                    "3gp",
	"video/mp2t":                    "ts", // A site has films' segments, and seldom TypeScript.
	"application/vnd.apple.mpegurl": "m3u8 m3u",
	"application/dash+xml":          "mpd",
	// Models and maps.
	"model/gltf-binary":                  "glb",
	"model/gltf+json":                    "gltf",
	"model/obj":                          "obj",
	"model/stl":                          "stl",
	"model/vnd.usdz+zip":                 "usdz",
	"application/vnd.google-earth.kmz":   "kmz",
	"application/vnd.pmtiles":            "pmtiles",
	"application/vnd.mapbox-vector-tile": "mvt pbf",
	// Documents.
	"application/pdf":               "pdf",
	"application/postscript":        "ps eps",
	"application/rtf":               "rtf",
	"application/epub+zip":          "epub",
	"application/msword":            "doc",
	"application/vnd.ms-excel":      "xls",
	"application/vnd.ms-powerpoint": "ppt pps",
	"application/vnd.openxmlformats-officedocument.wordprocessingml.document":   "docx",
	"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":         "xlsx",
	"application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
	"application/vnd.openxmlformats-officedocument.presentationml.slideshow":    "ppsx",
	"application/vnd.oasis.opendocument.text":                                   "odt",
	"application/vnd.oasis.opendocument.spreadsheet":                            "ods",
	"application/vnd.oasis.opendocument.presentation":                           "odp",
	// Archives and programs. All else is offered for download, too.
	"application/zip":                         "zip",
	"application/gzip":                        "gz tgz",
	"application/x-tar":                       "tar",
	"application/x-7z-compressed":             "7z",
	"application/zstd":                        "zst",
	"application/x-bzip2":                     "bz2",
	"application/x-xz":                        "xz",
	"application/java-archive":                "jar",
	"application/vnd.android.package-archive": "apk",
	"application/x-apple-aspen-config":        "mobileconfig",
	"application/x-bittorrent":                "torrent",
}

// names has the types of files whose names say more than their extension.
var names = map[string]string{
	// Apple's devices want JSON: https://developer.apple.com/documentation/xcode/supporting-associated-domains
	"apple-app-site-association": "application/json",
	"_headers":                   "text/plain",
	"_redirects":                 "text/plain",
}

// byExtension is types the other way round.
var byExtension = func() map[string]string {
	m := map[string]string{}
	for contentType, extensions := range types {
		for extension := range strings.FieldsSeq(extensions) {
			m[extension] = contentType
		}
	}
	return m
}()

// ContentType returns the Content-Type of a file by its name alone. Text is in UTF-8, as
// Hugo writes it. XML says itself how it is encoded, and JSON is always in UTF-8.
func ContentType(name string) string {
	base := path.Base(name)
	contentType := names[base]
	if contentType == "" {
		contentType = byExtension[extension(name)]
	}
	// A name in capitals without an extension is that of a text: LICENSE, CNAME, README.
	if contentType == "" && base == strings.ToUpper(base) && base != strings.ToLower(base) && !strings.Contains(base, ".") {
		contentType = "text/plain"
	}
	switch {
	case contentType == "":
		return "application/octet-stream"
	case strings.HasPrefix(contentType, "text/"):
		return contentType + "; charset=utf-8"
	default:
		return contentType
	}
}

// extension returns what follows the last dot of a file's name, in lower case.
func extension(name string) string {
	return strings.ToLower(strings.TrimPrefix(path.Ext(name), "."))
}
