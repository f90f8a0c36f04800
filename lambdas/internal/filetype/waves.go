package filetype

import (
	"iter"
	"path"
)

// Waves knows in which order the files of a blog are put.
type Waves struct{ lists map[string]bool }

// WaveCount is the number of waves. All files of a wave are there before the next one
// begins.
const WaveCount = 4

// NewWaves returns the order for a blog that has these files.
func NewWaves(names iter.Seq[string]) Waves {
	w := Waves{map[string]bool{}}
	for name := range names {
		folder := path.Dir(name)
		switch {
		case path.Base(name) == indexPage: // The pages of the folders above may list it.
			for folder != "." && folder != "/" {
				folder = path.Dir(folder)
				w.lists[folder] = true
			}
		case ClassOf(name) == List: // A list has its feed beside it.
			w.lists[folder] = true
		}
	}
	return w
}

const indexPage = "index.html"

// Of returns the wave of a file, from 0: files that are needed and need none; styles and
// scripts that keep their names; pages; and what leads to pages, which is lists, feeds,
// the sitemap and the home page.
func (w Waves) Of(name string) int {
	isList := name == indexPage
	if folder, base := path.Split(name); base == indexPage {
		folder = path.Clean(folder)
		// The further pages of a list are in its folder "page", by their numbers.
		isList = isList || w.lists[folder] || path.Base(path.Dir(folder)) == "page"
	}
	switch class := ClassOf(name); {
	case class == List, isList:
		return 3
	case class == Page:
		return 2
	case class == Style:
		return 1
	default:
		return 0
	}
}
