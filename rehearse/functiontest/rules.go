package functiontest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/lambdaruntime"
)

// Record is what was recorded of one functiontest.
type Record struct {
	// Requests for work that the function got, in order.
	Requests []Request
	// Firings is how many invalidations of a distribution were asked for; 0 means 1. The same request
	// delivered twice is one.
	Firings int
	// Distributions that the function was to clear.
	Distributions []fakeaws.Distribution
	// Success is when the function said that the cache is clear; zero if it did not.
	Success time.Time
	// Said is whatever the function said besides its log, where secrets do not belong either.
	Said []string
	// Secrets are what must never be said, besides the credentials of the world itself.
	Secrets []string
}

// Request is one request for work, and what came of it.
type Request struct {
	// Attempts are the invocations.
	Attempts []lambdaruntime.Result
	// Reports is how many reports were accepted, or answers given where the answer is the report.
	Reports int
	// Synchronous requests are not tried again: their caller takes the answer, or the lack of one.
	Synchronous bool
	// Killed says that the process was made to end, or to stop, at least once: then Lambda itself
	// answers.
	Killed bool
}

// BrokenRules returns what the record shows of broken rules, one line for each, and what is wrong with
// the log's form or with how a message reads.
func (w *World) BrokenRules(r Record) (broken []string) {
	add := func(rule int, format string, args ...any) {
		broken = append(broken, fmt.Sprintf("rule %d: ", rule)+fmt.Sprintf(format, args...))
	}
	for i, request := range r.Requests {
		if request.Reports > 1 {
			add(1, "request %d has %d reports, want 1", i+1, request.Reports)
		}
		for n, attempt := range request.Attempts {
			if attempt.Err == nil && request.Reports == 0 {
				add(1, "invocation %d of request %d ended well without a report", n+1, i+1)
			}
			if attempt.Err != nil && request.Synchronous && !request.Killed {
				add(1, "invocation %d of request %d ended with an error, which its caller takes for a crash: %v", n+1, i+1, attempt.Err)
			}
		}
		if request.Reports == 0 && !request.Synchronous && len(request.Attempts) != Tries {
			add(4, "request %d has no report, and Lambda tried %d times, want %d", i+1, len(request.Attempts), Tries)
		}
	}
	for _, d := range r.Distributions {
		invalidations := w.Cloud.Invalidations(d.ID)
		if want := max(r.Firings, 1); len(invalidations) > want {
			add(2, "%d invalidations of %s, want %d", len(invalidations), d.ID, want)
		}
		if r.Success.IsZero() {
			continue
		}
		switch {
		case len(invalidations) == 0:
			add(3, "success without an invalidation of %s", d.ID)
		case r.Success.Before(invalidations[len(invalidations)-1].Created.Add(d.CompleteAfter)):
			add(3, "success before the invalidation of %s was completed", d.ID)
		}
	}
	said := w.Function.Logs() + strings.Join(r.Said, "")
	said += strings.ReplaceAll(said, `\"`, `"`) // JSON within JSON
	leaked := func(secret string) bool { return strings.Contains(said, secret) }
	if slices.ContainsFunc(r.Secrets, leaked) || slices.ContainsFunc(pieces(w.Cloud.Secrets()), leaked) {
		add(5, "the log, an answer or a report has a credential, a token or the whole event")
	}
	messages, err := Messages(w.Function.Logs())
	if err != nil {
		broken = append(broken, err.Error())
	}
	for _, text := range r.Said {
		messages = append(messages, texts(text)...)
	}
	for _, message := range messages {
		if slip := Slip(message); slip != "" {
			broken = append(broken, fmt.Sprintf("a message has %s: %s", slip, message))
		}
	}
	return broken
}

// pieces returns what of credentials must not be said: a message may be cut in the middle of one.
func pieces(credentials []string) (all []string) {
	const length = 12
	for _, credential := range credentials {
		for i := 0; i+length <= len(credential); i += length / 2 {
			all = append(all, credential[i:i+length])
		}
	}
	return all
}
