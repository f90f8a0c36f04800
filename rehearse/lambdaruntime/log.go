package lambdaruntime

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// flushInterval is how far Function.Log may lag behind the processes.
const flushInterval = 100 * time.Millisecond

// logFile collects the output of all processes. It is a file, and not a pipe, because then whatever a
// process wrote before it asked for more work can be read when that request arrives: a test may assert
// what is not in the log without waiting for a copying goroutine.
type logFile struct {
	file *os.File // shared with the processes, and with it the offset that each write moves on

	mu     sync.Mutex
	text   []byte // what has been read back from file
	live   io.Writer
	closed chan struct{}
}

func newLogFile(live io.Writer) (*logFile, error) {
	file, err := os.CreateTemp("", "lambda-*.log")
	if err != nil {
		return nil, fmt.Errorf("create log: %w", err)
	}
	// The open file outlives its name, so that not even a crash of this process leaves it behind.
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

// flush reads what is new in the file and hands it on.
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
		return // The next flush starts from the same place.
	}
	l.text = append(l.text, news...)
	if l.live != nil && len(news) > 0 {
		_, _ = l.live.Write(news) // A log that cannot be written must not fail the function.
	}
}

// printf adds a line of Lambda's own.
func (l *logFile) printf(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = fmt.Fprintf(l.file, format, args...) // As above; and after close there is nobody to tell.
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
