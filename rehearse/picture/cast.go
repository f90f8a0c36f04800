package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"
)

// cast is a recording of a terminal. Its file has the format asciicast v2, which asciinema plays:
// https://docs.asciinema.org/manual/asciicast/v2/
type cast struct {
	header

	events []event
}

type header struct {
	Version int    `json:"version"`
	Width   int    `json:"width"`
	Height  int    `json:"height"`
	Command string `json:"command"`
	// IdleTimeLimit is the longest pause that a player makes, in seconds.
	IdleTimeLimit float64 `json:"idle_time_limit"`
}

// event holds what the terminal received, and the time since the recording began.
type event struct {
	at   time.Duration
	data string
}

// writeFile writes the recording as asciicast: a line for the header, and one for each event.
func (c cast) writeFile(path string) error {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(c.header); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	for _, e := range c.events {
		if err := encoder.Encode([]any{e.at.Round(time.Millisecond).Seconds(), "o", e.data}); err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
	}
	return os.WriteFile(path, b.Bytes(), 0o644) //nolint:gosec // It is a file of the repository.
}

func readFile(path string) (cast, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return cast{}, err
	}
	c, err := read(content)
	if err != nil {
		return cast{}, fmt.Errorf("read %s: %w", path, err)
	}
	return c, nil
}

func read(content []byte) (cast, error) {
	var c cast
	lines := bufio.NewScanner(bytes.NewReader(content))
	lines.Buffer(nil, len(content)+1)
	if !lines.Scan() {
		return cast{}, errors.New("there is no header")
	}
	if err := json.Unmarshal(lines.Bytes(), &c.header); err != nil {
		return cast{}, fmt.Errorf("header: %w", err)
	}
	if c.Version != 2 || c.Width < 1 || c.Height < 1 {
		return cast{}, fmt.Errorf("header: version %d of %d by %d cells: version 2 is needed, and a size", c.Version, c.Width, c.Height)
	}
	for lines.Scan() {
		var at float64
		var kind string
		var e event
		if err := json.Unmarshal(lines.Bytes(), &[]any{&at, &kind, &e.data}); err != nil {
			return cast{}, fmt.Errorf("event %d: %w", len(c.events)+1, err)
		}
		if kind != "o" {
			return cast{}, fmt.Errorf("event %d: kind %q: only output, \"o\", can be drawn", len(c.events)+1, kind)
		}
		e.at = time.Duration(at*1000+0.5) * time.Millisecond
		c.events = append(c.events, e)
	}
	return c, lines.Err()
}
