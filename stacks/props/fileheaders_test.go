package props_test

import (
	"fmt"
	"strings"
	"testing"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

func TestFileHeadersRefuse(t *testing.T) {
	set := func(all ...props.FileHeaders) func(*props.Blog) {
		return func(b *props.Blog) { b.Deploy.Headers = all }
	}
	ja := func(match string) props.FileHeaders { return props.FileHeaders{Match: match, ContentLanguage: "ja"} }
	pdf := props.FileHeaders{Match: "*.pdf"}
	with := func(change func(*props.FileHeaders)) func(*props.Blog) {
		headers := pdf
		change(&headers)
		return set(headers)
	}
	wantRefusals(t, fixtures.Modern, []refusal[props.Blog]{
		{"no pattern", set(ja("")), `Deploy.Headers[0].Match is "": must start with / or *`},
		{"pattern without a start", set(ja("talks/*")), "must start with / or *"},
		{"pattern that is not ASCII", set(ja("/日本語/*")), "write * where a path has other characters"},
		{"pattern too long", set(ja("/" + strings.Repeat("a", 255))), "has 256 characters"},
		{"pattern twice", set(ja("/a.txt"), ja("*.pdf"), ja("/a.txt")), "Deploy.Headers[2].Match"},
		{"pattern twice, with a slash", set(ja("*.pdf"), ja("/*.pdf")), `Deploy.Headers[1].Match is "/*.pdf": never decides, because Deploy.Headers[0] matches all that it does`},
		{"pattern after all files", set(ja("*"), ja("*.pdf")), "put the narrower one first"},
		{"nothing set", set(pdf), "Deploy.Headers[0] is without a header: set one"},
		{"Cache-Control", with(func(h *props.FileHeaders) { h.CacheControl = "forever" }), "Deploy.Headers[0].CacheControl"},
		{"type without a slash", with(func(h *props.FileHeaders) { h.ContentType = "pdf" }), `Deploy.Headers[0].ContentType is "pdf": must be a media type`},
		{"type on two lines", with(func(h *props.FileHeaders) { h.ContentType = "text/plain\r\nX: y" }), "Deploy.Headers[0].ContentType"},
		{"type with half a parameter", with(func(h *props.FileHeaders) { h.ContentType = "text/plain; charset" }), "Deploy.Headers[0].ContentType"},
		{"language", with(func(h *props.FileHeaders) { h.ContentLanguage = "日本語" }), "Deploy.Headers[0].ContentLanguage"},
		{"language with an underscore", with(func(h *props.FileHeaders) { h.ContentLanguage = "en_GB" }), "must be a language, such as ja or en-GB"},
		{"disposition", with(func(h *props.FileHeaders) { h.ContentDisposition = "download" }), "must be inline or attachment"},
		{"disposition that is not ASCII", with(func(h *props.FileHeaders) { h.ContentDisposition = `attachment; filename="履歴書.pdf"` }), "Deploy.Headers[0].ContentDisposition"},
		{"metadata in capitals", with(func(h *props.FileHeaders) { h.Metadata = map[string]string{"Author": "x"} }), "lower-case letters"},
		{"metadata without a value", with(func(h *props.FileHeaders) { h.Metadata = map[string]string{"author": ""} }), `Deploy.Headers[0].Metadata["author"]`},
		{"metadata with a space at its end", with(func(h *props.FileHeaders) { h.Metadata = map[string]string{"author": "x "} }), "without spaces at its start or end"},
		{"metadata of the publication", with(func(h *props.FileHeaders) { h.Metadata = map[string]string{contract.MetadataCacheTag: "posts"} }), "use another name"},
		{"too much metadata", with(func(h *props.FileHeaders) { h.Metadata = map[string]string{"author": strings.Repeat("x", 1895)} }), `Deploy.Headers[0].Metadata is "1901 characters in all"`},
		{"too many headers", func(b *props.Blog) {
			for i := range 60 {
				b.Deploy.Headers = append(b.Deploy.Headers, ja(fmt.Sprintf("/talks/%d/*.html", i)))
			}
		}, "bytes of the function's environment, and of the 4096 that Lambda allows"},
	})
}

func TestFileHeadersAccept(t *testing.T) {
	given := fixtures.Modern
	given.Deploy.Headers = []props.FileHeaders{
		{Match: "/cv.pdf", ContentDisposition: "attachment; filename*=UTF-8''%E5%B1%A5.pdf"},
		{Match: "*.pdf", ContentDisposition: "inline", CacheControl: "public, max-age=60", Metadata: map[string]string{"author": strings.Repeat("x", 1894)}},
		{Match: "*.txt", ContentType: "text/plain; charset=shift_jis", ContentLanguage: "ja, en-GB"},
		{Match: "*", ContentLanguage: "zh-Hant-TW"},
	}
	if err := given.Validate(); err != nil {
		t.Error(err)
	}
}
