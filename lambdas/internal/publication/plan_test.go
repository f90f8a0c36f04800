package publication

import (
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/archive"
	"blog-deploy-pipeline/lambdas/internal/release"
)

var now = time.Date(2026, 11, 27, 1, 30, 0, 0, time.UTC)

// built returns files as an archive lists them.
func built(build files) (list []archive.File) {
	for _, name := range slices.Sorted(maps.Keys(build)) {
		size := int64(len(build[name]))
		list = append(list, archive.File{Name: name, Size: size, Packed: size, CRC32: crc32.ChecksumIEEE([]byte(build[name]))})
	}
	return list
}

// published returns a situation in which a blog has been published and nothing has changed
// since.
func published(settings Settings, blog files) situation {
	s := situation{
		settings: settings, now: now, files: built(blog), objects: map[string]string{},
		state:    release.State{Number: 7, Current: "current", Target: "20261127-013000-1a2b3c4d"},
		manifest: &release.Manifest{Time: now.Add(-24 * time.Hour), Site: settings.site(), Files: map[string]release.File{}},
	}
	for _, file := range s.files {
		key := settings.prefix() + file.Name
		s.objects[key] = etag(file.Name)
		s.manifest.Files[key] = release.File{
			Size: file.Size, Packed: file.Packed, CRC32: file.CRC32, SHA256: "sha of " + file.Name,
			ETag: etag(file.Name), Headers: settings.headers(file.Name), Tag: "r-1",
		}
	}
	return s
}

func etag(name string) string { return fmt.Sprintf("%q", "etag of "+name) }

