package viewerrequest

import (
	"strings"

	"blog-deploy-pipeline/lambdas/siteurl"
)

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
	slash := strings.LastIndexByte(path, '/') + 1
	folder, name := path[:slash], path[slash:]
	begun, hasStar := strings.CutSuffix(name, "*")
	paths := []string{path}
	switch {
	case isWellKnown(path):
		return siteurl.Spellings(path)
	case hasStar && begun == "": // "/a/*"
	case hasStar && strings.HasPrefix(IndexPage, begun): // "/a/in*"
		paths = append(paths, folder)
	case !hasStar && (name == "" || name == IndexPage):
		paths = []string{folder, folder + IndexPage}
	case !hasStar && IsPage(path):
		folder = path + "/"
		paths = []string{folder, folder + IndexPage}
	default:
		return siteurl.Spellings(path)
	}
	if bare := strings.TrimSuffix(folder, "/"); s.MissingSlash == Rewrite && bare != "" && IsPage(bare) {
		paths = append(paths, bare)
	}
	return siteurl.Spellings(paths...)
}
