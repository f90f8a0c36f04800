package proof

// Kind says what readers get at an address. A graver one is greater.
type Kind int

// The kinds of what readers get.
const (
	// Live means that readers have what was published.
	Live Kind = iota
	// Newer means that they have a later release, of which this proof says nothing.
	Newer
	// Unreachable means that no answer came, or an error of a server.
	Unreachable
	// Busy means that something asks for fewer requests, or is not ready.
	Busy
	// Blocked means that something else than the blog has answered, such as a web ACL
	// that asks for a proof that the reader is no robot.
	Blocked
	// Private means that the address asks for a name and a password.
	Private
	// Redirected means that readers are sent to another address.
	Redirected
	// Stale means that readers have an earlier release.
	Stale
	// Wrong means that readers have something that is of no release, or nothing.
	Wrong
)

func (k Kind) String() string {
	return [...]string{"live", "newer", "unreachable", "busy", "blocked", "private", "redirected", "stale", "wrong"}[k]
}

// mayChange reports whether another answer may come soon.
func (k Kind) mayChange() bool {
	return k == Stale || k == Wrong || k == Unreachable || k == Busy
}
