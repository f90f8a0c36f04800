package show

import (
	"sync/atomic"
	"testing"

	"blog-deploy-pipeline/rehearse/show/vt"
)

// terminal stands for the terminal that a display writes to. After each write it must be as a program finds
// it: a crash may come at any time.
type terminal struct {
	*vt.Terminal

	writes atomic.Int64
}

func newTerminal(t testing.TB, width, height int) *terminal {
	return &terminal{Terminal: vt.New(width, height, t.Errorf)}
}

// Write implements io.Writer.
func (v *terminal) Write(p []byte) (int, error) {
	v.writes.Add(1)
	n, err := v.Terminal.Write(p)
	v.Settle()
	return n, err
}

func (v *terminal) count() int { return int(v.writes.Load()) }
