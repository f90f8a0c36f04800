package pipeline

import (
	"fmt"
	"maps"
	"regexp"
	"strings"
	"testing"

	"blog-deploy-pipeline/rehearse/rehearsal"
)

// strikes lists what the faults of a rehearsal have struck: "lambda=crash Invalidate/Invalidate cloudfront:CreateInvalidation 3".
func (r rehearsed) strikes() string {
	var all []string
	for _, fault := range r.Faults {
		for _, s := range fault.Strikes {
			all = append(all, fmt.Sprintf("%s %s/%s %s %d", fault.Name, s.Stage, s.Action, s.On, s.Times))
		}
	}
	return strings.Join(all, "\n")
}

func TestTheFirstEventNamesTheFaults(t *testing.T) {
	for part, kinds := range faults {
		for kind, effect := range kinds {
			if planned := (Faults{part: kind}).planned(); len(planned) != 1 || planned[0].Name != part+"="+kind || planned[0].Effect != effect || effect == "" {
				t.Errorf("%s=%s is planned as %+v", part, kind, planned)
			}
		}
		if missed[part] == "" {
			t.Errorf("nothing says why a fault of %s never struck", part)
		}
	}
}

// TestEachFaultStrikes rehearses a pipeline, whose function assumes a role, with each of the faults. The faults of S3 strike
// a function that publishes.
func TestEachFaultStrikes(t *testing.T) {
	const (
		create = "Invalidate/Invalidate cloudfront:CreateInvalidation "
		get    = "Invalidate/Invalidate cloudfront:GetInvalidation "
		report = "Invalidate/Invalidate codepipeline:PutJobSuccessResult "
		assume = "Invalidate/Invalidate sts:AssumeRole "
		s3     = "Deploy/Publish s3:"
		times  = `\d+` // The number depends on the machine.
	)
	tests := map[string]struct {
		strikes []string // regular expressions
		code    string   // of the failure; none: the pipeline succeeds
		waits   bool     // AWS would have waited before it called the function again
	}{
		"build=fail":            {strikes: []string{"Build/Build a command of the build phase 1"}, code: "JobFailed"},
		"cloudfront=throttle":   {strikes: []string{create + "3", get + "3"}},
		"cloudfront=error":      {strikes: []string{create + "3", get + "3"}},
		"cloudfront=denied":     {strikes: []string{create + "1"}, code: "PermissionError"},
		"cloudfront=hang":       {strikes: []string{create + "1", get + "1"}, waits: true},
		"cloudfront=quota":      {strikes: []string{create + times}, code: "SystemUnavailable", waits: true},
		"cloudfront=slow":       {strikes: []string{create + "1"}, waits: true},
		"cloudfront=never":      {strikes: []string{create + "1"}, code: "JobFailed", waits: true},
		"codepipeline=throttle": {strikes: []string{report + "3"}},
		"codepipeline=error":    {strikes: []string{report + "3"}},
		"edge=blocked":          {strikes: []string{"Invalidate/Invalidate each look at the site 1"}},
		"edge=down":             {strikes: []string{"Invalidate/Invalidate each look at the site 1"}},
		"edge=stale":            {strikes: []string{"Invalidate/Invalidate the invalidation I[0-9A-Z]+ 1"}, code: "StaleReaders"}, // The function does not look.
		"s3=throttle":           {strikes: []string{s3 + "GetObject 3", s3 + "PutObject 3", s3 + "ListBucket 3"}},
		"s3=error":              {strikes: []string{s3 + "GetObject 3", s3 + "PutObject 3", s3 + "ListBucket 3"}},
		"s3=reset":              {strikes: []string{s3 + "GetObject 3", s3 + "PutObject 3", s3 + "ListBucket 3"}},
		"s3=denied":             {strikes: []string{s3 + "GetObject 1"}, code: "PermissionError"},
		"s3=crash-N":            {strikes: []string{s3 + `\w+ 1`}, waits: true},
		"sts=throttle":          {strikes: []string{assume + "3"}},
		"sts=error":             {strikes: []string{assume + "3"}},
		"sts=no-role":           {strikes: []string{assume + "1"}, code: "PermissionError"},
		"lambda=crash-once":     {strikes: []string{create + "1"}, waits: true},
		"lambda=crash":          {strikes: []string{create + "3"}, code: "JobFailed", waits: true},
		"lambda=timeout":        {strikes: []string{create + times}, code: "JobFailed", waits: true},
	}
	for part, kinds := range faults {
		for kind := range kinds {
			fault := part + "=" + kind
			tt, tested := tests[fault]
			if !tested {
				t.Errorf("no rehearsal of this test has the fault %s: add a row that says what it strikes, and how the pipeline ends", fault)
				continue
			}
			t.Run(fault, func(t *testing.T) {
				t.Parallel()
				kind, fault := strings.Replace(kind, "-N", "-7", 1), strings.Replace(fault, "-N", "-7", 1)
				plan := read(t, template(t, "uploaded-pipeline", withRole(t, "InvalidateRoleD64083AD")))
				switch {
				case part == "edge" && kind != "stale":
					plan = read(t, template(t, "modern-pipeline", lookingAt(t, "https://blog.example.com")))
				case part == "s3":
					plan = read(t, template(t, "modern-pipeline"))
				}
				r := rehearse(t, t.Context(), plan, Options{Source: blog(t), Faults: Faults{part: kind}}, nil)
				if want := "^" + fault + " " + strings.Join(tt.strikes, "\n"+fault+" ") + "$"; !regexp.MustCompile(want).MatchString(r.strikes()) {
					t.Errorf("got the strikes\n%s\nwant\n%s", r.strikes(), want)
				}
				if r.err != nil || (r.Status == rehearsal.Succeeded) != (tt.code == "") || r.failed().Code != tt.code {
					t.Errorf("it ends as %s (%v), with the code %q, want the code %q: %s", r.Status, r.err, r.failed().Code, tt.code, r.failed().Reason)
				}
				if tt.code == "" && (r.statuses() != allSucceeded || len(r.Invalidations) != 1) {
					t.Errorf("stages end as %s with %d invalidations, want one", r.statuses(), len(r.Invalidations))
				}
				if (r.Skipped > 0) != tt.waits {
					t.Errorf("%v were skipped, want that only for what AWS would have waited", r.Skipped)
				}
			})
		}
	}
}

