package pipeline

import (
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/rehearse/s3"
)

// The function publish notices by its time that an object was put by another tool.
func TestKeptObjectsKeepTheirTime(t *testing.T) {
	kept := keptBuckets{names: []string{"blog"}, dir: t.TempDir(), temp: t.TempDir()}
	server := func() {
		t.Helper()
		var err error
		if kept.s3, err = s3.Start(t.Context(), s3.Options{Dir: t.TempDir()}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = kept.s3.Close() })
		if err := kept.load(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	server()
	put := time.Now().Add(-time.Hour).Truncate(time.Second)
	if err := kept.s3.PutObject(t.Context(), "blog", s3.Object{Key: "日/index.html", Size: 4, LastModified: put}, strings.NewReader("home")); err != nil {
		t.Fatal(err)
	}
	if err := kept.save(t.Context()); err != nil {
		t.Fatal(err)
	}
	server()
	objects, err := kept.s3.List(t.Context(), "blog")
	if err != nil || len(objects) != 1 || !objects[0].LastModified.Equal(put) {
		t.Errorf("the next rehearsal has %+v, %v, want one object of %v", objects, err, put)
	}
}
