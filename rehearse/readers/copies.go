package readers

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"blog-deploy-pipeline/rehearse/rehearsal"
	"blog-deploy-pipeline/rehearse/s3"
)

const (
	// fetchesAtOnce limits the requests to the edge at a time.
	fetchesAtOnce = 8
	// maxHeld limits the bytes of the edge's copies, which are in memory.
	maxHeld = 1 << 30
)

// Fill has readers visit every file of the bucket, so that the edge has a copy of each. What the publication does to these
// copies shows what it clears, and what it need not have cleared.
func (s *Site) Fill(ctx context.Context) error {
	objects, err := s.S3.List(ctx, s.Bucket)
	if err != nil {
		return err
	}
	s.had, s.held = map[string]string{}, map[string]bool{}
	var mu sync.Mutex
	var size int64
	visits, ctx := errgroup.WithContext(ctx)
	visits.SetLimit(fetchesAtOnce)
	for key := range s.kept {
		if !slices.ContainsFunc(objects, func(o s3.Object) bool { return o.Key == key }) {
			objects = append(objects, s3.Object{Key: key})
		}
	}
	for _, object := range objects {
		key, etag := object.Key, strings.Trim(object.ETag, `"`)
		if kept, ok := s.kept[key]; ok {
			etag = md5Sum(kept.Body)
		}
		s.had[key] = etag
		if size += object.Size; object.Size > maxPage || size > maxHeld {
			size -= object.Size
			continue
		}
		visits.Go(func() error {
			got, err := s.get(ctx, s.asked(page{key: key}.address()))
			if err != nil {
				return fmt.Errorf("visit %s: %w", key, err)
			}
			mu.Lock()
			defer mu.Unlock()
			s.held[key] = got.status == http.StatusOK && md5Sum(got.body) == etag && stays(got.header)
			return nil
		})
	}
	return visits.Wait()
}

// stays reports whether the edge keeps an answer.
func stays(header http.Header) bool {
	for _, word := range []string{"no-store", "no-cache", "private"} {
		if strings.Contains(header.Get("Cache-Control"), word) {
			return false
		}
	}
	return true
}

// lookAtCopies visits every file again of which the edge had a copy, and returns the addresses at which it still has a copy
// of what has changed. It counts the copies that the edge no longer has although their file has not changed.
func (s *Site) lookAtCopies(ctx context.Context) (stale []string, err error) {
	objects, err := s.S3.List(ctx, s.Bucket)
	if err != nil {
		return nil, err
	}
	has, put := map[string]string{}, map[string]time.Time{}
	for _, object := range objects {
		has[object.Key] = strings.Trim(object.ETag, `"`)
		if s.written[object.Key] {
			put[object.Key] = object.LastModified
		}
	}
	var mu sync.Mutex
	copies := &rehearsal.Copies{}
	visits, ctx := errgroup.WithContext(ctx)
	visits.SetLimit(fetchesAtOnce)
	for key, held := range s.held {
		if !held {
			continue
		}
		visits.Go(func() error {
			address := page{key: key}.address()
			got, err := s.get(ctx, s.asked(address))
			if err != nil {
				return fmt.Errorf("visit %s: %w", key, err)
			}
			mu.Lock()
			defer mu.Unlock()
			copies.Held++
			etag, there := has[key]
			changed, isPut := put[key]
			modified, _ := http.ParseTime(got.header.Get("Last-Modified"))
			switch {
			case !there && !got.missing():
				stale = append(stale, fmt.Sprintf("%s (%d, and it was removed)", address, got.status))
			case there && md5Sum(got.body) != etag:
				stale = append(stale, fmt.Sprintf("%s (old, %d)", address, got.status))
			case isPut && modified.Before(changed.Truncate(time.Second)): // Its headers may have changed.
				stale = append(stale, fmt.Sprintf("%s (the copy of before, %d)", address, got.status))
			case there && !isPut && etag == s.had[key] && (s.again.has(key) || got.cache() == "Miss"):
				copies.Needless++
			}
			return nil
		})
	}
	if err := visits.Wait(); err != nil {
		return nil, err
	}
	s.Record.Change(func(r *rehearsal.Result) { r.Copies = copies })
	return stale, nil
}
