package pipeline

import (
	"sync"
	"time"
)

// clock is the machine's clock, ahead by the times that AWS would only have waited.
type clock struct {
	mu      sync.Mutex
	skipped time.Duration
}

// Now returns the time on AWS.
func (c *clock) Now() time.Time { return time.Now().Add(c.Skipped()) }

// Skip skips a time.
func (c *clock) Skip(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.skipped += max(0, d)
}

// Skipped returns how much was skipped.
func (c *clock) Skipped() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.skipped
}
