package viewerrequest

import (
	"net/url"
	"regexp"
	"strings"
)

// fileTypes are the extensions of what sites serve as files. With any other a name is a page's: versions
// ("go-1.21.3"), names of hosts ("asp.net"), and scripts of servers ("old.php"), which no bucket runs, and
// whose addresses Hugo's aliases keep as folders.
var fileTypes = []string{
	// Pages, and what they are made of.
	"html htm xhtml css js mjs cjs map wasm json jsonc json5 jsonl jsonld geojson webmanifest manifest xml xsl xslt xsd",
	"rss atom rdf opml txt text md markdown rst adoc csv tsv ics vcf vtt srt cast",
	"pagefind pf_meta pf_index pf_fragment pf_filter",
	// Images.
	"apng avif bmp cur gif heic heif ico jpg jpeg jfif jxl png psd svg svgz tif tiff webp drawio excalidraw",
	// Fonts.
	"eot otf ttf ttc woff woff2",
	// Sound and film.
	"3gp aac aif aiff avi flac flv m3u m3u8 m4a m4b m4v mid midi mkv mov mp3 mp4 mpd mpg mpeg",
	"oga ogg ogv opus swf wav weba webm wma wmv",
	// Documents.
	"pdf ps eps rtf doc docx xls xlsx ppt pptx pps ppsx odt ods odp odg tex bib epub mobi azw3 djvu ipynb log",
	// Archives and programs.
	"7z br bz2 gz tgz tbz txz xz zst lzma rar tar zip jar apk ipa deb rpm dmg pkg msi exe bin iso img",
	"appimage whl gem crx xpi vsix torrent war mobileconfig",
	// Data, models and maps.
	"yaml yml toml ini conf cfg sql db sqlite parquet npy npz data dat pcap pcapng eml onnx tflite gguf glb gltf fbx obj stl usdz dwg dxf",
	"kml kmz gpx pbf pmtiles",
	// Source code.
	"c h cc cpp hpp cs go java kt kts lua patch diff ps1 py r rb rs scss sass sh bat swift ts tsx jsx vim zig",
	"clj dart el erl ex exs hcl hs jl nix proto scala",
	// Keys and checksums.
	"asc sig gpg pgp key pem crt cer der pub p12 pfx sha1 sha256 sha512 md5",
}

// fileNames are those of files that have no extension, because somebody else says what they are called.
// Unlike extensions they are in this case only: "/LICENSE" is a file, "/license" a page. The first two are
// no names at all, but the folder itself and the one above.
var fileNames = []string{
	".", "..", ".nojekyll", ".htaccess", ".well-known",
	"apple-app-site-association", "_headers", "_redirects",
	"AUTHORS", "CHANGELOG", "CHANGES", "CNAME", "CODEOWNERS", "CONTRIBUTING", "CONTRIBUTORS", "COPYING", "COPYRIGHT",
	"LICENCE", "LICENSE", "LICENSE-APACHE", "LICENSE-MIT", "MAINTAINERS", "NOTICE", "README", "SECURITY", "THANKS",
	"UNLICENSE", "VERSION", "KEYS", "MD5SUMS", "SHA1SUMS", "SHA256SUMS", "SHA512SUMS",
	"Dockerfile", "Makefile",
}

// The two lists as JavaScript and Go both read them.
var (
	fileTypePattern = `\.(?:` + strings.ReplaceAll(strings.Join(fileTypes, " "), " ", "|") + `)$`
	fileNamePattern = `^(?:` + strings.ReplaceAll(strings.Join(fileNames, "|"), ".", `\.`) + `)$`

	fileType = regexp.MustCompile(`(?i)` + fileTypePattern)
	fileName = regexp.MustCompile(fileNamePattern)

	encodedASCII = regexp.MustCompile(`%[2-7][0-9A-Fa-f]`)
)

// IsPage reports whether an encoded path is that of a page without its slash, such as "/posts/hello", as the
// function tells it from a file's: by its name alone.
func IsPage(path string) bool {
	name := encodedASCII.ReplaceAllStringFunc(path[strings.LastIndexByte(path, '/')+1:], func(encoded string) string {
		decoded, _ := url.PathUnescape(encoded) // Never fails.
		return decoded
	})
	return name != "" && !fileType.MatchString(name) && !fileName.MatchString(name) && !isWellKnown(path)
}

// IsFolder reports whether a path is that of a page, with its slash.
func IsFolder(path string) bool { return strings.HasSuffix(path, "/") && !isWellKnown(path) }

func isWellKnown(path string) bool { return strings.HasPrefix(path, "/.well-known/") }
