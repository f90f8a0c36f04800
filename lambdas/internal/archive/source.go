package archive

import (
	"context"
	"fmt"
	"io"
)

// Source is an archive that can be read in parts. It does not change.
type Source interface {
	// Tail opens the last length bytes of the archive, or all if it is shorter. It
	// returns the size of the archive.
	Tail(ctx context.Context, length int64) (tail io.ReadCloser, size int64, err error)
	// Range opens length bytes from an offset. Range is called concurrently.
	Range(ctx context.Context, offset, length int64) (io.ReadCloser, error)
}

// maxBreaks limits how often in a row a connection may break without a byte.
const maxBreaks = 3

// stream reads a range of a source. If the connection breaks, stream asks for the rest,
// because the retries of a client end where the body of an answer begins.
type stream struct {
	ctx       context.Context // that of the call that the stream belongs to
	source    Source
	next, end int64
	body      io.ReadCloser // nil before a request
	breaks    int
	err       error
}

// Read implements io.Reader.
func (s *stream) Read(p []byte) (int, error) {
	for s.next < s.end && s.err == nil {
		if s.body == nil {
			if s.body, s.err = s.source.Range(s.ctx, s.next, s.end-s.next); s.err != nil {
				s.err = fmt.Errorf("read the build's archive: %w", s.err)
				break
			}
		}
		n, err := s.body.Read(p[:min(int64(len(p)), s.end-s.next)])
		s.next += int64(n)
		if err != nil {
			s.Close()
		}
		switch {
		case n > 0:
			s.breaks = 0
			return n, nil
		case err == nil:
		case s.ctx.Err() != nil:
			s.err = fmt.Errorf("read the build's archive: %w", context.Cause(s.ctx))
		default:
			if s.breaks++; s.breaks == maxBreaks {
				s.err = fmt.Errorf("read the build's archive: the answer breaks off at byte %d: %w", s.next, err)
			}
		}
	}
	if s.err != nil {
		return 0, s.err
	}
	return 0, io.EOF
}

// cause returns the error of the stream if there is one, because err came of it, and
// otherwise err.
func (s *stream) cause(err error) error {
	if s.err != nil {
		return s.err
	}
	return err
}

// Close ends the request. A stream that is read after that makes another one.
func (s *stream) Close() {
	if s.body != nil {
		s.body.Close()
		s.body = nil
	}
}
