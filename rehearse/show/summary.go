package show

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"blog-deploy-pipeline/operate/status"
	"blog-deploy-pipeline/rehearse/amount"
	"blog-deploy-pipeline/rehearse/rehearsal"
)

// shownPaths limits the paths of an invalidation, and the broken links, that are shown.
const shownPaths = 10

// summary shows a result in lines of a width; 0 is no limit. What matters most comes last, where people look: what went
// wrong, and how it ended.
func summary(r rehearsal.Result, width int, verbose bool) []line {
	var lines []line
	if w := where(r); w != "" && verbose {
		lines = append([]line{nil}, indented("", w, dim, width)...)
	}
	lines = append(lines, faults(r.Faults, width)...)
	lines = append(lines, stages(r.Stages, width)...)
	lines = append(lines, published(r.Site, width)...)
	lines = append(lines, invalidations(r.Invalidations, r.Copies)...)
	lines = append(lines, readers(r, width)...)
	lines = append(lines, crawled(r.Crawl, width)...)
	lines = append(lines, links(r.Links, width)...)
	lines = append(lines, rollback(r.Rollback, width)...)
	unneeded := unneeded(r)
	if verbose {
		lines = append(lines, permissions(unneeded, width)...)
		lines = append(lines, listed("Left out or assumed here", r.Notes, width)...)
	}
	lines = append(lines, listed("Warnings", r.Warnings, width)...)
	lines = append(lines, failures(r, width)...)
	if r.Error != "" {
		lines = append(append(lines, nil), indented("✗ ", r.Error, alarm, width)...)
	}
	lines = append(lines, nil)
	if !verbose {
		lines = append(lines, verboseHas(len(r.Notes), len(unneeded) > 0, width)...)
	}
	return append(lines, verdict(r))
}

// verdict says how the rehearsal ended.
func verdict(r rehearsal.Result) line {
	l := line{mark(r.Status, time.Time{}), {" " + clean(r.Name) + "  " + sentence(r.Status, r.Duration), bold}}
	if r.Preparation >= time.Second {
		l = append(l, span{", after " + seconds(r.Preparation) + " of preparation", normal})
	}
	if r.Skipped > 0 {
		l = append(l, span{"; AWS would have waited " + seconds(r.Skipped) + " more", normal})
	}
	return l
}

// unneeded returns the permissions that nothing used. A pipeline that did not succeed says nothing about them.
func unneeded(r rehearsal.Result) []rehearsal.RolePermissions {
	if r.Status != rehearsal.Succeeded {
		return nil
	}
	var roles []rehearsal.RolePermissions
	for _, role := range r.Permissions {
		role.Actions = slices.DeleteFunc(slices.Clone(role.Actions), func(p rehearsal.Permission) bool { return p.Used > 0 })
		if len(role.Actions) > 0 {
			roles = append(roles, role)
		}
	}
	return roles
}

// verboseHas says what a verbose summary lists besides.
func verboseHas(notes int, permissions bool, limit int) []line {
	var lists []string
	if notes > 0 {
		lists = append(lists, fmt.Sprintf("what is left out or assumed here (%s)", amount.Count(notes, "note")))
	}
	if permissions {
		lists = append(lists, "which permissions were not needed")
	}
	if lists == nil {
		return nil
	}
	return indented("  ", "VERBOSE=1 shows "+strings.Join(lists, ", and "), dim, limit)
}

func title(s string) []line { return []line{nil, {{s, bold}}} }

// faults shows what went wrong on purpose, and what each fault has struck.
func faults(all []rehearsal.Fault, limit int) []line {
	if len(all) == 0 {
		return nil
	}
	lines := title("Faults on purpose")
	for _, f := range all {
		lines = append(lines, indented("  ", f.Name+": "+f.Effect, normal, limit)...)
		for _, s := range f.Strikes {
			words := fmt.Sprintf("struck %s, %s", s.On, amount.Count(s.Times, "time"))
			if s.Action != "" {
				words = s.Stage + "/" + s.Action + ": " + words
			}
			lines = append(lines, indented("    ", words, normal, limit)...)
		}
		if len(f.Strikes) == 0 {
			lines = append(lines, line{{"    never struck", yellow}})
		}
	}
	return lines
}

