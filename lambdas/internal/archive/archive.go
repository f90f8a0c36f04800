// Package archive reads the files of a build from its zip file in S3: by ranges, without a
// copy on disk, and only those that are asked for.
//
// An archive is what a build made, so it is not trusted: [Open] refuses it with an
// [Invalid] error before anything of it is used. A content is verified before it is passed
// on.
package archive

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"sync"

	"golang.org/x/sync/semaphore"
)

const (
	// maxInFlight limits the packed and the unpacked content that is in memory, and
	// maxKept what is kept packed for later. A publication has 128 MB for all.
	maxInFlight, maxKept = 32 << 20, 16 << 20
)

// Archive is an archive whose directory was read. It is for one reader at a time.
type Archive struct {
	source Source
	// entries are the files, sorted by name.
	entries []entry
	// tail is the end of the archive, and tailAt where it begins.
	tail   []byte
	tailAt int64

	mu sync.Mutex
	// kept has the bytes of entries that a later call of Read will ask for.
	kept map[*entry][]byte

	// memory limits the buffers that are in use, in bytes.
	memory  *semaphore.Weighted
	buffers buffers
}

// Open reads the directory of an archive, usually by one request.
func Open(ctx context.Context, source Source) (*Archive, error) {
	body, size, err := source.Tail(ctx, tailLength)
	if err != nil {
		return nil, fmt.Errorf("read the end of the build's archive: %w", err)
	}
	begin := max(0, size-tailLength)
	rest := &stream{ctx: ctx, source: source, next: begin, end: size, body: body}
	defer rest.Close()
	tail := make([]byte, size-begin)
	if _, err := io.ReadFull(rest, tail); err != nil {
		return nil, err
	}
	entries, err := readDirectory(ctx, source, tail, size)
	if err != nil {
		return nil, err
	}
	entries = slices.DeleteFunc(entries, func(e entry) bool { return e.folder })
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.Name, b.Name) })
	return &Archive{
		source: source, entries: entries, tail: tail, tailAt: begin,
		kept: map[*entry][]byte{}, memory: semaphore.NewWeighted(maxInFlight),
	}, nil
}

// Files returns the files, sorted by name.
func (a *Archive) Files() []File {
	files := make([]File, len(a.entries))
	for i, e := range a.entries {
		files[i] = e.File
	}
	return files
}

// find returns the entries with the names.
func (a *Archive) find(names []string) ([]*entry, error) {
	found := make([]*entry, len(names))
	for i, name := range names {
		at, ok := slices.BinarySearchFunc(a.entries, name, func(e entry, name string) int { return cmp.Compare(e.Name, name) })
		if !ok {
			return nil, fmt.Errorf("find %q in the build's archive: it is not there", name)
		}
		found[i] = &a.entries[at]
	}
	return found, nil
}
