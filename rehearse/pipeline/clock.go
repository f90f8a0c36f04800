package pipeline

import (
	"sync"
	"time"
)

// clock is the rehearsal's: the machine's, and what was skipped because AWS would only have waited.
type clock struct {
	mu      sync.Mutex
	skipped time.Duration
}

// Now is the time in AWS.
func (c *clock) Now() time.Time { return time.Now().Add(c.Skipped()) }

// Skip lets time pass.
func (c *clock) Skip(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.skipped += max(0, d)
}

// Skipped is how much has been skipped.
func (c *clock) Skipped() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.skipped
}