// stages shows when each stage ran, as a picture: they run one after the other.
func stages(all []rehearsal.Stage, limit int) []line {
	if len(all) == 0 {
		return nil
	}
	names, total := 0, time.Duration(0)
	for _, st := range all {
		names = max(names, width(clean(st.Name)))
		total += max(0, st.Duration)
	}
	lines := title("Stages")
	start := time.Duration(0)
	for _, st := range all {
		l := line{{"  ", normal}, mark(st.Status, time.Time{}), {" " + pad(clean(st.Name), names), normal}}
		if words := idle(st); words != "" {
			lines = append(lines, append(l, span{pad("", timeCells) + "  " + words, dim}))
			continue
		}
		l = append(l, span{timeColumn(st.Duration) + "  ", normal})
		switch {
		case limit == 0 || limit >= 100:
			l = append(l, part(start, max(0, st.Duration), total, barCells)...)
		case limit >= 60:
			l = append(l, part(start, max(0, st.Duration), total, barCells/2)...)
		}
		start += max(0, st.Duration)
		for i, words := range wrap(said(st), room(limit, l.width())) {
			if i > 0 {
				l = line{{strings.Repeat(" ", l.width()), normal}}
			}
			lines = append(lines, append(l, span{words, normal}))
		}
	}
	return lines
}

// part draws a stage's part of the whole time.
func part(start, took, total time.Duration, cells int) line {
	if total <= 0 {
		return line{{strings.Repeat("·", cells) + "  ", dim}}
	}
	// Both are rounded in the same way, so that a stage begins where the one before ended. Each has at least one cell.
	cell := func(d time.Duration) int { return int(float64(d)/float64(total)*float64(cells) + 0.5) }
	from, to := cell(start), cell(start+took)
	from = min(from, cells-1)
	to = min(max(to, from+1), cells)
	return line{{strings.Repeat("·", from), dim}, {strings.Repeat("█", to-from), cyan}, {strings.Repeat("·", cells-to) + "  ", dim}}
}

func published(site *rehearsal.Site, limit int) []line {
	if site == nil {
		return nil
	}
	lines := title("Published")
	say := func(how style, format string, args ...any) {
		lines = append(lines, indented("  ", fmt.Sprintf(format, args...), how, limit)...)
	}
	say(normal, "%s, %s to %s", amount.Count(site.Uploaded, "object"), amount.Size(site.Bytes), site.Bucket)
	if site.First {
		say(normal, "the first time: the bucket was empty")
	}
	switch {
	case site.Function && site.First:
	case site.Function:
		say(normal, "%s unchanged, %s removed, %s kept for a while", amount.Number(site.Unchanged), amount.Number(site.Removed), amount.Number(site.Retired))
	case !site.First:
		same := max(0, site.Uploaded-site.New-site.Changed)
		say(normal, "%s new, %s changed, %s the same", amount.Number(site.New), amount.Number(site.Changed), amount.Number(same))
	}
	switch others := site.Left - site.Retired; {
	case site.Function && others > 0:
		say(normal, "%s that the function has not put, and leaves alone", amount.Count(others, "object"))
	case !site.Function && site.Left > 0:
		say(yellow, "%s left from before: the Deploy action deletes nothing", amount.Count(site.Left, "object"))
	}
	if site.CacheControl != "" {
		say(normal, "Cache-Control: %s", site.CacheControl)
	}
	return lines
}

func invalidations(all []rehearsal.Invalidation, copies *rehearsal.Copies) []line {
	if len(all) == 0 {
		return nil
	}
	lines := title("Invalidated")
	for _, i := range all {
		words := fmt.Sprintf("  %s  %s  %s", clean(i.Distribution), clean(i.ID), clean(i.Status))
		if i.Took > 0 {
			words += " in " + seconds(i.Took)
		}
		if len(i.Paths) == 1 {
			lines = append(lines, text(words+"  "+clean(i.Paths[0])))
			continue
		}
		lines = append(lines, text(words+"  "+amount.Count(len(i.Paths), "item")))
		for _, path := range i.Paths[:min(len(i.Paths), shownPaths)] {
			lines = append(lines, text("    "+clean(path)))
		}
		if more := len(i.Paths) - shownPaths; more > 0 {
			lines = append(lines, line{{fmt.Sprintf("    … and %s more", amount.Number(more)), dim}})
		}
	}
	if copies != nil && copies.Held > 0 {
		lines = append(lines, line{{fmt.Sprintf("  %s of the edge's %s copies were cleared needlessly", amount.Number(copies.Needless), amount.Number(copies.Held)), normal}})
	}
	return lines
}

// crawled shows what a reader saw who visited while a function published.
func crawled(c *rehearsal.Crawl, limit int) []line {
	if c == nil || c.Views == 0 {
		return nil
	}
	visits := amount.Count(c.Views, "visit") + " of pages while they were published"
	if len(c.Broken) == 0 {
		return []line{{{"  ", normal}, mark(rehearsal.Succeeded, time.Time{}), {" " + visits + ", and nothing was missing", normal}}}
	}
	lines := indented("  ", visits+", and readers missed:", red, limit)
	for _, b := range c.Broken[:min(len(c.Broken), shownPaths)] {
		lines = append(lines, indented("    ", b.String(), normal, limit)...)
	}
	if more := len(c.Broken) - shownPaths; more > 0 {
		lines = append(lines, line{{fmt.Sprintf("    … and %s more", amount.Number(more)), dim}})
	}
	return lines
}

