package show

import (
	"os"

	"golang.org/x/term"
)

// Detect finds out how to show a rehearsal on f: whether it is a terminal, its size, and whether colours
// are welcome. A terminal gets plain lines where TERM is "dumb" or CI is set, and no colours where
// NO_COLOR is set (https://no-color.org). getenv is os.Getenv.
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
