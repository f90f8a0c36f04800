// Package show tells people how a rehearsal goes while it runs, and what it came to: a live block on a
// terminal, plain lines elsewhere, and a summary. [JSON] is for scripts.
//
//	display := show.New(os.Stdout, show.Detect(os.Stdout, os.Getenv))
//	defer display.Close()
//	result, err := pipeline.Run(ctx, options, display.Event)
//	display.Result(result)
//
// Who serves the site calls Result when [pipeline.Ended] comes: what follows stands below the summary.
package show

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"blog-deploy-pipeline/rehearse/pipeline"
)

const (
	// frameTime is the time between two frames of the live block.
	frameTime = 100 * time.Millisecond
	// stepTime is how often plain lines tell how far a step that counts has come.
	stepTime = 2 * time.Second
	// quietTime is how long plain lines may be silent: some CI systems stop a job that says nothing.
	quietTime = time.Minute
)

// Options configure a [Display]. [Detect] finds them out.
type Options struct {
	// Terminal asks for the live block: w understands a terminal's control sequences. Default: plain
	// lines, with no control characters.
	Terminal bool
	// Width and Height are the terminal's, in cells. Default 80 and 24. Plain lines are never cut.
	Width, Height int
	// Size tells the terminal's size anew before each frame, so that the block follows a window that is
	// resized; zeros where it cannot. Default: it stays Width and Height.
	Size func() (width, height int)
	// Color adds colours on a terminal.
	Color bool
	// Verbose shows every line of output that builds and functions write, and all that the summary else only
	// counts. Default: a terminal shows the last few lines of what runs, and a failure the last ones before it.
	Verbose bool
}

// Display shows one rehearsal. Its methods can be called from several goroutines.
type Display struct {
	w    io.Writer
	opts Options
	stop chan struct{}
	done sync.WaitGroup

	mu     sync.Mutex
	closed bool
	state  state
	screen screen
	plain  plain
}

// New returns a display on w. The caller closes it.
func New(w io.Writer, opts Options) *Display {
	if opts.Width <= 0 {
		opts.Width = 80
	}
	if opts.Height <= 0 {
		opts.Height = 24
	}
	if !opts.Terminal {
		opts.Color = false
	}
	d := &Display{w: w, opts: opts, stop: make(chan struct{})}
	d.done.Go(d.tick)
	return d
}

// Event shows what a rehearsal tells. It returns without waiting for the next frame.
func (d *Display) Event(e pipeline.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	now := time.Now()
	lines := d.state.apply(e, now, d.opts)
	if d.opts.Terminal {
		d.screen.say(d.folded(lines)...)
		return
	}
	d.plain.event(d.w, &d.state, e, now, d.opts)
}

// Result shows the summary, below everything else. It can be called before or after Close.
func (d *Display) Result(r pipeline.Result) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.settle()
	d.state.warnings = nil // The summary has them.
	r.Warnings = slices.DeleteFunc(slices.Clone(r.Warnings), func(w string) bool { return slices.Contains(d.state.told, w) })
	d.write(render(d.folded(summary(r, d.limit(), d.opts.Verbose)), d.opts.Color, "\n"))
}

// Close ends the live block: what is not finished stays on the screen as it was. The terminal is as it
// was before, also where Close is never reached: the cursor is hidden only within a frame.
func (d *Display) Close() {
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return
	}
	d.settle()
	if len(d.state.warnings) > 0 {
		d.write(render(listed("Warnings", d.state.warnings, d.limit()), d.opts.Color, "\n"))
		d.state.told, d.state.warnings = d.state.warnings, nil
	}
	d.closed = true
	d.mu.Unlock()
	close(d.stop)
	d.done.Wait()
}

// JSON writes the result as one JSON document. A list with nothing in it is [], never null.
func JSON(w io.Writer, r pipeline.Result) error {
	r.Stages = list(r.Stages)
	for i := range r.Stages {
		r.Stages[i].Actions = list(r.Stages[i].Actions)
	}
	r.Invalidations = list(r.Invalidations)
	for i := range r.Invalidations {
		r.Invalidations[i].Paths = list(r.Invalidations[i].Paths)
	}
	r.Permissions = list(r.Permissions)
	for i := range r.Permissions {
		r.Permissions[i].Actions = list(r.Permissions[i].Actions)
	}
	r.Visits, r.Warnings, r.Notes = list(r.Visits), list(r.Warnings), list(r.Notes)
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false) // It is for no web page, and addresses stay readable.
	if err := encoder.Encode(r); err != nil {
		return fmt.Errorf("write result as JSON: %w", err)
	}
	return nil
}

// list returns a copy that is not nil.
func list[T any](s []T) []T { return append([]T{}, s...) }

func (d *Display) tick() {
	ticker := time.NewTicker(frameTime)
	defer ticker.Stop()
	for {
		select {
		case <-d.stop:
			return
		case now := <-ticker.C:
			d.mu.Lock()
			switch {
			case d.closed:
			case d.opts.Terminal:
				d.draw(now)
			default:
				d.plain.quiet(d.w, &d.state, now)
			}
			d.mu.Unlock()
		}
	}
}

// folded breaks lines that are too wide for the terminal.
func (d *Display) folded(lines []line) []line {
	var all []line
	for _, l := range lines {
		hang := 2
		if len(l) > 0 {
			hang += len(l[0].text) - len(strings.TrimLeft(l[0].text, " "))
		}
		all = append(all, l.fold(max(0, d.limit()-1), hang)...)
	}
	return all
}

// draw brings the screen up to date.
func (d *Display) draw(now time.Time) {
	d.measure()
	d.screen.say(d.state.finished(d.opts)...)
	d.write(d.screen.frame(d.state.block(now, d.opts.Width, d.opts.Height-1), d.opts))
}

// settle turns the live block into lines that stay.
func (d *Display) settle() {
	if d.closed || !d.opts.Terminal {
		return
	}
	d.measure()
	d.screen.say(d.state.rest(time.Now(), d.opts)...)
	d.write(d.screen.frame(nil, d.opts))
}

// limit is the width of what stays; 0 is none.
func (d *Display) limit() int {
	if d.opts.Terminal {
		return d.opts.Width
	}
	return 0
}

// measure follows a window that was resized.
func (d *Display) measure() {
	if d.opts.Size == nil {
		return
	}
	if width, height := d.opts.Size(); width > 0 && height > 0 {
		d.opts.Width, d.opts.Height = width, height
	}
}

func (d *Display) write(s string) {
	if s != "" {
		_, _ = io.WriteString(d.w, s) // A rehearsal does not fail because nobody can watch it.
	}
}