// row has what readers of one page got, by the time of their visit. Edition is empty where nobody came.
type row struct {
	path   string
	visits []rehearsal.Visit
}

// readers shows how each page went from its old edition to its new one.
func readers(r rehearsal.Result, limit int) []line {
	if len(r.Visits) == 0 {
		return nil
	}
	times, rows := table(r.Visits)
	paths := width("What readers see") - 4
	columns := make([]int, len(times))
	for i, when := range times {
		columns[i] = width(clean(string(when)))
	}
	for _, r := range rows {
		paths = max(paths, width(clean(r.path)))
		for i, v := range r.visits {
			columns[i] = max(columns[i], width(cell(v).text))
		}
	}
	total := 4 + paths
	for _, c := range columns {
		total += 3 + c
	}
	wide := limit == 0 || total < limit

	head := line{{pad("What readers see", 4+paths), bold}}
	for i, when := range times {
		head = append(head, span{"   " + pad(clean(string(when)), columns[i]), dim})
	}
	lines := []line{nil, head}
	if !wide {
		lines = []line{nil, {{"What readers see", bold}}}
		var whens []string
		for _, when := range times {
			whens = append(whens, clean(string(when)))
		}
		lines = append(lines, indented("  ", strings.Join(whens, " → "), dim, limit)...)
	}
	if site, ok := strings.CutSuffix(r.Visits[0].URL, r.Visits[0].Path); ok && site != "" {
		lines = append(lines, indented("  at ", clean(site), dim, limit)...)
	}
	if r.Site != nil && r.Site.First {
		lines = append(lines, indented("  ", "The old pages are the rehearsal's own: the bucket was empty, and readers need something that is replaced.", dim, limit)...)
	}
	for _, r := range rows {
		l := line{{"  ", normal}, proof(r.visits), {" ", normal}}
		if wide {
			l = append(l, span{pad(clean(r.path), paths), normal})
		} else {
			lines = append(lines, append(l, span{clean(r.path), normal}))
			l = nil
		}
		for i, v := range r.visits {
			arrow := " → "
			if i == 0 {
				arrow = "   "
				if !wide {
					arrow = ""
				}
			}
			c := cell(v)
			l = append(l, span{arrow, dim}, c)
			if wide {
				l = append(l, span{strings.Repeat(" ", max(0, columns[i]-width(c.text))), normal})
			}
		}
		if !wide {
			l = append(line{{"    ", normal}}, l...)
		}
		lines = append(lines, l)
	}
	return lines
}

// links shows what readers made of the links of the home page.
func links(all *rehearsal.Links, limit int) []line {
	if all == nil || all.Followed == 0 {
		return nil
	}
	if len(all.Broken) == 0 {
		return []line{{{"  ", normal}, mark(rehearsal.Succeeded, time.Time{}), {" " + amount.Count(all.Followed, "link") + " of the home page followed", normal}}}
	}
	how := yellow
	if slices.ContainsFunc(all.Broken, func(b rehearsal.BrokenLink) bool { return b.Built != "" }) {
		how = red
	}
	lines := indented("  ", fmt.Sprintf("%s of the home page followed, %s broken:", amount.Count(all.Followed, "link"), amount.Number(len(all.Broken))), how, limit)
	for _, b := range all.Broken[:min(len(all.Broken), shownPaths)] {
		lines = append(lines, indented("    ", b.String(), normal, limit)...)
	}
	if more := len(all.Broken) - shownPaths; more > 0 {
		lines = append(lines, line{{fmt.Sprintf("    … and %s more", amount.Number(more)), dim}})
	}
	return lines
}

// table sorts visits by page and time, both in the order of the first visit. Of several visits of a page at the same
// time, the last counts, or the first that proves the pipeline wrong.
func table(visits []rehearsal.Visit) ([]rehearsal.When, []row) {
	var times []rehearsal.When
	// The usual times have their own order, whatever came first.
	for _, when := range []rehearsal.When{rehearsal.BeforeDeploy, rehearsal.AfterDeploy, rehearsal.AfterInvalidate} {
		if slices.ContainsFunc(visits, func(v rehearsal.Visit) bool { return v.When == when }) {
			times = append(times, when)
		}
	}
	for _, v := range visits {
		if !slices.Contains(times, v.When) {
			times = append(times, v.When)
		}
	}
	var rows []row
	for _, v := range visits {
		i := slices.IndexFunc(rows, func(r row) bool { return r.path == v.Path })
		if i < 0 {
			i = len(rows)
			rows = append(rows, row{v.Path, make([]rehearsal.Visit, len(times))})
		}
		if at := &rows[i].visits[slices.Index(times, v.When)]; !at.Missed() {
			*at = v
		}
	}
	return times, rows
}

