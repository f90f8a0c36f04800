package props_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

func TestValidatePathsAccepts(t *testing.T) {
	for _, path := range []string{"/", "/*", "/index.html", "/a/b*", "/%E6%97%A5/*", "/a?b=c&d", "/a%7Eb", "#post-1", "#a:b"} {
		if problem := props.PathProblem(path); problem != "" {
			t.Errorf("%q is refused: %s", path, problem)
		}
	}
}

func TestUserParametersFitToTheCharacter(t *testing.T) {
	// The id of a Site's distribution is known only after its deployment.
	longest := strings.Repeat("E", props.MaxDistributionID)
	for _, tt := range []struct {
		props          props.Blog
		distributionID string
	}{{fixtures.Modern, fixtures.Modern.Invalidate.DistributionID}, {fixtures.Bare, longest}} {
		given := tt.props
		path := func(n int) []string { return []string{"/" + strings.Repeat("a", n) + ".css"} }
		given.Invalidate.Paths = path(0)
		without := len(given.Invalidate.UserParameters(given.Name, tt.distributionID, given.Site))
		given.Invalidate.Paths = path(props.MaxUserParameters - without)
		if err := given.Validate(); err != nil {
			t.Errorf("%s: 1,000 characters are refused: %v", given.Name, err)
		}
		given.Invalidate.Paths = path(props.MaxUserParameters - without + 1)
		if err := given.Validate(); err == nil {
			t.Errorf("%s: 1,001 characters are accepted", given.Name)
		}
	}
	if !props.DistributionPattern.MatchString(longest) || props.DistributionPattern.MatchString(longest+"E") {
		t.Error("an id may have another length than is counted")
	}
}

// TestCleared checks that paths which belong together are cleared together, and that no path is paid for
// twice.
func TestCleared(t *testing.T) {
	tests := []struct {
		name, paths string
		want        string // of a Site that redirects
		rewrite     string // of one that rewrites, if it differs
	}{
		{"nothing: the function's default", "", "", ""},
		{"everything", "/*", "/*", ""},
		{"everything, and more", "/* / /a/ /b/*", "/*", ""},
		{"the README's", "/posts/* /", "/posts/* / /index.html", "/posts/* /posts / /index.html"},
		{"both of a pair", "/ /index.html", "/ /index.html", ""},
		{"a page twice", "/a/ /a/ /a", "/a/ /a/index.html", "/a/ /a/index.html /a"},
		{"a page below a wildcard", "/a/b/ /a/*", "/a/*", "/a/* /a"},
		{"a wildcard below another", "/a/b* /a/*", "/a/*", "/a/* /a"},
		{"the same wildcard twice", "/a* /a*", "/a*", ""},
		{"a folder and its wildcard", "/a/ /a/*", "/a/*", "/a /a/*"},
		{"files", "/a.css /b.js", "/a.css /b.js", ""},
		{"tags", "#posts / #home", "#posts / /index.html #home", ""},
		{"a plus", "/tags/c++/*", "/tags/c++/* /tags/c%2B%2B/*", "/tags/c++/* /tags/c%2B%2B/* /tags/c++ /tags/c%2B%2B"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			i := props.Invalidate{Paths: strings.Fields(tt.paths)}
			if got, want := i.Cleared(&props.Site{}), strings.Fields(tt.want); !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
			if got, want := i.Cleared(&props.Site{MissingSlash: props.MissingSlashRewrite}), strings.Fields(cmp.Or(tt.rewrite, tt.want)); !slices.Equal(got, want) {
				t.Errorf("where pages are served without their slash: got %q, want %q", got, want)
			}
			if got := i.Cleared(nil); !slices.Equal(got, i.Paths) {
				t.Errorf("without a Site: got %q, want %q", got, i.Paths)
			}
		})
	}
}

