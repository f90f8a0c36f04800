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

// Call describes a call that a function makes.
type Call struct {
	Name  string
	Match func(fakeaws.Call) bool
	// Report says that the call is the function's report.
	Report bool
}

// Fault describes how a call fails.
type Fault struct {
	Name string
	Kind fakeaws.FaultKind
	Body string // for fakeaws.MalformedBody
	// Kill kills the function's process at that moment, and Freeze stops it until Lambda's timeout.
	Kill, Freeze bool
	// Again delivers the event a second time at that moment.
	Again bool
}

// Faults holds the faults of the network, of the services and of Lambda.
var Faults = []Fault{
	{Name: "throttled", Kind: fakeaws.Throttle},
	{Name: "error 500", Kind: fakeaws.ServerError},
	{Name: "access denied", Kind: fakeaws.AccessDenied},
	{Name: "signature refused, echoed", Kind: fakeaws.BadSignature},
	{Name: "signature refused, echoed in one line", Kind: fakeaws.BadSignatureLine},
	{Name: "connection reset", Kind: fakeaws.ConnectionReset},
	{Name: "no answer", Kind: fakeaws.Hang},
	{Name: "answer cut off", Kind: fakeaws.MalformedBody},
	{Name: "answer without end", Kind: fakeaws.Endless},
	{Name: "answer of nonsense", Kind: fakeaws.MalformedBody, Body: "no tag"},
	{Name: "killed before", Kind: fakeaws.Before, Kill: true},
	{Name: "killed after", Kind: fakeaws.After, Kill: true},
	{Name: "delivered twice", Again: true},
}

// FewFaults returns those of Faults that differ for the function, for calls that another matrix strikes with all of them.
func FewFaults() []Fault {
	alike := []fakeaws.FaultKind{fakeaws.ServerError, fakeaws.BadSignature, fakeaws.BadSignatureLine, fakeaws.Hang, fakeaws.Endless}
	return slices.DeleteFunc(slices.Clone(Faults), func(f Fault) bool { return slices.Contains(alike, f.Kind) })
}

// Freezes holds the faults that last until Lambda's timeout.
var Freezes = []Fault{
	{Name: "frozen before", Kind: fakeaws.Before, Freeze: true},
	{Name: "frozen after", Kind: fakeaws.After, Freeze: true},
}

// Processed reports whether the service processes the call and only the reply is lost.
func (f Fault) Processed() bool {
	return f.Kind == fakeaws.MalformedBody || f.Kind == fakeaws.After
}

// Refused reports whether the service refuses every repetition of the call, too.
func (f Fault) Refused() bool {
	return f.Kind == fakeaws.AccessDenied || f.Kind == fakeaws.BadSignature || f.Kind == fakeaws.BadSignatureLine
}

// Fatal reports whether the function's process ends.
func (f Fault) Fatal() bool { return f.Kill || f.Freeze }

// Case is a test case: a fault that hits a call once or always.
type Case struct {
	Call   Call
	Fault  Fault
	Always bool
	// Variant is one of Matrix.Variants.
	Variant string

	// Redeliver delivers the event again for Fault.Again. World is the world for Fault.Kill and Fault.Freeze. Run must set
	// them before the first call.
	Redeliver func()
	World     *World

	struck atomic.Int32
}

// Strike returns the fault of a call, for fakeaws.Options.Fault.
func (c *Case) Strike(call fakeaws.Call) fakeaws.Fault {
	if !c.Call.Match(call) {
		return fakeaws.Fault{}
	}
	struck := c.struck.Add(1) // A function can make several such calls at once.
	if struck > 1 && !c.Always {
		return fakeaws.Fault{}
	}
	if c.Fault.Again {
		if struck == 1 { // Redelivering each time would never end.
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

// Outcome is the outcome of a case.
type Outcome struct {
	// Ended is the end that the caller of the function sees.
	Ended string
	// Broken holds broken rules and other mistakes.
	Broken []string
	Logs   string
}

// Matrix tests a function with every fault in every call, once and always.
type Matrix struct {
	Name   string // names the function and its caller
	Calls  []Call
	Faults []Fault
	// Variants are settings, such as an owner's choice, each of which is tested with each fault. Optional.
	Variants []string
	// Run runs a case, with c.Strike as the cloud's fault.
	Run func(ctx context.Context, c *Case) (Outcome, error)
	// Want returns the end that the case must have.
	Want func(c *Case) string
}

// Test runs all cases, checks the outcome of each, and prints a table.
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
	// Many cases run at once, because they mostly wait for the network.
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
			wrong = append(wrong, "the fault never happened")
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
		t.Log("Messages, without the parts that differ from run to run:\n" + allMessages(outcomes))
	}
}

// varying matches the parts of messages that differ from run to run.
var varying = regexp.MustCompile(`I[A-Z0-9]{20,}|[0-9a-f]{8}-[0-9a-f-]{27}|127\.0\.0\.1:\d+|\d+(\.\d+)?m?s\b|\d{4}-\d\d-\d\dT\S+|d-[A-Z0-9]{9}|\b[0-9a-f]{64}\b|\d{8}T\d{6}Z|attempt \d+:`)

// allMessages returns all different messages of all cases, sorted, so that a person can read them.
func allMessages(outcomes []Outcome) string {
	all := map[string]bool{}
	for _, outcome := range outcomes {
		messages, _ := Messages(outcome.Logs) // Outcome.Broken names an invalid log.
		for _, message := range messages {
			if strings.Contains(message, " ") {
				all[varying.ReplaceAllString(message, "…")] = true
			}
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(all)), "\n")
}

// print writes a line for each call and fault. A line has columns for once and always, for each variant.
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
