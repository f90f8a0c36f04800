package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Status says how a rehearsal, a stage or an action stands, in CodePipeline's words.
type Status string

// The statuses.
const (
	InProgress Status = "InProgress"
	Succeeded  Status = "Succeeded"
	Failed     Status = "Failed"
	// Stopped is the status of what was running when the rehearsal was cancelled.
	Stopped Status = "Stopped"
	// NotRun is the status of what comes after a failure, or has not started yet.
	NotRun Status = "NotRun"
)

// Result tells how a rehearsal went or, while it runs, how it stands.
type Result struct {
	// Name is the name of the pipeline, or of the service whose deployment was rehearsed.
	Name    string `json:"name"`
	Stack   string `json:"stack"`
	Account string `json:"account"`
	Region  string `json:"region"`
	// Execution is the id of the execution.
	Execution string    `json:"execution"`
	Status    Status    `json:"status"`
	Started   time.Time `json:"started"`
	// Duration is real time without Preparation.
	Duration time.Duration `json:"duration"`
	// Preparation is the time that this machine needed before it could rehearse, such as to compile the
	// functions and to fetch a Hugo.
	Preparation time.Duration `json:"preparation"`
	// Skipped is the time that AWS would have waited and the rehearsal did not, such as the minutes before
	// Lambda retries a crashed invocation.
	Skipped time.Duration `json:"skipped"`
	// Faults lists what goes wrong on purpose.
	Faults []Fault `json:"faults"`
	Stages []Stage `json:"stages"`
	// Site is nil where nothing was deployed.
	Site *Site `json:"site,omitempty"`
	// Invalidations lists those that CloudFront accepted, in order.
	Invalidations []Invalidation `json:"invalidations"`
	// Visits lists the readers' visits in order: each page before Deploy, after it, and after Invalidate.
	Visits []Visit `json:"visits"`
	// Crawl tells what a reader saw who visited while a function published; nil if none did.
	Crawl *Crawl `json:"crawl,omitempty"`
	// Copies tells what became of the copies that the edge had; nil if nobody looked.
	Copies *Copies `json:"copies,omitempty"`
	// Links tells what became of the home page's links; nil if nobody followed them.
	Links *Links `json:"links,omitempty"`
	// Rollback tells how a release was taken back; nil if none was.
	Rollback *Rollback `json:"rollback,omitempty"`
	// Served tells where the site can be looked at until the rehearsal is cancelled; nil if it cannot.
	Served *Served `json:"served,omitempty"`
	// Permissions lists what the roles grant, in the order of the roles' first use.
	Permissions []RolePermissions `json:"permissions"`
	// Warnings lists what the owner should look at although nothing failed, such as files that are not committed.
	Warnings []string `json:"warnings"`
	// Notes lists where the rehearsal knows or does less than AWS, and what it assumed.
	Notes []string `json:"notes"`
	// Error says why there was no rehearsal, or no complete one. The cause is this machine, not the pipeline.
	Error string `json:"error,omitempty"`
}

// Fault is something that goes wrong in a rehearsal on purpose.
type Fault struct {
	Name string `json:"name"` // as the owner names it: "cloudfront=throttle"
	// Effect says what goes wrong, in a sentence: "CloudFront refuses the first calls".
	Effect string `json:"effect"`
	// Strikes lists what the fault has struck, in the order of the first strikes; empty if it never struck.
	Strikes []Strike `json:"strikes"`
}

// Strike tells what a fault has struck while an action ran.
type Strike struct {
	Stage  string `json:"stage,omitempty"`
	Action string `json:"action,omitempty"`
	// On is the call or the command that was struck: "cloudfront:CreateInvalidation".
	On    string `json:"on"`
	Times int    `json:"times"`
}

// add counts a strike, and returns how often there was such a one.
func (f *Fault) add(s Strike) (times int) {
	for i, before := range f.Strikes {
		if before.Times = 0; before == s {
			f.Strikes[i].Times++
			return f.Strikes[i].Times
		}
	}
	s.Times = 1
	f.Strikes = append(f.Strikes, s)
	return 1
}

// Stage tells how a stage went.
type Stage struct {
	Name     string        `json:"name"`
	Status   Status        `json:"status"`
	Started  time.Time     `json:"-"` // zero for a stage that has not started
	Duration time.Duration `json:"duration"`
	Actions  []Action      `json:"actions"`
}

