// Package show shows people how a rehearsal goes, and its result: a live block on a terminal, plain lines elsewhere, and
// a summary. [JSON] is for scripts.
//
//	display := show.New(os.Stdout, show.Detect(os.Stdout, os.Getenv))
//	defer display.Close()
//	result, err := pipeline.Run(ctx, plan, options, display.Event)
//	display.Result(result)
//
// If the site is served, call Result when [rehearsal.Ended] comes: what follows is shown below the summary.
package show

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"blog-deploy-pipeline/rehearse/rehearsal"
)

// Display shows one rehearsal. Its methods can be called from several goroutines.
type Display struct {
	w    io.Writer
	opts Options
	stop chan struct{}
	done sync.WaitGroup

	mu     sync.Mutex
	closed bool
	live   live
	warned []string // the warnings that were shown
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

// Event shows an event. It does not wait for the next frame.
func (d *Display) Event(e rehearsal.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	now := time.Now()
	lines := d.live.apply(e, now, d.opts)
	if d.opts.Terminal {
		d.screen.say(d.folded(lines)...)
		return
	}
	d.plain.event(d.w, &d.live, e, now, d.opts)
}

// Result shows the summary below everything else. It can be called before or after Close.
func (d *Display) Result(r rehearsal.Result) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.settle()
	r.Warnings = d.unwarned(r)
	d.write(render(d.folded(summary(r, d.limit(), d.opts.Verbose)), d.opts.Color, "\n"))
}

// Close ends the live block: what is not finished is shown as stopped. The terminal is as it was before, even if Close is
// never reached: the cursor is hidden only within a frame.
func (d *Display) Close() {
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return
	}
	d.settle()
	d.write(render(listed("Warnings", d.unwarned(d.live.result), d.limit()), d.opts.Color, "\n"))
	d.closed = true
	d.mu.Unlock()
	close(d.stop)
	d.done.Wait()
}

// unwarned returns the warnings of a result that were not shown yet, and will be now.
func (d *Display) unwarned(r rehearsal.Result) []string {
	rest := slices.DeleteFunc(slices.Clone(r.Warnings), func(w string) bool { return slices.Contains(d.warned, w) })
	d.warned = append(d.warned, rest...)
	return rest
}

// JSON writes the result as one JSON document. A list with nothing in it is [], never null.
func JSON(w io.Writer, r rehearsal.Result) error {
	r.Faults = list(r.Faults)
	for i := range r.Faults {
		r.Faults[i].Strikes = list(r.Faults[i].Strikes)
	}
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
	if r.Rollback != nil {
		taken := *r.Rollback
		taken.Releases, taken.Said = list(taken.Releases), list(taken.Said)
		r.Rollback = &taken
	}
	r.Visits, r.Warnings, r.Notes = list(r.Visits), list(r.Warnings), list(r.Notes)
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false) // So that addresses stay readable.
	if err := encoder.Encode(r); err != nil {
		return fmt.Errorf("write result as JSON: %w", err)
	}
	return nil
}

// list returns a copy that is not nil.
func list[T any](s []T) []T { return append([]T{}, s...) }

// tick draws frames until the display is closed.
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
				d.plain.quiet(d.w, &d.live, now)
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

// draw writes the next frame.
func (d *Display) draw(now time.Time) {
	d.measure()
	d.screen.say(d.live.finished(d.opts)...)
	d.write(d.screen.frame(d.live.block(now, d.opts.Width, d.opts.Height-1), d.opts))
}

// settle replaces the live block by lines that stay.
func (d *Display) settle() {
	if d.closed || !d.opts.Terminal {
		return
	}
	d.measure()
	d.screen.say(d.live.rest(time.Now(), d.opts)...)
	d.write(d.screen.frame(nil, d.opts))
}

// limit returns the width of lines that stay; 0 for no limit.
func (d *Display) limit() int {
	if d.opts.Terminal {
		return d.opts.Width
	}
	return 0
}

// measure reads the size of a window that was resized.
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
		_, _ = io.WriteString(d.w, s) // A rehearsal does not fail if nobody can watch it.
	}
}
