package buildspec

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/itchyny/gojq/cli"
)

// cloudEnv names the variable with the folder in which the fakes of aws and
// docker find their [cloud] and write down their calls.
const cloudEnv = "FAKE_CLOUD"

// password is that of the registry. Only docker may get it, on stdin.
const password = "pass-word-of-the-registry"

// fakes are the programs that this test binary stands for when it is started by
// their names. jq is gojq, so that tests run the same with and without a jq on the
// machine.
var fakes = map[string]func(c cloud, args []string) error{
	"aws":    fakeAWS,
	"docker": fakeDocker,
	"date":   fakeDate,
	"sleep":  fakeSleep,
}

func TestMain(m *testing.M) {
	name := filepath.Base(os.Args[0])
	if name == "jq" {
		os.Exit(cli.Run())
	}
	if fake, ok := fakes[name]; ok {
		os.Exit(runFake(name, fake))
	}
	os.Exit(m.Run())
}

// cloudMachine is a machine for a recipe that works with AWS.
type cloudMachine struct {
	*machine
	cloud cloud
}

// newCloudMachine makes a machine on whose PATH this test binary stands in for
// aws, docker, jq and the clock.
func newCloudMachine(t *testing.T, recipe string) *cloudMachine {
	t.Helper()
	m := newMachine(t, recipe, "cat", "grep", "mkdir", "mktemp", "mv", "rm", "sed", "tee", "tr")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(slices.Collect(maps.Keys(fakes)), "jq") {
		if err := os.Symlink(self, filepath.Join(m.bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	c := &cloudMachine{machine: m}
	c.cloud.Folder = filepath.Join(m.dir, "the cloud")
	m.env[cloudEnv] = c.cloud.Folder
	return c
}

// build runs the recipe with the machine's cloud, and checks that the registry's
// password is in no log, argument or file.
func (m *cloudMachine) build(s session) result {
	m.t.Helper()
	content, err := json.Marshal(m.cloud)
	if err != nil {
		m.t.Fatal(err)
	}
	m.write(filepath.Join(m.cloud.Folder, "cloud.json"), content)
	r := m.machine.build(s)
	if strings.Contains(r.out+strings.Join(r.calls, "\n"), password) {
		m.t.Errorf("the registry's password is in the log, or in an argument:\n%s\n%q", r.out, r.calls)
	}
	err = filepath.WalkDir(m.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(content), password) {
			m.t.Errorf("the registry's password is in %s", path)
		}
		return err
	})
	if err != nil {
		m.t.Fatal(err)
	}
	return r
}

// calledAny returns the calls that start so, such as "aws ecs update-service".
func (r result) calledAny(starts ...string) []string {
	var calls []string
	for _, call := range r.calls {
		for _, start := range starts {
			if start = strings.ReplaceAll(start, " ", "|"); call == start || strings.HasPrefix(call, start+"|") {
				calls = append(calls, call)
			}
		}
	}
	return calls
}

// withMachinesJq lets the recipe use the jq of this machine, if it has one:
// CodeBuild's images have jq, and gojq may differ from it.
func (m *cloudMachine) withMachinesJq() {
	m.t.Helper()
	if _, err := exec.LookPath("jq"); err != nil {
		m.t.Skip("this machine has no jq; the other tests run the same with gojq")
	}
	m.remove("jq")
	m.link("jq")
}

// cloud holds what the fakes of aws and docker know before a build. The fakes keep everything
// else in files in their folder; each program writes only its own.
type cloud struct {
	Folder string `json:"-"`
	Log    string `json:"-"`
	Faults []fault

	// ECR and Docker.
	Registry string
	Region   string   // of the registry
	Tags     []string // images that are pushed already, and immutable
	Digests  []string // RepoDigests of an image after its push, with %s for its own repository

	// ECS.
	Family         string
	TaskDefinition map[string]any // the family's newest
	Revision       int            // number of the family's newest
	Cluster        string
	Service        string
	// Deployments are those of the service that others started before and after.
	Others []deployment
	// Listed is the number of the first call of list-service-deployments that
	// answers with the build's deployment; 0 is none.
	Listed int
	// Polls are the answers of describe-service-deployments; the last one is
	// repeated. Nil stands for an answer without the deployment.
	Polls []map[string]any
}

// deployment is an entry in the list of a service's deployments.
type deployment struct {
	Name           string // last part of the ARNs of deployment and revision
	TaskDefinition string // "" for the one that the build registered
	Age            int64  // seconds before the build's start
}

// fault makes one program's call fail.
type fault struct {
	Call   string // how the call starts, such as "aws ecs update-service"
	Nth    int    // only the nth such call; 0 for all
	Stderr string
	Stdout string // in place of an answer
	Status int    // 1 where it is 0; -1 for success
}

// exit is the error of a program that ends with a status.
type exit struct {
	status  int
	message string
}

func (e exit) Error() string { return e.message }

func runFake(name string, fake func(cloud, []string) error) int {
	err := func() error {
		folder := os.Getenv(cloudEnv)
		content, err := os.ReadFile(filepath.Join(folder, "cloud.json"))
		if err != nil {
			return err
		}
		c := cloud{Folder: folder, Log: os.Getenv("FAKE_LOG")}
		if err := json.Unmarshal(content, &c); err != nil {
			return err
		}
		line := strings.Join(append([]string{name}, os.Args[1:]...), "|")
		log, err := os.OpenFile(c.Log, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		_, err = log.WriteString(line + "\n")
		if err := errors.Join(err, log.Close()); err != nil {
			return err
		}
		for _, f := range c.Faults {
			call := strings.ReplaceAll(f.Call, " ", "|")
			if line != call && !strings.HasPrefix(line, call+"|") {
				continue
			}
			n, err := c.calls(call)
			if err != nil {
				return err
			}
			if f.Nth != 0 && n != f.Nth {
				continue
			}
			// Whoever writes to it must not be the one that fails.
			if slices.Contains(os.Args, "--password-stdin") {
				_, _ = io.Copy(io.Discard, os.Stdin)
			}
			fmt.Fprint(os.Stdout, f.Stdout) //nolint:errcheck // as below
			if f.Status == -1 {
				return nil
			}
			return exit{max(f.Status, 1), f.Stderr}
		}
		return fake(c, os.Args[1:])
	}()
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, err)
	if e := (exit{}); errors.As(err, &e) {
		return e.status
	}
	return 97 // the fake itself is at fault
}

// calls counts the calls that start so, including this one.
func (c cloud) calls(start string) (int, error) {
	log, err := os.ReadFile(c.Log)
	if err != nil {
		return 0, err
	}
	n := 0
	for line := range strings.Lines(string(log)) {
		if line = strings.TrimSuffix(line, "\n"); line == start || strings.HasPrefix(line, start+"|") {
			n++
		}
	}
	return n, nil
}

// note keeps a text for later calls, and for the test.
func (c cloud) note(name, text string) error {
	return os.WriteFile(filepath.Join(c.Folder, name), []byte(text), 0o600)
}

// noted returns a text that was kept, or "".
func (c cloud) noted(name string) string {
	text, err := os.ReadFile(filepath.Join(c.Folder, name))
	if err != nil {
		return ""
	}
	return string(text)
}

// start is the time at which every build starts.
const start = 1_795_000_000

func (c cloud) now() int64 {
	slept, _ := strconv.ParseInt(c.noted("slept"), 10, 64)
	return start + slept
}

func fakeDate(c cloud, args []string) error {
	switch strings.Join(args, " ") {
	case "+%s":
		fmt.Fprintln(os.Stdout, c.now()) //nolint:errcheck // a lost answer fails the build
	case "-u +%Y%m%d%H%M%S":
		fmt.Fprintln(os.Stdout, "20261118100640") //nolint:errcheck // a lost answer fails the build
	default:
		return exit{2, "date: unexpected arguments"}
	}
	return nil
}

func fakeSleep(c cloud, args []string) error {
	if len(args) != 1 {
		return exit{2, "sleep: want one argument"}
	}
	seconds, err := strconv.ParseInt(args[0], 10, 64)
	if err != nil {
		return exit{2, "sleep: " + err.Error()}
	}
	return c.note("slept", strconv.FormatInt(c.now()-start+seconds, 10))
}

// eachJq runs a test as eachSession does, with gojq and with the machine's own jq.
func eachJq(t *testing.T, newMachine func(*testing.T) *cloudMachine, test func(t *testing.T, m *cloudMachine, s session)) {
	t.Helper()
	for _, tc := range []struct {
		name    string
		arrange func(m *cloudMachine)
	}{
		{name: "gojq", arrange: func(*cloudMachine) {}},
		{name: "the machine's jq", arrange: (*cloudMachine).withMachinesJq},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			eachSession(t, newMachine, func(t *testing.T, m *cloudMachine, s session) {
				tc.arrange(m)
				test(t, m, s)
			})
		})
	}
}
