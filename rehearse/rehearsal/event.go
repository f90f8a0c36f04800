package rehearsal

import "time"

// Kind says what an [Event] is about, and so which of its fields are set.
type Kind string

// The kinds of events, in the order in which they first come.
const (
	// Started is the first event: no stage has started.
	Started Kind = "Started"
	// Preparing says in Text what is being made ready, which can take minutes the first time, such as
	// "Installing Hugo v0.164.0". It can come again with the outcome.
	Preparing Kind = "Preparing"
	// StageStarted and StageEnded set Stage.
	StageStarted Kind = "StageStarted"
	StageEnded   Kind = "StageEnded"
	// ActionStarted and ActionEnded set Stage and Action.
	ActionStarted Kind = "ActionStarted"
	ActionEnded   Kind = "ActionEnded"
	// Output is a line that a build or a function wrote. It sets Stage, Action, Phase, Text and Service.
	Output Kind = "Output"
	// Progressed says how far an action has come. It sets Stage, Action, Text and, where the action counts
	// something, Done, Total and Bytes.
	Progressed Kind = "Progressed"
	// Struck says in Text which fault strikes, such as "cloudfront=throttle", and what it strikes. It sets Stage and
	// Action, if one runs.
	Struck Kind = "Struck"
	// Asked says in Text what the owner is asked: the rehearsal waits for an answer. It sets Stage and Action, and the
	// Result's Served if the site can be looked at meanwhile.
	Asked Kind = "Asked"
	// Visited says that a reader came: the last of the Result's Visits.
	Visited Kind = "Visited"
	// Warned and Noted add Text to the Result's Warnings or Notes.
	Warned Kind = "Warned"
	Noted  Kind = "Noted"
	// Ended says that the Result is complete.
	Ended Kind = "Ended"
	// Serving says that the site can be looked at until the rehearsal is cancelled, where the Result's Served
	// says. Only this event follows Ended.
	Serving Kind = "Serving"
)

// Event is one thing that happens in a rehearsal. Events come one at a time, in order.
type Event struct {
	Kind Kind
	At   time.Time // by the machine's clock

	// Result is the rehearsal so far, with what this event adds to it. Nobody changes it later.
	Result *Result

	// Stage and Action are names.
	Stage, Action string
	// Phase is the phase of a build, such as PRE_BUILD; empty for what is in none.
	Phase string
	Text  string
	// Service says that CodeBuild or Lambda itself wrote an output line, not a command or a function.
	Service bool

	Done, Total int
	Bytes       int64
}
