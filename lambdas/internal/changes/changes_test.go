package changes

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/environment"
	"blog-deploy-pipeline/lambdas/internal/objecttest"
	"blog-deploy-pipeline/lambdas/internal/release"
)

const id = "20261127-013000-1a2b3c4d"

// blog is the manifest of a small blog.
func blog(keys ...string) *release.Manifest {
	files := map[string]release.File{}
	for _, key := range keys {
		files[key] = release.File{Size: 1}
	}
	return &release.Manifest{ID: id, Number: 7, Files: files}
}

func TestFind(t *testing.T) {
	files := blog("index.html", "posts/a/index.html", "posts/b/index.html", "posts/c/index.html", "css/main.css", "feed.xml")
	touched := func(number int64, keys ...string) map[string]int64 {
		all := map[string]int64{}
		for _, key := range keys {
			all[key] = number
		}
		return all
	}
	// What edge locations have of the home page and the feed is of release 6.
	tagged := &release.Manifest{ID: id, Number: 7, Files: map[string]release.File{
		"index.html": {Tag: "r-7", Replaced: "r-6"}, "feed.xml": {Tag: "r-7", Replaced: "r-6"},
		"a.css": {Tag: "r-5"}, "b.css": {Tag: "r-5"}, "c.css": {Tag: "r-5"},
	}}
	tests := []struct {
		name     string
		state    release.State
		manifest *release.Manifest
		settings Settings
		want     Plan
	}{
		{name: "nothing has changed", state: release.State{Number: 8}, manifest: files, want: Plan{Number: 8, Unchanged: 6}},
		{name: "a page", state: release.State{Touched: touched(7, "posts/a/index.html")}, manifest: files,
			want: Plan{Items: []string{"/posts/a/*"}, Changed: 1, Unchanged: 5}},
		{name: "a page that is served without a slash", state: release.State{Touched: touched(7, "posts/a/index.html")}, manifest: files,
			settings: Settings{Addresses: contract.Addresses{Bare: true}}, want: Plan{Items: []string{"/posts/a*"}, Changed: 1, Unchanged: 5}},
		{name: "a page that has left", state: release.State{Touched: touched(7, "posts/z/index.html")}, manifest: files,
			want: Plan{Items: []string{"/posts/z/*"}, Changed: 1, Unchanged: 6}},
		{name: "what a publication in progress touches, too", state: release.State{Number: 7, Touched: touched(8, "css/main.css")}, manifest: files,
			want: Plan{Number: 7, Items: []string{"/css/main.css"}, Changed: 1, Unchanged: 5}},
		{name: "few items", state: release.State{Touched: touched(7, "posts/a/index.html", "posts/b/index.html")}, manifest: files,
			settings: Settings{MaxPaths: 1}, want: Plan{Items: []string{"/posts/*"}, Changed: 2, Unchanged: 4, Needless: 1}},
		{name: "all files", state: release.State{Touched: touched(7, slices.Collect(maps.Keys(files.Files))...)}, manifest: files,
			settings: Settings{MaxPaths: 3}, want: Plan{Items: []string{"/*"}, Changed: 6}},
		{name: "a folder of a bucket, and of the site", state: release.State{Touched: touched(7, "blog/a.css", "blog/b.css")}, manifest: blog("blog/a.css", "blog/b.css", "blog/c.css"),
			settings: Settings{KeyPrefix: "blog", Addresses: contract.Addresses{BasePath: "/my/"}, MaxPaths: 2}, want: Plan{Items: []string{"/my/a.css", "/my/b.css"}, Changed: 2, Unchanged: 1}},
		{name: "outside of the folder", state: release.State{Touched: touched(7, "other/a.css")}, manifest: blog("blog/c.css"),
			settings: Settings{KeyPrefix: "blog"}, want: Plan{Changed: 1, Unchanged: 1}},
		{name: "query strings", state: release.State{Touched: touched(7, "css/main.css")}, manifest: files,
			settings: Settings{Addresses: contract.Addresses{QueryStrings: true}}, want: Plan{Items: []string{"/css/main.css*"}, Changed: 1, Unchanged: 5}},
		{name: "by a tag", state: release.State{Number: 7, Touched: touched(7, "index.html", "feed.xml")}, manifest: tagged,
			settings: Settings{Addresses: contract.Addresses{Tags: true}, MaxPaths: 2}, want: Plan{Number: 7, Items: []string{"#r-6"}, Changed: 2, Unchanged: 3}},
		{name: "by a tag that an unchanged file has, too", state: release.State{Number: 7, Touched: touched(7, "index.html", "feed.xml", "a.css")}, manifest: tagged,
			settings: Settings{Addresses: contract.Addresses{Tags: true}, MaxPaths: 2}, want: Plan{Number: 7, Items: []string{"#r-6", "/a.css"}, Changed: 3, Unchanged: 2}},
		{name: "tags that the distribution does not read", state: release.State{Number: 7, Touched: touched(7, "index.html", "feed.xml")}, manifest: tagged,
			settings: Settings{MaxPaths: 2}, want: Plan{Number: 7, Items: []string{"/*"}, Changed: 2, Unchanged: 3, Needless: 3}},
		{name: "a tag of a release before the last one", state: release.State{Number: 8, Touched: touched(8, "index.html", "feed.xml")}, manifest: tagged,
			settings: Settings{Addresses: contract.Addresses{Tags: true}, MaxPaths: 2}, want: Plan{Number: 8, Items: []string{"/*"}, Changed: 2, Unchanged: 3, Needless: 3}},
		{name: "the first publication", state: release.State{ClearAll: 7, Touched: touched(7, "index.html")}, manifest: files,
			want: Plan{Items: []string{"/*"}, All: true, Changed: 1, Unchanged: 5}},
		{name: "the first publication of a folder", state: release.State{ClearAll: 7}, manifest: blog("blog/index.html"),
			settings: Settings{KeyPrefix: "blog", Addresses: contract.Addresses{BasePath: "/blog/", Bare: true}}, want: Plan{Items: []string{"/blog*"}, All: true, Unchanged: 1}},
		{name: "another first publication in progress", state: release.State{Number: 7, ClearAll: 8}, manifest: files,
			want: Plan{Number: 7, Items: []string{"/*"}, All: true, Unchanged: 6}},
		{name: "a manifest that was lost", state: release.State{Touched: touched(7, "index.html")}, want: Plan{Items: []string{"/*"}, All: true, Changed: 1}},
		{name: "a state that was lost", want: Plan{Items: []string{"/*"}, All: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.settings.MaxPaths == 0 {
				tt.settings.MaxPaths = 30
			}
			got := find(tt.state, tt.manifest, tt.settings)
			slices.Sort(got.Items)
			if !slices.Equal(got.Items, tt.want.Items) {
				t.Errorf("clears %q, want %q", got.Items, tt.want.Items)
			}
			got.Items, tt.want.Items = nil, nil
			if got, want := contract.JSON(got), contract.JSON(tt.want); got != want {
				t.Errorf("plan is %s, want %s", got, want)
			}
		})
	}
}

