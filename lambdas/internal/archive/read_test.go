package archive

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"blog-deploy-pipeline/lambdas/internal/archive/archivetest"
)

// blog returns files of a blog: pages, and as many images that hardly pack.
func blog(files, size int) map[string]string {
	blog := map[string]string{}
	for i := range files / 2 {
		blog[fmt.Sprintf("posts/%04d/index.html", i)] = strings.Repeat(fmt.Sprintf("<p>%d</p>", i), size/9)
		blog[fmt.Sprintf("posts/%04d/image.png", i)] = noise(i, size)
	}
	return blog
}

// noise returns text that cannot be packed.
func noise(seed, size int) string {
	text, state := make([]byte, size), uint32(seed)*2654435761+1 //nolint:gosec // any number will do
	for i := range text {
		state ^= state << 13
		state ^= state >> 17
		state ^= state << 5
		text[i] = byte(state) //nolint:gosec // as above
	}
	return string(text)
}

// readAll reads files, and fails if one comes twice.
func readAll(t *testing.T, a *Archive, names, later []string) map[string]string {
	t.Helper()
	var mu sync.Mutex
	got := map[string]string{}
	err := a.Read(t.Context(), names, later, func(_ context.Context, file File, content io.ReadSeeker) error {
		data, err := io.ReadAll(content)
		mu.Lock()
		defer mu.Unlock()
		if _, twice := got[file.Name]; twice {
			t.Errorf("%s came twice", file.Name)
		}
		got[file.Name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestRead(t *testing.T) {
	files := blog(400, 20_000)
	files["large.bin"] = noise(1, maxInMemory+1)
	source := archivetest.Zip(files)
	a, err := Open(t.Context(), source)
	if err != nil {
		t.Fatal(err)
	}
	names := slices.Sorted(maps.Keys(files))
	if got := readAll(t, a, names, nil); !maps.Equal(got, files) {
		t.Error("read other contents than were packed")
	}
}
