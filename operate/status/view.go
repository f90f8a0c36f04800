package status

import (
	"errors"
	"fmt"
	"time"
)

// view is what a watch sees at one look: the newest execution of a pipeline, or the newest deployment of a service.
type view struct {
	// id is "" if there is none.
	id    string
	began time.Time
	// ahead is by how much AWS's clock, which began is of, is ahead of this machine's; 0 if that is unknown.
	ahead time.Duration
	// name is such as "execution 11111111", and about says what it is about.
	name, about string
	running     bool
	// superseded is true for an execution that has made room for a newer one, which a later look finds.
	superseded bool
	steps      []step
	// end returns an error unless what is watched has succeeded. It is for the end.
	end func() error
}

// step is a step of what has the id of.
type step struct{ of, name, words string }

// failed says how something ended that has not succeeded.
func failed(name, status string, took time.Duration, reasons []string) error {
	errs := []error{fmt.Errorf("%s %s after %s", name, verb(status), Span(took))}
	for _, reason := range reasons {
		for _, line := range split(reason) {
			errs = append(errs, errors.New(line))
		}
	}
	return errors.Join(errs...)
}
