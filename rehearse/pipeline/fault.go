package pipeline

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/rehearsal"
)

// Faults says what goes wrong in a rehearsal on purpose: for a part, such as "cloudfront", the kind of fault, such as
// "throttle".
type Faults map[string]string

// faults lists all faults, and says what each of them does.
var faults = map[string]map[string]string{
	"build": {
		"fail": "a command that is added to the end of the build phase fails",
	},
	"cloudfront": {
		"throttle": "CloudFront refuses the first 3 calls of each operation: Rate exceeded",
		"error":    "CloudFront answers the first 3 calls of each operation with an internal error",
		"denied":   "IAM denies the function every call of CloudFront",
		"hang":     "CloudFront does not answer the first call of each operation",
		"quota":    "CloudFront refuses each invalidation, because too many are in progress",
		"slow":     "CloudFront needs longer for an invalidation than one call of the function lasts",
		"never":    "CloudFront never completes an invalidation",
	},
	"codepipeline": {
		"throttle": "CodePipeline refuses the first 3 reports of the function: Rate exceeded",
		"error":    "CodePipeline answers the first 3 reports of the function with an internal error",
	},
	"edge": {
		"blocked": "a web ACL challenges the function that looks whether the pages are live",
		"down":    "the site closes the connections of the function that looks whether the pages are live",
		"stale":   "the edge goes on answering with its copies, although CloudFront says that the invalidation is completed",
	},
	"s3": {
		"throttle": "S3 refuses the first 3 calls of each operation of the function: Slow Down",
		"error":    "S3 answers the first 3 calls of each operation of the function with an internal error",
		"reset":    "the connection of the first 3 calls of each operation of S3 is reset",
		"denied":   "IAM denies the function every call of S3",
		crashN:     "the function crashes once, after call N of S3",
	},
	"sts": {
		"throttle": "STS refuses the first 3 times that the function assumes a role: Rate exceeded",
		"error":    "STS answers the first 3 times that the function assumes a role with an internal error",
		noRole:     "the role that the function assumes does not exist yet",
	},
	"lambda": {
		"crash-once": "the function crashes once, after CloudFront has accepted the invalidation",
		"crash":      "the function crashes each time, after its first call of CloudFront",
		"timeout":    "the function hangs in its first call of CloudFront, until Lambda ends it",
	},
}

// missed says for each part why none of its faults struck, if none did.
var missed = map[string]string{
	"build":        "no build came to the end of its build phase",
	"cloudfront":   "no function made such a call of CloudFront",
	"codepipeline": "no function reported to CodePipeline",
	"edge":         "nobody visited the site after an invalidation that was completed; of an existing distribution, Invalidate.Verify names the address",
	"s3":           "no function made such a call of S3",
	"sts":          "no function assumed a role",
	"lambda":       "no function made such a call of CloudFront",
}

const (
	// noRole is the fault that a role does not exist.
	noRole = "no-role"
	// crash and a number are the fault that a function crashes, and crashN stands for all of them.
	crash  = "crash-"
	crashN = crash + "N"
)

// listed returns a kind of fault as it is listed.
func listed(kind string) string {
	number, isCrash := strings.CutPrefix(kind, crash)
	if n, err := strconv.Atoi(number); isCrash && err == nil && n > 0 {
		return crashN
	}
	return kind
}

