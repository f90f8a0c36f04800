package publication

import (
	"cmp"
	"slices"
	"strings"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/filetype"
	"blog-deploy-pipeline/lambdas/internal/release"
	"blog-deploy-pipeline/lambdas/pathpattern"
)

// headers returns the headers of a file: those of the first rule that matches it, and for
// what that leaves empty those of the file's type.
func (s Settings) headers(name string) release.Headers {
	var rule contract.HeaderRule
	if i := slices.IndexFunc(s.Headers, func(r contract.HeaderRule) bool { return pathpattern.Matches(r.Match, name) }); i >= 0 {
		rule = s.Headers[i]
	}
	headers := release.Headers{
		ContentType:        cmp.Or(rule.ContentType, filetype.ContentType(name)),
		CacheControl:       cmp.Or(rule.CacheControl, filetype.ClassOf(name).CacheControl()),
		ContentLanguage:    rule.ContentLanguage,
		ContentDisposition: rule.ContentDisposition,
	}
	for key, value := range rule.Metadata {
		if headers.Metadata == nil {
			headers.Metadata = map[string]string{}
		}
		headers.Metadata[strings.ToLower(key)] = value // as S3 does
	}
	return headers
}

// metadata returns the metadata with which a file is stored: the owner's, and the cache
// tag of its release beside those of the owner.
func metadata(headers release.Headers, tag string) map[string]string {
	all := map[string]string{contract.MetadataCacheTag: tag}
	for key, value := range headers.Metadata {
		if key == contract.MetadataCacheTag {
			value += "," + tag
		}
		all[key] = value
	}
	return all
}
