package lambdaruntime

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// flushInterval limits the delay between the output of a process and Function.Log.
const flushInterval = 100 * time.Millisecond

// logFile collects the output of all processes. It is a file and not a pipe: when a process asks for more work,
// all its earlier output is in the file. A test can therefore check what the log does not contain, without waiting
// for a goroutine that copies.
type logFile struct {
	file *os.File // The processes share the file and its offset.

	mu     sync.Mutex
	text   []byte // the part of the file that has been read
	live   io.Writer
	closed chan struct{}
}

func newLogFile(live io.Writer) (*logFile, error) {
	file, err := os.CreateTemp("", "lambda-*.log")
	if err != nil {
		return nil, fmt.Errorf("create log: %w", err)
	}
	// The file has no name any more, so that it disappears with this process even after a crash.
	if err := os.Remove(file.Name()); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("unlink log: %w", err)
	}
	l := &logFile{file: file, live: live, closed: make(chan struct{})}
	if live != nil {
		go l.follow()
	}
	return l, nil
}

func (l *logFile) follow() {
	ticker := time.NewTicker(flushInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			l.flush()
		case <-l.closed:
			return
		}
	}
}

// flush reads the new part of the file and passes it to live.
func (l *logFile) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.closed:
		return
	default:
	}
	start := int64(len(l.text))
	news, err := io.ReadAll(io.NewSectionReader(l.file, start, 1<<62-start))
	if err != nil {
		return // The next flush starts at the same offset.
	}
	l.text = append(l.text, news...)
	if l.live != nil && len(news) > 0 {
		_, _ = l.live.Write(news) // The function must not fail because its log cannot be written.
	}
}

// printf adds a line that Lambda itself writes.
func (l *logFile) printf(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = fmt.Fprintf(l.file, format, args...) // See flush.
}

func (l *logFile) String() string {
	l.flush()
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text)
}

func (l *logFile) close() error {
	l.flush()
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.closed:
		return nil
	default:
	}
	close(l.closed)
	if err := l.file.Close(); err != nil {
		return fmt.Errorf("close log: %w", err)
	}
	return nil
}
