package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"sync/atomic"
	"testing"

	"blog-deploy-pipeline/lambdas/internal/archive/archivetest"
)

// breaking is a source whose answers break after a number of bytes.
type breaking struct {
	*archivetest.Source
	after int64
	err   error
	// refuse, if it is set, is the answer to a request for a range.
	refuse error
}

func (b *breaking) Tail(ctx context.Context, length int64) (io.ReadCloser, int64, error) {
	body, size, err := b.Source.Tail(ctx, length)
	return b.cut(body), size, err
}

func (b *breaking) Range(ctx context.Context, offset, length int64) (io.ReadCloser, error) {
	if b.refuse != nil {
		return nil, b.refuse
	}
	body, err := b.Source.Range(ctx, offset, length)
	return b.cut(body), err
}

func (b *breaking) cut(body io.ReadCloser) io.ReadCloser {
	return io.NopCloser(io.MultiReader(io.LimitReader(body, b.after), failing{b.err}))
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// A connection that breaks costs one more request, and not the publication.
func TestBrokenConnections(t *testing.T) {
	files := blog(400, 10_000)
	files["large"] = noise(1, maxInMemory+1)
	reset, data := errors.New("connection reset"), store(files).Data
	packed := func() *archivetest.Source { return &archivetest.Source{Data: data} }
	for name, err := range map[string]error{"reset": reset, "ends early": io.EOF, "unexpected EOF": io.ErrUnexpectedEOF} {
		t.Run(name, func(t *testing.T) {
			source := &breaking{Source: packed(), after: 300_000, err: err}
			if got := readAll(t, open(t, source), names(files), nil); !maps.Equal(got, files) {
				t.Error("read other contents than were packed")
			}
		})
	}

	// Without a byte it is given up, and the archive is not to blame.
	source := &breaking{Source: packed(), err: io.ErrUnexpectedEOF}
	_, err := Open(t.Context(), source)
	var invalid *Invalid
	if err == nil || errors.As(err, &invalid) || !strings.Contains(err.Error(), "breaks off at byte") || len(source.Requests()) != maxBreaks {
		t.Errorf("got %v after %d requests, want %d requests and an error that blames the connection", err, len(source.Requests()), maxBreaks)
	}
	for _, name := range []string{"posts/0000/index.html", "large"} {
		source = &breaking{Source: packed(), after: 1 << 30, err: io.EOF}
		a := open(t, source)
		source.after, source.err = 10, io.EOF
		err = a.Read(t.Context(), []string{name}, nil, func(_ context.Context, _ File, content io.ReadSeeker) error {
			source.after = 0
			_, err := io.Copy(io.Discard, content)
			return err
		})
		if name == "large" && (err == nil || errors.As(err, &invalid)) {
			t.Errorf("%s: got %v, want an error that blames the connection", name, err)
		}
	}
	denied := fmt.Errorf("AccessDenied: %w", io.ErrUnexpectedEOF)
	for _, name := range []string{"posts/0000/index.html", "large"} {
		source = &breaking{Source: packed(), after: 1 << 30, err: io.EOF}
		a := open(t, source)
		source.refuse = denied
		err = a.Read(t.Context(), []string{name}, nil, func(_ context.Context, _ File, content io.ReadSeeker) error {
			_, err := io.Copy(io.Discard, content)
			return err
		})
		if !errors.Is(err, denied) || errors.As(err, &invalid) {
			t.Errorf("%s: got %v, want %v", name, err, denied)
		}
	}
}

// A long directory is no exception.
func TestBrokenConnectionInTheDirectory(t *testing.T) {
	files := map[string]string{}
	for i := range 8000 {
		files[fmt.Sprintf("%s/%d", strings.Repeat("folder", 10), i)] = ""
	}
	source := &breaking{Source: archivetest.Zip(files), after: 100_000, err: io.ErrUnexpectedEOF}
	if got := len(open(t, source).Files()); got != len(files) {
		t.Errorf("found %d files, want %d", got, len(files))
	}
	denied := errors.New("denied")
	source.refuse, source.after = denied, 1<<20
	if _, err := Open(t.Context(), source); !errors.Is(err, denied) {
		t.Errorf("got %v, want %v", err, denied)
	}
}

// Each answer is closed.
func TestAnswersAreClosed(t *testing.T) {
	files := blog(100, 50_000)
	files["large"] = noise(1, maxInMemory+1)
	source := &counting{Source: store(files)}
	a := open(t, source)
	readAll(t, a, names(files), nil)
	_ = a.Read(t.Context(), names(files), nil, func(_ context.Context, _ File, content io.ReadSeeker) error {
		_, _ = content.Read(make([]byte, 1))
		return errors.New("no")
	})
	if n := source.open.Load(); n != 0 {
		t.Errorf("%d answers are open at the end", n)
	}
}

type counting struct {
	*archivetest.Source
	open atomic.Int64
}

type counted struct {
	io.ReadCloser
	open   *atomic.Int64
	closed atomic.Bool
}

func (c *counting) Range(ctx context.Context, offset, length int64) (io.ReadCloser, error) {
	body, err := c.Source.Range(ctx, offset, length)
	if err != nil {
		return nil, err
	}
	c.open.Add(1)
	return &counted{ReadCloser: body, open: &c.open}, nil
}

func (c *counted) Close() error {
	if !c.closed.Swap(true) {
		c.open.Add(-1)
	}
	return c.ReadCloser.Close()
}
