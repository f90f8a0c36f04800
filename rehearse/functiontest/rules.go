package functiontest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/lambdaruntime"
)

// Record holds what a test has recorded about a function.
type Record struct {
	// Requests holds the requests for work to the function, in order.
	Requests []Request
	// Firings is the number of invalidations of each distribution that the function must create. A request that is
	// delivered twice counts once. Default 1.
	Firings int
	// Distributions holds the distributions that the function must clear.
	Distributions []fakeaws.Distribution
	// Success is the time at which the function reported success, or zero.
	Success time.Time
	// Said holds the function's answers and reports, which must not contain secrets, either.
	Said []string
	// Secrets holds further texts that the function must not log or report. The world's credentials are always secret.
	Secrets []string
}

// Request is a request for work together with its results.
type Request struct {
	// Attempts holds the invocations.
	Attempts []lambdaruntime.Result
	// Reports is the number of accepted reports, or of answers if the answer is the report.
	Reports int
	// Synchronous says that Lambda does not try again, because the caller waits for the answer.
	Synchronous bool
	// Killed says that the process was killed or frozen at least once, so that Lambda itself answered.
	Killed bool
}

// BrokenRules returns a line for each broken rule, and for each mistake in the form of the log and in the wording of a
// message.
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
				add(1, "invocation %d of request %d ended with an error, which its caller treats as a crash: %v", n+1, i+1, attempt.Err)
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
	said += strings.ReplaceAll(said, `\"`, `"`) // This is for JSON within JSON.
	leaked := func(secret string) bool { return strings.Contains(said, secret) }
	if slices.ContainsFunc(r.Secrets, leaked) || slices.ContainsFunc(pieces(w.Cloud.Secrets()), leaked) {
		add(5, "the log, an answer or a report has a credential, a token or the whole event")
	}
	if w.Count(fakeaws.WithJobsCredentials) > 0 {
		add(5, "the function used the credentials of its job's event")
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

// pieces returns parts of credentials, because a message may contain only a part of one.
func pieces(credentials []string) (all []string) {
	const length = 12
	for _, credential := range credentials {
		for i := 0; i+length <= len(credential); i += length / 2 {
			all = append(all, credential[i:i+length])
		}
	}
	return all
}
