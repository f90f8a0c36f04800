package pipeline

import "time"

// Status is how a rehearsal, a stage or an action stands, in CodePipeline's words.
type Status string

// What a status can be.
const (
	InProgress Status = "InProgress"
	Succeeded  Status = "Succeeded"
	Failed     Status = "Failed"
	// Stopped is what was under way when the rehearsal was cancelled.
	Stopped Status = "Stopped"
	// NotRun is what came after a failure, or after the rehearsal was cancelled.
	NotRun Status = "NotRun"
)

// Kind tells what an [Event] is about, and so which of its fields are set.
type Kind string

// The kinds of events, in the order in which they first come.
const (
	// Started is the first event: Result has the stages and their actions, all of them NotRun.
	Started Kind = "Started"
	// Preparing says in Text what is being made ready, which can take minutes the first time, such as
	// "Installing Hugo v0.164.0". It can come again with what it has come to.
	Preparing Kind = "Preparing"
	// StageStarted and StageEnded: Stage. StageEnded comes with StageResult.
	StageStarted Kind = "StageStarted"
	StageEnded   Kind = "StageEnded"
	// ActionStarted and ActionEnded: Stage, Action. ActionEnded comes with ActionResult.
	ActionStarted Kind = "ActionStarted"
	ActionEnded   Kind = "ActionEnded"
	// Output is a line that a build or a function wrote: Stage, Action, Phase, Text.
	Output Kind = "Output"
	// Progressed says how far an action has come: Stage, Action, Text and, where it counts something,
	// Done, Total and Bytes.
	Progressed Kind = "Progressed"
	// Visited is a reader's visit: Visit.
	Visited Kind = "Visited"
	// Warned is what the owner should look at, although nothing failed, such as files that are not
	// committed: Text.
	Warned Kind = "Warned"
	// Noted is where the rehearsal knows or does less than AWS: Text.
	Noted Kind = "Noted"
	// Ended says that all is done: Result is what Run returns.
	Ended Kind = "Ended"
	// Serving says that the site can be looked at, until the rehearsal is cancelled: Served. Nothing but
	// this follows Ended.
	Serving Kind = "Serving"
)

// Event is one thing that a rehearsal tells while it runs. Events come one at a time, in order.
type Event struct {
	Kind Kind      `json:"kind"`
	At   time.Time `json:"at"` // by the machine's clock

	Stage  string `json:"stage,omitempty"`
	Action string `json:"action,omitempty"`
	// Phase is the phase of a build, such as PRE_BUILD; "" for what is in none.
	Phase string `json:"phase,omitempty"`
	Text  string `json:"text,omitempty"`
	// Service says that an output line is by CodeBuild or Lambda itself, not by a command or a function.
	Service bool `json:"service,omitempty"`
	Served

	Done  int   `json:"done,omitempty"`
	Total int   `json:"total,omitempty"`
	Bytes int64 `json:"bytes,omitempty"`

	Visit        *Visit        `json:"visit,omitempty"`
	StageResult  *StageResult  `json:"stageResult,omitempty"`
	ActionResult *ActionResult `json:"actionResult,omitempty"`
	Result       *Result       `json:"result,omitempty"`
}

// Result is what a rehearsal came to.
type Result struct {
	// Name is the pipeline's, or the service's whose deployment was rehearsed.
	Name    string `json:"name"`
	Stack   string `json:"stack"`
	Account string `json:"account"`
	Region  string `json:"region"`
	// Execution is the id of the execution.
	Execution string    `json:"execution"`
	Status    Status    `json:"status"`
	Started   time.Time `json:"started"`
	// Duration is real time, without Preparation: what this machine needed before it could rehearse, such as
	// to compile the functions and to fetch a Hugo. Skipped is what AWS would have waited and the rehearsal
	// did not, such as the minutes before Lambda tries a crashed invocation again.
	Duration    time.Duration `json:"duration"`
	Preparation time.Duration `json:"preparation"`
	Skipped     time.Duration `json:"skipped"`
	Stages      []StageResult `json:"stages"`
	// Site is nil where nothing was deployed.
	Site *Site `json:"site,omitempty"`
	// Invalidations are those that CloudFront accepted, in order.
	Invalidations []Invalidation `json:"invalidations"`
	// Visits are the readers' visits, in order: each page before Deploy, after it, and after Invalidate.
	Visits []Visit `json:"visits"`
	// Links are those of the home page; nil where nobody has followed them.
	Links *Links `json:"links,omitempty"`
	// Served is where the site can be looked at until the rehearsal is cancelled; nil if it cannot.
	Served *Served `json:"served,omitempty"`
	// Permissions are those that the roles of the pipeline grant, in the order of the roles' first use.
	Permissions []RolePermissions `json:"permissions"`
	// Warnings are what the owner should look at, although nothing failed.
	Warnings []string `json:"warnings"`
	// Notes are where the rehearsal differs from AWS, and what it took for granted.
	Notes []string `json:"notes"`
	// Error is why there was no rehearsal, or no whole one: of this machine, and not of the pipeline.
	Error string `json:"error,omitempty"`
}

