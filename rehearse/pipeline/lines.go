package pipeline

import (
	"bytes"
	"strings"
)

// lines splits what is written to it into lines.
type lines struct {
	emit func(string)
	rest []byte
}

// Write implements io.Writer.
func (l *lines) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	for {
		i := bytes.IndexByte(l.rest, '\n')
		if i < 0 {
			return len(p), nil
		}
		if line := strings.TrimRight(string(l.rest[:i]), "\r"); line != "" {
			l.emit(line)
		}
		l.rest = l.rest[i+1:]
	}
}

func (l *lines) close() {
	if len(l.rest) > 0 {
		l.emit(string(l.rest))
		l.rest = nil
	}
}
