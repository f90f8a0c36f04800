package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"blog-deploy-pipeline/operate/status"
)

// terminal is where a command runs.
type terminal struct {
	stdin io.Reader
	// asks is true if a person answers on stdin.
	asks           bool
	stdout, stderr io.Writer
	// width is how many cells a line on stdout has; 0 if that is no terminal.
	width int
	sleep func(context.Context, time.Duration) error
}

// tell prints a line. The exit status says what came of the command, too.
func (t terminal) tell(line string) {
	for _, part := range status.Fold(line, t.width) {
		_, _ = fmt.Fprintln(t.stdout, part)
	}
}

// ask asks a question that yes or no answers.
func (t terminal) ask(ctx context.Context, question string) (bool, error) {
	if !t.asks {
		return false, errors.New("there is no terminal to ask on: YES=1 publishes without asking")
	}
	_, _ = fmt.Fprint(t.stdout, question+" [y/N] ")
	type line struct {
		text string
		err  error
	}
	answered := make(chan line, 1)
	go func() { // which outlasts a Ctrl-C, as nothing else ends a read of a terminal
		text, err := bufio.NewReader(t.stdin).ReadString('\n')
		answered <- line{text, err}
	}()
	select {
	case <-ctx.Done():
		t.tell("")
		return false, ctx.Err()
	case answer := <-answered:
		if answer.err != nil {
			t.tell("")
			return false, fmt.Errorf("nobody has answered: YES=1 publishes without asking (%w)", answer.err)
		}
		text := strings.ToLower(strings.TrimSpace(answer.text))
		return text == "y" || text == "yes", nil
	}
}
