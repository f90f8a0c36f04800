package viewerrequest

import "strings"

// IndexPage is the file that Hugo writes for a page, and for the home page.
const IndexPage = "index.html"

// Addresses returns the paths that CloudFront has to clear so that every reader gets what is new at
// path. The path is URL-encoded, has no query string, and may end with "*". For "/a/" these are "/a/"
// and "/a/index.html", and with [Rewrite] also "/a": AWS wants both the path that readers request and
// the one that a function makes of it. A plus sign is cleared in both of its spellings, because AWS
// does not say that they are one path.
//
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html
func (s Settings) Addresses(path string) []string {
	var addresses []string
	add := func(paths ...string) {
		for _, p := range paths {
			plain := strings.ReplaceAll(strings.ReplaceAll(p, "%2b", "+"), "%2B", "+")
			if encoded := strings.ReplaceAll(plain, "+", "%2B"); encoded != plain {
				addresses = append(addresses, plain, encoded)
			} else {
				addresses = append(addresses, p)
			}
		}
	}
	slash := strings.LastIndexByte(path, '/') + 1
	folder, name := path[:slash], path[slash:]
	begun, hasStar := strings.CutSuffix(name, "*")
	switch {
	case isWellKnown(path):
		add(path)
		return addresses
	case hasStar && strings.HasPrefix(IndexPage, begun): // "/a/*", "/a/in*"
		add(path)
		if begun != "" {
			add(folder)
		}
	case !hasStar && (name == "" || name == IndexPage):
		add(folder, folder+IndexPage)
	case !hasStar && IsPage(path):
		folder = path + "/"
		add(folder, folder+IndexPage)
	default:
		add(path)
		return addresses
	}
	if bare := strings.TrimSuffix(folder, "/"); s.MissingSlash == Rewrite && bare != "" && IsPage(bare) {
		add(bare)
	}
	return addresses
}
