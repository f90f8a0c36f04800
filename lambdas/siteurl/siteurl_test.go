package siteurl

import (
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"blog-deploy-pipeline/lambdas/contract"
)

func TestOf(t *testing.T) {
	bare := contract.Addresses{Bare: true}
	below := contract.Addresses{BasePath: "/blog/"}
	for _, tt := range []struct {
		name        string
		addresses   contract.Addresses
		prefix, key string
		want        string
	}{
		{"home", contract.Addresses{}, "", "index.html", "/ /index.html"},
		{"home, bare", bare, "", "index.html", "/ /index.html"},
		{"a page", contract.Addresses{}, "", "a/index.html", "/a/ /a/index.html"},
		{"a page, bare", bare, "", "a/index.html", "/a/ /a/index.html /a"},
		{"a page in a folder, bare", bare, "", "a/b/index.html", "/a/b/ /a/b/index.html /a/b"},
		{"a file", bare, "", "css/main.css", "/css/main.css"},
		{"a page that is no folder's", bare, "", "404.html", "/404.html"},
		{"a name that ends like a page's", bare, "", "a/my-index.html", "/a/my-index.html"},
		{"Japanese", contract.Addresses{}, "", "日/index.html", "/%E6%97%A5/ /%E6%97%A5/index.html"},
		{"a plus", bare, "", "c++/index.html", "/c++/ /c%2B%2B/ /c++/index.html /c%2B%2B/index.html /c++ /c%2B%2B"},
		{"a tilde and a star", contract.Addresses{}, "", "a~b*.js", "/a~b*.js"},
		{"unsafe characters", contract.Addresses{}, "", "a b\"<>#?%{}|\\^[]`.js", "/a%20b%22%3C%3E%23%3F%25%7B%7D%7C%5C%5E%5B%5D%60.js"},
		{"what looks encoded", contract.Addresses{}, "", "100%25.html", "/100%2525.html"},
		{"characters that stay", contract.Addresses{}, "", "aZ09-._!$&'(),;=:@.js", "/aZ09-._!$&'(),;=:@.js"},
		{"below a path", below, "", "a/index.html", "/blog/a/ /blog/a/index.html"},
		{"home below a path", below, "", "index.html", "/blog/ /blog/index.html"},
		{"home below a path, bare", contract.Addresses{BasePath: "/blog/", Bare: true}, "", "index.html", "/blog/ /blog/index.html /blog"},
		{"a path without its last slash", contract.Addresses{BasePath: "/blog"}, "", "a.css", "/blog/a.css"},
		{"a folder in the bucket", contract.Addresses{}, "ja/notes", "ja/notes/a/index.html", "/a/ /a/index.html"},
		{"a folder in the bucket, with a path", below, "ja", "ja/a.css", "/blog/a.css"},
		{"another folder", contract.Addresses{}, "ja", "jam/a.css", ""},
		{"outside of the folder", contract.Addresses{}, "ja", "a.css", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, want := Of(tt.addresses, tt.prefix, tt.key), strings.Fields(tt.want); !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestEverything(t *testing.T) {
	for want, addresses := range map[string]contract.Addresses{
		"/*":      {Bare: true},
		"/blog/*": {BasePath: "/blog/"},
		"/blog*":  {BasePath: "/blog/", Bare: true},
	} {
		if got := Everything(addresses); got != want {
			t.Errorf("%+v: got %q, want %q", addresses, got, want)
		}
	}
}

// keys returns the keys of the objects that a distribution may serve at an encoded path. It
// is Of the other way round, in other words.
func keys(a contract.Addresses, keyPrefix, path string) []string {
	decoded, err := url.PathUnescape(path)
	if err != nil {
		return nil
	}
	base := "/" + strings.Trim(a.BasePath, "/")
	name, isBelow := strings.CutPrefix(decoded, strings.TrimSuffix(base, "/")+"/")
	if !isBelow {
		if !a.Bare || decoded != base {
			return nil
		}
		return []string{strings.TrimPrefix(keyPrefix+"/index.html", "/")}
	}
	var found []string
	add := func(name string) { found = append(found, strings.TrimPrefix(keyPrefix+"/"+name, "/")) }
	switch {
	case name == "" || strings.HasSuffix(name, "/"):
		add(name + "index.html")
	default:
		add(name)
		if a.Bare {
			add(name + "/index.html")
		}
	}
	return found
}

// clearable matches what CloudFront accepts as a path, and "~" and "*".
var clearable = regexp.MustCompile(`^/([A-Za-z0-9._!$&'()+,;=:@/~*-]|%[0-9A-F]{2})*$`)

func FuzzKey(f *testing.F) {
	for _, key := range []string{"index.html", "a/index.html", "a.css", "日/ü.html", "c++/index.html", "a b%2B~*?.js", "%2F", "\xff\x00"} {
		f.Add(key, true, "/blog/", "ja")
		f.Add(key, false, "", "")
	}
	f.Fuzz(func(t *testing.T, name string, bare bool, base, prefix string) {
		base = "/" + strings.Trim(regexp.MustCompile(`[^a-z/]+|/{2,}`).ReplaceAllString(base, ""), "/") + "/"
		base = strings.ReplaceAll(base, "//", "/")
		prefix = strings.Trim(regexp.MustCompile(`[^a-z/]+|/{2,}`).ReplaceAllString(prefix, ""), "/")
		if name == "" || path.Clean("/"+name) != "/"+name {
			return // No file has such a name.
		}
		a := contract.Addresses{BasePath: base, Bare: bare}
		key := strings.TrimPrefix(prefix+"/"+name, "/")
		paths := Of(a, prefix, key)
		if len(paths) == 0 {
			t.Fatalf("%q has no address", key)
		}
		everything := strings.TrimSuffix(Everything(a), "*")
		for i, p := range paths {
			if !clearable.MatchString(p) {
				t.Errorf("%q: CloudFront does not accept %q", key, p)
			}
			if !strings.HasPrefix(p, everything) {
				t.Errorf("%q: %q is not below %q", key, p, everything)
			}
			if slices.Contains(paths[:i], p) {
				t.Errorf("%q: %q is there twice", key, p)
			}
			back := keys(a, prefix, p)
			if !slices.Contains(back, key) {
				t.Errorf("%q has the address %q, which leads to %q", key, p, back)
			}
			// All that may be served at an address has it.
			for _, other := range back {
				if !slices.Contains(Of(a, prefix, other), p) {
					t.Errorf("%q leads to %q, whose addresses are %q", p, other, Of(a, prefix, other))
				}
			}
		}
	})
}
