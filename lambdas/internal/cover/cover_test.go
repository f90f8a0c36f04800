package cover

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func page(path, tag string) Object {
	return Object{URLs: []string{path, path + "index.html"}, Tag: tag}
}

func file(path, tag string) Object { return Object{URLs: []string{path}, Tag: tag} }

func TestFind(t *testing.T) {
	many := func(n int, object func(i int) Object) (objects []Object) {
		for i := range n {
			objects = append(objects, object(i))
		}
		return objects
	}
	numbered := func(format, tag string) func(int) Object {
		return func(i int) Object { return file(fmt.Sprintf(format, i), tag) }
	}
	others := []Object{file("/c.css", "r-1"), page("/a/", "r-1")}
	for _, tt := range []struct {
		name     string
		in       Input
		want     string
		needless int
	}{
		{"nothing", Input{Unchanged: others, MaxItems: 30}, "", 0},
		{"home", Input{Required: []Object{page("/", "")}, Unchanged: others, MaxItems: 30}, "/ /index.html", 0},
		{"a page by one wildcard", Input{Required: []Object{page("/b/", "")}, Unchanged: others, MaxItems: 30}, "/b/*", 0},
		{"all there is", Input{Required: []Object{page("/", "")}, MaxItems: 30}, "/*", 0},
		{"no other is spared", Input{Required: []Object{page("/", ""), page("/b/", "")}, Unchanged: others, MaxItems: 1}, "/*", 2},
		{"a tag instead of paths", Input{Required: []Object{page("/", "r-2"), file("/index.xml", "r-2")}, Unchanged: others, MaxItems: 30}, "#r-2", 0},
		{"a tag that others have", Input{Required: []Object{page("/", "r-1"), file("/index.xml", "r-1")}, Unchanged: others, MaxItems: 30}, "/ /index.*", 0},
		{"a tag for what has no room", Input{Required: many(50, numbered("/%d.html", "r-2")), Unchanged: append(many(50, numbered("/%d.css", "r-1")), file("/x.css", "r-2")), MaxItems: 30}, "#r-2", 1},
		{"tilde", Input{Required: []Object{file("/a~b.js", "")}, Unchanged: []Object{file("/a.js", ""), file("/b.js", "")}, MaxItems: 30}, "/a*", 1},
		{"tilde at the start", Input{Required: []Object{file("/~b.js", "")}, Unchanged: []Object{file("/a.js", "")}, MaxItems: 30}, "/*", 1},
		{"tilde behind another file's address", Input{Required: []Object{file("/a", ""), file("/a~b", ""), file("/a", "")}, Unchanged: []Object{file("/ab", ""), file("/b", "")}, MaxItems: 30}, "/a*", 1},
		{"tilde, with a tag", Input{Required: []Object{file("/a~b.js", "r-2")}, Unchanged: []Object{file("/a.js", "r-1")}, MaxItems: 30}, "#r-2", 0},
		{"star", Input{Required: []Object{file("/b*.js", "")}, Unchanged: []Object{file("/a.js", "")}, MaxItems: 30}, "/b*", 0},
		{"query strings", Input{QueryStrings: true, Required: []Object{file("/b.js", "")}, Unchanged: []Object{file("/a.js", ""), file("/b.json", "")}, MaxItems: 30}, "/b.js*", 1},
		{"query strings, with a tag", Input{QueryStrings: true, Required: []Object{page("/", "r-2")}, Unchanged: []Object{file("/a.js", "r-1")}, MaxItems: 30}, "#r-2", 0},
		{"Japanese", Input{Required: []Object{page("/%E6%97%A5/", ""), page("/%E6%97%A6/", ""), page("/%E6%9C%AC/", "")}, Unchanged: []Object{page("/%E6%98%A0/", ""), page("/a/", "")}, MaxItems: 3}, "/%E6%97%A5/* /%E6%97%A6/* /%E6%9C%AC/*", 0},
		{"one blog of a distribution", Input{Everything: "/blog/*", Required: []Object{page("/blog/", "")}, Unchanged: []Object{page("/blog/a/", "")}, MaxItems: 1}, "/blog/*", 1},
		{"no room", Input{Required: []Object{page("/b/", "")}, Unchanged: others, MaxItems: 0}, "/*", 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.in.Everything == "" {
				tt.in.Everything = "/*"
			}
			got := Find(tt.in)
			slices.Sort(got.Items)
			if want := strings.Fields(tt.want); !slices.Equal(got.Items, want) || got.Needless != tt.needless {
				t.Errorf("got %q with %d needless, want %q with %d", got.Items, got.Needless, want, tt.needless)
			}
		})
	}
}

// TestFindWithTags checks choices with tags: they evict all that is required, are within the
// limits, and are no worse than paths alone.
func TestFindWithTags(t *testing.T) {
	random := rand.New(rand.NewPCG(13, 2))
	for i := range 2000 {
		in := Input{Everything: "/*", MaxItems: 1 + random.IntN(8), QueryStrings: random.IntN(5) == 0}
		for n := range 2 + random.IntN(40) {
			folder := strings.Repeat("ab", random.IntN(3))
			object := page(fmt.Sprintf("/%s/%d%s/", folder, n, strings.Repeat("~", random.IntN(8)/7)), "")
			if tag := random.IntN(7); tag > 0 {
				object.Tag = fmt.Sprintf("r-%d", tag)
			}
			if random.IntN(3) == 0 {
				in.Required = append(in.Required, object)
			} else {
				in.Unchanged = append(in.Unchanged, object)
			}
		}
		got := Find(in)
		checkPlan(t, in, got)
		paths := in
		paths.Required = slices.Clone(in.Required)
		for i := range paths.Required {
			paths.Required[i].Tag = ""
		}
		if alone := Find(paths); got.Needless > alone.Needless {
			t.Errorf("case %d: %q evict %d, and paths alone %d: %q", i, got.Items, got.Needless, alone.Needless, alone.Items)
		}
		if t.Failed() {
			t.Fatalf("case %d: %+v", i, in)
		}
	}
}

// checkPlan checks that a plan is right, by CloudFront's rules.
func checkPlan(t testing.TB, in Input, plan Plan) {
	t.Helper()
	wide := 0
	for _, item := range plan.Items {
		if strings.HasSuffix(item, "*") {
			wide++
		}
		if strings.ContainsAny(strings.TrimSuffix(item, "*"), "~*") || strings.HasPrefix(item, "#") == strings.HasPrefix(item, "/") {
			t.Errorf("CloudFront does not clear %q", item)
		}
	}
	if len(plan.Items) > in.MaxItems || wide > maxWildcards {
		t.Errorf("%d items with %d wildcards: %q", len(plan.Items), wide, plan.Items)
	}
	has := func(object Object, url string) bool {
		return slices.ContainsFunc(plan.Items, func(item string) bool {
			beginning, isWide := strings.CutSuffix(item, "*")
			return item == "#"+object.Tag || isWide && strings.HasPrefix(url, beginning) ||
				!in.QueryStrings && !strings.ContainsAny(url, "~*") && url == item
		})
	}
	for _, object := range in.Required {
		for _, url := range object.URLs {
			if !has(object, url) {
				t.Errorf("%q do not evict %s", plan.Items, url)
			}
		}
	}
	needless := 0
	for _, object := range in.Unchanged {
		if slices.ContainsFunc(object.URLs, func(url string) bool { return has(object, url) || slices.Contains(plan.Items, url) }) {
			needless++
		}
	}
	if needless != plan.Needless {
		t.Errorf("%q evict %d unchanged objects, not %d", plan.Items, needless, plan.Needless)
	}
}
