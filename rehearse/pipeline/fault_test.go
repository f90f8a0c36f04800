package pipeline

import (
	"fmt"
	"maps"
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

func TestAFaultThatNeverStruckIsWarnedOf(t *testing.T) {
	t.Parallel()
	source := blog(t)
	write(t, source, map[string]string{"buildspec/hugo.yml": "version: 0.2\nphases:\n  build:\n    commands: [exit 1]\n"})
	r := rehearse(t, t.Context(), read(t, template(t, "modern-pipeline")), Options{Source: source, Faults: Faults{"build": "fail", "sts": "no-role"}}, nil)
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
	got, err := ParseFaults(" cloudfront=throttle, lambda=crash-once,")
	if want := (Faults{"cloudfront": "throttle", "lambda": "crash-once"}); err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	if none, err := ParseFaults(""); err != nil || len(none) > 0 {
		t.Errorf("got %v, %v for no faults", none, err)
	}
	_, err = ParseFaults("cloudfront=trottle,s3,lambda=crash,lambda=timeout")
	if err == nil {
		t.Fatal("they are known")
	}
	for _, part := range []string{`"cloudfront=trottle"`, `"s3"`, "exclude each other", "cloudfront=throttle", "codepipeline=error", "lambda=timeout", "build=fail"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("got %v, want it to have %s", err, part)
		}
	}
}
