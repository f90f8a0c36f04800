package viewerrequest

import (
	"net/url"
	"regexp"
	"strings"
)

// fileTypes are the extensions of files that sites serve. A name with any other extension is a page's:
// a version ("go-1.21.3"), a host name ("asp.net"), or a script ("old.php"), which no bucket runs, and
// whose address Hugo's aliases keep as a folder.
var fileTypes = []string{
	// Pages, scripts, style sheets and text.
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

// fileNames are the conventional names of files without an extension. Unlike extensions they are
// compared with their case: "/LICENSE" is a file, and "/license" a page. The first two are no names of
// files, but mean the folder itself and its parent.
var fileNames = []string{
	".", "..", ".nojekyll", ".htaccess", ".well-known",
	"apple-app-site-association", "_headers", "_redirects",
	"AUTHORS", "CHANGELOG", "CHANGES", "CNAME", "CODEOWNERS", "CONTRIBUTING", "CONTRIBUTORS", "COPYING", "COPYRIGHT",
	"LICENCE", "LICENSE", "LICENSE-APACHE", "LICENSE-MIT", "MAINTAINERS", "NOTICE", "README", "SECURITY", "THANKS",
	"UNLICENSE", "VERSION", "KEYS", "MD5SUMS", "SHA1SUMS", "SHA256SUMS", "SHA512SUMS",
	"Dockerfile", "Makefile",
}

// The two lists as patterns that mean the same in JavaScript and in Go.
var (
	fileTypePattern = `\.(?:` + strings.ReplaceAll(strings.Join(fileTypes, " "), " ", "|") + `)$`
	fileNamePattern = `^(?:` + strings.ReplaceAll(strings.Join(fileNames, "|"), ".", `\.`) + `)$`

	fileType = regexp.MustCompile(`(?i)` + fileTypePattern)
	fileName = regexp.MustCompile(fileNamePattern)

	encodedASCII = regexp.MustCompile(`%[2-7][0-9A-Fa-f]`)
)

// IsPage reports whether an encoded path is that of a page without its slash, such as "/posts/hello". Like
// the function, it tells a page from a file by the name alone.
func IsPage(path string) bool {
	name := encodedASCII.ReplaceAllStringFunc(path[strings.LastIndexByte(path, '/')+1:], func(encoded string) string {
		decoded, _ := url.PathUnescape(encoded) // It never fails for what matches.
		return decoded
	})
	return name != "" && !fileType.MatchString(name) && !fileName.MatchString(name) && !isWellKnown(path)
}

// IsFolder reports whether a path is that of a page with its slash.
func IsFolder(path string) bool { return strings.HasSuffix(path, "/") && !isWellKnown(path) }

func isWellKnown(path string) bool { return strings.HasPrefix(path, "/.well-known/") }
