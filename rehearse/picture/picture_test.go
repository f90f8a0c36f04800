package main

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"math"
	"os"
	"os/signal"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// small is a recording of a terminal of four rows.
func small(events ...event) cast {
	return cast{header{Version: 2, Width: 30, Height: 4, Command: "make <it>", IdleTimeLimit: 1}, events}
}

func TestDrawKeepsTextColoursAndOrder(t *testing.T) {
	svg, err := small(
		event{100 * time.Millisecond, "\x1b[32m$\x1b[0m make <it>\r\n"},
		event{600 * time.Millisecond, "\x1b[36m⠋\x1b[0m Build"},
		event{610 * time.Millisecond, "  \x1b[2m1.0 s\x1b[0m\r\n"}, // It belongs to the frame before.
		event{9 * time.Second, "\x1b[1A\r\x1b[32m✓\x1b[0m Build  はじめに & \x1b[32m██\x1b[0m\x1b[2m░\x1b[0m\x1b[K\r\n"},
		event{9100 * time.Millisecond, "\x1b[1;31mfailed\x1b[0m\n\n"}, // The first row leaves the screen.
	).draw()
	if err != nil {
		t.Fatal(err)
	}
	p := newPlayer(t, svg)
	for _, tc := range []struct {
		at   time.Duration
		want []string
	}{
		{0, nil},
		{99 * time.Millisecond, nil},
		{100 * time.Millisecond, []string{"g($) make <it>"}},
		{599 * time.Millisecond, []string{"g($) make <it>"}},
		{610 * time.Millisecond, []string{"g($) make <it>", "c(⠋) Build  d(1.0 s)"}},
		{1609 * time.Millisecond, []string{"g($) make <it>", "c(⠋) Build  d(1.0 s)"}},
		// The pause of 8.39 s has become one of a second.
		{1611 * time.Millisecond, []string{"g($) make <it>", "g(✓) Build  はじめに & g(██)d(░)"}},
		{1711 * time.Millisecond, []string{"g(✓) Build  はじめに & g(██)d(░)", "a(failed)"}},
		{13700 * time.Millisecond, []string{"g(✓) Build  はじめに & g(██)d(░)", "a(failed)"}},
	} {
		if got := p.screen(tc.at); !reflect.DeepEqual(got, tc.want) {
			t.Errorf("after %v it shows %q, want %q", tc.at, got, tc.want)
		}
	}
	if got, want := p.duration, 13710*time.Millisecond; got != want {
		t.Errorf("it begins anew after %v, want %v", got, want)
	}
	if got, want := p.still(), p.screen(p.duration-1); !reflect.DeepEqual(got, want) {
		t.Errorf("where nothing moves it shows %q, want the last %q", got, want)
	}
}

func TestDrawRefusesWhatItCannotDraw(t *testing.T) {
	for _, tc := range []struct{ written, want string }{
		{"\x1b[2;1H", "unknown sequence"},
		{"\x1b[35mviolet\x1b[0m\r\n", `style "35"`},
		{"\x1b[?25l", "cursor false"},
	} {
		if _, err := small(event{0, tc.written}).draw(); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("drawing %q gives the error %v, want one with %q", tc.written, err, tc.want)
		}
	}
}

// TestRecord records a command on a real pseudo-terminal.
func TestRecord(t *testing.T) {
	t.Parallel()
	const command = `stty size; printf '\033[32mはい\033[0m\n'; sleep 1; echo $TERM$CI`
	var progress bytes.Buffer
	c, err := record(t.Context(), command, append(os.Environ(), "CI=true"), 160, 30, &progress)
	if err != nil {
		t.Fatal(err)
	}
	if want := (header{Version: 2, Width: 160, Height: 30, Command: command, IdleTimeLimit: 1}); c.header != want {
		t.Errorf("the header is %+v, want %+v", c.header, want)
	}
	var got string
	var last event
	for _, e := range c.events {
		if e.at < last.at {
			t.Errorf("%q comes at %v, and %q before it at %v", e.data, e.at, last.data, last.at)
		}
		if strings.HasPrefix(e.data, "xterm") && e.at-last.at < 100*time.Millisecond {
			t.Errorf("what was written a second later comes %v later", e.at-last.at)
		}
		got, last = got+e.data, e
	}
	want := "\x1b[32m$\x1b[0m " + command + "\r\n30 160\r\n\x1b[32mはい\x1b[0m\r\nxterm-256color\r\n"
	if got != want || progress.String() != want {
		t.Errorf("the terminal got\n%q, and showed\n%q, want\n%q", got, progress.String(), want)
	}
	if len(c.events) < 10 {
		t.Errorf("there are %d events, want about one for each typed key", len(c.events))
	}
}