func cell(v rehearsal.Visit) span {
	if v.Edition == "" {
		return span{"–", dim}
	}
	s := seen(v)
	if v.Missed() {
		s.text += ", wanted " + clean(string(v.Wanted))
	}
	return s
}

// proof marks a page: right, wrong, or nothing to prove.
func proof(visits []rehearsal.Visit) span {
	switch {
	case slices.ContainsFunc(visits, rehearsal.Visit.Missed):
		return mark(rehearsal.Failed, time.Time{})
	case slices.ContainsFunc(visits, func(v rehearsal.Visit) bool { return v.Wanted != "" }):
		return mark(rehearsal.Succeeded, time.Time{})
	}
	return span{" ", normal}
}

// rollback shows what the owner's commands said when a release was taken back, as they show it in a terminal.
func rollback(r *rehearsal.Rollback, limit int) []line {
	if r == nil {
		return nil
	}
	lines := title("Rolled back")
	for _, command := range []struct {
		name string
		said []string
	}{{"make releases", r.Releases}, {"make rollback", r.Said}} {
		lines = append(lines, line{{"  $ " + command.name, dim}})
		for _, words := range command.said {
			for _, l := range status.Fold("  "+clean(words), room(limit, 0)) {
				lines = append(lines, text(l))
			}
		}
	}
	return lines
}

// permissions lists permissions that were not needed, by role; those on the same resources are together.
func permissions(roles []rehearsal.RolePermissions, limit int) []line {
	if len(roles) == 0 {
		return nil
	}
	lines := title("Permissions that were not needed")
	lines = append(lines, indented("  ", "They are for what did not happen here, such as a failure, or are part of what the CDK grants for an action.", dim, limit)...)
	for _, role := range roles {
		head := line{{"  " + clean(role.Role), normal}}
		if role.Purpose != "" {
			head = append(head, span{"  " + clean(role.Purpose), dim})
		}
		lines = append(lines, head)
		var resources []string
		actions := map[string][]string{} // by resource
		for _, p := range role.Actions {
			if actions[p.Resource] == nil {
				resources = append(resources, p.Resource)
			}
			actions[p.Resource] = append(actions[p.Resource], clean(p.Action))
		}
		for _, resource := range resources {
			lines = append(lines, indented("    ", strings.Join(actions[resource], " "), yellow, limit)...)
			// A policy can name several resources; each has its line.
			for name := range strings.SplitSeq(clean(resource), " ") {
				lines = append(lines, line{{"      on " + name, dim}})
			}
		}
	}
	return lines
}

// listed lists remarks.
func listed(heading string, all []string, limit int) []line {
	if len(all) == 0 {
		return nil
	}
	lines := title(heading)
	for _, remark := range all {
		lines = append(lines, indented("  - ", remark, normal, limit)...)
	}
	return lines
}

// failures tells what went wrong and where to look.
func failures(r rehearsal.Result, limit int) []line {
	var lines []line
	for _, st := range r.Stages {
		for _, a := range st.Actions {
			if a.Status != rehearsal.Failed && a.Status != rehearsal.Stopped {
				continue
			}
			lines = append(lines, nil, line{mark(a.Status, time.Time{}), {" " + clean(st.Name) + "  " + clean(a.Name) + "  " + verb(a.Status), alarm}, {"  " + about(a), dim}})
			// The build's own error comes first, then the sentence that AWS shows.
			if a.Cause != "" {
				lines = append(lines, indented("  ", a.Cause, alarm, limit)...)
			}
			if words := reason(a.Failure); words != "" {
				lines = append(lines, indented("  ", words, red, limit)...)
			}
			if a.Look != "" {
				lines = append(lines, indented("  Look at ", a.Look, bold, limit)...)
			}
		}
		if r.Status != rehearsal.Succeeded && len(lines) == 0 && (st.Status == rehearsal.Failed || st.Status == rehearsal.Stopped) {
			lines = append(lines, nil, line{mark(st.Status, time.Time{}), {" " + clean(st.Name) + "  " + verb(st.Status), alarm}})
		}
	}
	var wrong []line
	for _, v := range r.Visits {
		if v.Missed() {
			wrong = append(wrong, line{{fmt.Sprintf("  %s  %s  ", address(v), clean(string(v.When))), normal}, cell(v)})
		}
	}
	if wrong != nil {
		lines = append(lines, nil, line{{"✗ Readers did not get what they should", alarm}})
		lines = append(lines, wrong...)
	}
	return lines
}
