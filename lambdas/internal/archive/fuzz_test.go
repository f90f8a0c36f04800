package archive

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"errors"
	"io"
	"maps"
	"strings"
	"sync"
	"testing"

	"blog-deploy-pipeline/lambdas/internal/archive/archivetest"
)

// FuzzOpen reads any bytes as an archive. What it accepts must be the same to Go's own
// package, which reads archives in another way.
func FuzzOpen(f *testing.F) {
	text := strings.Repeat("<p>いろは</p>", 20)
	f.Add(archivetest.Zip(map[string]string{"index.html": text, "a/b": "", "日本語": "x"}).Data)
	for _, end := range []forgedEnd{{}, {zip64: true}, {comment: []byte("comment")}} {
		f.Add(forge(end, forged{name: "a/"}, forged{name: "a/b", content: text, method: deflated}.ofUnix(0o100644), forged{name: "c", content: "x", flags: 1 << 11}).Data)
		f.Add(forge(end, forged{name: "a", content: "xy", lie: func(h []byte) { le.PutUint64(h[20:], 1<<64-1) }, lieLocally: func(h []byte) { le.PutUint64(h[18:], 1<<64-1) }, extra: sizes64(2, 2), localExtra: sizes64(2, 2)}).Data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var invalid *Invalid
		a, err := Open(t.Context(), &archivetest.Source{Data: data})
		if err != nil {
			if !errors.As(err, &invalid) {
				t.Fatalf("got %v, want a refusal", err)
			}
			return
		}
		var names []string
		total := int64(0)
		for _, f := range a.Files() {
			names = append(names, f.Name)
			total += f.Size
		}
		if total > 64<<20 {
			return // right, but too much for many inputs
		}
		got := map[string]string{}
		var mu sync.Mutex
		err = a.Read(t.Context(), names, nil, func(_ context.Context, f File, content io.ReadSeeker) error {
			data, err := io.ReadAll(content)
			mu.Lock()
			defer mu.Unlock()
			got[f.Name] = string(data)
			return err
		})
		if err != nil {
			if !errors.As(err, &invalid) {
				t.Fatalf("got %v, want a refusal", err)
			}
			return
		}
		want, err := unzip(data)
		if err != nil || !maps.Equal(got, want) {
			t.Errorf("got %q, and Go's package %q, %v", got, want, err)
		}
	})
}

// unzip reads the files of an archive by Go's own package.
func unzip(data []byte) (map[string]string, error) {
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	files := map[string]string{}
	for _, f := range r.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		body, err := f.OpenRaw() // Open would also refuse a wrong data descriptor, which nobody needs
		if err != nil {
			return nil, err
		}
		if f.Method == zip.Deflate {
			body = flate.NewReader(body)
		}
		content, err := io.ReadAll(body)
		if err != nil {
			return nil, err
		}
		files[f.Name] = string(content)
	}
	return files, nil
}