func TestRecordOfACommandThatFails(t *testing.T) {
	t.Parallel()
	if _, err := record(t.Context(), "exit 3", os.Environ(), 80, 24, new(bytes.Buffer)); err == nil || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("got the error %v, want exit status 3", err)
	}
}

// stopper stops a recording when the terminal shows a text.
type stopper struct {
	text string
	stop context.CancelFunc
}

func (s stopper) Write(p []byte) (int, error) {
	if strings.Contains(string(p), s.text) {
		s.stop()
	}
	return len(p), nil
}

func TestRecordIsStopped(t *testing.T) {
	signal.Ignore(syscall.SIGHUP) // As below nohup. What the shell runs ignores it, too.
	t.Cleanup(func() { signal.Reset(syscall.SIGHUP) })
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	began := time.Now()
	if _, err := record(ctx, `sh -c 'echo s""leeps; sleep 600'`, os.Environ(), 80, 24, stopper{"sleeps", stop}); err == nil {
		t.Error("a recording that is stopped is no error")
	}
	if took := time.Since(began); took > 5*time.Minute {
		t.Errorf("the recording ended after %v, with the command", took)
	}
}

// oneByOne hands over a byte at a time.
type oneByOne struct{ rest *strings.Reader }

func (r oneByOne) Read(p []byte) (int, error) { return r.rest.Read(p[:1]) }

func TestCharactersAreNotSplit(t *testing.T) {
	const written = "aé…🖼\x1b[0m\r\n"
	var got string
	for _, e := range listen(oneByOne{strings.NewReader(written)}, func() {}) {
		if e.data != strings.ToValidUTF8(e.data, "?") {
			t.Errorf("the event %q has a part of a character", e.data)
		}
		got += e.data
	}
	if got != written {
		t.Errorf("got %q, want %q", got, written)
	}
}

func TestCastFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.cast")
	want := small(event{0, "$ <&>\r\n"}, event{1234 * time.Millisecond, "\x1b[32m✓\x1b[0m"})
	if err := want.writeFile(path); err != nil {
		t.Fatal(err)
	}
	if got, err := readFile(path); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	for _, tc := range []struct{ content, want string }{
		{"", "no header"},
		{"{\n", "header"},
		{`{"version":1,"width":80,"height":24}`, "version 1"},
		{`{"version":2,"width":80}`, "80 by 0"},
		{`{"version":2,"width":80,"height":24}` + "\n[1", "event 1"},
		{`{"version":2,"width":80,"height":24}` + "\n" + `[1,"i","x"]`, `kind "i"`},
	} {
		if _, err := read([]byte(tc.content)); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("reading %q gives the error %v, want one with %q", tc.content, err, tc.want)
		}
	}
}

// TestPictureOfTheREADME checks that the README's picture is drawn from the recording beside it, and suits a
// page of GitHub.
func TestPictureOfTheREADME(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	c, err := readFile(castPath)
	if err != nil {
		t.Fatal(err)
	}
	want, err := c.draw()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(picturePath)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what %s draws: go run ./rehearse/picture -draw draws it again", picturePath, castPath)
	}
	if c.Command != "make rehearse" {
		t.Errorf("the recorded command is %q, want make rehearse", c.Command)
	}
	if len(got) > 150_000 {
		t.Errorf("%s has %d bytes, want at most 150,000: record it on a machine that does nothing else", picturePath, len(got))
	}
	if found := regexp.MustCompile(`<script|href=|url\(|@import`).Find(got); found != nil {
		t.Errorf("%s has %q in it, which GitHub does not show", picturePath, found)
	}
	p := newPlayer(t, got)
	for name, screen := range map[string][]string{"the still picture": p.still(), "the animation's end": p.screen(p.duration - 1)} {
		text := strings.Join(screen, "\n")
		for _, part := range []string{"b(Stages)", "b(What readers see)", "g(new (Miss))", "succeeded in"} {
			if !strings.Contains(text, part) {
				t.Errorf("%s shows\n%s\nwant %q in it", name, text, part)
			}
		}
	}
	if first := p.screen(0); first != nil {
		t.Errorf("it begins with %q, want an empty screen", first)
	}
}

