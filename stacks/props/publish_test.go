package props_test

import (
	"maps"
	"strings"
	"testing"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

// TestHeaderRules checks that the one Cache-Control of all files is in each rule that has none of its own, because
// the first rule that matches a file decides.
func TestHeaderRules(t *testing.T) {
	pdf := props.FileHeaders{Match: "*.pdf", ContentDisposition: "attachment"}
	css := props.FileHeaders{Match: "*.css", CacheControl: "no-cache"}
	for _, tt := range []struct {
		name         string
		headers      []props.FileHeaders
		cacheControl string
		want         string // "" for no variable
	}{
		{"nothing", nil, "", ""},
		{"headers alone", []props.FileHeaders{pdf}, "", `[{"Match":"*.pdf","ContentDisposition":"attachment"}]`},
		{"what looks like a reference", []props.FileHeaders{{Match: "*$", ContentDisposition: `inline; filename="${a}$b"`}}, "", `[{"Match":"*$","ContentDisposition":"inline; filename=\"\u0024{a}$b\""}]`},
		{"a Cache-Control alone", nil, "no-store", `[{"Match":"*","CacheControl":"no-store"}]`},
		{"both", []props.FileHeaders{pdf, css}, "no-store", `[{"Match":"*.pdf","CacheControl":"no-store","ContentDisposition":"attachment"},{"Match":"*.css","CacheControl":"no-cache"},{"Match":"*","CacheControl":"no-store"}]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, set := props.PublishEnvironment(props.Deploy{Headers: tt.headers, CacheControl: tt.cacheControl}, "site", "releases")[contract.EnvHeaders]
			if got != tt.want || set != (tt.want != "") {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// TestChangesEnvironment checks at which addresses the function clears what changed, and looks for it.
func TestChangesEnvironment(t *testing.T) {
	const siteAddress = "https://${Token[TOKEN.7]}"
	changed := func(given props.Blog, change func(*props.Blog)) props.Blog {
		change(&given)
		return given
	}
	for _, tt := range []struct {
		name  string
		props props.Blog
		want  map[string]string
	}{
		{"an existing distribution", fixtures.Modern, map[string]string{contract.EnvAddresses: `{"Bare":true}`, contract.EnvMaxPaths: "30"}},
		{"a folder of one", fixtures.Webhook, map[string]string{contract.EnvAddresses: `{"BasePath":"/notes/","Bare":true,"QueryStrings":true}`, contract.EnvMaxPaths: "10", contract.EnvKeyPrefix: "notes", contract.EnvVerify: "https://www.kzmorita.dev"}},
		{"one that nobody looks at", changed(fixtures.Modern, func(b *props.Blog) { b.Invalidate.Verify = props.NoVerify }), map[string]string{contract.EnvAddresses: `{"Bare":true}`, contract.EnvMaxPaths: "30"}},
		{"a Site that redirects", fixtures.Tokyo, map[string]string{contract.EnvAddresses: `{"Tags":true}`, contract.EnvMaxPaths: "30", contract.EnvVerify: siteAddress}},
		{"a Site that rewrites", changed(fixtures.Complete, func(b *props.Blog) { b.Invalidate.Paths = nil }), map[string]string{contract.EnvAddresses: `{"Bare":true,"Tags":true}`, contract.EnvMaxPaths: "30", contract.EnvVerify: siteAddress}},
		{"a Site that nobody looks at", changed(fixtures.Tokyo, func(b *props.Blog) { b.Invalidate.Verify = props.NoVerify }), map[string]string{contract.EnvAddresses: `{"Tags":true}`, contract.EnvMaxPaths: "30"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := tt.props.WithDefaults()
			address := ""
			if b.Site != nil {
				address = siteAddress
			}
			got := props.ChangesEnvironment(b.Deploy, b.Invalidate, b.Site, "releases", address)
			tt.want[contract.EnvReleases] = "releases"
			if !maps.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// TestHeadersFitToTheByte compares what Validate counts with the settings themselves, under the longest names.
func TestHeadersFitToTheByte(t *testing.T) {
	longest := strings.Repeat("b", 63)
	for _, over := range []int{0, 1} {
		given := fixtures.Modern
		given.Deploy = props.Deploy{Bucket: longest, CacheControl: "no-cache"}
		for i := range 4 {
			given.Deploy.Headers = append(given.Deploy.Headers, props.FileHeaders{Match: "/" + strings.Repeat("abcd"[i:i+1], 200), Metadata: map[string]string{"m": strings.Repeat("x", 500)}})
		}
		size := func() int {
			return len(contract.JSON(props.PublishEnvironment(given.WithDefaults().Deploy, longest, longest)))
		}
		given.Deploy.Headers[0].Metadata["m"] += strings.Repeat("x", props.MaxEnvironment-size()+over)
		if err := given.Validate(); (err != nil) != (over > 0) {
			t.Errorf("%d bytes: %v", size(), err)
		}
	}
}
