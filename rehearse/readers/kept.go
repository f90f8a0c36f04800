package readers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
)

// Keep writes those of the edge's copies to a file that are not what the bucket has, such as after an invalidation that
// failed. The next rehearsal begins with them. All others it gets from the bucket.
func (s *Site) Keep(ctx context.Context, name string) error {
	objects, err := s.S3.List(ctx, s.Bucket)
	if err != nil {
		return err
	}
	has := map[string]string{}
	for _, object := range objects {
		has[object.Key] = strings.Trim(object.ETag, `"`)
	}
	copies := map[string]keptCopy{}
	for _, key := range slices.Sorted(maps.Keys(s.held)) {
		if !s.held[key] || has[key] == s.had[key] && !s.written[key] {
			continue
		}
		got, err := s.get(ctx, s.asked(page{key: key}.address()))
		if err != nil {
			return fmt.Errorf("visit %s: %w", key, err)
		}
		if got.status != http.StatusOK || got.missing() || md5Sum(got.body) == has[key] {
			continue
		}
		kept := keptCopy{Header: http.Header{}, Body: got.body}
		for name, values := range got.header {
			if strings.HasPrefix(name, "X-Amz-Meta-") || name == "Content-Type" || name == "Last-Modified" {
				kept.Header[name] = values
			}
		}
		copies[key] = kept
	}
	if len(copies) == 0 {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("forget the edge's copies: %w", err)
		}
		return nil
	}
	text, err := json.Marshal(copies)
	if err == nil {
		err = os.WriteFile(name, text, 0o600)
	}
	if err != nil {
		return fmt.Errorf("keep the edge's copies: %w", err)
	}
	return nil
}

// readKept reads the copies that the last rehearsal has kept.
func readKept(name string) (map[string]keptCopy, error) {
	if name == "" {
		return nil, nil
	}
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var copies map[string]keptCopy
	if err == nil {
		err = json.Unmarshal(text, &copies)
	}
	if err != nil {
		return nil, fmt.Errorf("restore the edge's copies from %s (remove it to begin without them): %w", name, err)
	}
	return copies, nil
}

// restoring answers the edge's first request for what a copy was kept of with the copy.
type restoring struct {
	http.RoundTripper

	mu     sync.Mutex
	copies map[string]keptCopy // by the key of their object
}

// RoundTrip implements http.RoundTripper.
func (r *restoring) RoundTrip(request *http.Request) (*http.Response, error) {
	key, err := url.PathUnescape(strings.TrimPrefix(request.URL.EscapedPath(), "/"))
	r.mu.Lock()
	kept, ok := r.copies[key]
	delete(r.copies, key)
	r.mu.Unlock()
	if err != nil || !ok {
		return r.RoundTripper.RoundTrip(request)
	}
	header := kept.Header.Clone()
	header.Set("ETag", `"`+md5Sum(kept.Body)+`"`)
	header.Set("Cache-Control", "s-maxage=31536000") // It stays until it is cleared.
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: io.NopCloser(bytes.NewReader(kept.Body)), ContentLength: int64(len(kept.Body)), Request: request,
	}, nil
}
