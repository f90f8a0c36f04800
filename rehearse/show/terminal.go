package show

import (
	"os"

	"golang.org/x/term"
)

// Options configure a [Display]. [Detect] finds them out.
type Options struct {
	// Terminal says that w is a terminal, which shows the live block. Default: plain lines without control characters.
	Terminal bool
	// Width and Height are the terminal's, in cells. Default 80 and 24. Plain lines are never cut.
	Width, Height int
	// Size returns the terminal's size before each frame, so that the block follows a window that is resized; zeros if
	// it does not know. Default: Width and Height do not change.
	Size func() (width, height int)
	// Color adds colours on a terminal.
	Color bool
	// Verbose shows every line that builds and functions write, and lists what the summary otherwise counts. Default: a
	// terminal shows the last lines of what runs, and a failure comes with the last lines before it.
	Verbose bool
}

// Detect returns the options for f: whether it is a terminal, its size, and whether it shows colours. A terminal gets
// plain lines if TERM is "dumb" or CI is set, and no colours if NO_COLOR is set (https://no-color.org). getenv is
// os.Getenv.
func Detect(f *os.File, getenv func(string) string) Options {
	fd := int(f.Fd())
	if !wantsBlock(getenv) || !term.IsTerminal(fd) {
		return Options{}
	}
	size := func() (width, height int) {
		width, height, err := term.GetSize(fd)
		if err != nil {
			return 0, 0
		}
		return width, height
	}
	width, height := size()
	return Options{Terminal: true, Width: width, Height: height, Size: size, Color: getenv("NO_COLOR") == ""}
}

func wantsBlock(getenv func(string) string) bool {
	ci := getenv("CI")
	return getenv("TERM") != "dumb" && (ci == "" || ci == "false" || ci == "0")
}
