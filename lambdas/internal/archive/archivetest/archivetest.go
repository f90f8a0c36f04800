// Package archivetest has archives in memory for tests.
package archivetest

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
)

// Source is an archive in memory. It implements archive.Source.
type Source struct {
	Data []byte

	mu       sync.Mutex
	requests []string
}

// Zip packs files, in the order of their names.
func Zip(files map[string]string) *Source {
	var data bytes.Buffer
	w := zip.NewWriter(&data)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f, err := w.Create(name)
		if err == nil {
			_, err = io.WriteString(f, files[name])
		}
		if err != nil {
			panic(err) // memory does not fail
		}
	}
	if err := w.Close(); err != nil {
		panic(err) // as above
	}
	return &Source{Data: data.Bytes()}
}

// Requests returns the ranges that were asked for, as "offset+length".
func (s *Source) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Tail implements archive.Source.
func (s *Source) Tail(ctx context.Context, length int64) (io.ReadCloser, int64, error) {
	size := int64(len(s.Data))
	length = min(length, size)
	body, err := s.Range(ctx, size-length, length)
	return body, size, err
}

// Range implements archive.Source.
func (s *Source) Range(ctx context.Context, offset, length int64) (io.ReadCloser, error) {
	s.mu.Lock()
	s.requests = append(s.requests, fmt.Sprintf("%d+%d", offset, length))
	s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return io.NopCloser(bytes.NewReader(s.Data[offset : offset+length])), nil
}
