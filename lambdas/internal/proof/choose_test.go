package proof

import (
	"fmt"
	"strings"
	"testing"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/changes"
	"blog-deploy-pipeline/lambdas/internal/environment"
	"blog-deploy-pipeline/lambdas/internal/release"
)

func TestChoose(t *testing.T) {
	many := func(n int, format string) (keys []string) {
		for i := range n {
			keys = append(keys, fmt.Sprintf(format, i))
		}
		return keys
	}
	tests := []struct {
		name             string
		changed, removed []string
		large            string // a key
		settings         changes.Settings
		want             string // the first paths
	}{
		{name: "nothing has changed but the home page is looked at", want: "/"},
		{name: "pages come first", changed: []string{"a.css", "b/index.html"}, removed: []string{"c/index.html"}, want: "/ /b/ /a.css /c/"},
		{name: "the home page once", changed: []string{"index.html"}, want: "/"},
		{name: "a large file", changed: []string{"a.css", "film.mp4"}, large: "film.mp4", want: "/ /a.css"},
		{name: "files that are no pages, by names of pages", changed: []string{"CNAME", ".nojekyll", "a/LICENSE", "b.tar.gz"}, want: "/ /b.tar.gz"},
		{name: "a large home page", changed: []string{"a.css"}, large: "index.html", want: "/a.css"},
		{name: "a folder", changed: []string{"blog/a.css", "other.css"}, settings: changes.Settings{KeyPrefix: "blog", Addresses: contract.Addresses{BasePath: "/my/"}}, want: "/my/ /my/a.css"},
		{name: "a plus", changed: []string{"c++/index.html", "a+b.css"}, want: "/ /c%2B%2B/ /a%2Bb.css"},
		{name: "few of many that have left", removed: many(5, "%d.html"), want: "/ /0.html /2.html"},
		{name: "few of many pages", changed: many(40, "%02d.html"), want: "/ /00.html /02.html /04.html /06.html /08.html /10.html /12.html /14.html /16.html /18.html /20.html /22.html /24.html /26.html /28.html /30.html /32.html /34.html /36.html /38.html"},
		{name: "few of many of both", changed: append(many(30, "%02d.css"), many(30, "%02d.html")...), want: "/ /00.html /02.html /04.html /06.html /08.html /10.html /12.html /14.html /16.html /18.html /20.html /22.html /24.html /26.html /28.html /00.css /06.css /12.css /18.css /24.css"},
		{name: "few pages and many others", changed: append(many(40, "%02d.css"), "x.html"), want: "/ /x.html /00.css /02.css /04.css /06.css /08.css /10.css /12.css /14.css /16.css /18.css /21.css /23.css /25.css /27.css /29.css /31.css /33.css /35.css /37.css"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			home := "index.html"
			if tt.settings.KeyPrefix != "" {
				home = tt.settings.KeyPrefix + "/" + home
			}
			files := map[string]release.File{home: {}}
			for _, key := range tt.changed {
				files[key] = release.File{}
			}
			if tt.large != "" {
				files[tt.large] = release.File{Size: maxSize + 1}
			}
			var got []string
			for _, target := range choose(changes.Published{Files: files, Changed: tt.changed, Removed: tt.removed}, tt.settings) {
				got = append(got, target.paths[0])
			}
			if text := strings.Join(got, " "); text != tt.want {
				t.Errorf("looks at\n%s, want\n%s", text, tt.want)
			}
		})
	}
	if got := choose(changes.Published{}, changes.Settings{}); len(got) > 0 {
		t.Errorf("looks at %v of a blog of which nothing is known", got)
	}
}

func TestPaths(t *testing.T) {
	for _, tt := range []struct {
		addresses contract.Addresses
		key, want string
	}{
		{contract.Addresses{Bare: true}, "a/index.html", "/a/ /a/index.html"},
		{contract.Addresses{Bare: true, Tags: true}, "a/index.html", "/a/"},
		{contract.Addresses{Bare: true}, "c++/index.html", "/c%2B%2B/ /c%2B%2B/index.html"},
		{contract.Addresses{}, "a b.css", "/a%20b.css"},
		{contract.Addresses{BasePath: "/b/"}, "index.html", "/b/ /b/index.html"},
	} {
		if got := strings.Join(paths(changes.Settings{Addresses: tt.addresses}, tt.key), " "); got != tt.want {
			t.Errorf("%+v, %s: %s, want %s", tt.addresses, tt.key, got, tt.want)
		}
	}
}

func TestReadSettings(t *testing.T) {
	for _, tt := range []struct {
		verify, at, problem string
	}{
		{},
		{verify: "https://example.com"},
		{verify: "https://example.com", at: "127.0.0.1:8080"},
		{verify: "https://example.com", at: "[::1]:8080"},
		{verify: "http://example.com", problem: contract.EnvVerify + ` is "http://example.com"`},
		{verify: "https://example.com/", problem: contract.EnvVerify},
		{verify: "https://example.com/blog", problem: contract.EnvVerify},
		{verify: "https://example.com?a", problem: contract.EnvVerify},
		{verify: "https://a:b@example.com", problem: contract.EnvVerify},
		{verify: "https://", problem: contract.EnvVerify},
		{verify: "example.com", problem: contract.EnvVerify},
		{verify: "https://example.com", at: "192.0.2.1:8080", problem: contract.EnvVerifyAt + ` is "192.0.2.1:8080"`},
		{verify: "https://example.com", at: "169.254.169.254:80", problem: contract.EnvVerifyAt},
		{verify: "https://example.com", at: "localhost:8080", problem: contract.EnvVerifyAt},
		{verify: "https://example.com", at: "127.0.0.1", problem: contract.EnvVerifyAt},
	} {
		env := environment.Reader{Getenv: func(name string) string {
			return map[string]string{contract.EnvVerify: tt.verify, contract.EnvVerifyAt: tt.at}[name]
		}}
		got, err := ReadSettings(&env), env.Err()
		if tt.problem == "" && (err != nil || got != Settings{tt.verify, tt.at}) {
			t.Errorf("%q %q: settings are %+v, %v", tt.verify, tt.at, got, err)
		}
		if tt.problem != "" && (err == nil || !strings.Contains(err.Error(), tt.problem)) {
			t.Errorf("%q %q: error is %v, want %q", tt.verify, tt.at, err, tt.problem)
		}
	}
}