func TestPublished(t *testing.T) {
	retired := map[string]time.Time{"old.css": {}}
	tests := []struct {
		name                    string
		state                   release.State
		number                  int64
		noManifest              bool
		changed, removed, files string
	}{
		{name: "nothing has changed", state: release.State{Number: 7}, number: 7, files: "a.css b.css index.html"},
		{name: "changed and removed", state: release.State{Number: 7, Touched: map[string]int64{"a.css": 7, "b.css": 5, "gone.html": 6}}, number: 7,
			changed: "a.css b.css", removed: "gone.html", files: "a.css b.css index.html"},
		{name: "a file that stays for a while", state: release.State{Number: 7, Touched: map[string]int64{"old.css": 7}, Retired: retired}, number: 7, files: "a.css b.css index.html"},
		{name: "a later publication", state: release.State{Number: 8, Touched: map[string]int64{"a.css": 7, "index.html": 8, "gone.html": 8}}, number: 7, changed: "a.css", files: "a.css b.css"},
		{name: "one in progress", state: release.State{Number: 7, Touched: map[string]int64{"a.css": 7, "b.css": 8}}, number: 7, changed: "a.css", files: "a.css index.html"},
		{name: "everything", state: release.State{Number: 7, ClearAll: 7, Touched: map[string]int64{"gone.html": 7}}, number: 7,
			changed: "a.css b.css index.html", removed: "gone.html", files: "a.css b.css index.html"},
		{name: "everything, and a later publication", state: release.State{Number: 8, ClearAll: 7, Touched: map[string]int64{"a.css": 8}}, number: 7, changed: "b.css index.html", files: "b.css index.html"},
		{name: "everything, by a later publication", state: release.State{Number: 8, ClearAll: 8, Touched: map[string]int64{"a.css": 7}}, number: 7},
		{name: "a state that was lost", state: release.State{Number: 1, Touched: map[string]int64{"a.css": 1}}, number: 7},
		{name: "a manifest that was lost", state: release.State{Number: 7, Touched: map[string]int64{"a.css": 7}}, number: 7, noManifest: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			manifest := blog("index.html", "a.css", "b.css")
			if tt.noManifest {
				manifest = nil
			}
			got := published(tt.state, manifest, tt.number)
			if changed := strings.Join(got.Changed, " "); changed != tt.changed {
				t.Errorf("changed are %q, want %q", changed, tt.changed)
			}
			if removed := strings.Join(got.Removed, " "); removed != tt.removed {
				t.Errorf("removed are %q, want %q", removed, tt.removed)
			}
			if all := strings.Join(slices.Sorted(maps.Keys(got.Files)), " "); all != tt.files {
				t.Errorf("files are %q, want %q", all, tt.files)
			}
			if (got.Release == id) != (tt.files != "") {
				t.Errorf("release is %q", got.Release)
			}
		})
	}
}