// Action tells how an action went.
type Action struct {
	Name     string `json:"name"`
	Provider string `json:"provider"` // such as "CodeBuild"
	// Target names what the action works on: a repository, a project, a bucket, a function.
	Target   string        `json:"target,omitempty"`
	Status   Status        `json:"status"`
	Started  time.Time     `json:"-"` // zero for an action that has not started
	Duration time.Duration `json:"duration"`
	// Overhead is the part of Duration that the rehearsal itself needed. Commands of the build, invocations
	// of the function and uploads do not count.
	Overhead time.Duration `json:"overhead"`
	// Summary says what an action that succeeded has done, such as "97 files, 1.2 MB".
	Summary string `json:"summary,omitempty"`
	Failure
	// Variables are the action's output variables.
	Variables map[string]string `json:"variables,omitempty"`
}

// Stage returns the stage of a name, or nil.
func (r *Result) Stage(name string) *Stage {
	for i := range r.Stages {
		if r.Stages[i].Name == name {
			return &r.Stages[i]
		}
	}
	return nil
}

// Action returns the action of a name, or nil.
func (s *Stage) Action(name string) *Action {
	if s == nil {
		return nil
	}
	for i := range s.Actions {
		if s.Actions[i].Name == name {
			return &s.Actions[i]
		}
	}
	return nil
}

// Failure says why an action failed. Its zero value belongs to an action that did not.
type Failure struct {
	// Code is AWS's type of failure, such as "JobFailed", "ConfigurationError" or "AccessDenied".
	Code string `json:"code,omitempty"`
	// Reason says why, as AWS words it.
	Reason string `json:"reason,omitempty"`
	// Cause quotes the error in the output of a failed build, in a line or two.
	Cause string `json:"cause,omitempty"`
	// Look names where to look: a file of the owner's, or a part of the log.
	Look string `json:"look,omitempty"`
}

// Error implements error.
func (f *Failure) Error() string { return f.Code + ": " + f.Reason }

// Denial returns the message with which the doubles of AWS refuse a call that IAM denies.
func (f *Failure) Denial() string { return f.Reason }

// End completes an action that ended with err. An error that is no [Failure] comes from this machine.
func (a *Action) End(ctx context.Context, err error) {
	a.Status = Succeeded
	if err == nil {
		return
	}
	a.Summary = ""
	if ctx.Err() != nil {
		a.Status = Stopped
		return
	}
	a.Status = Failed
	if why := (*Failure)(nil); errors.As(err, &why) {
		a.Failure = *why
	} else {
		a.Failure = Failure{Reason: err.Error(), Look: "this machine: AWS would not have said so"}
	}
}

// Site tells what a Deploy action did to the bucket.
type Site struct {
	Bucket string `json:"bucket"`
	// Function says that the function published the site, and not CodePipeline's S3 action, which uploads every
	// file each time and removes nothing.
	Function bool `json:"function"`
	// Uploaded and Bytes count what was uploaded, and Unchanged the files that were not.
	Uploaded  int   `json:"uploaded"`
	Bytes     int64 `json:"bytes"`
	Unchanged int   `json:"unchanged"`
	// New and Changed count the built files that were not in the bucket, or there with other content.
	New     int `json:"new"`
	Changed int `json:"changed"`
	// Removed counts the objects that were removed. Left counts those that are there and that no file was built
	// for, and Retired those of them that the function will remove later.
	Removed int `json:"removed"`
	Left    int `json:"left"`
	Retired int `json:"retired"`
	// First says that the bucket was empty. The rehearsal then puts old editions of the pages there that readers visit.
	First        bool   `json:"first"`
	CacheControl string `json:"cacheControl"`
}

// Invalidation is one that CloudFront accepted.
type Invalidation struct {
	ID           string   `json:"id"`
	Distribution string   `json:"distribution"`
	Paths        []string `json:"paths"`
	// Status is CloudFront's: "InProgress" or "Completed".
	Status string `json:"status"`
	// Took is the time from its creation to its completion, if it is completed.
	Took time.Duration `json:"took,omitempty"`
}

// When says when a reader came.
type When string

// The times at which readers come.
const (
	BeforeDeploy    When = "before Deploy"
	AfterDeploy     When = "after Deploy"
	AfterInvalidate When = "after Invalidate"
	AfterMistake    When = "after the mistake"
	AfterRollback   When = "after Rollback"
)

// Edition says which edition of a page a reader got.
type Edition string

// The editions of a page.
const (
	Old     Edition = "old"
	New     Edition = "new"
	Same    Edition = "same"    // the page has not changed
	Broken  Edition = "broken"  // the home page that the rehearsal publishes to take it back
	Missing Edition = "missing" // the distribution answered with an error
	Unknown Edition = "unknown" // neither the old nor the new bytes
)

