package publication

import (
	"fmt"
	"slices"
	"strings"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/archive"
	"blog-deploy-pipeline/lambdas/internal/failure"
	"blog-deploy-pipeline/lambdas/internal/filetype"
	"blog-deploy-pipeline/lambdas/internal/redact"
	"blog-deploy-pipeline/lambdas/internal/release"
)

const (
	// home is the page without which no blog is published.
	home = "index.html"
	// minDeletions is the number of files that may always leave a blog at once.
	minDeletions = 20
	// maxKey limits a key in S3, in bytes.
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
	maxKey = 1024
	// maxMetadata limits an object's user-defined metadata, and again its other headers,
	// in bytes.
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
	maxMetadata = 2 << 10
	// maxNamed limits how many files a refusal names, and maxName how much of each name, in
	// characters.
	maxNamed, maxName = 5, 200
)

// refuse returns why a plan must not be carried out, or nil.
func (s situation) refuse(p plan, allowDeletions bool) *failure.Failure {
	for _, problem := range []string{s.noHome(), s.longKeys(), s.longHeaders(p), s.deletions(p, allowDeletions)} {
		if problem != "" {
			return &failure.Failure{Kind: failure.Configuration, Message: "nothing was published: " + problem}
		}
	}
	return nil
}

// noHome refuses a build that has gone wrong without an error.
func (s situation) noHome() string {
	i := slices.IndexFunc(s.files, func(f archive.File) bool { return f.Name == home })
	switch {
	case i < 0:
		return fmt.Sprintf("the build has %d files, and no %s among them. Look at the log of the Build stage, and check which folder the buildspec names as its artifact", len(s.files), home)
	case s.files[i].Size == 0:
		return fmt.Sprintf("the build's %s is empty. Look at the log of the Build stage", home)
	}
	return ""
}

// longKeys refuses files that S3 does not store.
func (s situation) longKeys() string {
	var long []string
	for _, file := range s.files {
		if key := s.settings.prefix() + file.Name; len(key) > maxKey {
			long = append(long, key)
		}
	}
	if len(long) == 0 {
		return ""
	}
	return fmt.Sprintf("%s longer than S3's %d bytes: %s. Shorten the paths", count(long, "file has a key", "files have keys"), maxKey, named(long))
}

// longHeaders refuses headers that S3 does not store.
func (s situation) longHeaders(p plan) string {
	var long []string
	for _, put := range p.puts {
		h, size := put.headers, 0
		for key, value := range metadata(h, release.CacheTag(s.state.Target)) {
			size += len(key) + len(value)
		}
		if size > maxMetadata || len(h.ContentType)+len(h.CacheControl)+len(h.ContentLanguage)+len(h.ContentDisposition) > maxMetadata {
			long = append(long, put.key)
		}
	}
	if len(long) == 0 {
		return ""
	}
	return fmt.Sprintf("%s longer than S3's %d bytes: %s. Shorten them in the blog's Deploy.Headers",
		count(long, "file has headers or metadata", "files have headers or metadata"), maxMetadata, named(long))
}

// deletions refuses a build from which too much is missing. Files with a fingerprint do
// not count, because their names change with their contents.
func (s situation) deletions(p plan, allow bool) string {
	if allow || s.manifest == nil {
		return ""
	}
	counts := func(key string) bool {
		return filetype.ClassOf(strings.TrimPrefix(key, s.settings.prefix())) != filetype.Fingerprinted
	}
	var left []string
	for _, key := range p.left {
		if counts(key) {
			left = append(left, key)
		}
	}
	total := 0
	for key := range s.manifest.Files {
		if counts(key) {
			total++
		}
	}
	if len(left) < minDeletions || len(left)*100 <= total*s.settings.MaxDeletePercent {
		return ""
	}
	return fmt.Sprintf("%d of the blog's %d files that keep their names are missing from the build and would be removed, which is more than the %d %% of the blog's Deploy.MaxDeletePercent: %s. "+
		"If the build is right, start the pipeline with the variable %s=%s, which allows it once; a pipeline of the type V1 has no variables, so raise MaxDeletePercent for one deployment",
		len(left), total, s.settings.MaxDeletePercent, named(left), contract.VariableAllowDeletions, contract.AllowDeletionsYes)
}

// count returns how many keys there are, and what they are.
func count(keys []string, one, many string) string {
	if len(keys) == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", len(keys), many)
}

// named returns the first of some keys.
func named(keys []string) string {
	var first []string
	for _, key := range keys[:min(len(keys), maxNamed)] {
		first = append(first, redact.Cut(key, maxName))
	}
	text := strings.Join(first, ", ")
	if more := len(keys) - len(first); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
