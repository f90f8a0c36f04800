package amount

import "testing"

func TestSize(t *testing.T) {
	for _, tc := range []struct {
		bytes int64
		want  string
	}{
		{0, "0 bytes"}, {1, "1 byte"}, {999, "999 bytes"}, {1000, "1.0 kB"}, {9949, "9.9 kB"}, {9950, "10 kB"},
		{31_239, "31 kB"}, {999_499, "999 kB"}, {999_500, "1.0 MB"}, {1_312_044, "1.3 MB"}, {5 << 30, "5.4 GB"}, {1 << 62, "4612 PB"},
	} {
		if got := Size(tc.bytes); got != tc.want {
			t.Errorf("Size(%d): got %q, want %q", tc.bytes, got, tc.want)
		}
	}
}

func TestNumber(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -100: "-100", -1000: "-1,000"} {
		if got := Number(n); got != want {
			t.Errorf("Number(%d): got %q, want %q", n, got, want)
		}
	}
}
