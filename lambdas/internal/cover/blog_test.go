package cover

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
)

// blog is a blog as Hugo writes it, with the release that has put each file last.
type blog struct {
	posts, release int
	tags           map[string]string
	// bare is true if a page has an address without its last slash, too.
	bare bool
}

// tagged is the number of posts with each tag: a tag of each of three sizes.
var tagged = []int{5, 17, 50}

// add publishes one more post, and returns what has to be evicted and what not, by the tags
// that edge locations have.
func (b *blog) add() (required, unchanged []Object) {
	b.posts++
	b.release++
	n := b.posts
	changed := map[string]bool{
		"/": true, "/index.xml": true, "/sitemap.xml": true, "/index.json": true,
		"/posts/": true, "/posts/index.xml": true, "/archive/": true, "/tags/": true, "/tags/index.xml": true,
		b.post(n): true, b.post(n - 1): true, // The post before leads to the next one.
	}
	// Each page of a list loses its last post to the next page. They have 50 posts.
	for i := 2; i <= n/50+1; i++ {
		changed[fmt.Sprintf("/posts/page/%d/", i)] = true
	}
	for size, posts := range tagged {
		tag := fmt.Sprintf("/tags/%d-%d/", size, n/posts)
		changed[tag], changed[tag+"index.xml"] = true, true
	}
	for i := range 10 { // Posts that name related ones.
		changed[b.post(1+(n*37+i*211)%n)] = true
	}
	for url := range changed {
		if old, ok := b.tags[url]; ok {
			required = append(required, b.object(url, old))
		}
		b.tags[url] = fmt.Sprintf("r-%d", b.release)
	}
	for i := range 2 {
		b.tags[fmt.Sprintf("%scover-%d.jpg", b.post(n), i)] = fmt.Sprintf("r-%d", b.release)
	}
	for url, tag := range b.tags {
		if !changed[url] {
			unchanged = append(unchanged, b.object(url, tag))
		}
	}
	return required, unchanged
}

func (b *blog) post(n int) string {
	words := []string{"go", "hugo", "cloudfront", "a-day", "notes", "%E6%97%A5%E8%A8%98", "%E5%86%99%E7%9C%9F"}
	return fmt.Sprintf("/posts/%s-%s-%d/", words[n%7], words[n/7%7], n)
}

func (b *blog) object(url, tag string) Object {
	if url[len(url)-1] != '/' {
		return file(url, tag)
	}
	object := page(url, tag)
	if b.bare && url != "/" {
		object.URLs = append(object.URLs, strings.TrimSuffix(url, "/"))
	}
	return object
}

// written returns a blog of that many posts, of which the last ones have been published one
// by one.
func written(posts, oneByOne int) *blog {
	b := &blog{tags: map[string]string{}}
	for i := range 300 {
		b.tags[fmt.Sprintf("/static/%d.svg", i)] = ""
	}
	for range posts - oneByOne {
		b.add()
	}
	for url := range b.tags { // All of these came with the first release.
		b.tags[url] = "r-0"
	}
	for range oneByOne {
		b.add()
	}
	return b
}

// posts publishes that many posts more in a blog of 2,000 files, one by one.
func posts(n int, bare bool, publish func(Input)) {
	b := written(660, 40)
	b.bare = bare
	for range n {
		required, unchanged := b.add()
		publish(Input{Required: required, Unchanged: unchanged, Everything: "/*", MaxItems: 30})
	}
}

// withoutTags returns an input for a distribution that reads no tags.
func withoutTags(in Input) Input {
	in.Required = slices.Clone(in.Required)
	for i := range in.Required {
		in.Required[i].Tag = ""
	}
	return in
}

// TestAnOrdinaryPost checks that one post more evicts at most one in a hundred of what has
// not changed.
func TestAnOrdinaryPost(t *testing.T) {
	for _, bare := range []bool{false, true} {
		var changed, needless, items, byPaths, all int
		const n = 10
		posts(n, bare, func(in Input) {
			plan := Find(in)
			checkPlan(t, in, plan)
			changed, all = changed+len(in.Required), all+len(in.Unchanged)
			needless, items = needless+plan.Needless, items+len(plan.Items)
			byPaths += Find(withoutTags(in)).Needless
		})
		mean := func(sum int) float64 { return float64(sum) / n }
		t.Logf("bare: %t, %.0f files, %.1f changed: %.1f items evict %.1f needlessly, and paths alone %.1f",
			bare, mean(all+changed), mean(changed), mean(items), mean(needless), mean(byPaths))
		if needless*100 > all {
			t.Errorf("bare: %t: %d of %d are evicted needlessly, more than 1 %%", bare, needless, all)
		}
	}
}

// BenchmarkOrdinaryPost counts what is evicted needlessly, in the mean, also by the rules of
// other tools: Hugo clears everything, and s3deploy at most eight paths.
func BenchmarkOrdinaryPost(b *testing.B) {
	const n = 10
	tools := map[string]func(Input) []string{
		"tags":     func(in Input) []string { return Find(in).Items },
		"paths":    func(in Input) []string { return Find(withoutTags(in)).Items },
		"s3deploy": s3deploy,
		"/*":       func(Input) []string { return []string{"/*"} },
	}
	for name, items := range tools {
		b.Run(name, func(b *testing.B) {
			var needless, chosen, all int
			for b.Loop() {
				needless, chosen, all = 0, 0, 0
				posts(n, false, func(in Input) {
					plan := items(in)
					needless += countEvicted(in.Unchanged, plan)
					chosen += len(plan)
					all += len(in.Unchanged)
				})
			}
			b.ReportMetric(float64(chosen)/n, "items")
			b.ReportMetric(float64(needless)/n, "needless")
			b.ReportMetric(100*float64(needless)/float64(all), "%needless")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// s3deploy returns what s3deploy clears: the addresses of folders for their pages. As long
// as there are more than eight paths, the deepest ones become a wildcard for the folder
// above theirs.
func s3deploy(in Input) []string {
	paths := map[string]bool{}
	depth := 0
	for _, object := range in.Required {
		paths[object.URLs[0]] = true
		depth = max(depth, strings.Count(object.URLs[0], "/"))
	}
	for ; len(paths) > 8 && depth > 0; depth-- {
		for p := range paths {
			if strings.Count(p, "/") <= depth {
				continue
			}
			delete(paths, p)
			folder := path.Dir(p)
			if above := path.Dir(folder); above != "/" {
				folder = above
			}
			paths[strings.TrimSuffix(folder, "/")+"/*"] = true
		}
	}
	if len(paths) > 8 {
		return []string{"/*"}
	}
	return slices.Collect(maps.Keys(paths))
}

func BenchmarkFind(b *testing.B) {
	var post, half Input
	posts(1, false, func(in Input) { post = in })
	for i := range 10_000 {
		object := file(fmt.Sprintf("/posts/%d/%d/%d.html", i%7, i%211, i), "")
		if i*7919%10_000 < 5000 {
			half.Required = append(half.Required, object)
		} else {
			half.Unchanged = append(half.Unchanged, object)
		}
	}
	half.Everything, half.MaxItems = "/*", 30
	for name, in := range map[string]Input{"an ordinary post": post, "half of 10,000 files": half} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				Find(in)
			}
		})
	}
}
