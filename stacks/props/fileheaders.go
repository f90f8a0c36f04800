package props

import (
	"fmt"
	"maps"
	"mime"
	"regexp"
	"slices"
	"strings"

	"blog-deploy-pipeline/lambdas/contract"
)

// FileHeaders are the headers of the files whose names match a pattern.
type FileHeaders struct {
	// Match is a pattern for the path of a file in the blog, as those of Caching are: "*" stands for any
	// characters, also slashes, and "?" for exactly one. It starts with "*" or "/". Required. Example: "*.pdf",
	// "/talks/*.html".
	Match string

	// CacheControl is as Deploy.CacheControl. Default: that one.
	CacheControl string

	// ContentType is the media type of the files. Default: by the extension of each, with charset=utf-8 for
	// text. Example: "text/plain; charset=shift_jis".
	ContentType string

	// ContentLanguage is the language of the files' readers. Default: none. Example: "ja".
	ContentLanguage string

	// ContentDisposition says whether browsers show a file or save it, and under which name. Default: none,
	// browsers decide by the type. Example: "attachment".
	ContentDisposition string

	// Metadata are headers x-amz-meta-…, by the rest of their names in lower case: letters, digits, "-", "_"
	// and ".". Names and values have at most 1,900 characters in all. Default: none. Example:
	// map[string]string{"author": "kzmorita"}.
	Metadata map[string]string
}

// maxMetadata limits the metadata of an object, in bytes. It leaves 148 of S3's 2,048 to the cache tag of the
// publication.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
const maxMetadata = 1900

var (
	// languagesPattern matches a list of language tags.
	// https://www.rfc-editor.org/rfc/rfc9110.html#name-content-language
	languagesPattern = regexp.MustCompile(`^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*(, ?[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*)*$`)
	metadataPattern  = regexp.MustCompile(`^[a-z0-9._-]+$`)
)

func validateFileHeaders(p *problems, all []FileHeaders) {
	for i, headers := range all {
		field := fmt.Sprintf("Deploy.Headers[%d]", i)
		headers.validate(p, field)
		bare := strings.TrimPrefix(headers.Match, "/") // CloudFront's patterns mean the same with it
		wider := slices.IndexFunc(all[:i], func(before FileHeaders) bool {
			other := strings.TrimPrefix(before.Match, "/")
			return other == "*" || other == bare
		})
		if wider >= 0 && patternProblem(headers.Match) == "" {
			p.add(field+".Match", headers.Match, fmt.Sprintf("never decides, because Deploy.Headers[%d] matches all that it does: put the narrower one first, or leave one out", wider))
		}
	}
}

func (h FileHeaders) validate(p *problems, field string) {
	if problem := patternProblem(h.Match); problem != "" {
		p.add(field+".Match", h.Match, problem)
	}
	if h.CacheControl == "" && h.ContentType == "" && h.ContentLanguage == "" && h.ContentDisposition == "" && len(h.Metadata) == 0 {
		p.add(field, description("without a header"), "set one for the files that Match, or leave the element out")
	}
	if h.CacheControl != "" {
		if problem := cacheControlProblem(h.CacheControl); problem != "" {
			p.add(field+".CacheControl", h.CacheControl, problem)
		}
	}
	if h.ContentType != "" {
		if kind, _, err := mime.ParseMediaType(h.ContentType); err != nil || !strings.Contains(kind, "/") || !headerPattern.MatchString(h.ContentType) {
			p.add(field+".ContentType", h.ContentType, "must be a media type, such as text/plain; charset=utf-8")
		}
	}
	if h.ContentLanguage != "" {
		p.match(field+".ContentLanguage", h.ContentLanguage, languagesPattern, "must be a language, such as ja or en-GB, or several with commas between them")
	}
	if h.ContentDisposition != "" {
		if kind, _, err := mime.ParseMediaType(h.ContentDisposition); err != nil || kind != "inline" && kind != "attachment" || !headerPattern.MatchString(h.ContentDisposition) {
			p.add(field+".ContentDisposition", h.ContentDisposition, `must be inline or attachment, with a file's name or without: attachment; filename="cv.pdf"`)
		}
	}
	h.validateMetadata(p, field+".Metadata")
}

func (h FileHeaders) validateMetadata(p *problems, field string) {
	together := 0
	for _, name := range slices.Sorted(maps.Keys(h.Metadata)) {
		value := h.Metadata[name]
		together += len(name) + len(value)
		switch {
		case name == contract.MetadataCacheTag:
			p.add(field, name, "has the release of each file, by which Invalidate clears what changed: use another name")
		case !metadataPattern.MatchString(name):
			p.add(field, name, "must consist of lower-case letters, digits, -, _ and .")
		case strings.TrimSpace(value) != value || value == "" || !headerPattern.MatchString(value):
			p.add(fmt.Sprintf("%s[%q]", field, name), value, "must be one line of plain ASCII, without spaces at its start or end")
		}
	}
	if together > maxMetadata {
		p.add(field, fmt.Sprintf("%d characters in all", together), fmt.Sprintf("S3 allows 2 KB, of which %d characters are for you", maxMetadata))
	}
}

// rules returns the rules of the function that publishes. The default of all files is the last one's, and
// in those before it.
func rules(all []FileHeaders, cacheControl string) []contract.HeaderRule {
	var made []contract.HeaderRule
	for _, headers := range all {
		rule := contract.HeaderRule(headers)
		if rule.CacheControl == "" {
			rule.CacheControl = cacheControl
		}
		made = append(made, rule)
	}
	if cacheControl != "" {
		made = append(made, contract.HeaderRule{Match: "*", CacheControl: cacheControl})
	}
	return made
}