// player shows an animated picture at any time, as a browser does.
type player struct {
	t         *testing.T
	duration  time.Duration
	strips    []drawnStrip
	rules     map[string]float64 // of each strip without an animation: its translation
	keyframes map[string][]keyframe
}

type keyframe struct{ percent, y float64 }

// drawnStrip is a part of the SVG; see [cast.draw].
type drawnStrip struct {
	Y     float64 `xml:"y,attr"`
	Strip struct {
		ID     string `xml:"id,attr"`
		Frames []struct {
			Transform string `xml:"transform,attr"`
			Shapes    []struct {
				XMLName xml.Name
				Class   string  `xml:"class,attr"`
				Opacity string  `xml:"opacity,attr"`
				X       float64 `xml:"x,attr"`
				Width   float64 `xml:"width,attr"`
				Length  float64 `xml:"textLength,attr"`
				Text    string  `xml:",chardata"`
			} `xml:",any"`
		} `xml:"g"`
	} `xml:"g"`
}

func newPlayer(t *testing.T, svg []byte) *player {
	t.Helper()
	var root struct {
		Style  string       `xml:"style"`
		Strips []drawnStrip `xml:"svg"`
	}
	if err := xml.Unmarshal(svg, &root); err != nil {
		t.Fatal(err)
	}
	p := &player{t: t, strips: root.Strips, rules: map[string]float64{}, keyframes: map[string][]keyframe{}}
	for _, m := range regexp.MustCompile(`(?m)^#(r\d+)\{transform:translateY\((-?\d+)px\)\}$`).FindAllStringSubmatch(root.Style, -1) {
		p.rules[m[1]] = p.number(m[2])
	}
	for _, m := range regexp.MustCompile(`(?m)^@media\(prefers-reduced-motion:no-preference\)\{#(r\d+)\{animation:(r\d+) ([\d.]+)s step-end infinite\}\}\n@keyframes (r\d+)\{(.*)\}$`).FindAllStringSubmatch(root.Style, -1) {
		if m[1] != m[2] || m[1] != m[4] {
			t.Errorf("%s is moved by %s, beside which is %s", m[1], m[2], m[4])
		}
		p.duration = time.Duration(math.Round(p.number(m[3])*1000)) * time.Millisecond
		for _, k := range regexp.MustCompile(`([\d.]+)%\{transform:translateY\((-?\d+)px\)\}`).FindAllStringSubmatch(m[5], -1) {
			p.keyframes[m[1]] = append(p.keyframes[m[1]], keyframe{p.number(k[1]), p.number(k[2])})
		}
	}
	return p
}

func (p *player) number(s string) float64 {
	p.t.Helper()
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		p.t.Fatal(err)
	}
	return f
}

// screen returns the rows that the picture shows at a time, down to the last that is not empty: a text of a
// class c as c(text).
func (p *player) screen(at time.Duration) []string {
	p.t.Helper()
	return p.look(func(id string) float64 {
		y := p.rules[id]
		for _, k := range p.keyframes[id] {
			if k.percent <= 100*at.Seconds()/p.duration.Seconds()+0.0005 { // They have three decimals.
				y = k.y
			}
		}
		return y
	})
}

// still returns the rows that it shows where nothing moves.
func (p *player) still() []string {
	p.t.Helper()
	return p.look(func(id string) float64 { return p.rules[id] })
}

func (p *player) look(position func(id string) float64) []string {
	p.t.Helper()
	var screen []string
	for _, strip := range p.strips {
		var row string
		for _, frame := range strip.Strip.Frames {
			if frame.Transform != fmt.Sprintf("translate(0 %v)", baseline-position(strip.Strip.ID)) {
				continue
			}
			x := 0.0
			for _, shape := range frame.Shapes {
				text, length := shape.Text, max(shape.Length, cellWidth)
				if shape.XMLName.Local == "rect" {
					text, length = strings.Repeat("█", int(math.Round(shape.Width/cellWidth))), shape.Width
					if shape.Opacity != "" {
						text = strings.ReplaceAll(text, "█", "░")
					}
				}
				row += strings.Repeat(" ", int(math.Round((shape.X-x)/cellWidth)))
				if shape.Class != "" {
					text = shape.Class + "(" + text + ")"
				}
				row, x = row+text, shape.X+length
			}
		}
		if row == "" {
			continue
		}
		for len(screen) <= int(strip.Y-titleBar-padding/2)/cellHeight {
			screen = append(screen, "")
		}
		screen[len(screen)-1] = row
	}
	return screen
}
