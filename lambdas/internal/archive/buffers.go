package archive

import (
	"math/bits"
	"sync"
)

// buffers are byte slices that are used again. Their capacities are powers of two.
type buffers [64]sync.Pool

// smallest is the capacity of the smallest buffers, as the exponent of 2.
const smallest = 12

// class returns the capacity of a buffer for length bytes, as the exponent of 2.
func class(length int64) int { return max(smallest, bits.Len64(uint64(max(1, length)-1))) }

// cost returns the capacity of a buffer for length bytes.
func cost(length int64) int64 { return 1 << class(length) }

// get returns a buffer of length bytes, with any content.
func (b *buffers) get(length int64) []byte {
	if buffer, ok := b[class(length)].Get().(*[]byte); ok {
		return (*buffer)[:length]
	}
	return make([]byte, length, cost(length))
}

// put gives back a buffer of get.
func (b *buffers) put(buffer []byte) { b[class(int64(cap(buffer)))].Put(&buffer) }
