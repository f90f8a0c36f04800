// Package amount words numbers as people write them.
package amount

import (
	"fmt"
	"math"
	"strconv"
)

// Size words a number of bytes: "1 byte", "12 kB", "1.2 MB".
func Size(bytes int64) string {
	if bytes < 1000 {
		return Count(int(bytes), "byte")
	}
	value, unit := float64(bytes), 0
	for unit == 0 || value >= 999.5 && unit < 5 {
		value /= 1000
		unit++
	}
	format := "%.0f %cB"
	if math.Round(value*10) < 100 {
		format = "%.1f %cB"
	}
	return fmt.Sprintf(format, value, " kMGTP"[unit])
}

// Count words a number of things: "1 object", "12,345 objects".
func Count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return Number(n) + " " + thing + "s"
}

// Number words a number: "12,345".
func Number(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
