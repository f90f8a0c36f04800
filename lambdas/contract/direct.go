package contract

// DirectEvent is the event with which the owner's commands (operate) call the functions publish and invalidate. Whoever
// may invoke a function may send it; it can do no more than the pipeline's actions can.
type DirectEvent struct {
	Direct Direct `json:"direct"`
}

// Direct asks a function for the work of its action, or for a look at it.
type Direct struct {
	// Job identifies the work, as the id of a job does: 1 to 100 letters, digits, "-" and "_". A request that is sent
	// again does nothing twice. Not needed for a look.
	Job string `json:"job,omitempty"`
	// UserParameters are those of the action. What CodePipeline would replace in them, such as "#{variables.Name}", is "".
	UserParameters string `json:"userParameters,omitempty"`
	// Token is the Token of the answer before; "" at first.
	Token string `json:"token,omitempty"`

	// Release is the id of the release that publish publishes again. Required by publish, unless List is set.
	Release string `json:"release,omitempty"`
	// Current is the id of the release that the bucket must still have when publish begins; "" for any.
	Current string `json:"current,omitempty"`
	// By says who asks, for the list of releases.
	By string `json:"by,omitempty"`

	// DryRun asks for what would be done: publish answers with a [Difference], and invalidate with a [Clearing].
	DryRun bool `json:"dryRun,omitempty"`
	// Touched are the keys in the site's bucket that invalidate takes for changed in a dry run, besides those that are.
	Touched []string `json:"touched,omitempty"`
	// List asks publish for the last releases, at most so many, from 1 to 100.
	List int `json:"list,omitempty"`
}

// DirectAnswer is the answer to a [DirectEvent], and what the action would report.
type DirectAnswer struct {
	// Summary says how far the work is. That of a success with a warning says so.
	Summary string `json:"summary,omitempty"`
	// Token is for the next request, which goes on with the work; "" at its end.
	Token string `json:"token,omitempty"`
	// Variables are those of the action, at its end.
	Variables map[string]string `json:"variables,omitempty"`
	// Failure is CodePipeline's type of a failure, and Message says what happened and what to do; "" for none.
	Failure string `json:"failure,omitempty"`
	Message string `json:"message,omitempty"`

	Difference *Difference `json:"difference,omitempty"`
	Clearing   *Clearing   `json:"clearing,omitempty"`
	// Releases are the last ones, the newest first.
	Releases Releases `json:"releases,omitempty"`
}

// Difference is what a publication would do to the site's bucket.
type Difference struct {
	Put     int   `json:"put"`
	Removed int   `json:"removed"`
	Bytes   int64 `json:"bytes"`
	// Touched has the keys of the files that would be put or removed, or the first ones of them, of at least 10,001 files
	// or of 2 MB. An invalidation of more than 10,000 clears everything.
	Touched []string `json:"touched,omitempty"`
}

// Clearing is what an invalidation would clear.
type Clearing struct {
	Items int `json:"items"`
	// Needless counts the files that would be evicted although they have not changed.
	Needless int `json:"needless,omitempty"`
	// All is true if everything would be cleared.
	All bool `json:"all,omitempty"`
}
