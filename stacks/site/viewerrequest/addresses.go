package viewerrequest

import "strings"

const indexPage = "index.html"

// Addresses returns the paths that CloudFront has to clear, so that all readers get what is new at path, which is
// encoded, has no query, and may end with "*". For "/a/" these are "/a/" and "/a/index.html" and, where a page is
// served without its slash, "/a". AWS asks for both what readers ask for and what a function has made of it, and
// says of no other spelling of a plus that it is the same.
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
	case hasStar && strings.HasPrefix(indexPage, begun): // "/a/*", "/a/in*"
		add(path)
		if begun != "" {
			add(folder)
		}
	case !hasStar && (name == "" || name == indexPage):
		add(folder, folder+indexPage)
	case !hasStar && IsPage(path):
		folder = path + "/"
		add(folder, folder+indexPage)
	default:
		add(path)
		return addresses
	}
	if bare := strings.TrimSuffix(folder, "/"); s.MissingSlash == Rewrite && bare != "" && IsPage(bare) {
		add(bare)
	}
	return addresses
}