// Visit tells what a reader got from the edge.
type Visit struct {
	When When `json:"when"`
	// Path is the path as readers see it, decoded, such as "/posts/日本語/".
	Path string `json:"path"`
	// URL is the whole address, also decoded: "https://blog.example.com/posts/日本語/". It is empty where the
	// site's own name is not known.
	URL    string `json:"url,omitempty"`
	Status int    `json:"status"`
	// Cache is CloudFront's word in X-Cache: "Hit", "Miss", "RefreshHit" or "Error".
	Cache   string  `json:"cache"`
	Edition Edition `json:"edition"`
	// Wanted is the edition that proves the pipeline right; empty where any will do.
	Wanted Edition `json:"wanted,omitempty"`
	// Age is the time that the answer has been in the cache.
	Age  time.Duration `json:"age"`
	Took time.Duration `json:"took"`
}

// Missed reports whether the reader got another edition than the wanted one, which proves the pipeline wrong.
func (v Visit) Missed() bool { return v.Wanted != "" && v.Edition != v.Wanted }

// Crawl tells what a reader saw who visited a page after each change of the bucket, at an edge location where nobody had
// been, and loaded what the page names.
type Crawl struct {
	// Views counts the visits of pages, and Loaded what was loaded with them.
	Views  int `json:"views"`
	Loaded int `json:"loaded"`
	// Broken lists the views in which something was missing that was built. It fails the rehearsal.
	Broken []BrokenView `json:"broken,omitempty"`
}

// BrokenView is a view of a page in which something was missing.
type BrokenView struct {
	Page    string `json:"page"`    // its path, decoded
	Old     bool   `json:"old"`     // it was the page from before the publication, which caches still had
	Missing string `json:"missing"` // the path of what was missing
	Status  int    `json:"status"`
	After   string `json:"after"` // the last change of the bucket: "put index.html"
}

// String returns what was missing: "/style.css (404) on / after put index.html".
func (b BrokenView) String() string {
	page := b.Page
	if b.Old {
		page = "the old " + page
	}
	return fmt.Sprintf("%s (%d) on %s after %s", b.Missing, b.Status, page, b.After)
}

// Copies tells what became of the edge's copies of the site, of which it had one of each file before the publication.
type Copies struct {
	// Held counts the copies that were there, and Needless those that were cleared although their file has not changed.
	Held     int `json:"held"`
	Needless int `json:"needless"`
}

// Rollback tells how a release was taken back, by what the owner's commands say.
type Rollback struct {
	// From is the id of the release that was live, and To that of the one that was published again.
	From string `json:"from"`
	To   string `json:"to"`
	// Took is the time from the owner's agreement until readers had the earlier release.
	Took time.Duration `json:"took"`
	// Releases has the lines of `make releases` before the rollback, and Said those of `make rollback`.
	Releases []string `json:"releases"`
	Said     []string `json:"said"`
}

// Links tells what became of the home page's links to the site itself, followed after Invalidate.
type Links struct {
	// Followed counts those that were tried, of Found.
	Followed int `json:"followed"`
	Found    int `json:"found"`
	// Broken lists those that did not end in a 200.
	Broken []BrokenLink `json:"broken,omitempty"`
}

// BrokenLink is a link that does not lead readers to a page.
type BrokenLink struct {
	Link string `json:"link"` // as the page has it
	// Status is that of the last answer; 0 for a link that is no address.
	Status int `json:"status"`
	// Built is the object that was built for the link. It is empty if there is none: then the page is wrong.
	Built string `json:"built,omitempty"`
}

// String returns the link and its status: "/tags/ (404)".
func (b BrokenLink) String() string {
	if b.Status == 0 {
		return b.Link + " (no address)"
	}
	return fmt.Sprintf("%s (%d)", b.Link, b.Status)
}

// Served tells where the site can be looked at.
type Served struct {
	// URL is its address by http. It stands for the first of Names.
	URL string `json:"url,omitempty"`
	// SecureURL is its address by https, for a browser that is told to find Names there and to trust the
	// certificate, such as `curl -k --connect-to ::127.0.0.1:44321 https://blog.example.com/`. It is empty
	// without Names.
	SecureURL string `json:"secureURL,omitempty"`
	// Names are those that the distribution in the template answers to.
	Names []string `json:"names,omitempty"`
}

// RolePermissions lists what a role grants.
type RolePermissions struct {
	Role string `json:"role"` // its logical id
	// Purpose says what assumes the role, such as "action Deploy/S3" or "function Invalidate".
	Purpose string       `json:"purpose"`
	Actions []Permission `json:"actions"`
}

// Permission is one action that a role's policies allow, as they spell it.
type Permission struct {
	Action   string `json:"action"`   // such as "s3:GetObject*"
	Resource string `json:"resource"` // as the policy has it, resolved; several have a space between them
	// Used counts the calls of the rehearsal that it allowed.
	Used int `json:"used"`
}
