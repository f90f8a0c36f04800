package archive

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"

	"golang.org/x/sync/errgroup"
)

const (
	// Workers is how many files Read passes on at the same time. It is many, because a
	// publication mostly waits for S3's answers to its puts.
	Workers = 64
	// streams is how many spans are read at the same time. One connection to S3 is nearly
	// as fast as a function's network, so more of them would only need memory.
	streams = 8
	// maxInMemory is the largest file whose content is in memory, in bytes.
	maxInMemory = 8 << 20
)

// Read calls fn for each of names, for up to [Workers] of them at the same time and in no
// order. It returns the first error, at which the context of the other calls ends.
//
// content is at its start and is valid during the call. It can be read again after
// Seek(0, io.SeekStart). A file of more than 8 MiB is streamed at each reading, by a
// request of its own, and if it is not what the directory says, then the last read fails.
// fn is not called for another file that is not what the directory says.
//
// later are files that other calls of Read will be for. Read keeps as many of them as
// 16 MiB hold, if it has to make requests for names anyway: a publication in several
// waves then needs as few requests as one in one wave.
func (a *Archive) Read(ctx context.Context, names, later []string, fn func(ctx context.Context, file File, content io.ReadSeeker) error) error {
	now, err := a.find(names)
	if err != nil {
		return err
	}
	next, err := a.find(later)
	if err != nil {
		return err
	}

	work, workCtx := errgroup.WithContext(ctx)
	work.SetLimit(Workers)
	r := &reading{Archive: a, work: work, ctx: workCtx, fn: fn, keep: map[*entry]bool{}}
	known, fetch := r.sort(now, next)
	requests, requestsCtx := errgroup.WithContext(workCtx)
	requests.SetLimit(streams)
	for _, s := range spans(fetch, mostSpans(len(fetch))) {
		requests.Go(func() error { return r.span(requestsCtx, s) })
	}
	requests.Go(func() error { return r.known(requestsCtx, known) })
	err = requests.Wait()
	return cmp.Or(work.Wait(), err)
}

// reading is one call of Read.
type reading struct {
	*Archive
	work *errgroup.Group
	ctx  context.Context // that of work
	fn   func(context.Context, File, io.ReadSeeker) error
	// keep says of each entry whether it is kept for later.
	keep map[*entry]bool
}

// sort returns the entries of now that need no span, and the entries to read by spans in
// the order of their offsets.
func (r *reading) sort(now, later []*entry) (known, fetch []*entry) {
	for _, e := range now {
		if _, again := r.keep[e]; again {
			continue
		}
		r.keep[e] = false
		if e.Size > maxInMemory || r.inMemory(e) != nil {
			known = append(known, e)
		} else {
			fetch = append(fetch, e)
		}
	}
	if len(fetch) == 0 {
		return known, nil
	}
	left := int64(maxKept)
	for _, raw := range r.kept {
		left -= int64(len(raw))
	}
	for _, e := range later {
		length := e.last() - e.offset
		if _, again := r.keep[e]; !again && e.Size <= maxInMemory && length <= left && r.inMemory(e) == nil {
			left -= length
			r.keep[e] = true
			fetch = append(fetch, e)
		}
	}
	slices.SortFunc(fetch, func(a, b *entry) int { return cmp.Compare(a.offset, b.offset) })
	return known, fetch
}

// inMemory returns the bytes of an entry, or nil if they have to be asked for.
func (a *Archive) inMemory(e *entry) []byte {
	if e.offset >= a.tailAt {
		return a.tail[e.offset-a.tailAt : e.last()-a.tailAt]
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.kept[e]
}

// known starts the work for entries that need no span.
func (r *reading) known(ctx context.Context, entries []*entry) error {
	for _, e := range entries {
		if e.Size > maxInMemory {
			r.work.Go(func() error {
				content := &large{entry: e, ctx: r.ctx, source: r.source}
				defer content.Close()
				return r.fn(r.ctx, e.File, content)
			})
			continue
		}
		if err := r.acquire(ctx, cost(e.Size)); err != nil {
			return err
		}
		raw := r.inMemory(e)
		r.work.Go(func() error {
			return r.pass(e, raw, func() {
				r.mu.Lock()
				defer r.mu.Unlock()
				delete(r.kept, e)
			})
		})
	}
	return nil
}

// span reads the entries of a span. It starts the work for each, or keeps it.
func (r *reading) span(ctx context.Context, s span) error {
	rest := &stream{ctx: ctx, source: r.source, next: s[0].offset, end: s[len(s)-1].last()}
	defer rest.Close()
	for _, e := range s {
		if _, err := io.CopyN(io.Discard, rest, e.offset-rest.next); err != nil {
			return err
		}
		length := e.last() - e.offset
		if r.keep[e] {
			raw := make([]byte, length)
			if _, err := io.ReadFull(rest, raw); err != nil {
				return err
			}
			r.mu.Lock()
			r.kept[e] = raw
			r.mu.Unlock()
			continue
		}
		if err := r.acquire(ctx, cost(length)+cost(e.Size)); err != nil {
			return err
		}
		raw := r.buffers.get(length)
		free := func() {
			r.buffers.put(raw)
			r.memory.Release(cost(length))
		}
		if _, err := io.ReadFull(rest, raw); err != nil {
			free()
			r.memory.Release(cost(e.Size))
			return err
		}
		r.work.Go(func() error { return r.pass(e, raw, free) })
	}
	return nil
}

// acquire waits for memory.
func (r *reading) acquire(ctx context.Context, bytes int64) error {
	if err := r.memory.Acquire(ctx, bytes); err != nil {
		return fmt.Errorf("read the build's archive: %w", context.Cause(ctx))
	}
	return nil
}

// pass passes the content of an entry to fn. It frees raw, which has the bytes of the
// entry, before that, and the memory for the content after that.
func (r *reading) pass(e *entry, raw []byte, free func()) error {
	content := r.buffers.get(e.Size)
	defer func() {
		r.buffers.put(content)
		r.memory.Release(cost(e.Size))
	}()
	err := e.unpack(raw, content)
	free()
	switch {
	case err != nil:
		return err
	case r.ctx.Err() != nil:
		return context.Cause(r.ctx)
	}
	return r.fn(r.ctx, e.File, bytes.NewReader(content))
}
