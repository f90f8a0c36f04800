// Package siteurl says at which addresses a distribution serves an object of a blog's
// bucket. Addresses are paths as CloudFront's invalidations want them.
//
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html
package siteurl

import (
	"strings"

	"blog-deploy-pipeline/lambdas/contract"
)

// indexPage is the file of a page's folder.
const indexPage = "index.html"

// Of returns the addresses of an object, or nil if its key is not below keyPrefix. AWS
// wants both the path that readers request and the one that a function makes of it, so
// the page "a/index.html" has "/a/" and "/a/index.html", and "/a" if addresses are bare.
//
// CloudFront can clear no path that has "~" or "*" in it, encoded or not. An address with
// one of them is only cleared by a wildcard before it, or by a tag.
func Of(a contract.Addresses, keyPrefix, key string) []string {
	if keyPrefix != "" {
		var isBelow bool
		if key, isBelow = strings.CutPrefix(key, keyPrefix+"/"); !isBelow {
			return nil
		}
	}
	path := basePath(a) + encode(key)
	folder, isPage := strings.CutSuffix(path, "/"+indexPage)
	if !isPage {
		return Spellings(path)
	}
	paths := []string{folder + "/", path}
	if a.Bare && folder != "" {
		paths = append(paths, folder)
	}
	return Spellings(paths...)
}

// Everything returns the path with which all addresses of a blog begin, and "*".
func Everything(a contract.Addresses) string {
	base := basePath(a)
	if a.Bare && base != "/" {
		base = strings.TrimSuffix(base, "/")
	}
	return base + "*"
}

func basePath(a contract.Addresses) string { return strings.TrimSuffix(a.BasePath, "/") + "/" }

// Spellings returns encoded paths, and those with a plus sign in both of its spellings: S3
// reads a plus as a space, so functions encode it, and AWS does not say that the two are
// one path.
func Spellings(paths ...string) []string {
	var all []string
	for _, path := range paths {
		plain := strings.NewReplacer("%2b", "+", "%2B", "+").Replace(path)
		if encoded := strings.ReplaceAll(plain, "+", "%2B"); encoded != plain {
			all = append(all, plain, encoded)
		} else {
			all = append(all, path)
		}
	}
	return all
}

// encode encodes "?", what is not ASCII, and what is unsafe by RFC 1738 except for "~". Of
// others AWS says: "Do not URL-encode any other characters in the path, or CloudFront will
// not invalidate the old version of the updated file."
func encode(path string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for _, c := range []byte(path) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte("<>\"#?%{}|\\^[]`", c) >= 0 {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