// ParseFaults reads faults from a command line: "cloudfront=throttle,lambda=crash-once".
func ParseFaults(text string) (Faults, error) {
	wanted := Faults{}
	var errs []error
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		where, kind, _ := strings.Cut(part, "=")
		if _, known := faults[where][listed(kind)]; !known || kind == crashN {
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

// planned returns the faults before any of them has struck.
func (f Faults) planned() []rehearsal.Fault {
	var all []rehearsal.Fault
	for _, part := range slices.Sorted(maps.Keys(f)) {
		all = append(all, rehearsal.Fault{Name: f.name(part), Effect: f.effect(part)})
	}
	return all
}

// effect returns what the fault of a part does.
func (f Faults) effect(part string) string {
	effect := faults[part][listed(f[part])]
	if number, isCrash := strings.CutPrefix(f[part], crash); isCrash {
		return strings.Replace(effect, " N ", " "+number+" ", 1)
	}
	return effect
}

// name returns the name of the fault of a part: "cloudfront=throttle".
func (f Faults) name(part string) string { return part + "=" + f[part] }

// firstCalls is the number of calls that fail if "the first calls" do. It is more than the SDK makes for one call.
const firstCalls = 3

// denies reports whether IAM refuses an action, by the fault of the part that it returns.
func (f Faults) denies(action string) (part string, denied bool) {
	service, _, _ := strings.Cut(action, ":")
	return service, f[service] == "denied"
}

// answers reports whether a service that allows an action answers it in another way than usual, by the fault of the part
// that it returns.
func (f Faults) answers(action string) (part string, unusual bool) {
	switch action {
	case "cloudfront:CreateInvalidation":
		return "cloudfront", slices.Contains([]string{"quota", "slow", "never"}, f["cloudfront"])
	case "sts:AssumeRole":
		return "sts", f["sts"] == noRole
	}
	return "", false
}

// strike returns what goes wrong with a call, and the part whose fault it is. kill ends the function that makes the call,
// and freeze stops it.
func (f Faults) strike(c fakeaws.Call, kill, freeze func()) (part string, fault fakeaws.Fault) {
	service, operation, _ := strings.Cut(c.Action, ":")
	if service == "cloudfront" {
		switch {
		case f["lambda"] == "crash-once" && operation == "CreateInvalidation" && c.N == 1, f["lambda"] == "crash":
			return "lambda", fakeaws.Fault{Kind: fakeaws.After, Do: kill}
		case f["lambda"] == "timeout":
			return "lambda", fakeaws.Fault{Kind: fakeaws.Hang, Do: freeze}
		}
	}
	if service == "s3" && f[service] == crash+strconv.Itoa(c.NOfService) {
		return service, fakeaws.Fault{Kind: fakeaws.After, Do: kill}
	}
	switch f[service] {
	case "reset":
		if c.N <= firstCalls {
			return service, fakeaws.Fault{Kind: fakeaws.ConnectionReset}
		}
	case "throttle":
		if c.N <= firstCalls {
			return service, fakeaws.Fault{Kind: fakeaws.Throttle}
		}
	case "error":
		if c.N <= firstCalls {
			return service, fakeaws.Fault{Kind: fakeaws.ServerError}
		}
	case "hang":
		if c.N == 1 {
			return service, fakeaws.Fault{Kind: fakeaws.Hang}
		}
	}
	return "", fakeaws.Fault{}
}

// With these settings of the function, a fault does not make the owner wait for minutes: the function reads the machine's
// clock, which skips nothing.
const (
	faultyPollFor  = 2 * time.Second
	faultyDeadline = 5 * time.Second
	faultyTimeout  = 3 * time.Second
	slowCompletion = 6 * time.Second
	// crashedTimeout is that of a function that publishes and crashes. It waits until the lease of the crashed call has
	// ended, which lasts for a quarter of the timeout, up to a minute.
	crashedTimeout = 20 * time.Second
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
// publishes says that it calls S3, and not CloudFront.
func (f Faults) settings(publishes bool, deployed time.Duration) (env map[string]string, timeout time.Duration, notes []string) {
	env, timeout = map[string]string{}, deployed
	shorten := func(fault string, to time.Duration) {
		if timeout > to {
			notes = append(notes, fmt.Sprintf("for the fault %s the function's timeout is %v, not %v, so that nobody has to wait", fault, to, deployed))
			timeout = to
		}
	}
	if publishes {
		if strings.HasPrefix(f["s3"], crash) {
			shorten(f.name("s3"), crashedTimeout)
		}
		return env, timeout, notes
	}
	switch f["cloudfront"] {
	case "quota", "never":
		env[contract.EnvPollFor], env[contract.EnvDeadline] = faultyPollFor.String(), faultyDeadline.String()
	case "slow", "hang":
		env[contract.EnvPollFor] = faultyPollFor.String()
	}
	fault := f.name("cloudfront")
	if f["edge"] == "stale" || f["edge"] == "down" {
		fault = f.name("edge")
		env[contract.EnvPollFor], env[contract.EnvDeadline] = faultyPollFor.String(), faultyDeadline.String()
	}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		notes = append(notes, fmt.Sprintf("for the fault %s the function's %s is %s, so that nobody has to wait", fault, name, env[name]))
	}
	if f["lambda"] == "timeout" {
		shorten(f.name("lambda"), faultyTimeout)
	}
	return env, timeout, notes
}
