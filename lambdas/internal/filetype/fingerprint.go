package filetype

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// isFingerprinted reports whether a file's name changes with its content. Browsers keep
// such a file for a year and nobody can take it back, so a name is one of these only if it
// can hardly be anything else. A fingerprint that is not recognised costs a question to
// the edge location.
func isFingerprinted(name string) bool {
	ext, base := extension(name), path.Base(name)
	isCode, isMedia := slices.Contains(code, ext), slices.Contains(media, ext)
	if !isCode && !isMedia {
		return false
	}
	// These folders have such files alone, say SvelteKit, Astro and Next.js.
	for _, folder := range []string{"/_app/immutable/", "/_astro/", "/_next/static/"} {
		if strings.Contains("/"+name, folder) {
			return true
		}
	}
	if isMedia && hugoImage.MatchString(base) {
		return true
	}
	stem := stem(base)
	if i := strings.LastIndexAny(stem, "._-"); i > 0 && isHash(stem[i+1:]) {
		// People name images after hashes of other things, too, but they write no dot before it.
		return len(stem[i+1:]) >= 32 || isCode || stem[i] == '.'
	}
	i := len(stem) - base64Length - 1
	return isCode && bundlerFolder.MatchString(name) && i > 0 && strings.ContainsRune(".-", rune(stem[i])) && isBase64(stem[i+1:])
}

// code has the extensions of what bundlers name after its content in most projects, and
// media those of what else they do.
var (
	code  = strings.Fields("css js mjs map wasm woff woff2 ttf otf eot")
	media = strings.Fields("svg png jpg jpeg gif webp avif ico mp3 mp4 webm")
)

// stem returns a file's name without its extensions.
func stem(base string) string {
	base = strings.TrimSuffix(base, path.Ext(base))
	for {
		ext := path.Ext(base)
		if !slices.Contains([]string{".js", ".mjs", ".css", ".min", ".chunk", ".bundle", ".module", ".lean"}, ext) {
			return base
		}
		base = strings.TrimSuffix(base, ext)
	}
}

var (
	// bundlerFolder is where Vite, VitePress and Nuxt write.
	bundlerFolder = regexp.MustCompile(`(^|/)(assets|chunks|_nuxt)/[^/]*$`)
	// hugoImage matches what Hugo's image processing makes: "a_hu_2cae7d7cae0312a8.webp", and
	// before 0.139 "a_hu2cae7d7cae0312a8f1_12345_600x0_resize_q75_box.jpg".
	hugoImage = regexp.MustCompile(`_hu(_[0-9a-f]{15,16}\.|[0-9a-f]{16,32}_\d+_\d+x\d+_)`)
)

// hashLengths are the hexadecimal digits of the fingerprints that Hugo, webpack, Parcel,
// esbuild, mdBook, Gatsby and Angular write. Those of git, 7 and 40, are not among them.
var hashLengths = []int{8, 10, 16, 20, 32, 64, 96, 128}

// isHash reports whether a part of a name is a hash in hexadecimal, and no date, number or
// word.
func isHash(part string) bool {
	letters, digits := count(part, "abcdef"), count(part, "0123456789")
	return slices.Contains(hashLengths, len(part)) && letters >= 2 && digits >= 2 && letters+digits == len(part)
}

// base64Length is the length of the fingerprints that Rollup and Vite write.
const base64Length = 8

// isBase64 reports whether a part of a name is such a fingerprint, and no name such as
// "MathJax3".
func isBase64(part string) bool {
	return base64URL.MatchString(part) && !camelCase.MatchString(part) &&
		count(part, "0123456789") > 0 && part != strings.ToUpper(part) && part != strings.ToLower(part)
}

var (
	base64URL = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
	camelCase = regexp.MustCompile(`^[A-Z]?[a-z]{2,}[0-9]*([A-Z][a-z]{2,}[0-9]*)*$`)
)

func count(text, characters string) (n int) {
	for _, r := range text {
		if strings.ContainsRune(characters, r) {
			n++
		}
	}
	return n
}
