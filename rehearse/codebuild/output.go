package codebuild

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// maxLine limits the length of a line in bytes, so that output without line ends does not fill the memory.
const maxLine = 64 << 10

// output splits the output of the build's processes into lines. All processes share one pipe, so that a task in the
// background can continue to write after its command has ended.
type output struct {
	w     *os.File // for the processes
	r     *os.File
	emit  func(Line)
	masks *strings.Replacer
	mark  []byte // the end of a line that the build never writes
	marks chan struct{}
	done  chan struct{}

	mu    sync.Mutex
	name  string       // the name of the phase
	saved bytes.Buffer // the output of the last command, or the end of a long output
}

func newOutput(emit func(Line), secrets map[string]string) (*output, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	o := &output{
		r: r, w: w, emit: emit,
		mark:  fmt.Appendf(nil, "\x00mark %d %p\x00\n", time.Now().UnixNano(), r),
		marks: make(chan struct{}, 1),
		done:  make(chan struct{}),
	}
	var lines, pairs []string
	for _, secret := range secrets {
		lines = append(lines, strings.Split(secret, "\n")...)
	}
	// Longer secrets come first, because a secret may contain another one.
	slices.SortFunc(lines, func(a, b string) int { return len(b) - len(a) })
	for _, line := range lines {
		if line != "" {
			pairs = append(pairs, line, "***")
		}
	}
	o.masks = strings.NewReplacer(pairs...)
	go o.read()
	return o, nil
}

func (o *output) read() {
	defer close(o.done)
	var line []byte
	buf := make([]byte, 32<<10)
	for {
		n, err := o.r.Read(buf)
		for chunk := buf[:n]; len(chunk) > 0; {
			end := bytes.IndexByte(chunk, '\n') + 1
			if end == 0 {
				end = len(chunk)
			}
			line, chunk = append(line, chunk[:end]...), chunk[end:]
			switch {
			case bytes.HasSuffix(line, o.mark):
				if line = bytes.TrimSuffix(line, o.mark); len(line) > 0 {
					o.line(line)
				}
				o.marks <- struct{}{}
			case line[len(line)-1] == '\n' || len(line) > maxLine:
				o.line(bytes.TrimSuffix(line, []byte("\n")))
			default:
				continue
			}
			line = line[:0]
		}
		if err != nil {
			if len(line) > 0 {
				o.line(line)
			}
			return
		}
	}
}

func (o *output) line(text []byte) {
	o.mu.Lock()
	name := o.name
	if o.saved.Len() > maxLine {
		o.saved.Next(maxLine / 2)
	}
	o.saved.Write(text)
	o.saved.WriteByte('\n')
	o.mu.Unlock()
	o.emit(Line{Phase: name, Text: o.mask(string(text))})
}

func (o *output) mask(text string) string { return o.masks.Replace(text) }

func (o *output) phase(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.name = name
}

// sync waits until all earlier output has been emitted.
func (o *output) sync() {
	if _, err := o.w.Write(o.mark); err != nil {
		return
	}
	<-o.marks
}

// recent returns the output of the last command.
func (o *output) recent() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.saved.String()
}

func (o *output) forget() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.saved.Reset()
}

// close waits for the rest of the output, but not for a process that has left the group and holds the pipe open.
func (o *output) close() {
	o.w.Close()                                          //nolint:errcheck // No output is lost.
	o.r.SetReadDeadline(time.Now().Add(2 * time.Second)) //nolint:errcheck // Pipes have deadlines.
	<-o.done
	o.r.Close() //nolint:errcheck // Everything has been read.
}
