package show

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"blog-deploy-pipeline/rehearse/amount"
	"blog-deploy-pipeline/rehearse/rehearsal"
)

// header returns the first line of a rehearsal.
func header(r rehearsal.Result) line {
	r.Execution = "" // The summary has it.
	return line{{"Rehearsing " + clean(r.Name), bold}, {"  " + where(r), dim}}
}

// striking says which faults a rehearsal strikes with, a line for each.
func striking(faults []rehearsal.Fault) []line {
	var lines []line
	for _, f := range faults {
		lines = append(lines, line{{"This rehearsal strikes with " + clean(f.Name) + ": " + clean(f.Effect), yellow}})
	}
	return lines
}

// where says which stack, account, Region and execution a result belongs to.
func where(r rehearsal.Result) string {
	var parts []string
	for _, part := range []struct{ what, value string }{
		{"stack ", r.Stack}, {"account ", r.Account}, {"", r.Region}, {"execution ", r.Execution},
	} {
		if part.value != "" {
			parts = append(parts, part.what+clean(part.value))
		}
	}
	return strings.Join(parts, ", ")
}

// idle says why a stage has nothing to tell; "" if it has. Stages without an action are those of a service's deployment.
func idle(st rehearsal.Stage) string {
	switch {
	case st.Status == rehearsal.NotRun:
		return verb(st.Status)
	case st.Status == rehearsal.Succeeded && len(st.Actions) == 0 && st.Duration == 0:
		return "no hook"
	}
	return ""
}

// said joins the summaries of a stage's actions into one sentence.
func said(st rehearsal.Stage) string {
	var parts []string
	for _, a := range st.Actions {
		switch summary := clean(a.Summary); {
		case summary == "":
		case len(st.Actions) == 1:
			parts = append(parts, summary)
		default:
			parts = append(parts, clean(a.Name)+": "+summary)
		}
	}
	return strings.ReplaceAll(strings.Join(parts, "; "), ".; ", "; ")
}

// about names what an action works on: "S3 travel-bucket".
func about(a rehearsal.Action) string {
	return strings.TrimSpace(clean(a.Provider) + " " + clean(a.Target))
}

// why says in short why an action failed: what a build said or else what AWS says; "" if it did not fail.
func why(f rehearsal.Failure) string { return cmp.Or(strings.TrimSpace(f.Cause), reason(f)) }

// reason returns the code and the reason of a failure as AWS words them.
func reason(f rehearsal.Failure) string {
	switch {
	case f.Code == "" || strings.HasPrefix(f.Reason, f.Code):
		return strings.TrimSpace(f.Reason)
	case f.Reason == "":
		return f.Code
	}
	return f.Code + ": " + strings.TrimSpace(f.Reason)
}

// visited returns the line about a reader's visit.
func visited(v rehearsal.Visit) line {
	l := line{{"Reader  ", dim}, {clean(string(v.When)) + "  " + address(v) + "  ", dim}, seen(v)}
	if v.Missed() {
		l = append(l, span{", wanted " + clean(string(v.Wanted)), red})
	}
	return l
}

// address returns a visit's whole address or, if that is not known, its path.
func address(v rehearsal.Visit) string { return clean(cmp.Or(v.URL, v.Path)) }

// seen says what a reader got: "old (Hit)".
func seen(v rehearsal.Visit) span {
	words := clean(string(v.Edition))
	if v.Status != 0 && v.Status != 200 {
		words = fmt.Sprintf("%d %s", v.Status, words)
	}
	if v.Cache != "" && v.Cache != "Error" { // The status says so, too.
		words += " (" + clean(v.Cache) + ")"
	}
	how := normal
	switch {
	case v.Missed():
		how = alarm
	case v.Edition == rehearsal.Old:
		how = yellow
	case v.Edition == rehearsal.New:
		how = green
	}
	return span{words, how}
}

// verb words a status within a sentence.
func verb(status rehearsal.Status) string {
	switch status {
	case rehearsal.Succeeded:
		return "succeeded"
	case rehearsal.Failed:
		return "failed"
	case rehearsal.Stopped:
		return "stopped"
	case rehearsal.InProgress:
		return "in progress"
	case rehearsal.NotRun:
		return "not run"
	}
	return cmp.Or(clean(string(status)), "ended")
}

// sentence says how something ended: "succeeded in 4.1 s".
func sentence(status rehearsal.Status, took time.Duration) string {
	switch status {
	case rehearsal.NotRun:
		return verb(status)
	case rehearsal.InProgress, rehearsal.Stopped:
		return verb(status) + " after " + seconds(took)
	}
	return verb(status) + " in " + seconds(took)
}

// seconds words a duration as people write it: "12 ms", "4.1 s", "2 min 5 s", "1 h 10 min".
func seconds(d time.Duration) string {
	d = max(0, d)
	switch {
	case d < 99500*time.Microsecond:
		return fmt.Sprintf("%d ms", d.Round(time.Millisecond).Milliseconds())
	case d < 59950*time.Millisecond:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Hour-500*time.Millisecond:
		return units(int(d.Round(time.Second)/time.Second), 60, "min", "s")
	default:
		return units(int((d+30*time.Second)/time.Minute), 60, "h", "min")
	}
}

func units(n, per int, big, small string) string {
	if n%per == 0 {
		return fmt.Sprintf("%s %s", amount.Number(n/per), big)
	}
	return fmt.Sprintf("%s %s %d %s", amount.Number(n/per), big, n%per, small)
}
