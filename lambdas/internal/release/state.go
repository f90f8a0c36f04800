package release

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// State is what a blog's publications and invalidations have to remember. They change it
// by its methods, each within a [Store.Update]. A method that was applied already changes
// nothing.
type State struct {
	// Number counts the publications that were committed, with those that had nothing to
	// do.
	Number int64 `json:"number"`
	// Current is the id of the last release that was committed; "" before the first one.
	Current string `json:"current,omitempty"`

	// Job is the job that publishes, Run the invocation of the function that does so, and
	// Until when their lease ends. Job is "" if none publishes. Run is "" between two
	// invocations for one job.
	Job   string    `json:"job,omitempty"`
	Run   string    `json:"run,omitempty"`
	Until time.Time `json:"until,omitzero"`
	// Target is the id of the release that Job publishes.
	Target string `json:"target,omitempty"`
	// Past has the last jobs that have published, the newest one last.
	Past []Past `json:"past,omitempty"`

	// Touched has the keys of objects that were put or removed, or may have been, and
	// that CloudFront has not been seen to clear since. The value is the number of the
	// last publication that touched the key; a publication that is not committed has
	// Number+1.
	Touched map[string]int64 `json:"touched,omitempty"`
	// ClearAll is the number of the last publication after which everything had to be
	// cleared, because what was there before is unknown; 0 if that is done.
	ClearAll int64 `json:"clearAll,omitempty"`
	// Retired has the keys of objects that may be in the bucket although Current does not
	// list them: those that have left the blog and wait for their removal, and those that
	// an unfinished publication has put. The value is the time at which they left; it is
	// zero for those of an unfinished publication.
	Retired map[string]time.Time `json:"retired,omitempty"`

	// text and etag are those of the object that has this state in the bucket; etag is ""
	// if there is none.
	text []byte
	etag string
}

// Past is a job that has published. Its Release is "" if it did not come to an end before
// the next job began.
type Past struct {
	Job     string `json:"job"`
	Release string `json:"release,omitempty"`
}

const (
	// maxPast is how many jobs a state remembers. Lambda delivers an event a second time
	// within hours.
	maxPast = 32
	// maxTouched is the number of keys above which an invalidation clears everything, and
	// the state says only that.
	maxTouched = 10_000
)

// Holder is the invocation that publishes for a job. Run distinguishes it from a second
// delivery of the same event, which must not write at the same time: when one of them has
// committed, the other one would write over the next publication.
type Holder struct{ Job, Run string }

// Busy is the error of a publication that has to wait for another one.
type Busy struct {
	Job   string
	Until time.Time
}

func (b *Busy) Error() string {
	return fmt.Sprintf("the job %s publishes until %s at most", b.Job, b.Until.UTC().Format(time.RFC3339))
}

var (
	// ErrFinished is the error of a job that has committed its release already.
	ErrFinished = errors.New("this job has published already")
	// ErrOvertaken is the error of a job that did not come to an end before another one
	// began, whose files it would overwrite.
	ErrOvertaken = errors.New("another publication has begun since this one did")
	// ErrLeaseLost is the error of an invocation that has not claimed the state, or that
	// was too slow to keep it.
	ErrLeaseLost = errors.New("another publication has begun, because this one's lease was over")
)

// Claim gives h the lease until a time, or prolongs it. The error is a [*Busy],
// [ErrFinished] or [ErrOvertaken].
func (s *State) Claim(h Holder, now, until time.Time) error {
	if past := s.past(h.Job); past != nil {
		if past.Release != "" {
			return ErrFinished
		}
		return ErrOvertaken
	}
	if s.holds(h) {
		s.Until = until
		return nil
	}
	if continues := s.Job == h.Job && s.Run == ""; s.Job != "" && now.Before(s.Until) && !continues {
		return &Busy{s.Job, s.Until}
	}
	if s.Job != "" && s.Job != h.Job {
		s.end("")
	}
	if s.Target == "" {
		s.Target = NewID(now, h.Job)
	}
	s.Job, s.Run, s.Until = h.Job, h.Run, until
	return nil
}

