package archive

import (
	"bufio"
	"context"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/flate"
)

// large is the content of a file that is not in memory.
type large struct {
	*entry

	ctx    context.Context // that of the call of fn
	source Source
	// at is the position that Seek has set, and read that of content, which is nil before
	// the first request.
	at, read int64
	packed   *stream
	content  io.ReadCloser
	sum      uint32
}

// Seek implements io.Seeker for who starts again, or looks for the length.
func (l *large) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += l.at
	case io.SeekEnd:
		offset += l.Size
	}
	if offset < 0 || offset > l.Size {
		return l.at, fmt.Errorf("seek in %q: there is no byte %d", l.Name, offset)
	}
	l.at = offset
	return l.at, nil
}

// Read implements io.Reader. It returns the last byte after it has verified the content.
func (l *large) Read(p []byte) (int, error) {
	switch {
	case l.at == l.Size:
		return 0, io.EOF
	case l.at == 0 && (l.content == nil || l.read > 0):
		if err := l.start(); err != nil {
			return 0, err
		}
	case l.at != l.read:
		return 0, fmt.Errorf("read %q from byte %d: it can only be read from its start", l.Name, l.at)
	}
	n, err := l.content.Read(p[:min(int64(len(p)), l.Size-l.at)])
	l.sum = crc32.Update(l.sum, crc32.IEEETable, p[:n])
	l.read += int64(n)
	switch {
	case l.read == l.Size:
		if err = l.checkEnd(l.content); err == nil {
			err = l.checkSum(l.sum)
		}
	case err != nil:
		err = l.explain(err)
	}
	if err != nil {
		return 0, l.packed.cause(err)
	}
	l.at = l.read
	return n, nil
}

// start makes the request, and reads up to the content.
func (l *large) start() error {
	l.Close()
	l.read, l.sum = 0, 0
	l.packed = &stream{ctx: l.ctx, source: l.source, next: l.offset, end: l.last()}
	r := bufio.NewReaderSize(l.packed, 64<<10)
	if err := l.readHeader(r); err != nil {
		return l.packed.cause(err)
	}
	l.content = io.NopCloser(io.LimitReader(r, l.Packed))
	if l.method == deflated {
		l.content = flate.NewReader(l.content)
	}
	return nil
}

// Close ends the request.
func (l *large) Close() {
	if l.packed != nil {
		l.packed.Close()
	}
}