func TestFinder(t *testing.T) {
	const bucket = "releases"
	s3 := objecttest.New(bucket)
	store := release.Store{S3: &objecttest.Client{S3: s3}, Bucket: bucket}
	f := Finder{Releases: store, Settings: Settings{MaxPaths: 30}}
	update := func(change func(*release.State)) {
		if _, err := store.Update(t.Context(), func(s *release.State) error { change(s); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.PutManifest(t.Context(), blog("index.html", "a.css")); err != nil {
		t.Fatal(err)
	}
	update(func(s *release.State) {
		s.Number, s.Current, s.Touched = 7, id, map[string]int64{"a.css": 6}
	})
	plan, err := f.Find(t.Context())
	if err != nil || plan.Number != 7 || plan.Release != id || !slices.Equal(plan.Items, []string{"/a.css"}) {
		t.Fatalf("found %+v, %v, want the style of release %s", plan, err, id)
	}
	if p, err := f.Published(t.Context(), plan.Number); err != nil || p.Release != id || !slices.Equal(p.Changed, []string{"a.css"}) || len(p.Files) != 2 {
		t.Errorf("published is %+v, %v, want the style of release %s", p, err, id)
	}
	if all := f.Everything(plan); !slices.Equal(all.Items, []string{"/*"}) || all.Needless != 1 || all.Number != 7 {
		t.Errorf("everything is %+v, want one path that evicts one other file", all)
	}
	// Another publication touches two files before the invalidation is completed.
	update(func(s *release.State) {
		s.Number, s.Touched["index.html"] = 8, 8
		s.Touched["b.css"] = 9
	})
	for range 2 {
		if err := f.Done(t.Context(), plan.Number); err != nil {
			t.Fatal(err)
		}
	}
	plan, err = f.Find(t.Context())
	slices.Sort(plan.Items)
	if want := []string{"/", "/b.css", "/index.html"}; err != nil || plan.Number != 8 || !slices.Equal(plan.Items, want) {
		t.Errorf("found %+v, %v, want %q", plan, err, want)
	}
	update(func(s *release.State) { s.Number = 9 })
	if err := f.Done(t.Context(), 9); err != nil {
		t.Fatal(err)
	}
	if plan, err = f.Find(t.Context()); err != nil || len(plan.Items) > 0 {
		t.Errorf("found %+v, %v, want nothing", plan, err)
	}
}

// What a publication would have cleared is what the one after it clears, also by tags, and
// nothing is noted.
func TestForesee(t *testing.T) {
	const bucket = "releases"
	client := &objecttest.Client{S3: objecttest.New(bucket)}
	store := release.Store{S3: client, Bucket: bucket}
	manifest := blog("index.html", "a.html", "b.html", "c.css", "d.css")
	for key, tag := range map[string]string{"index.html": "r-7", "a.html": "r-7", "b.html": "r-7", "c.css": "r-1", "d.css": "r-1"} {
		manifest.Files[key] = release.File{Tag: tag}
	}
	_, err := store.Update(t.Context(), func(s *release.State) error {
		s.Number, s.Current, s.Touched = 7, id, map[string]int64{"d.css": 7}
		return nil
	})
	if err := errors.Join(err, store.PutManifest(t.Context(), manifest)); err != nil {
		t.Fatal(err)
	}
	f := Finder{Releases: store, Settings: Settings{MaxPaths: 2, Addresses: contract.Addresses{Tags: true}}}
	for _, tt := range []struct {
		name    string
		touched []string
		want    []string
	}{
		{"nothing besides", nil, []string{"/d.css"}},
		{"all of a release", []string{"index.html", "a.html", "b.html"}, []string{"#r-7", "/d.css"}},
		{"what is to be cleared already", []string{"d.css", "c.css"}, []string{"/c.css", "/d.css"}},
	} {
		plan, err := f.Foresee(t.Context(), tt.touched)
		slices.Sort(plan.Items)
		if err != nil || !slices.Equal(plan.Items, tt.want) {
			t.Errorf("%s: would clear %q, %v, want %q", tt.name, plan.Items, err, tt.want)
		}
	}
	if state, err := store.Load(t.Context()); err != nil || len(state.Touched) != 1 || state.Number != 7 {
		t.Errorf("after that the state is %+v, %v", state, err)
	}
}

// Errors of S3 come through.
func TestFinderErrors(t *testing.T) {
	denied := errors.New("denied")
	for _, tt := range []struct {
		name     string
		releases broken
		call     func(Finder) error
	}{
		{"load", broken{load: denied}, func(f Finder) error { _, err := f.Find(t.Context()); return err }},
		{"manifest", broken{manifest: denied}, func(f Finder) error { _, err := f.Find(t.Context()); return err }},
		{"load, to look", broken{load: denied}, func(f Finder) error { _, err := f.Published(t.Context(), 1); return err }},
		{"manifest, to look", broken{manifest: denied}, func(f Finder) error { _, err := f.Published(t.Context(), 1); return err }},
		{"update", broken{update: denied}, func(f Finder) error { return f.Done(t.Context(), 1) }},
	} {
		if err := tt.call(Finder{Releases: tt.releases}); !errors.Is(err, denied) {
			t.Errorf("%s: got %v, want %v", tt.name, err, denied)
		}
	}
}

// broken are releases that cannot be read or written.
type broken struct{ load, manifest, update error }

func (b broken) Load(context.Context) (release.State, error) { return release.State{}, b.load }
func (b broken) Manifest(context.Context, string) (*release.Manifest, error) {
	return nil, b.manifest
}
func (b broken) Update(context.Context, func(*release.State) error) (release.State, error) {
	return release.State{}, b.update
}

// An ordinary post of a blog of 2,000 files has its plan in milliseconds.
func BenchmarkFind(b *testing.B) {
	files := blog()
	state := release.State{Touched: map[string]int64{}}
	for i := range 1000 {
		key := "posts/" + time.Unix(int64(i)*86400, 0).UTC().Format("2006/01/02") + "/"
		files.Files[key+"index.html"], files.Files[key+"image.png"] = release.File{}, release.File{}
		if i%12 == 0 {
			state.Touched[key+"index.html"] = 1
		}
	}
	for b.Loop() {
		find(state, files, Settings{MaxPaths: 30})
	}
}

func TestReadSettings(t *testing.T) {
	tests := []struct {
		name     string
		env      map[string]string
		want     Settings
		problems []string
	}{
		{name: "defaults", want: Settings{MaxPaths: 30}},
		{
			name: "all set",
			env:  map[string]string{contract.EnvKeyPrefix: "a/b", contract.EnvMaxPaths: "100", contract.EnvAddresses: `{"BasePath":"/b/","Bare":true,"QueryStrings":true,"Tags":true}`},
			want: Settings{KeyPrefix: "a/b", MaxPaths: 100, Addresses: contract.Addresses{BasePath: "/b/", Bare: true, QueryStrings: true, Tags: true}},
		},
		{
			name:     "every problem at once",
			env:      map[string]string{contract.EnvKeyPrefix: "a/", contract.EnvMaxPaths: "0", contract.EnvAddresses: `{"BasePath":"b"}`},
			problems: []string{contract.EnvKeyPrefix + ` is "a/"`, contract.EnvMaxPaths + ` is "0"`, contract.EnvAddresses},
		},
		{name: "no JSON", env: map[string]string{contract.EnvAddresses: "/blog/"}, problems: []string{"must be JSON such as {"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			env := environment.Reader{Getenv: func(name string) string { return tt.env[name] }}
			got, err := ReadSettings(&env), env.Err()
			if len(tt.problems) == 0 && (err != nil || got != tt.want) {
				t.Errorf("settings are %+v, %v, want %+v", got, err, tt.want)
			}
			for _, problem := range tt.problems {
				if err == nil || !strings.Contains(err.Error(), problem) {
					t.Errorf("error %v does not say %q", err, problem)
				}
			}
		})
	}
}