func TestAFaultThatNeverStruckIsWarnedOf(t *testing.T) {
	t.Parallel()
	source := blog(t)
	write(t, source, map[string]string{"buildspec/hugo.yml": "version: 0.2\nphases:\n  build:\n    commands: [exit 1]\n"})
	r := rehearse(t, t.Context(), read(t, template(t, "uploaded-pipeline")), Options{Source: source, Faults: Faults{"build": "fail", "sts": "no-role"}}, nil)
	if r.err != nil || r.Status != rehearsal.Failed || r.strikes() != "" {
		t.Errorf("it ends as %s (%v), struck was %q", r.Status, r.err, r.strikes())
	}
	warnings := strings.Join(r.Warnings, "\n")
	for _, want := range []string{
		"the fault build=fail never struck, and so this rehearsal does not show what it leads to: no build came to the end of its build phase",
		"the fault sts=no-role never struck, and so this rehearsal does not show what it leads to: no function assumed a role",
	} {
		if !strings.Contains(warnings, want) {
			t.Errorf("warnings are %q, want %q", r.Warnings, want)
		}
	}
	var names []string
	for _, fault := range r.events[0].Result.Faults {
		names = append(names, fault.Name)
	}
	if strings.Join(names, " ") != "build=fail sts=no-role" {
		t.Errorf("the first event names the faults %q", names)
	}
}

func TestParseFaultsRefusesUnknownFaults(t *testing.T) {
	got, err := ParseFaults(" cloudfront=throttle, lambda=crash-once,s3=crash-12,")
	if want := (Faults{"cloudfront": "throttle", "lambda": "crash-once", "s3": "crash-12"}); err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	if planned, want := got.planned(), "the function crashes once, after call 12 of S3"; planned[len(planned)-1].Effect != want {
		t.Errorf("got %+v, want %q at the end", planned, want)
	}
	if none, err := ParseFaults(""); err != nil || len(none) > 0 {
		t.Errorf("got %v, %v for no faults", none, err)
	}
	_, err = ParseFaults("cloudfront=trottle,s3,s3=crash-N,s3=crash-0,lambda=crash,lambda=timeout")
	if err == nil {
		t.Fatal("they are known")
	}
	for _, part := range []string{`"cloudfront=trottle"`, `"s3"`, `"s3=crash-N"`, `"s3=crash-0"`, "exclude each other", "cloudfront=throttle", "codepipeline=error", "lambda=timeout", "build=fail"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("got %v, want it to have %s", err, part)
		}
	}
}
