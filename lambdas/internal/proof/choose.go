package proof

import (
	"path"
	"slices"
	"strings"

	"blog-deploy-pipeline/lambdas/internal/changes"
	"blog-deploy-pipeline/lambdas/internal/filetype"
	"blog-deploy-pipeline/lambdas/internal/release"
	"blog-deploy-pipeline/lambdas/siteurl"
)

const (
	// maxFiles is how many changed files are looked at besides the home page. At least
	// minAssets of them are no pages, if there are so many.
	maxFiles  = 20
	minAssets = 5
	// maxRemoved is how many files are looked at that have left the blog.
	maxRemoved = 2
	// maxSize is the length in bytes above which a file is not looked at.
	maxSize = 8 << 20
)

// target is a file that readers must have, or must no longer have.
type target struct {
	key string
	// paths are those at which the distribution may serve it. The first one is the
	// readers'.
	paths []string
	// file is what readers must get; not if it has left.
	file    release.File
	removed bool
}

// choose returns what is looked at: the home page, changed pages, other changed files, and
// what has left. Of many it takes some from the beginning to the end of the list.
func choose(p changes.Published, blog changes.Settings) []target {
	home := "index.html"
	if blog.KeyPrefix != "" {
		home = blog.KeyPrefix + "/" + home
	}
	var pages, assets []string
	for _, key := range p.Changed {
		switch {
		case key == home, p.Files[key].Size > maxSize, !hasExtension(key):
		case filetype.ClassOf(key).IsPage():
			pages = append(pages, key)
		default:
			assets = append(assets, key)
		}
	}
	assets = spread(assets, max(maxFiles-len(pages), minAssets))
	pages = spread(pages, maxFiles-len(assets))
	var targets []target
	add := func(removed bool, keys ...string) {
		for _, key := range keys {
			if paths := paths(blog, key); len(paths) > 0 {
				targets = append(targets, target{key, paths, p.Files[key], removed})
			}
		}
	}
	if file, ok := p.Files[home]; ok && file.Size <= maxSize {
		add(false, home)
	}
	add(false, pages...)
	add(false, assets...)
	add(true, spread(p.Removed, maxRemoved)...)
	return targets
}

// hasExtension reports whether a file's name has one. Many functions at the edge take a
// name without one for that of a page, and redirect or rewrite it. No reader opens it.
func hasExtension(key string) bool { return strings.LastIndex(path.Base(key), ".") > 0 }

// paths returns where the distribution serves a file. The function of a Site makes
// "/a/index.html" of "/a/", so readers must get the page there; another distribution may
// serve it under its own name only.
func paths(blog changes.Settings, key string) []string {
	all := siteurl.Of(blog.Addresses, blog.KeyPrefix, key)
	// S3 reads a plus as a space; its other spelling works everywhere.
	all = slices.DeleteFunc(all, func(path string) bool { return strings.Contains(path, "+") })
	if blog.Addresses.Tags {
		return all[:min(len(all), 1)]
	}
	return all[:min(len(all), 2)]
}

// spread returns at most n of the keys, at equal distances.
func spread(keys []string, n int) []string {
	if len(keys) <= n {
		return keys
	}
	some := make([]string, n)
	for i := range some {
		some[i] = keys[i*len(keys)/n]
	}
	return some
}