// Finished returns the release that a job has committed.
func (s *State) Finished(job string) (release string, ok bool) {
	past := s.past(job)
	if past == nil {
		return "", false
	}
	return past.Release, past.Release != ""
}

// Intent is what a publication is about to write.
type Intent struct {
	// Touched are the keys of objects that it puts or removes.
	Touched []string
	// New are the keys of objects that it puts and that are the blog's by this only:
	// neither the current manifest nor the bucket has them, or they are retired.
	New []string
	// Everything is true if there is no manifest that says what was there before.
	Everything bool
}

// Intend notes an intent. It comes before the first write.
func (s *State) Intend(h Holder, intent Intent) error {
	if !s.holds(h) {
		return ErrLeaseLost
	}
	if s.Touched == nil {
		s.Touched = map[string]int64{}
	}
	for _, key := range intent.Touched {
		s.Touched[key] = s.Number + 1
	}
	if s.Retired == nil {
		s.Retired = map[string]time.Time{}
	}
	for _, key := range intent.New {
		s.Retired[key] = time.Time{}
	}
	if intent.Everything {
		s.ClearAll = s.Number + 1
	}
	return nil
}

// Commit ends a publication. Its release becomes the current one if something has changed.
// retired are the objects that the bucket has beyond it.
func (s *State) Commit(h Holder, changed bool, retired map[string]time.Time) error {
	if _, ok := s.Finished(h.Job); ok {
		return nil
	}
	if !s.holds(h) {
		return ErrLeaseLost
	}
	if changed {
		s.Current = s.Target
	}
	s.Number++
	s.Retired = maps.Clone(retired)
	s.forget()
	s.end(s.Current)
	return nil
}

// Progress makes the files that an unfinished publication has come to the current release,
// which has an id. unsure are the keys that may have been written besides. The publication
// goes on.
func (s *State) Progress(h Holder, id string, unsure []string) error {
	if s.Current == id {
		return nil
	}
	if !s.holds(h) {
		return ErrLeaseLost
	}
	s.Number++
	s.Current = id
	for _, key := range unsure {
		if s.Touched == nil {
			s.Touched = map[string]int64{}
		}
		s.Touched[key] = s.Number + 1
	}
	return nil
}

// Leave ends the work of an invocation whose job is not done. Until a time, only the same
// job may go on.
func (s *State) Leave(h Holder, until time.Time) {
	if s.holds(h) {
		s.Run, s.Until = "", until
	}
}

// Clear notes that CloudFront has cleared, after the publication with a number, what it
// and those before it touched.
func (s *State) Clear(number int64) {
	if number > s.Number {
		return // That was before the state was lost, which has begun anew.
	}
	maps.DeleteFunc(s.Touched, func(_ string, touched int64) bool { return touched <= number })
	if s.ClearAll <= number {
		s.ClearAll = 0
	}
}

// Foresee returns the state as it would be after a publication that touches some keys.
func (s State) Foresee(touched []string) State {
	s.Number++
	s.Touched = maps.Clone(s.Touched)
	if s.Touched == nil {
		s.Touched = map[string]int64{}
	}
	for _, key := range touched {
		s.Touched[key] = s.Number
	}
	s.forget()
	return s
}

// forget replaces too many touched keys by the note that all have to be cleared.
func (s *State) forget() {
	if len(s.Touched) > maxTouched {
		s.Touched, s.ClearAll = nil, s.Number
	}
}

func (s *State) holds(h Holder) bool { return s.Job == h.Job && s.Run == h.Run }

// end moves the state's job to the past, and ends its lease.
func (s *State) end(release string) {
	s.Past = append(s.Past, Past{s.Job, release})
	s.Past = slices.Clone(s.Past[max(0, len(s.Past)-maxPast):])
	s.Job, s.Run, s.Until, s.Target = "", "", time.Time{}, ""
}

func (s *State) past(job string) *Past {
	i := slices.IndexFunc(s.Past, func(p Past) bool { return p.Job == job })
	if i < 0 {
		return nil
	}
	return &s.Past[i]
}