// TestClearedIsWhatCounts checks that AWS's limits apply to the paths that are cleared, not to those in
// the props.
func TestClearedIsWhatCounts(t *testing.T) {
	many := func(format string, n int) (paths []string) {
		for i := range n {
			paths = append(paths, fmt.Sprintf(format, i))
		}
		return paths
	}
	for _, tt := range []struct {
		name  string
		paths []string
		want  string // "" for none
	}{
		{"pages that fit", many("/posts/%02d/", 25), ""},
		{"pages that fit without their files only", many("/posts/%02d/", 60), "Invalidate.Paths is \"60 paths\": with the pages' other addresses (60, such as /a/index.html for /a/) UserParameters are"},
		{"covered by a wildcard", append(many("/posts/%02d/", 60), "/posts/*"), ""},
		{"fifteen wildcards", many("/%02d/*", 15), ""},
		{"eight wildcards with a plus", many("/c++/%02d/*", 8), "Invalidate.Paths is \"8 paths with *\": a path with + is also cleared with %2B, which makes 16, and CloudFront clears at most 15"},
		{"a query", []string{"/a/?page=2"}, "Invalidate.Paths[0] is \"/a/?page=2\": has a query, which is no part of the key in a Site's cache"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			given := fixtures.Bare
			given.Invalidate.Paths = tt.paths
			err := given.Validate()
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestRoleIsNotForASite(t *testing.T) {
	given := fixtures.Bare
	given.Invalidate.RoleARN = fixtures.RoleARN
	wantProblem(t, given.Validate(), `Invalidate.RoleARN is "`+fixtures.RoleARN+`": must be empty: the distribution that Site creates is in the blog's own account`)
}

func TestInvalidateRefuses(t *testing.T) {
	invalidPath := func(path string) func(*props.Blog) {
		return func(b *props.Blog) { b.Invalidate.Paths = []string{path} }
	}
	wantRefusals(t, fixtures.Modern, []refusal[props.Blog]{
		{"distribution's domain", func(b *props.Blog) { b.Invalidate.DistributionID = "d111111abcdef8.cloudfront.net" }, "Invalidate.DistributionID"},
		{"no distribution", func(b *props.Blog) { b.Invalidate.DistributionID = "" }, "must be a distribution's id"},
		{"path without slash", invalidPath("index.html"), `Invalidate.Paths[0] is "index.html": must start with /`},
		{"empty path", invalidPath(""), "must start with /"},
		{"star inside", invalidPath("/a/*/b"), "only as its last character"},
		{"two stars", invalidPath("/a/**"), "only as its last character"},
		{"not encoded", invalidPath("/日本語/*"), `must be URL-encoded: "/%E6%97%A5%E6%9C%AC%E8%AA%9E/*"`},
		{"folder above", invalidPath("/a/../b"), "has . or .. for a folder"},
		{"folder itself, encoded", invalidPath("/a/%2e/*"), "has . or .. for a folder"},
		{"space", invalidPath("/a b"), `must be URL-encoded: "/a%20b"`},
		{"half an escape", invalidPath("/100%"), "must be URL-encoded"},
		{"unsafe by RFC 1738", invalidPath("/~me/*"), `must be URL-encoded: "/%7Eme/*"`},
		{"path too long", invalidPath("/" + strings.Repeat("a", 4000)), "at most 1000"},
		{"empty tag", invalidPath("#"), "cache tag"},
		{"tag with a variable", invalidPath("#{a.b}"), "braces"},
		{"tag with a star", invalidPath("#post*"), "without *"},
		{"sixteen stars", func(b *props.Blog) { b.Invalidate.Paths = strings.Fields(strings.Repeat("/* ", 16)) }, "at most 15"},
		{"too many paths", func(b *props.Blog) {
			for i := range 100 {
				b.Invalidate.Paths = append(b.Invalidate.Paths, fmt.Sprintf("/posts/%d/index.html", i))
			}
		}, "CodePipeline allows at most 1000"},
		{"deadline", func(b *props.Blog) { b.Invalidate.Deadline = 24 * time.Hour }, "Invalidate.Deadline is 24h0m0s: must be from 1 minute to 23 hours"},
		{"polling", func(b *props.Blog) { b.Invalidate.PollFor = 15 * time.Minute }, "Invalidate.PollFor"},
		{"polling by half seconds", func(b *props.Blog) { b.Invalidate.PollFor = 1500 * time.Millisecond }, "whole seconds"},
		{"after the deadline", func(b *props.Blog) { b.Invalidate.OnFailure = "ignore" }, "Invalidate.OnFailure"},
		{"days of the function's log", func(b *props.Blog) { b.Invalidate.LogRetentionDays = 2 }, "Invalidate.LogRetentionDays"},
	})
}

func TestClearingWhatChangedRefuses(t *testing.T) {
	byS3Action := func(change func(*props.Blog)) func(*props.Blog) {
		return func(b *props.Blog) {
			b.Deploy.By = props.DeployByS3Action
			change(b)
		}
	}
	withPaths := func(change func(*props.Blog)) func(*props.Blog) {
		return func(b *props.Blog) {
			b.Invalidate.Paths = []string{"/*"}
			change(b)
		}
	}
	maxPaths := func(n int) func(*props.Blog) { return func(b *props.Blog) { b.Invalidate.MaxPaths = n } }
	basePath := func(path string) func(*props.Blog) { return func(b *props.Blog) { b.Invalidate.BasePath = path } }
	queries := func(b *props.Blog) { b.Invalidate.QueryStrings = true }
	wantRefusals(t, fixtures.Modern, []refusal[props.Blog]{
		{"negative paths", maxPaths(-1), "Invalidate.MaxPaths is -1: must be from 1 to 100"},
		{"too many paths", maxPaths(101), "Invalidate.MaxPaths is 101: must be from 1 to 100"},
		{"folder without a slash at its end", basePath("/ja"), `Invalidate.BasePath is "/ja": must be / or folders such as /ja/notes/`},
		{"folder without a slash at its start", basePath("ja/"), "Invalidate.BasePath"},
		{"folder above", basePath("/../"), "Invalidate.BasePath"},
		{"empty folder", basePath("/ja//notes/"), "Invalidate.BasePath"},
		{"folder to encode", basePath("/日本語/"), "Invalidate.BasePath"},
		{"folder too long", basePath("/" + strings.Repeat("a", 513) + "/"), "Invalidate.BasePath"},
		{"a folder of the bucket at an unknown path", func(b *props.Blog) { b.Deploy.KeyPrefix = "ja/notes" }, `Invalidate.BasePath is "": must say at which path the distribution serves the home page, because the blog is in a folder of the bucket: / if the distribution's origin path is /ja/notes, and /ja/notes/ if it has none`},
		{"most paths beside a list", withPaths(maxPaths(30)), "Invalidate.MaxPaths is 30: Paths are cleared every time: leave it out, or remove Paths"},
		{"queries beside a list", withPaths(queries), "Invalidate.QueryStrings is true: Paths are cleared every time"},
		{"folder beside a list", withPaths(basePath("/ja/")), "Paths are cleared every time"},
		{"most paths by the S3 action", byS3Action(maxPaths(30)), "the S3 action does not know what changed: leave it out, or set Deploy.By to DeployByFunction"},
		{"queries by the S3 action", byS3Action(queries), "the S3 action does not know what changed"},
		{"folder by the S3 action", byS3Action(basePath("/ja/")), "the S3 action does not know what changed"},
		{"queries of a Site", func(b *props.Blog) {
			*b = fixtures.Tokyo
			queries(b)
		}, "the cache of a Site ignores query strings"},
		{"folder of a Site", func(b *props.Blog) {
			*b = fixtures.Tokyo
			b.Invalidate.BasePath = "/"
		}, "the home page of a Site is at /"},
	})
	verify := func(address string) func(*props.Blog) { return func(b *props.Blog) { b.Invalidate.Verify = address } }
	const ofReaders = "must be https:// and the name in DNS at which readers have the blog"
	wantRefusals(t, fixtures.Modern, []refusal[props.Blog]{
		{"address without TLS", verify("http://kzmorita.dev"), ofReaders},
		{"a name alone", verify("kzmorita.dev"), ofReaders},
		{"no name", verify("https://"), ofReaders},
		{"a number", verify("https://192.0.2.1"), ofReaders},
		{"a name of this machine", verify("https://localhost"), ofReaders},
		{"capitals", verify("https://KzMorita.dev"), ofReaders},
		{"another script", verify("https://森田.jp"), ofReaders},
		{"port", verify("https://kzmorita.dev:8443"), ofReaders},
		{"user", verify("https://me:secret@kzmorita.dev"), ofReaders},
		{"query", verify("https://kzmorita.dev?a=b"), ofReaders},
		{"query of a path", verify("https://kzmorita.dev/?a=b"), ofReaders},
		{"fragment", verify("https://kzmorita.dev/#a"), ofReaders},
		{"space", verify("https://kzmorita.dev "), ofReaders},
		{"slash at its end", verify("https://kzmorita.dev/"), "leave out the slash at its end"},
		{"path", verify("https://kzmorita.dev/notes/"), "must have no path: leave it out, and write it into Invalidate.BasePath"},
		{"a name of a network", verify("https://blog.internal"), "is not in the public DNS"},
		{"address beside a list", withPaths(verify("https://kzmorita.dev")), `Invalidate.Verify is "https://kzmorita.dev": must be empty: Paths are cleared every time`},
		{"none beside a list", withPaths(verify(props.NoVerify)), `Invalidate.Verify is "none": must be empty: Paths are cleared every time`},
		{"address with the S3 action", byS3Action(verify("https://kzmorita.dev")), "the S3 action does not know what changed"},
		{"address of a Site", func(b *props.Blog) {
			*b = fixtures.Tokyo
			b.Invalidate.Verify = "https://kzmorita.dev"
		}, `the function looks at the Site's own address: leave it out, or write props.NoVerify ("none")`},
	})
	rollBack := func(b *props.Blog) { b.Invalidate.OnFailure = props.OnFailureRollBack }
	const nobodyLooks = `Invalidate.OnFailure is "rollback": goes back only if the function has looked whether readers have what was published`
	wantRefusals(t, fixtures.Modern, []refusal[props.Blog]{
		{"rollback of what nobody looks at", rollBack, nobodyLooks},
		{"rollback and none to look", func(b *props.Blog) { rollBack(b); verify(props.NoVerify)(b) }, nobodyLooks},
		{"rollback of a list", withPaths(rollBack), nobodyLooks},
		{"rollback of the S3 action", byS3Action(rollBack), nobodyLooks},
		{"rollback of a Site that nobody looks at", func(b *props.Blog) {
			*b = fixtures.Tokyo
			rollBack(b)
			b.Invalidate.Verify = props.NoVerify
		}, nobodyLooks},
	})
	unknown := fixtures.Modern
	unknown.Deploy.By, unknown.Invalidate.MaxPaths = "rsync", 30
	if err := unknown.Validate(); err == nil || strings.Contains(err.Error(), "MaxPaths") {
		t.Errorf("got %v, want nothing about MaxPaths while nobody knows what publishes", err)
	}
	for _, accepted := range []func(*props.Blog){
		basePath("/"), basePath("/ja/notes/"), basePath("/" + strings.Repeat("a", 512) + "/"), queries, maxPaths(1), maxPaths(100),
		verify("https://kzmorita.dev"), verify("https://xn--4gq.jp"), verify("https://d111111abcdef9.cloudfront.net"), verify(props.NoVerify),
		func(b *props.Blog) { rollBack(b); verify("https://kzmorita.dev")(b) },
		func(b *props.Blog) { *b = fixtures.Tokyo; rollBack(b) },
		func(b *props.Blog) { b.Deploy.KeyPrefix, b.Invalidate.BasePath = "ja/notes", "/" },
		func(b *props.Blog) { b.Deploy.KeyPrefix, b.Invalidate.Paths = "ja/notes", []string{"/ja/notes/*"} },
	} {
		given := fixtures.Modern
		accepted(&given)
		if err := given.Validate(); err != nil {
			t.Errorf("%+v: %v", given.Invalidate, err)
		}
	}
}

// TestAddressOfReaders checks at which address readers are told that a blog is, and where the function looks.
func TestAddressOfReaders(t *testing.T) {
	const site = "https://d111111abcdef8.cloudfront.net"
	for _, tt := range []struct {
		name            string
		given           props.Blog
		change          func(*props.Blog)
		address, looked string
	}{
		{"nobody knows", fixtures.Modern, func(*props.Blog) {}, "", ""},
		{"root", fixtures.Modern, func(b *props.Blog) { b.Invalidate.Verify = "https://kzmorita.dev" }, "https://kzmorita.dev/", "https://kzmorita.dev"},
		{"folder", fixtures.Modern, func(b *props.Blog) { b.Invalidate.Verify, b.Invalidate.BasePath = "https://kzmorita.dev", "/notes/" }, "https://kzmorita.dev/notes/", "https://kzmorita.dev"},
		{"none", fixtures.Modern, func(b *props.Blog) { b.Invalidate.Verify = props.NoVerify }, "", ""},
		{"site", fixtures.Tokyo, func(*props.Blog) {}, "", site},
		{"site, none", fixtures.Tokyo, func(b *props.Blog) { b.Invalidate.Verify = props.NoVerify }, "", ""},
		{"site, a list", fixtures.Tokyo, func(b *props.Blog) { b.Invalidate.Paths = []string{"/*"} }, "", ""},
	} {
		tt.change(&tt.given)
		given := tt.given.WithDefaults()
		if got := given.Invalidate.Address(); got != tt.address {
			t.Errorf("%s: got the address %q, want %q", tt.name, got, tt.address)
		}
		if got := given.Invalidate.LooksAt(given.Deploy, given.Site, site); got != tt.looked {
			t.Errorf("%s: the function looks at %q, want %q", tt.name, got, tt.looked)
		}
	}
}