func TestPlan(t *testing.T) {
	day := 24 * time.Hour
	root := Settings{Bucket: site, Grace: day, MaxDeletePercent: 30}
	repack := func(s *situation) { s.files[0].Packed++ } // a/index.html
	for _, tt := range []struct {
		name     string
		settings Settings // default: root
		change   func(*situation)
		build    files // default: as published

		puts                                    []string // "reason: key"
		removals, retired, foreign, left, touch []string
		added, unsure                           []string
		kept                                    int
		isRelease                               bool
	}{
		{name: "nothing changed", kept: 7},
		{name: "another content", build: blog.with(files{"a/index.html": "other"}), puts: []string{"content: a/index.html"}, touch: []string{"a/index.html"}, kept: 6, isRelease: true},
		{name: "another content of the same size", build: blog.with(files{"a/index.html": "<h1>A</h1>"}), puts: []string{"content: a/index.html"}, touch: []string{"a/index.html"}, kept: 6, isRelease: true},
		{name: "a new file", build: blog.with(files{"c.png": "c"}), puts: []string{"new: c.png"}, touch: []string{"c.png"}, added: []string{"c.png"}, kept: 7, isRelease: true},
		{name: "a new file where another tool has one", build: blog.with(files{"c.png": "c"}), change: func(s *situation) { s.objects["c.png"] = `"x"` },
			puts: []string{"new: c.png"}, touch: []string{"c.png"}, kept: 7, isRelease: true},
		{name: "other headers", settings: Settings{Bucket: site, Grace: day, Headers: []contract.HeaderRule{{Match: "*.jpg", CacheControl: "no-cache"}}},
			change: func(s *situation) {
				f := s.manifest.Files["images/photo.jpg"]
				f.Headers = root.headers("images/photo.jpg")
				s.manifest.Files["images/photo.jpg"] = f
			},
			puts: []string{"headers: images/photo.jpg"}, touch: []string{"images/photo.jpg"}, kept: 6, isRelease: true},
		{name: "edited by hand", change: func(s *situation) { s.objects["index.xml"] = `"x"` }, puts: []string{"edited in the bucket: index.xml"}, touch: []string{"index.xml"}, kept: 6, isRelease: true},
		{name: "put again by hand", change: func(s *situation) { s.modified = map[string]time.Time{"index.xml": now} }, puts: []string{"edited in the bucket: index.xml"}, touch: []string{"index.xml"}, kept: 6, isRelease: true},
		{name: "put by the release, if the clock of S3 is fast", change: func(s *situation) { s.modified = map[string]time.Time{"index.xml": now.Add(time.Minute - day)} }, kept: 7},
		{name: "removed by hand", change: func(s *situation) { delete(s.objects, "index.xml") }, puts: []string{"missing in the bucket: index.xml"}, touch: []string{"index.xml"}, kept: 6, isRelease: true},
		{name: "touched by a run that was not committed", change: func(s *situation) { s.state.Touched = map[string]int64{"index.xml": 8} },
			puts: []string{"unfinished run: index.xml"}, touch: []string{"index.xml"}, kept: 6, isRelease: true},
		{name: "touched by the last run, not cleared yet", change: func(s *situation) { s.state.Touched = map[string]int64{"index.xml": 7} }, kept: 7},
		{name: "another packing", change: repack, unsure: []string{"a/index.html"}, kept: 7},
		{name: "another packing of the same content", change: func(s *situation) { repack(s); s.hashes = map[string]string{"a/index.html": "sha of a/index.html"} }, kept: 7, isRelease: true},
		{name: "another packing of a content with the same sum", change: func(s *situation) { repack(s); s.hashes = map[string]string{"a/index.html": "another"} },
			puts: []string{"content: a/index.html"}, touch: []string{"a/index.html"}, kept: 6, isRelease: true},
		{name: "another packing of what another tool has edited", change: func(s *situation) { repack(s); s.objects["a/index.html"] = `"x"` },
			puts: []string{"edited in the bucket: a/index.html"}, touch: []string{"a/index.html"}, kept: 6, isRelease: true},

		{name: "pages left", build: blog.with(files{"b/index.html": "", "index.xml": ""}), left: []string{"b/index.html", "index.xml"}, removals: []string{"b/index.html", "index.xml"}, touch: []string{"b/index.html", "index.xml"}, kept: 5, isRelease: true},
		{name: "assets left", build: blog.with(files{"css/main.css": "", "images/photo.jpg": ""}), left: []string{"css/main.css", "images/photo.jpg"}, retired: []string{"css/main.css", "images/photo.jpg"}, kept: 5, isRelease: true},
		{name: "an asset left, without grace", settings: Settings{Bucket: site}, build: blog.with(files{"images/photo.jpg": ""}), left: []string{"images/photo.jpg"}, removals: []string{"images/photo.jpg"}, touch: []string{"images/photo.jpg"}, kept: 6, isRelease: true},
		{name: "in its grace", change: func(s *situation) {
			s.state.Retired = map[string]time.Time{"old.png": now.Add(time.Second - day)}
			s.objects["old.png"] = `"x"`
		}, retired: []string{"old.png"}, kept: 7},
		{name: "after its grace", change: func(s *situation) {
			s.state.Retired = map[string]time.Time{"old.png": now.Add(-day)}
			s.objects["old.png"] = `"x"`
		}, removals: []string{"old.png"}, touch: []string{"old.png"}, kept: 7},
		{name: "back in its grace", build: blog.with(files{"old.png": "old"}), change: func(s *situation) {
			s.state.Retired = map[string]time.Time{"old.png": now}
			s.objects["old.png"] = `"x"`
		}, puts: []string{"new: old.png"}, touch: []string{"old.png"}, added: []string{"old.png"}, kept: 7, isRelease: true},
		{name: "a page of a run that was not committed", change: func(s *situation) {
			s.state.Retired = map[string]time.Time{"draft/index.html": now}
			s.objects["draft/index.html"] = `"x"`
		}, removals: []string{"draft/index.html"}, touch: []string{"draft/index.html"}, kept: 7},
		{name: "an asset of a run that was not committed", change: func(s *situation) {
			s.state.Retired = map[string]time.Time{"draft.png": {}}
			s.objects["draft.png"] = `"x"`
		}, retired: []string{"draft.png"}, kept: 7},
		{name: "an object of another tool", change: func(s *situation) { s.objects["logs/1.gz"] = `"x"` }, foreign: []string{"logs/1.gz"}, kept: 7},
		{name: "a release that was not finished", change: func(s *situation) { s.manifest.Unfinished = true }, kept: 7, isRelease: true},

		{name: "the first time", change: func(s *situation) {
			s.manifest, s.objects = nil, map[string]string{"css/main.css": `"x"`, "old.html": `"x"`}
		},
			puts:    []string{"new: images/photo.jpg", "new: js/app.1a2b3c4d5e6f7a8b.js", "new: css/main.css", "new: a/index.html", "new: b/index.html", "new: index.html", "new: index.xml"},
			foreign: []string{"old.html"}, added: []string{"images/photo.jpg", "js/app.1a2b3c4d5e6f7a8b.js", "a/index.html", "b/index.html", "index.html", "index.xml"}, isRelease: true},
		{name: "to another bucket", build: files{"index.html": "home"}, change: func(s *situation) {
			s.manifest.Site = "another/"
			s.state.Retired = map[string]time.Time{"old.html": now}
			s.objects = map[string]string{"a/index.html": `"x"`, "old.html": `"x"`}
		}, puts: []string{"new: index.html"}, added: []string{"index.html"}, foreign: []string{"a/index.html", "old.html"}, isRelease: true},
		{name: "in a folder", settings: Settings{Bucket: site, KeyPrefix: "blog", Grace: day}, build: blog.with(files{"a/index.html": "new", "b/index.html": "", "images/photo.jpg": ""}),
			puts: []string{"content: blog/a/index.html"}, touch: []string{"blog/a/index.html", "blog/b/index.html"}, left: []string{"blog/b/index.html", "blog/images/photo.jpg"},
			removals: []string{"blog/b/index.html"}, retired: []string{"blog/images/photo.jpg"}, kept: 4, isRelease: true},
		{name: "an asset of a run that was not finished left", change: func(s *situation) { s.state.Retired = map[string]time.Time{"images/photo.jpg": now.Add(-2 * day)} },
			build: blog.with(files{"images/photo.jpg": ""}), left: []string{"images/photo.jpg"}, retired: []string{"images/photo.jpg"}, kept: 6, isRelease: true},
		{name: "a retired key outside of the folder", settings: Settings{Bucket: site, KeyPrefix: "blog"}, change: func(s *situation) { s.state.Retired = map[string]time.Time{"index.html": now} }, kept: 7},
	} {
		t.Run(tt.name, func(t *testing.T) {
			settings := tt.settings
			if settings.Bucket == "" {
				settings = root
			}
			s := published(settings, blog)
			if tt.build != nil {
				s.files = built(tt.build)
			}
			if tt.change != nil {
				tt.change(&s)
			}
			p := s.plan()
			var puts []string
			for _, put := range p.puts {
				puts = append(puts, fmt.Sprintf("%s: %s", put.reason, put.key))
			}
			intent := p.intent(s)
			for _, list := range []struct {
				what      string
				got, want []string
			}{
				{"puts", puts, tt.puts}, {"removals", p.removals(), tt.removals}, {"retired", slices.Sorted(maps.Keys(p.retired)), tt.retired},
				{"foreign", p.foreign, tt.foreign}, {"left", p.left, tt.left}, {"unsure", p.unsure, tt.unsure},
				{"touched", intent.Touched, tt.touch}, {"added", intent.New, tt.added},
			} {
				if !slices.Equal(list.got, list.want) {
					t.Errorf("%s: %s, want %s", list.what, strings.Join(list.got, ", "), strings.Join(list.want, ", "))
				}
			}
			if len(p.kept) != tt.kept {
				t.Errorf("%d are kept, want %d", len(p.kept), tt.kept)
			}
			if got := p.isRelease(s.manifest); got != tt.isRelease {
				t.Errorf("it is a release: %v, want %v", got, tt.isRelease)
			}
			if want := s.manifest == nil || s.manifest.Site != settings.site(); intent.Everything != want {
				t.Errorf("everything is to be cleared: %v, want %v", intent.Everything, want)
			}
		})
	}
}

