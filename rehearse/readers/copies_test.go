package readers

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/rehearsal"
)

func TestCopiesOfWhatHasChangedMustBeCleared(t *testing.T) {
	server := startS3(t)
	before, build := map[string]string{}, map[string]string{}
	for i := range 9 { // More than readers visit before and after.
		key := fmt.Sprintf("%d/index.html", i)
		before[key], build[key] = "old", "old"
	}
	before["gone.txt"] = "gone"
	build["8/index.html"] = "new"
	for _, tt := range []struct {
		name     string
		items    []string
		stale    string // part of the failure; "" for none
		needless int
	}{
		{"what changed", []string{"/8/", "/8/index.html", "/gone.txt"}, "", 0},
		{"everything", []string{"/*"}, "", 8},
		{"too much", []string{"/8*", "/gone.txt", "/7*", "/0*"}, "", 2},
		{"not what was removed", []string{"/8*"}, "/gone.txt (200, and it was removed)", 0},
		{"not what changed", []string{"/gone.txt"}, "/8/ (old, 200)", 0},
		{"by one of its names", []string{"/8/", "/gone.txt"}, "/8/ (old, 200)", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, server, before)
			site := w.open(build)
			w.put("8/index.html", "new")
			w.remove("gone.txt")
			w.cleared = append(w.cleared, fakeaws.Invalidation{ID: "I1", Paths: tt.items, Status: "Completed"})
			err := site.Visit(t.Context(), rehearsal.AfterInvalidate)
			failed := (*rehearsal.Failure)(nil)
			if tt.stale != "" {
				if !errors.As(err, &failed) || failed.Code != "StaleReaders" || !strings.Contains(failed.Reason, tt.stale) {
					t.Errorf("got %v, want %s", err, tt.stale)
				}
				return
			}
			if got := w.record.Result().Copies; err != nil || got == nil || *got != (rehearsal.Copies{Held: 10, Needless: tt.needless}) {
				t.Errorf("got %+v (%v), want %d copies cleared needlessly", got, err, tt.needless)
			}
		})
	}
}

func TestACopyWithOldHeadersIsStale(t *testing.T) {
	w := newWorld(t, startS3(t), map[string]string{"index.html": "home"})
	site := w.open(map[string]string{"index.html": "home"})
	crawler := site.Crawl()
	time.Sleep(time.Second) // Last-Modified has whole seconds.
	w.put("index.html", "home")
	crawler.Written(t.Context(), "index.html", false)
	failed := (*rehearsal.Failure)(nil)
	if err := site.Visit(t.Context(), rehearsal.AfterInvalidate); !errors.As(err, &failed) || !strings.Contains(failed.Reason, "/ (the copy of before, 200)") {
		t.Errorf("got %v", err)
	}
}
