package cover

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestChoosePathsIsBest compares with a search of all choices.
func TestChoosePathsIsBest(t *testing.T) {
	random := rand.New(rand.NewPCG(13, 1))
	// A few symbols make many common beginnings.
	alphabets := [][]string{
		{"a", "b", "/"},
		{"a", "/", "%E6%97%A5", "%E6%97%A6", "%C3%A9", "%C3%AA", "%20", "%2B", "+"},
		{"a", "b", "c", "d", "e", "/"},
	}
	for i := range 6000 {
		alphabet := alphabets[i%len(alphabets)]
		texts := map[string]bool{}
		for range 1 + random.IntN(14) {
			text := "/"
			for range random.IntN(6) {
				text += alphabet[random.IntN(len(alphabet))]
			}
			texts[text] = true
		}
		var required []address
		var others []string
		for text := range texts {
			if len(required) < 7 && random.IntN(2) == 0 {
				required = append(required, address{text: text, isWide: random.IntN(6) == 0})
			} else {
				others = append(others, text)
			}
		}
		slices.SortFunc(required, func(a, b address) int { return strings.Compare(a.text, b.text) })
		slices.Sort(others)
		maxItems, maxWildcards := 1+random.IntN(7), 1+random.IntN(4)

		paths, needless, isFound := choosePaths(required, others, maxItems, maxWildcards)
		want, wantItems := bruteForce(required, others, maxItems, maxWildcards)
		if !isFound || needless != want || len(paths) != wantItems {
			t.Fatalf("case %d: %v of %v, at most %d items and %d wildcards: got %q with %d needless, want %d items with %d",
				i, required, others, maxItems, maxWildcards, paths, needless, wantItems, want)
		}
		if got := countMatches(others, paths); got != needless {
			t.Fatalf("case %d: %q evict %d of %q, and not %d", i, paths, got, others, needless)
		}
		for _, a := range required {
			if !slices.ContainsFunc(paths, func(path string) bool { return evicts(path, a) }) {
				t.Fatalf("case %d: %q do not evict %+v", i, paths, a)
			}
		}
		if wide := len(slices.DeleteFunc(slices.Clone(paths), func(path string) bool { return !strings.HasSuffix(path, "*") })); wide > maxWildcards {
			t.Fatalf("case %d: %q has %d wildcards, more than %d", i, paths, wide, maxWildcards)
		}
		for _, path := range paths {
			if beginning, isWide := strings.CutSuffix(path, "*"); isWide && !isWhole(beginning, alphabet) {
				t.Fatalf("case %d: %q is cut within a character", i, path)
			}
		}
	}
}

// bruteForce returns the least needless evictions, and the least items for them.
func bruteForce(required []address, others []string, maxItems, maxWildcards int) (needless, items int) {
	needless = len(others) + 1
	var choose func(chosen []string, wide int)
	choose = func(chosen []string, wide int) {
		i := slices.IndexFunc(required, func(a address) bool {
			return !slices.ContainsFunc(chosen, func(item string) bool { return evicts(item, a) })
		})
		if i < 0 {
			if n := countMatches(others, chosen); n < needless || n == needless && len(chosen) < items {
				needless, items = n, len(chosen)
			}
			return
		}
		if len(chosen) == maxItems {
			return
		}
		a := required[i]
		if !a.isWide {
			choose(append(slices.Clip(chosen), a.text), wide)
		}
		if wide < maxWildcards {
			for end := 1; end <= len(a.text); end++ {
				// "%E6%97%A5" may be cut before and behind it only. All that begins with "%E6" or
				// "%C3" here is such a character.
				if cutsSymbol(a.text, end) {
					continue
				}
				choose(append(slices.Clip(chosen), a.text[:end]+"*"), wide+1)
			}
		}
	}
	choose(nil, 0)
	return needless, items
}

func cutsSymbol(text string, end int) bool {
	for start := 0; start < len(text); {
		length := 1
		switch {
		case strings.HasPrefix(text[start:], "%E6"):
			length = 9
		case strings.HasPrefix(text[start:], "%C3"):
			length = 6
		case text[start] == '%':
			length = 3
		}
		if start < end && end < start+length {
			return true
		}
		start += length
	}
	return false
}

func isWhole(text string, alphabet []string) bool {
	for text != "" {
		i := slices.IndexFunc(append([]string{"/"}, alphabet...), func(symbol string) bool { return strings.HasPrefix(text, symbol) })
		if i < 0 {
			return false
		}
		text = text[len(append([]string{"/"}, alphabet...)[i]):]
	}
	return true
}

func evicts(item string, a address) bool {
	beginning, isWide := strings.CutSuffix(item, "*")
	if isWide {
		return strings.HasPrefix(a.text, beginning)
	}
	return item == a.text && !a.isWide
}

func countMatches(texts, items []string) (n int) {
	for _, text := range texts {
		if slices.ContainsFunc(items, func(item string) bool { return evicts(item, address{text: text}) }) {
			n++
		}
	}
	return n
}

func TestSymbolLength(t *testing.T) {
	for text, want := range map[string]int{
		"a":            1,
		"/b":           1,
		"%20a":         3,
		"%2fa":         3,
		"%C3%A9a":      6,
		"%e6%97%a5%e6": 9,
		"%F0%9F%98%80": 12,
		"%E6%97":       6,
		"%E6a":         3,
		"%E6%41":       3,
		"%A5%A5":       3,
		"%":            1,
		"%4":           1,
		"%zz":          1,
	} {
		if got := symbolLength(text); got != want {
			t.Errorf("%s: got %d, want %d", text, got, want)
		}
	}
}
