package cover

import (
	"math"
	"slices"
	"sort"
	"strings"
)

// maxWork limits the steps of one choice, which take half a second on a core of its own. A
// cell of a table counts as many steps, so that all tables together have 40 MB at most.
const (
	maxWork     = 200_000_000
	workOfACell = 40
)

// choosePaths returns at most maxItems paths, of which at most maxWildcards are wildcards,
// that evict all required addresses, and how many of the others they evict. Both lists are
// in order, and required has no text twice. It returns false if there is no choice, or if
// finding one is too much work.
//
// The required addresses are a tree of their common beginnings. A wildcard is only worth
// considering at a node: a longer one misses an address, and a shorter one evicts more. No
// choice needs a wildcard below another one, and what is chosen in one branch does not
// change what is best in another. So what is best at a node, for each number of items and
// of wildcards, follows from what is best at its children, as in a knapsack problem.
func choosePaths(required []address, others []string, maxItems, maxWildcards int) (paths []string, needless int, isFound bool) {
	if len(required) == 0 || maxItems < 1 {
		return nil, 0, len(required) == 0 && maxItems >= 0
	}
	t := tree{required: required, others: others, items: maxItems, wildcards: min(maxItems, maxWildcards)}
	root := t.node(0, len(required), 0, len(others))
	if t.work > maxWork {
		return nil, 0, false
	}
	items, wildcards := root.best.items, root.best.wildcards
	needless = root.best.at(items, wildcards)
	for items > 1 && root.best.at(items-1, wildcards) == needless {
		items--
	}
	return t.chosen(nil, root, items, wildcards), needless, true
}

type tree struct {
	required         []address
	others           []string
	items, wildcards int // the limits
	work             int
}

// node stands for the required addresses from from to to, all of which begin with text.
type node struct {
	text     string
	from, to int
	needless int // the others that begin with text
	children []*node
	// narrow has the choices without a wildcard at the node itself: first those for text
	// alone, then those with one child more each. best has all choices.
	narrow []table
	best   table
}

// node returns the node of the required addresses from from to to. The others that begin
// with its text are among those from low to high.
func (t *tree) node(from, to, low, high int) *node {
	first, last := t.required[from].text, t.required[to-1].text
	n := &node{text: first[:boundary(first, commonLength(first, last))], from: from, to: to}
	low += sort.SearchStrings(t.others[low:high], n.text)
	high = low + sort.Search(high-low, func(i int) bool {
		return !strings.HasPrefix(t.others[low+i], n.text)
	})
	n.needless = high - low

	switch isOwn := first == n.text; {
	case isOwn && t.required[from].isWide: // Its wildcard covers the children.
		n.best = t.table(1, 1)
	case n.needless == 0: // A wildcard or an item for each address is best.
		n.best = t.table(1, 1)
		isWide := func(a address) bool { return a.isWide }
		if all := to - from; all <= t.items && !slices.ContainsFunc(t.required[from:to], isWide) {
			n.best = t.table(all, min(1, all-1))
			n.best.improve(all, 0, 0)
		}
	default:
		n.narrow = []table{t.table(0, 0)}
		n.narrow[0].improve(0, 0, 0)
		if isOwn {
			n.narrow[0] = t.table(1, 0)
			n.narrow[0].improve(1, 0, 0)
			from++
		}
		for from < to {
			text := t.required[from].text
			beginning := text[:len(n.text)+symbolLength(text[len(n.text):])]
			end := from + sort.Search(to-from, func(i int) bool {
				return !strings.HasPrefix(t.required[from+i].text, beginning)
			})
			child := t.node(from, end, low, high)
			if t.work > maxWork {
				return n
			}
			n.children = append(n.children, child)
			n.narrow = append(n.narrow, t.join(n.narrow[len(n.narrow)-1], child.best))
			from = end
		}
		n.best = t.widened(n.narrow[len(n.narrow)-1])
	}
	if n.best.wildcards > 0 {
		n.best.improve(1, 1, n.needless)
	}
	return n
}

// chosen appends the best choice of a node to paths.
func (t *tree) chosen(paths []string, n *node, items, wildcards int) []string {
	least := n.best.at(items, wildcards)
	switch {
	case n.narrow == nil && n.best.at(items, 0) == least:
		for _, a := range t.required[n.from:n.to] {
			paths = append(paths, a.text)
		}
		return paths
	case n.narrow == nil || n.narrow[len(n.children)].at(items, wildcards) > least:
		return append(paths, n.text+"*")
	}
	for i, child := range slices.Backward(n.children) {
		rest := n.narrow[i]
		ofChild, wide := split(rest, child.best, items, wildcards, least)
		paths = t.chosen(paths, child, ofChild, wide)
		items, wildcards = items-ofChild, wildcards-wide
		least = rest.at(items, wildcards)
	}
	if t.required[n.from].text == n.text {
		paths = append(paths, n.text)
	}
	return paths
}

// split returns how many of the items and wildcards b has in the best choice of a and b.
func split(a, b table, items, wildcards, least int) (ofB, wide int) {
	for ofB = range items + 1 {
		for wide = range wildcards + 1 {
			if a.at(items-ofB, wildcards-wide)+b.at(ofB, wide) == least {
				return ofB, wide
			}
		}
	}
	return ofB, wide // Not reached: least is one of these sums.
}

// table has the least needless evictions by at most so many items, of which at most so many
// are wildcards.
type table struct {
	items, wildcards int
	needless         []int
}

// never stands for a choice that there is not. Two of them can be added.
const never = math.MaxInt / 2

func (t *tree) table(items, wildcards int) table {
	cells := (items + 1) * (wildcards + 1)
	t.work += workOfACell * cells
	return table{items, wildcards, slices.Repeat([]int{never}, cells)}
}

func (b table) at(items, wildcards int) int {
	return b.needless[min(items, b.items)*(b.wildcards+1)+min(wildcards, b.wildcards)]
}

// improve enters a choice.
func (b table) improve(items, wildcards, needless int) {
	for i := items; i <= b.items; i++ {
		row := b.needless[i*(b.wildcards+1):][:b.wildcards+1]
		for w := wildcards; w <= b.wildcards; w++ {
			row[w] = min(row[w], needless)
		}
	}
}

// widened returns a table with room for one item and one wildcard at least.
func (t *tree) widened(b table) table {
	wide := t.table(max(b.items, 1), max(b.wildcards, 1))
	for i := range wide.items + 1 {
		for w := range wide.wildcards + 1 {
			wide.needless[i*(wide.wildcards+1)+w] = b.at(i, w)
		}
	}
	return wide
}

// join returns the table of the choices that have one of a and one of b.
func (t *tree) join(a, b table) table {
	t.work += len(a.needless) * len(b.needless)
	both := t.table(min(a.items+b.items, t.items), min(a.wildcards+b.wildcards, t.wildcards))
	for i := range a.items + 1 {
		for w := range a.wildcards + 1 {
			ofA := a.needless[i*(a.wildcards+1)+w]
			if ofA == never {
				continue
			}
			for j := range min(b.items, both.items-i) + 1 {
				row := both.needless[(i+j)*(both.wildcards+1)+w:]
				ofB := b.needless[j*(b.wildcards+1):]
				for v := range min(b.wildcards, both.wildcards-w) + 1 {
					row[v] = min(row[v], ofA+ofB[v])
				}
			}
		}
	}
	return both
}
