// Command picture records a command on a pseudo-terminal and draws the recording as an animated SVG, for
// the README: `make picture`. The recording is kept beside the picture, so that the picture can be drawn
// again without another rehearsal: go run ./rehearse/picture -draw
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

// The paths of the recording and its picture, seen from the project's folder.
const (
	castPath    = "docs/rehearsal.cast"
	picturePath = "docs/rehearsal.svg"
)

// The size of the recorded terminal, in cells: wide enough for the lines of the summary, and high enough
// for all of it.
const (
	columns = 108
	rows    = 34
)

func main() {
	draw := flag.Bool("draw", false, "draw the last recording again")
	command := flag.String("command", "make rehearse", "the command to record")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *command, *draw)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "picture:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, command string, drawOnly bool) error {
	if !drawOnly {
		c, err := record(ctx, command, os.Environ(), columns, rows, os.Stdout)
		if err != nil {
			return err
		}
		if err := c.writeFile(castPath); err != nil {
			return err
		}
	}
	c, err := readFile(castPath)
	if err != nil {
		return err
	}
	svg, err := c.draw()
	if err != nil {
		return err
	}
	return os.WriteFile(picturePath, svg, 0o644) //nolint:gosec // It is a file of the repository.
}
