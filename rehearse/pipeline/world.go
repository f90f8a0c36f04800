package pipeline

import (
	"errors"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/rehearse/checkout"
	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/iam"
	"blog-deploy-pipeline/rehearse/lambdaruntime"
	"blog-deploy-pipeline/rehearse/readers"
	"blog-deploy-pipeline/rehearse/rehearsal"
	"blog-deploy-pipeline/rehearse/s3"
)

// world holds what stands for AWS in a rehearsal.
type world struct {
	Options

	template *assembly.Template
	id       string // of the execution
	session  string // of the roles that it assumes
	record   *rehearsal.Record
	clock    *clock
	dir      string // for temporary work
	account  *iam.Account
	cloud    *fakeaws.Cloud       // the services that functions call
	endpoint string               // the cloud's URL
	binaries map[*Function]string // the compiled functions
	callers  callers              // the functions that run now
	answered atomic.Int64         // the nanoseconds that functions needed for callers who waited
	checkout checkout.Checkout    // only for a pipeline, as s3
	s3       *s3.Server
	visiting *readers.Site // the site that readers visit; nil as long as they visit none
	looked   sync.Once     // when a fault has struck a function that looks at the site
	// publishing is told of each object that a function puts or removes; nil if none publishes.
	publishing atomic.Pointer[func(fakeaws.Write)]

	mu      sync.Mutex // guards closers
	closers []func() error
}

// invoked is a function that runs.
type invoked struct {
	*Function
	*lambdaruntime.Runtime
}

// callers are the functions that run, and call AWS: one, or one that invokes another.
type callers struct {
	mu  sync.Mutex
	all []*invoked
}

// begin adds a function, until end is called.
func (c *callers) begin(f *invoked) (end func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, f)
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.all = slices.DeleteFunc(c.all, func(other *invoked) bool { return other == f })
	}
}

// by returns the function that makes a call as a principal, by its own role or by one that it assumes. A call without a
// signature is that of the function that has begun last. by returns nil if no function makes it.
func (c *callers) by(principal string) *invoked {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range slices.Backward(c.all) {
		if principal == "" || principal == f.Role.Principal(f.Name) || f.Assumes != nil && principal == f.Assumes.Principal(f.Name) {
			return f
		}
	}
	return nil
}

// onClose adds what must be closed at the end.
func (w *world) onClose(c func() error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closers = append(w.closers, c)
}

// close closes everything in the reverse order of its start.
func (w *world) close() error {
	var errs []error
	for _, c := range slices.Backward(w.closers) {
		errs = append(errs, c())
	}
	return errors.Join(errs...)
}

// keptCopies is the file that keeps the copies of a distribution's edge from one rehearsal to the next; "" for none.
func (w *world) keptCopies(distribution string) string {
	if w.State == "" {
		return ""
	}
	return filepath.Join(w.State, distribution+".copies.json")
}

// struck tells that the fault of a part has struck.
func (w *world) struck(part, on string) { w.record.Struck(w.Faults.name(part), on) }
