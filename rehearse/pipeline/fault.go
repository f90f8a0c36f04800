package pipeline

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/fakeaws"
)

// Faults says what goes wrong in a rehearsal on purpose: for a part, such as "cloudfront", the kind of fault, such as
// "throttle".
type Faults map[string]string

// faults lists all faults, and what each of them does.
var faults = map[string]map[string]string{
	"build": {
		"fail": "a last command of the buildspec's build phase fails",
	},
	"cloudfront": {
		"throttle": "the first calls are refused: Rate exceeded",
		"error":    "the first calls end in an internal error",
		"denied":   "the role may not use the distribution",
		"hang":     "the first call is never answered",
		"quota":    "as many invalidations as a distribution may have are in progress, and stay so",
		"slow":     "the invalidation takes longer than one call of the function",
		"never":    "the invalidation is never completed",
	},
	"codepipeline": {
		"throttle": "the first reports are refused: Rate exceeded",
		"error":    "the first reports end in an internal error",
	},
	"sts": {
		"throttle": "with a role to assume: the first calls are refused: Rate exceeded",
		"error":    "with a role to assume: the first calls end in an internal error",
		noRole:     "the role to assume is not there yet",
	},
	"lambda": {
		"crash-once": "the function crashes in its first call, after CloudFront has accepted the invalidation",
		"crash":      "the function crashes each time",
		"timeout":    "the function hangs until Lambda ends it",
	},
}

// noRole is the fault that a role does not exist.
const noRole = "no-role"

// ParseFaults reads faults from a command line: "cloudfront=throttle,lambda=crash-once".
func ParseFaults(text string) (Faults, error) {
	wanted := Faults{}
	var errs []error
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		where, kind, _ := strings.Cut(part, "=")
		if _, known := faults[where][kind]; !known {
			errs = append(errs, fmt.Errorf("fault %q is not known", part))
		} else if before, twice := wanted[where]; twice && before != kind {
			errs = append(errs, fmt.Errorf("faults %s=%s and %s exclude each other", where, before, part))
		}
		wanted[where] = kind
	}
	if len(errs) > 0 {
		return nil, fmt.Errorf("%w; there are:\n%s", errors.Join(errs...), DescribeFaults())
	}
	return wanted, nil
}

// DescribeFaults lists all faults, one a line.
func DescribeFaults() string {
	var b strings.Builder
	for _, where := range slices.Sorted(maps.Keys(faults)) {
		for _, kind := range slices.Sorted(maps.Keys(faults[where])) {
			fmt.Fprintf(&b, "  %-22s %s\n", where+"="+kind, faults[where][kind])
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// firstCalls is the number of calls that fail if "the first calls" do. It is more than the SDK makes for one call.
const firstCalls = 3

// denies reports whether IAM refuses an action.
func (f Faults) denies(action string) bool {
	service, _, _ := strings.Cut(action, ":")
	return f[service] == "denied"
}

// strike returns what goes wrong with a call. kill ends the function that makes it, and freeze stops it.
func (f Faults) strike(c fakeaws.Call, kill, freeze func()) fakeaws.Fault {
	service, operation, _ := strings.Cut(c.Action, ":")
	if service == "cloudfront" {
		switch {
		case f["lambda"] == "crash-once" && operation == "CreateInvalidation" && c.N == 1, f["lambda"] == "crash":
			return fakeaws.Fault{Kind: fakeaws.After, Do: kill}
		case f["lambda"] == "timeout":
			return fakeaws.Fault{Kind: fakeaws.Hang, Do: freeze}
		}
	}
	switch f[service] {
	case "throttle":
		if c.N <= firstCalls {
			return fakeaws.Fault{Kind: fakeaws.Throttle}
		}
	case "error":
		if c.N <= firstCalls {
			return fakeaws.Fault{Kind: fakeaws.ServerError}
		}
	case "hang":
		if c.N == 1 {
			return fakeaws.Fault{Kind: fakeaws.Hang}
		}
	}
	return fakeaws.Fault{}
}

// With these settings of the function, a fault does not make the owner wait for minutes: the function reads the machine's
// clock, which skips nothing.
const (
	faultyPollFor  = 4 * time.Second
	faultyDeadline = 10 * time.Second
	faultyTimeout  = 3 * time.Second
	slowCompletion = 9 * time.Second
)

// distribution returns a distribution that has the faults.
func (f Faults) distribution(id string, completeAfter time.Duration) fakeaws.Distribution {
	d := fakeaws.Distribution{ID: id, CompleteAfter: completeAfter}
	switch f["cloudfront"] {
	case "quota":
		d.MaxFilePaths, d.MaxWildcardPaths = -1, -1
	case "slow":
		d.CompleteAfter = max(completeAfter, slowCompletion)
	case "never":
		d.CompleteAfter = 1000 * 24 * time.Hour
	}
	return d
}

// settings returns environment variables of a function that replace deployed ones, its timeout, and notes about both.
func (f Faults) settings(deployed time.Duration) (env map[string]string, timeout time.Duration, notes []string) {
	env, timeout = map[string]string{}, deployed
	switch f["cloudfront"] {
	case "quota", "never":
		env[contract.EnvPollFor], env[contract.EnvDeadline] = faultyPollFor.String(), faultyDeadline.String()
	case "slow", "hang":
		env[contract.EnvPollFor] = faultyPollFor.String()
	}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		notes = append(notes, fmt.Sprintf("for the fault cloudfront=%s the function's %s is %s, so that nobody has to wait", f["cloudfront"], name, env[name]))
	}
	if f["lambda"] == "timeout" && timeout > faultyTimeout {
		notes = append(notes, fmt.Sprintf("for the fault lambda=timeout the function's timeout is %v, not %v, so that nobody has to wait", faultyTimeout, deployed))
		timeout = faultyTimeout
	}
	return env, timeout, notes
}
