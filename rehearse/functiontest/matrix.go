package functiontest

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"text/tabwriter"

	"blog-deploy-pipeline/rehearse/fakeaws"
)

// Call is one of the calls that a function makes.
type Call struct {
	Name  string
	Match func(fakeaws.Call) bool
	// Report says that the call is the function's report, and so its last word.
	Report bool
}

// Fault is something that goes wrong with a call.
type Fault struct {
	Name string
	Kind fakeaws.FaultKind
	Body string // for fakeaws.MalformedBody
	// Kill has the process die at that moment, Freeze has it stop until Lambda's timeout.
	Kill, Freeze bool
	// Again has the event delivered a second time at that moment.
	Again bool
}

// Faults are what a network, a service and Lambda do to a function.
var Faults = []Fault{
	{Name: "throttled", Kind: fakeaws.Throttle},
	{Name: "error 500", Kind: fakeaws.ServerError},
	{Name: "access denied", Kind: fakeaws.AccessDenied},
	{Name: "signature refused, echoed", Kind: fakeaws.BadSignature},
	{Name: "the same in one line", Kind: fakeaws.BadSignatureLine},
	{Name: "connection reset", Kind: fakeaws.ConnectionReset},
	{Name: "no answer", Kind: fakeaws.Hang},
	{Name: "answer cut off", Kind: fakeaws.MalformedBody},
	{Name: "answer without end", Kind: fakeaws.Endless},
	{Name: "answer of nonsense", Kind: fakeaws.MalformedBody, Body: "no tag"},
	{Name: "killed before", Kind: fakeaws.Before, Kill: true},
	{Name: "killed after", Kind: fakeaws.After, Kill: true},
	{Name: "delivered twice", Again: true},
}

// Freezes are faults that cost Lambda's whole timeout.
var Freezes = []Fault{
	{Name: "frozen before", Kind: fakeaws.Before, Freeze: true},
	{Name: "frozen after", Kind: fakeaws.After, Freeze: true},
}

// Processed says that the call itself was processed; only its answer is lost.
func (f Fault) Processed() bool {
	return f.Kind == fakeaws.MalformedBody || f.Kind == fakeaws.After
}

// Refused says that the service will refuse the call however often it comes.
func (f Fault) Refused() bool {
	return f.Kind == fakeaws.AccessDenied || f.Kind == fakeaws.BadSignature || f.Kind == fakeaws.BadSignatureLine
}

// Fatal says that the process does not survive.
func (f Fault) Fatal() bool { return f.Kill || f.Freeze }

// Case is one trial: a fault that strikes a call, once or always.
type Case struct {
	Call   Call
	Fault  Fault
	Always bool
	// Variant is what else the trial is about, such as an owner's choice.
	Variant string

	// Redeliver is for Again, and World for Kill and Freeze; Run sets them before the first call.
	Redeliver func()
	World     *World

	struck atomic.Int32
}

// Strike is the fault for fakeaws.Options.
func (c *Case) Strike(call fakeaws.Call) fakeaws.Fault {
	if !c.Call.Match(call) || c.struck.Load() > 0 && !c.Always {
		return fakeaws.Fault{}
	}
	struck := c.struck.Add(1)
	if c.Fault.Again {
		if struck == 1 { // always would be for ever
			c.Redeliver()
		}
		return fakeaws.Fault{}
	}
	f := fakeaws.Fault{Kind: c.Fault.Kind, Body: c.Fault.Body}
	switch {
	case c.Fault.Kill:
		f.Do = c.World.Function.Kill
	case c.Fault.Freeze:
		f.Do = c.World.Function.Freeze
	}
	return f
}

func (c *Case) column() string {
	column := "once"
	if c.Always {
		column = "always"
	}
	if c.Variant != "" {
		column += ", " + c.Variant
	}
	return column
}

// Outcome is how a trial ended.
type Outcome struct {
	// Ended is how whoever gave the request sees it end.
	Ended string
	// Broken rules, and whatever else must not be.
	Broken []string
	Logs   string
}

