package archive

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// at makes entries of a number of bytes at offsets in MiB.
func at(length int64, offsets ...float64) []*entry {
	var entries []*entry
	for _, offset := range offsets {
		e := &entry{File: File{Packed: length - localLength - in64short}, offset: int64(offset * (1 << 20)), end: 1 << 60}
		entries = append(entries, e)
	}
	return entries
}

func TestSpans(t *testing.T) {
	const kB = 100 << 10
	tests := []struct {
		name    string
		entries []*entry
		most    int
		want    string // the first and last entry of each span, by the offsets in MiB
	}{
		{"none", nil, 3, ""},
		{"one", at(kB, 5), 3, "5-5 "},
		{"near", at(kB, 5, 5.5, 6), 3, "5-6 "},
		{"gaps", at(kB, 0, 2, 20), 3, "0-0 2-2 20-20 "},
		{"more gaps than spans: the longest are not read", at(kB, 0, 2, 12, 14, 40), 3, "0-2 12-14 40-40 "},
		{"one span", at(kB, 0, 20), 1, "0-20 "},
		{"long: in parts", at(1<<20, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11), 3, "0-5 6-11 "},
		{"longer: in as many parts as allowed", at(1<<20, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31), 3, "0-7 8-15 16-31 "},
	}
	for _, tt := range tests {
		got := ""
		for _, s := range spans(tt.entries, tt.most) {
			got += fmt.Sprintf("%g-%g ", float64(s[0].offset)/(1<<20), float64(s[len(s)-1].offset)/(1<<20))
		}
		if got != tt.want {
			t.Errorf("%s: spans are %s, want %s", tt.name, got, tt.want)
		}
	}
}

// Each entry is in one span, and the spans are few.
func TestSpansOfAny(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		var entries []*entry
		offset, n, most := int64(0), random.IntN(40), 1+random.IntN(8)
		for range n {
			offset += random.Int64N(12 << 20)
			e := at(100_000+random.Int64N(9<<20), 0)[0]
			e.offset = offset
			e.end = offset + random.Int64N(12<<20)
			offset = e.last()
			entries = append(entries, e)
		}
		var seen []*entry
		result := spans(entries, most)
		for _, s := range result {
			seen = append(seen, s...)
			if len(s) == 0 {
				t.Fatal("a span is empty")
			}
		}
		if len(result) > most || fmt.Sprint(seen) != fmt.Sprint(entries) {
			t.Fatalf("%d spans of %d entries, want at most %d with all of %d", len(result), len(seen), most, n)
		}
	}
}
