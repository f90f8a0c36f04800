// Package failure has the errors of a function's work that the owner of the blog or the
// service reads.
package failure

// Kind says what a failure is due to. A caller translates it into the words of its own
// protocol.
type Kind int

// The kinds of failure.
const (
	// Other is an error that no other kind describes.
	Other Kind = iota
	// Configuration means that a service refuses what the owner has named, or that what
	// the owner has built or set cannot be used.
	Configuration
	// Permission means that the role of the function lacks a permission.
	Permission
	// Unavailable means that a service did not do what it was asked for within the time
	// that there was.
	Unavailable
	// Late means that a service has begun and was not seen to end before the deadline.
	Late
)

func (k Kind) String() string {
	return [...]string{"other", "configuration", "permission", "unavailable", "late"}[k]
}

// Failure is the error of work that has failed.
type Failure struct {
	Kind Kind
	// Message tells the person who reads the result of the deployment what happened
	// and what to do.
	Message string
	// Err is the last error of a service; nil if there was none.
	Err error
}

func (f *Failure) Error() string { return f.Message }

func (f *Failure) Unwrap() error { return f.Err }
