package publication

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"blog-deploy-pipeline/lambdas/internal/archive"
	"blog-deploy-pipeline/lambdas/internal/filetype"
)

const (
	// minCompared is the number of changed pages from which on it is asked why.
	minCompared = 10
	// maxCompared and maxComparedBytes limit the pages that are compared, and compareTime
	// the time for it.
	maxCompared, maxComparedBytes = 200, 4 << 20
	compareTime                   = 5 * time.Second
)

// changedPages returns the pages whose content has changed, if they are more than half of
// the blog's. Each has the larger one of its sizes before and after.
func (p plan) changedPages(s situation) (changed []archive.File) {
	pages := 0
	for _, file := range s.files {
		if filetype.ClassOf(file.Name).IsPage() {
			pages++
		}
	}
	for _, put := range p.puts {
		if put.reason == Content && filetype.ClassOf(put.file.Name).IsPage() {
			put.file.Size = max(put.file.Size, s.manifest.Files[put.key].Size)
			changed = append(changed, put.file)
		}
	}
	if len(changed) < minCompared || 2*len(changed) <= pages {
		return nil
	}
	return changed
}

// sample returns the names of some of the files, from all over the blog.
func sample(files []archive.File) (names []string) {
	step, bytes := float64(len(files))/float64(min(len(files), maxCompared)), int64(0)
	for at := 0.0; int(at) < len(files); at += step {
		file := files[int(at)]
		if bytes += file.Size; bytes > maxComparedBytes {
			break
		}
		names = append(names, file.Name)
	}
	return names
}

// compare returns a sentence if most of the pages have changed without an edit. It needs
// the build of the release before, which may be gone: then it says nothing.
func (r *run) compare(ctx context.Context, s situation, p plan, build *archive.Archive) string {
	changed := p.changedPages(s)
	if len(changed) == 0 || s.manifest.Unfinished || time.Until(r.times.stop) < 2*compareTime {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, compareTime)
	defer cancel()
	bucket, key := r.Releases.Build(s.manifest.ID)
	before, err := archive.Open(ctx, &archive.S3Object{Client: r.S3, Bucket: bucket, Key: key})
	if err != nil {
		r.log.Info("build before not compared", "error", err.Error())
		return ""
	}
	names := sample(changed)
	was := map[string][]byte{}
	same := 0
	err = read(ctx, before, names, func(name string, text []byte) { was[name] = text })
	if err == nil {
		err = read(ctx, build, names, func(name string, text []byte) {
			if isSame(was[name], text) {
				same++
			}
		})
	}
	switch {
	case err != nil:
		r.log.Info("build before not compared", "error", err.Error())
		return ""
	case 2*same <= len(names):
		return ""
	case len(names) < len(changed):
		return fmt.Sprintf("Of %d changed pages, %d were compared, and %d differ only in dates, times or hashes, such as that of the build.", len(changed), len(names), same)
	default:
		return fmt.Sprintf("%d of %d changed pages differ only in dates, times or hashes, such as that of the build.", same, len(changed))
	}
}

// read calls fn for each of some files, for one after the other.
func read(ctx context.Context, build *archive.Archive, names []string, fn func(name string, text []byte)) error {
	var mu sync.Mutex
	return build.Read(ctx, names, nil, func(_ context.Context, file archive.File, content io.ReadSeeker) error {
		text, err := io.ReadAll(content)
		mu.Lock()
		defer mu.Unlock()
		fn(file.Name, text)
		return err
	})
}
