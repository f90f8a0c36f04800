package readers

import (
	"archive/zip"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/rehearsal"
	"blog-deploy-pipeline/rehearse/s3"
)

func TestMain(m *testing.M) {
	s3.Main()
	os.Exit(m.Run())
}

// cleared has the invalidations of a distribution.
type cleared []fakeaws.Invalidation

func (c *cleared) Invalidations(string) []fakeaws.Invalidation { return *c }

// world is a bucket behind an edge.
type world struct {
	t       *testing.T
	server  *s3.Server
	bucket  string
	record  *rehearsal.Record
	cleared cleared
}

var buckets atomic.Int64

func newWorld(t *testing.T, server *s3.Server, objects map[string]string) *world {
	t.Helper()
	w := &world{t: t, server: server, bucket: fmt.Sprint("bucket-", buckets.Add(1)), record: silent()}
	if err := server.CreateBucket(t.Context(), w.bucket); err != nil {
		t.Fatal(err)
	}
	for key, content := range objects {
		w.put(key, content)
	}
	return w
}

func (w *world) put(key, content string) {
	w.t.Helper()
	kind := map[string]string{".html": "text/html", ".css": "text/css"}[filepath.Ext(key)]
	if err := w.server.PutObject(w.t.Context(), w.bucket, s3.Object{Key: key, Size: int64(len(content)), ContentType: kind}, strings.NewReader(content)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) remove(key string) {
	w.t.Helper()
	if _, err := w.server.Client().DeleteObject(w.t.Context(), &awss3.DeleteObjectInput{Bucket: aws.String(w.bucket), Key: aws.String(key)}); err != nil {
		w.t.Fatal(err)
	}
}

// open opens the site for a build, as it is before a publication.
func (w *world) open(build map[string]string) *Site {
	w.t.Helper()
	name := filepath.Join(w.t.TempDir(), "build.zip")
	file, err := os.Create(name)
	if err != nil {
		w.t.Fatal(err)
	}
	archive := zip.NewWriter(file)
	for key, content := range build {
		f, err := archive.Create(key)
		if err == nil {
			_, err = f.Write([]byte(content))
		}
		if err != nil {
			w.t.Fatal(err)
		}
	}
	if err := errors.Join(archive.Close(), file.Close()); err != nil {
		w.t.Fatal(err)
	}
	opened, err := OpenBuild(name, "")
	if err != nil {
		w.t.Fatal(err)
	}
	defer opened.Close()
	objects, err := w.server.List(w.t.Context(), w.bucket)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := opened.Compare(objects, &rehearsal.Site{}); err != nil {
		w.t.Fatal(err)
	}
	site, err := Open(w.t.Context(), Options{
		Record: w.record, S3: w.server, Bucket: w.bucket, DistributionID: "E1", Invalidations: &w.cleared, Now: time.Now, Skip: func(time.Duration) {}, Unique: "x",
	}, opened)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if err := site.Close(); err != nil {
			w.t.Error(err)
		}
	})
	if err := errors.Join(site.Visit(w.t.Context(), rehearsal.BeforeDeploy), site.Fill(w.t.Context())); err != nil {
		w.t.Fatal(err)
	}
	return site
}

func startS3(t *testing.T) *s3.Server {
	t.Helper()
	server, err := s3.Start(t.Context(), s3.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return server
}

func TestAReaderMissesNothingWhileASiteIsPublishedInOrder(t *testing.T) {
	const link = `<link rel=stylesheet href=/%s>`
	server := startS3(t)
	before := map[string]string{"index.html": fmt.Sprintf(link, "a.css"), "about/index.html": fmt.Sprintf(link, "a.css"), "a.css": "p { background: url(a.png) }", "a.png": "a"}
	build := map[string]string{"index.html": fmt.Sprintf(link, "b.css"), "about/index.html": fmt.Sprintf(link, "b.css"), "b.css": "p { background: url(b.png) }", "b.png": "b"}
	const gone = "-"
	for _, tt := range []struct {
		name  string
		build map[string]string
		order []string // keys; one with gone is removed
		want  []string // broken views
	}{
		{"in order", build, []string{"b.png", "b.css", "about/index.html", "index.html"}, nil},
		{"a page before its style", build, []string{"b.png", "about/index.html", "b.css", "index.html"}, []string{"/b.css (403) on /about/ after put about/index.html"}},
		{"a page before an image of its style", build, []string{"b.css", "index.html", "b.png", "about/index.html"}, []string{"/b.png (403) on / after put index.html"}},
		{"an old style goes at once", build, []string{"b.png", "b.css", "about/index.html", "index.html", "a.css" + gone}, []string{"/a.css (403) on the old / after removed a.css", "/a.css (403) on the old /about/ after all changes"}},
		{"an old image goes at once", build, []string{"b.png", "b.css", "about/index.html", "index.html", "a.png" + gone}, []string{"/a.png (403) on the old / after removed a.png", "/a.png (403) on the old /about/ after all changes"}},
		{"a page goes that stays", build, []string{"index.html" + gone, "b.png", "b.css", "index.html", "about/index.html"}, []string{"/ (403) on / after removed index.html"}},
		{"a page that leaves goes", map[string]string{"index.html": before["index.html"], "a.css": before["a.css"], "a.png": "a"}, []string{"about/index.html" + gone}, nil},
		{"a style that keeps its name before its image", map[string]string{"index.html": before["index.html"], "a.css": "p { background: url(c.png) }", "c.png": "c"}, []string{"a.css", "c.png"}, []string{"/c.png (403) on / after put a.css"}},
		{"what was never built", map[string]string{"index.html": `<img src=/no.png>`}, []string{"index.html"}, nil},
		{"another site", map[string]string{"index.html": `<img src=https://other.example/b.png>`, "b.png": "b"}, []string{"index.html", "b.png"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, server, before)
			crawler := w.open(tt.build).Crawl()
			for _, key := range tt.order {
				key, removed := strings.CutSuffix(key, gone)
				if removed {
					w.remove(key)
				} else {
					w.put(key, tt.build[key])
				}
				crawler.Written(t.Context(), key, removed)
			}
			_, err := crawler.End(t.Context())
			saw := w.record.Result().Crawl
			var got []string
			for _, b := range saw.Broken {
				got = append(got, b.String())
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got the broken views %q, want %q", got, tt.want)
			}
			failed := (*rehearsal.Failure)(nil)
			if is := errors.As(err, &failed) && failed.Code == "BrokenViews"; is != (tt.want != nil) {
				t.Errorf("it ends with %v", err)
			}
			if saw.Views < len(tt.order) {
				t.Errorf("the reader has seen %d pages, want at least one after each change", saw.Views)
			}
		})
	}
}

func TestAnAddressThatNeverWorksIsNoBrokenView(t *testing.T) {
	w := newWorld(t, startS3(t), nil)
	build := map[string]string{"index.html": `<img src="/a+b.png">`, "a+b.png": "x"}
	crawler := w.open(build).Crawl()
	for _, key := range []string{"a+b.png", "index.html"} {
		w.put(key, build[key])
		crawler.Written(t.Context(), key, false)
	}
	_, err := crawler.End(t.Context())
	if want := "pages name files that were built, which readers do not get by that address: /a+b.png"; err != nil || !slices.Contains(w.record.Result().Warnings, want) {
		t.Errorf("it ends with %v and the warnings %q, want %q", err, w.record.Result().Warnings, want)
	}
}
