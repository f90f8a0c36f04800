package publication

import (
	"fmt"
	"strings"
	"time"
)

// read is the life of a reader, who looks at a page and then loads its files.
func (h *history) read(n int) {
	random := h.fate("reader", n)
	for {
		h.mu.Lock()
		over, busy := h.over, h.active > 0 || time.Since(h.last) < 2*time.Minute
		h.mu.Unlock()
		if over {
			return
		}
		if busy {
			time.Sleep(time.Duration(random.IntN(4000)) * time.Millisecond)
		} else {
			time.Sleep(time.Duration(random.IntN(3*3600)) * time.Second)
		}
		location := random.IntN(locations)
		url := "/"
		if i := random.IntN(10); i < 9 {
			url = fmt.Sprintf("/p%d", i) + []string{"", "/", "/index.html"}[random.IntN(3)]
		}
		page := h.edge.get(location, url)
		_, needs, _ := strings.Cut(page.content, " needs ")
		if h.isStrange(h.objectOf(url)) {
			continue // nobody knows any more whether it is still there, and what it needs
		}
		seen := time.Now()
		for name := range strings.FieldsSeq(needs) {
			time.Sleep(time.Duration(random.IntN(1000)) * time.Millisecond)
			// A page of an edge location's may be a day old, and then its files may go.
			if time.Since(page.at) > h.settings.Grace-time.Minute && h.mutant != noGrace {
				break
			}
			if got := h.edge.get(location, "/"+name); got.content == "" {
				h.problem("broken view: %s of %s, which was asked for at %s, and which the edge location has since %s", name, url, seen.Sub(began), page.at.Sub(began))
			}
		}
	}
}

func (h *history) isStrange(key string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.strange[key]
}