// StageResult is how a stage ended.
type StageResult struct {
	Name     string         `json:"name"`
	Status   Status         `json:"status"`
	Duration time.Duration  `json:"duration"`
	Actions  []ActionResult `json:"actions"`
}

// ActionResult is how an action ended.
type ActionResult struct {
	Name     string `json:"name"`
	Provider string `json:"provider"` // such as "CodeBuild"
	// Target is what the action is about: a repository, a project, a bucket, a function.
	Target   string        `json:"target,omitempty"`
	Status   Status        `json:"status"`
	Duration time.Duration `json:"duration"`
	// Overhead is the part of Duration that is the rehearsal's own: neither a command of the build, nor
	// the function, nor an upload.
	Overhead time.Duration `json:"overhead"`
	// Summary is what the action has to say for itself when it succeeded, such as "97 files, 1.2 MB".
	Summary string `json:"summary,omitempty"`
	// Code is AWS's type of failure, such as "JobFailed", "ConfigurationError" or "AccessDenied".
	Code string `json:"code,omitempty"`
	// Reason is why it failed, as AWS words it.
	Reason string `json:"reason,omitempty"`
	// Cause is the error that the output of a failed build names, in a line or two.
	Cause string `json:"cause,omitempty"`
	// Look is where to look: a file of the owner's, or a part of the log.
	Look string `json:"look,omitempty"`
	// Variables are the action's output variables.
	Variables map[string]string `json:"variables,omitempty"`
}

// Site is what a Deploy action put into the bucket.
type Site struct {
	Bucket string `json:"bucket"`
	// Uploaded and Bytes are what was uploaded: every file, each time.
	Uploaded int   `json:"uploaded"`
	Bytes    int64 `json:"bytes"`
	// New and Changed are how many of them were not in the bucket, or there with other content. Left are
	// objects that no file of the artifact has replaced: the action deletes nothing.
	New     int `json:"new"`
	Changed int `json:"changed"`
	Left    int `json:"left"`
	// First says that the bucket was empty.
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
	// Took is from its creation to its completion, if it is completed.
	Took time.Duration `json:"took,omitempty"`
}

// When tells when a reader came.
type When string

// When readers come.
const (
	BeforeDeploy    When = "before Deploy"
	AfterDeploy     When = "after Deploy"
	AfterInvalidate When = "after Invalidate"
)

// Edition tells which of a page's editions a reader got.
type Edition string

// The editions of a page.
const (
	Old     Edition = "old"
	New     Edition = "new"
	Same    Edition = "same"    // the page has not changed
	Missing Edition = "missing" // there is no such page: the distribution's error
	Unknown Edition = "unknown" // neither the old nor the new bytes
)

// Visit is what a reader got from the edge.
type Visit struct {
	When When `json:"when"`
	// Path is the address as readers see it, decoded, such as "/posts/日本語/".
	Path string `json:"path"`
	// URL is the whole address, decoded too, where the distribution's own name for the site is known:
	// "https://blog.example.com/posts/日本語/".
	URL    string `json:"url,omitempty"`
	Status int    `json:"status"`
	// Cache is CloudFront's word in X-Cache: "Hit", "Miss", "RefreshHit" or "Error".
	Cache   string  `json:"cache"`
	Edition Edition `json:"edition"`
	// Wanted is the edition that proves the pipeline right; "" where any will do.
	Wanted Edition `json:"wanted,omitempty"`
	// Age is how long the answer has been in the cache.
	Age  time.Duration `json:"age"`
	Took time.Duration `json:"took"`
}

// Served is where the site can be looked at.
type Served struct {
	// URL is by http; its address stands for the first of Names.
	URL string `json:"url,omitempty"`
	// SecureURL is by https, for a browser that is told to find Names there and to trust the certificate,
	// such as `curl -k --connect-to ::127.0.0.1:44321 https://blog.example.com/`. "" without Names.
	SecureURL string `json:"secureURL,omitempty"`
	// Names are those that the distribution in the template answers to.
	Names []string `json:"names,omitempty"`
}

// RolePermissions are what a role grants.
type RolePermissions struct {
	Role string `json:"role"` // its logical id
	// Purpose is who takes it on, such as "action Deploy/S3" or "function of Invalidate/Invalidate".
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
