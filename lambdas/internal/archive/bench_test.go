package archive

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"blog-deploy-pipeline/lambdas/internal/archive/archivetest"
)

// BenchmarkRead reads the files of a blog of 2,000 files and 100 MB, of which each waits
// 25 ms for its answer: all, and 86. It reports the requests and the most memory that the
// Go runtime had in use for it, beside the archive itself.
func BenchmarkRead(b *testing.B) {
	files := blog(2000, 50_000)
	all := names(files)
	name := filepath.Join(b.TempDir(), "build.zip")
	if err := os.WriteFile(name, archivetest.Zip(files).Data, 0o600); err != nil {
		b.Fatal(err)
	}
	file, err := os.Open(name)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	source := &onDisk{File: file}
	sizes := map[string]int{}
	for name := range files {
		sizes[name], files[name] = len(files[name]), ""
	}
	var few []string
	for i := 7; i < len(all) && len(few) < 86; i += 23 {
		few = append(few, all[i])
	}
	for _, read := range [][]string{all, few} {
		b.Run(fmt.Sprintf("files=%d", len(read)), func(b *testing.B) {
			var pages, others []string
			size := 0
			for _, name := range read {
				size += sizes[name]
				if strings.HasSuffix(name, ".html") {
					pages = append(pages, name)
				} else {
					others = append(others, name)
				}
			}
			runtime.GC()
			before, peak := inUse(), atomic.Int64{}
			stop := make(chan struct{})
			go func() {
				for {
					select {
					case <-stop:
						return
					case <-time.After(time.Millisecond):
						peak.Store(max(peak.Load(), inUse()-before))
					}
				}
			}()
			put := func(_ context.Context, _ File, content io.ReadSeeker) error {
				time.Sleep(25 * time.Millisecond)
				_, err := io.Copy(io.Discard, content)
				return err
			}
			requests := source.requests.Load()
			b.SetBytes(int64(size))
			for b.Loop() {
				a := open(b, source)
				if err := a.Read(b.Context(), others, pages, put); err != nil {
					b.Fatal(err)
				}
				if err := a.Read(b.Context(), pages, nil, put); err != nil {
					b.Fatal(err)
				}
			}
			close(stop)
			b.ReportMetric(float64(source.requests.Load()-requests)/float64(b.N), "requests/op")
			b.ReportMetric(float64(peak.Load())/(1<<20), "MiB")
		})
	}
}

// onDisk is an archive that is not in memory.
type onDisk struct {
	*os.File
	requests atomic.Int64
}

func (d *onDisk) Tail(ctx context.Context, length int64) (io.ReadCloser, int64, error) {
	size, err := d.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, 0, err
	}
	body, err := d.Range(ctx, size-length, length)
	return body, size, err
}

func (d *onDisk) Range(_ context.Context, offset, length int64) (io.ReadCloser, error) {
	d.requests.Add(1)
	return io.NopCloser(io.NewSectionReader(d, offset, length)), nil
}

// inUse returns the bytes that the Go runtime has in use.
func inUse() int64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/unused:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64() + sample[1].Value.Uint64())
}