// The tag of what an edge location may have is known only if that is the object before.
func TestPlanReplaces(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*situation)
		want   string
	}{
		{"the object before", func(*situation) {}, "r-1"},
		{"the object before, with other headers", func(s *situation) {
			s.files = built(blog)
			s.settings.Headers = []contract.HeaderRule{{Match: "a/*", ContentLanguage: "ja"}}
		}, "r-1"},
		{"nothing", func(s *situation) { delete(s.manifest.Files, "a/index.html") }, ""},
		{"what another tool has put", func(s *situation) { s.objects["a/index.html"] = `"x"` }, ""},
		{"what another tool has put with the same content", func(s *situation) { s.modified = map[string]time.Time{"a/index.html": now} }, ""},
		{"what is not cleared yet", func(s *situation) { s.state.Touched = map[string]int64{"a/index.html": 7} }, ""},
		{"what an unfinished run has put", func(s *situation) { s.state.Touched = map[string]int64{"a/index.html": 8} }, ""},
		{"anything", func(s *situation) { s.state.ClearAll = 7 }, ""},
	} {
		s := published(Settings{Bucket: site}, blog)
		s.files = built(blog.with(files{"a/index.html": "other"}))
		tt.change(&s)
		p := s.plan()
		if len(p.puts) != 1 || p.puts[0].replaced != tt.want {
			t.Errorf("%s: puts are %+v, want one that replaces %q", tt.name, p.puts, tt.want)
		}
	}
	s := published(Settings{Bucket: site}, files{"index.html": "home"})
	s.manifest.Files["index.html"] = release.File{Size: 4, Packed: 4, CRC32: s.files[0].CRC32, ETag: etag("index.html"), Headers: s.settings.headers("index.html"), Tag: "r-2", Replaced: "r-1"}
	if kept := s.plan().kept["index.html"]; kept.Tag != "r-2" || kept.Replaced != "" {
		t.Errorf("a kept file is %+v, want its tag alone", kept)
	}
}