// Matrix strikes every call of a function with every fault, once and always.
type Matrix struct {
	Name   string // of the function and its caller
	Calls  []Call
	Faults []Fault
	// Variants are tried with each fault; none is one without a name.
	Variants []string
	// Run is one trial, with c.Strike as the cloud's fault.
	Run func(ctx context.Context, c *Case) (Outcome, error)
	// Want is how it must end.
	Want func(c *Case) string
}

// Test runs all cases, checks how each ends and which rules it breaks, and prints a table.
func (m Matrix) Test(t *testing.T) {
	t.Helper()
	if len(m.Variants) == 0 {
		m.Variants = []string{""}
	}
	var cases []*Case
	for _, call := range m.Calls {
		for _, fault := range m.Faults {
			for _, variant := range m.Variants {
				cases = append(cases, &Case{Call: call, Fault: fault, Variant: variant}, &Case{Call: call, Fault: fault, Variant: variant, Always: true})
			}
		}
	}
	// The cases wait for the network nearly all of the time.
	outcomes, errs := make([]Outcome, len(cases)), make([]error, len(cases))
	var running sync.WaitGroup
	places := make(chan struct{}, 32)
	for i, c := range cases {
		running.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			outcomes[i], errs[i] = m.Run(t.Context(), c)
		})
	}
	running.Wait()

	cells := make([]string, len(cases))
	for i, c := range cases {
		got, want := outcomes[i], m.Want(c)
		var wrong []string
		switch {
		case errs[i] != nil:
			wrong = append(wrong, errs[i].Error())
		case c.struck.Load() == 0:
			wrong = append(wrong, "the fault never struck")
		case got.Ended != want:
			wrong = append(wrong, fmt.Sprintf("ended as %s, want %s", got.Ended, want))
		}
		wrong = append(wrong, got.Broken...)
		t.Run(c.Call.Name+"/"+c.Fault.Name+"/"+c.column(), func(t *testing.T) {
			for _, w := range wrong {
				t.Error(w)
			}
			if t.Failed() {
				t.Log(got.Logs)
			}
		})
		cells[i] = cmp.Or(got.Ended, "error")
		if len(wrong) > 0 {
			cells[i] = "BROKEN"
		}
	}
	if err := m.print(os.Stdout, cases, cells); err != nil {
		t.Errorf("print table: %v", err)
	}
	if testing.Verbose() {
		t.Log("Messages, without what tells one run from another:\n" + allMessages(outcomes))
	}
}

// varying is what tells one run's messages from another's.
var varying = regexp.MustCompile(`I[A-Z0-9]{20,}|[0-9a-f]{8}-[0-9a-f-]{27}|127\.0\.0\.1:\d+|\d+(\.\d+)?m?s\b|\d{4}-\d\d-\d\dT\S+|d-[A-Z0-9]{9}|\b[0-9a-f]{64}\b|\d{8}T\d{6}Z|attempt \d+:`)

// allMessages returns every message of every trial, once and sorted, for a person to read.
func allMessages(outcomes []Outcome) string {
	all := map[string]bool{}
	for _, outcome := range outcomes {
		messages, _ := Messages(outcome.Logs) // A log that is none is among what is broken.
		for _, message := range messages {
			if strings.Contains(message, " ") {
				all[varying.ReplaceAllString(message, "…")] = true
			}
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(all)), "\n")
}

// print writes a line for each call and fault, with a column for each way it strikes.
func (m Matrix) print(w io.Writer, cases []*Case, cells []string) error {
	columns := 2 * len(m.Variants)
	var text strings.Builder
	fmt.Fprintf(&text, "\nFault matrix of %s: %d calls × %d faults × %d = %d cases\n\ncall\tfault", m.Name, len(m.Calls), len(m.Faults), columns, len(cases))
	for _, c := range cases[:columns] {
		text.WriteString("\t" + c.column())
	}
	for i, c := range cases {
		if i%columns == 0 {
			text.WriteString("\n" + c.Call.Name + "\t" + c.Fault.Name)
		}
		text.WriteString("\t" + cells[i])
	}
	text.WriteString("\n\n")

	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	if _, err := io.WriteString(table, text.String()); err != nil {
		return err
	}
	return table.Flush()
}