// Every file that is needed is there before what needs it.
func TestPlanInWaves(t *testing.T) {
	s := published(Settings{Bucket: site}, blog)
	s.manifest = nil
	wave := map[string]int{}
	for i, put := range s.plan().puts {
		wave[put.key] = put.wave
		if i > 0 && put.wave < s.plan().puts[i-1].wave {
			t.Errorf("%s of wave %d comes after wave %d", put.key, put.wave, s.plan().puts[i-1].wave)
		}
	}
	for _, order := range [][2]string{{"images/photo.jpg", "css/main.css"}, {"css/main.css", "a/index.html"}, {"a/index.html", "index.html"}, {"a/index.html", "index.xml"}} {
		if wave[order[0]] >= wave[order[1]] {
			t.Errorf("%s is in wave %d and %s in wave %d, want it before", order[0], wave[order[0]], order[1], wave[order[1]])
		}
	}
}

func TestHeaders(t *testing.T) {
	s := Settings{Headers: []contract.HeaderRule{
		{Match: "downloads/*.pdf", ContentType: "application/x-pdf", ContentDisposition: "attachment", Metadata: map[string]string{"Owner": "me"}},
		{Match: "*.pdf", ContentLanguage: "ja", CacheControl: "max-age=60"},
	}}
	for _, tt := range []struct {
		name string
		want release.Headers
	}{
		{"downloads/a.pdf", release.Headers{ContentType: "application/x-pdf", CacheControl: "public, max-age=0, s-maxage=86400, must-revalidate", ContentDisposition: "attachment", Metadata: map[string]string{"owner": "me"}}},
		{"a.pdf", release.Headers{ContentType: "application/pdf", CacheControl: "max-age=60", ContentLanguage: "ja"}},
		{"index.html", release.Headers{ContentType: "text/html; charset=utf-8", CacheControl: "public, max-age=0, s-maxage=86400, must-revalidate"}},
	} {
		if got := s.headers(tt.name); fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("%s has %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

func TestMetadata(t *testing.T) {
	for _, tt := range []struct {
		own, want map[string]string
	}{
		{nil, map[string]string{contract.MetadataCacheTag: "r-1"}},
		{map[string]string{"owner": "me"}, map[string]string{"owner": "me", contract.MetadataCacheTag: "r-1"}},
		{map[string]string{contract.MetadataCacheTag: "news"}, map[string]string{contract.MetadataCacheTag: "news,r-1"}},
	} {
		if got := metadata(release.Headers{Metadata: tt.own}, "r-1"); !maps.Equal(got, tt.want) {
			t.Errorf("%v: %v, want %v", tt.own, got, tt.want)
		}
	}
}
