package buildspec

import (
	"bufio"
	"bytes"
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
// docker find their [cloud] and keep what they were given.
const cloudEnv = "FAKE_CLOUD"

// password opens the registry. It must turn up nowhere but on docker's stdin.
const password = "pass-word-of-the-registry"

// fakes are the programs that this test binary is when it is called by their
// names. jq is gojq, so that tests run the same with and without a jq on the
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

// build runs the recipe in front of the machine's cloud, and makes sure that
// the registry's password stays where it belongs.
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

// withMachinesJq has the recipe use the jq of this machine, where it has one:
// it is what CodeBuild's images have, and gojq only claims to be alike.
func (m *cloudMachine) withMachinesJq() {
	m.t.Helper()
	if _, err := exec.LookPath("jq"); err != nil {
		m.t.Skip("this machine has no jq; the other tests run the same with gojq")
	}
	m.remove("jq")
	m.link("jq")
}

// cloud is what aws and docker know before a build. The fakes keep everything
// else in files in their folder, one program's never written by another.
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
	// Deployments of the service that others started before and after.
	Others []deployment
	// Listed is the call of list-service-deployments from which on the
	// deployment of the build is in its answer; 0 for never.
	Listed int
	// Polls are the answers of describe-service-deployments, the last one for
	// good. Nil stands for an answer without the deployment.
	Polls []map[string]any
}

// deployment is one in the list of a service.
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

// exit is an error of a program that ends with a status of its own.
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

// calls counts the calls that start so, this one among them.
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

// noted is a text that was kept, or "".
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

// options are a program's arguments, by name.
type options map[string][]string

func (o options) get(name string) string {
	if len(o[name]) == 0 {
		return ""
	}
	return o[name][0]
}

// parseOptions reads --name value and --name=value as the AWS CLI and docker do. Known
// lists every name with the most values it takes; a "!" in front of a name marks
// one that must be there. What belongs to no option is returned as the rest.
func parseOptions(args []string, known map[string]int) (options, []string, error) {
	got := make(options)
	var rest []string
	for i := 0; i < len(args); i++ {
		name, value, joined := strings.Cut(args[i], "=")
		if !strings.HasPrefix(name, "--") {
			rest = append(rest, args[i])
			continue
		}
		most, ok := known[name]
		if !ok {
			most, ok = known["!"+name]
		}
		if !ok {
			return nil, nil, exit{252, "Unknown options: " + name}
		}
		if _, twice := got[name]; twice {
			return nil, nil, exit{252, name + " was given twice"}
		}
		got[name] = []string{}
		if joined {
			got[name] = append(got[name], value)
		}
		for len(got[name]) < most && i+1 < len(args) && !strings.HasPrefix(args[i+1], "--") {
			i++
			got[name] = append(got[name], args[i])
		}
		if most > 0 && len(got[name]) == 0 || len(got[name]) > most {
			return nil, nil, exit{252, fmt.Sprintf("argument %s: got %d values, want 1 to %d", name, len(got[name]), most)}
		}
	}
	for name := range known {
		if name, required := strings.CutPrefix(name, "!"); required && got[name] == nil {
			return nil, nil, exit{252, "the following arguments are required: " + name}
		}
	}
	return got, rest, nil
}

func printJSON(v any) error {
	enc := json.NewEncoder(os.Stdout)
	enc.SetEscapeHTML(false) // as the AWS CLI
	return enc.Encode(v)
}

// awsCalls are the calls that the recipes may make.
var awsCalls = map[string]struct {
	known map[string]int
	run   func(c cloud, o options) error
}{
	"ecr get-login-password":           {map[string]int{"!--region": 1}, getLoginPassword},
	"ecs describe-task-definition":     {map[string]int{"!--task-definition": 1, "--output": 1}, describeTaskDefinition},
	"ecs register-task-definition":     {map[string]int{"--cli-input-json": 1, "--generate-cli-skeleton": 1, "--output": 1}, registerTaskDefinition},
	"ecs deregister-task-definition":   {map[string]int{"!--task-definition": 1, "--output": 1}, deregisterTaskDefinition},
	"ecs update-service":               {map[string]int{"--cluster": 1, "!--service": 1, "--task-definition": 1, "--output": 1}, updateService},
	"ecs list-service-deployments":     {map[string]int{"--cluster": 1, "!--service": 1, "--created-at": 1, "--output": 1}, listServiceDeployments},
	"ecs describe-service-revisions":   {map[string]int{"!--service-revision-arns": 20, "--output": 1}, describeServiceRevisions},
	"ecs describe-service-deployments": {map[string]int{"!--service-deployment-arns": 20, "--output": 1}, describeServiceDeployments},
}

func fakeAWS(c cloud, args []string) error {
	if len(args) < 2 {
		return exit{252, "aws: want a service and an operation"}
	}
	call, ok := awsCalls[args[0]+" "+args[1]]
	if !ok {
		return exit{252, "argument operation: Invalid choice: " + args[0] + " " + args[1]}
	}
	o, rest, err := parseOptions(args[2:], call.known)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return exit{252, fmt.Sprintf("Unknown options: %q", rest)}
	}
	// The format is otherwise whatever the machine is configured for.
	if _, ok := call.known["--output"]; ok && o["--generate-cli-skeleton"] == nil && o.get("--output") != "json" {
		return exit{252, fmt.Sprintf("output is %q, want json", o.get("--output"))}
	}
	return call.run(c, o)
}

// awsError is an error of a service, as the AWS CLI prints it.
func awsError(code, operation, message string) error {
	return exit{254, fmt.Sprintf("\nAn error occurred (%s) when calling the %s operation: %s", code, operation, message)}
}

func getLoginPassword(c cloud, o options) error {
	if o.get("--region") != c.Region {
		fmt.Fprintln(os.Stdout, "the password of another region") //nolint:errcheck // docker refuses either
		return nil
	}
	_, err := fmt.Fprintln(os.Stdout, password)
	return err
}

func describeTaskDefinition(c cloud, o options) error {
	if o.get("--task-definition") != c.Family {
		return awsError("ClientException", "DescribeTaskDefinition", "Unable to describe task definition.")
	}
	return printJSON(map[string]any{"taskDefinition": c.TaskDefinition, "tags": []any{}})
}

// registrable are the fields of RegisterTaskDefinition's input.
//
// AWS source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html
var registrable = []string{
	"family", "taskRoleArn", "executionRoleArn", "networkMode", "containerDefinitions", "volumes",
	"placementConstraints", "requiresCompatibilities", "cpu", "memory", "tags", "pidMode", "ipcMode",
	"proxyConfiguration", "inferenceAccelerators", "ephemeralStorage", "runtimePlatform", "enableFaultInjection",
}

// newRevision is the ARN of what the build registers.
func (c cloud) newRevision() string {
	return ecsARN("task-definition/" + c.Family + ":" + strconv.Itoa(c.Revision+1))
}

func ecsARN(resource string) string { return "arn:aws:ecs:eu-west-1:111122223333:" + resource }

func registerTaskDefinition(c cloud, o options) error {
	if o["--generate-cli-skeleton"] != nil {
		if o.get("--generate-cli-skeleton") != "input" {
			return exit{252, "argument --generate-cli-skeleton: want input"}
		}
		skeleton := make(map[string]any)
		for _, name := range registrable {
			skeleton[name] = ""
		}
		return printJSON(skeleton)
	}
	path, ok := strings.CutPrefix(o.get("--cli-input-json"), "file://")
	if !ok {
		return exit{252, "--cli-input-json names no file"}
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return exit{252, "Error parsing parameter 'cli-input-json': " + err.Error()}
	}
	var input map[string]any
	if err := json.Unmarshal(content, &input); err != nil {
		return exit{252, "Error parsing parameter 'cli-input-json': Invalid JSON received."}
	}
	for name := range input {
		if !slices.Contains(registrable, name) {
			return exit{252, "Parameter validation failed:\nUnknown parameter in input: " + name}
		}
	}
	if input["family"] != c.Family {
		return awsError("ClientException", "RegisterTaskDefinition", "another family")
	}
	if err := c.note("registered.json", string(content)); err != nil {
		return err
	}
	return printJSON(map[string]any{"taskDefinition": map[string]any{"taskDefinitionArn": c.newRevision(), "revision": c.Revision + 1}})
}

// deregisterTaskDefinition takes only what the build has registered, and only while no
// deployment of it is under way.
func deregisterTaskDefinition(c cloud, o options) error {
	const operation = "DeregisterTaskDefinition"
	if c.noted("registered.json") == "" || o.get("--task-definition") != c.newRevision() {
		return awsError("ClientException", operation, "The specified task definition does not exist.")
	}
	if c.noted("deregistered") != "" {
		return awsError("InvalidParameterException", operation, "The specified task definition is inactive.")
	}
	if c.noted("updated") != "" {
		polls, err := c.calls("aws|ecs|describe-service-deployments")
		if err != nil {
			return err
		}
		if polls == 0 {
			return awsError("ClientException", operation, "nobody has seen how the deployment ended")
		}
		switch status := c.Polls[min(polls, len(c.Polls))-1]["status"]; status {
		case "STOPPED", "FAILED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED":
		default:
			return awsError("ClientException", operation, fmt.Sprintf("the deployment is %v", status))
		}
	}
	if err := c.note("deregistered", c.newRevision()); err != nil {
		return err
	}
	return printJSON(map[string]any{"taskDefinition": map[string]any{"taskDefinitionArn": c.newRevision(), "status": "INACTIVE"}})
}

func updateService(c cloud, o options) error {
	if err := c.wantService(o, "UpdateService"); err != nil {
		return err
	}
	if c.noted("registered.json") == "" || o.get("--task-definition") != c.newRevision() {
		return awsError("ClientException", "UpdateService", "TaskDefinition not found.")
	}
	if err := c.note("updated", strconv.FormatInt(c.now(), 10)); err != nil {
		return err
	}
	return printJSON(map[string]any{"service": map[string]any{"serviceName": c.Service, "taskDefinition": c.newRevision()}})
}

func (c cloud) wantService(o options, operation string) error {
	if o.get("--cluster") != c.Cluster {
		return awsError("ClusterNotFoundException", operation, "Cluster not found.")
	}
	if o.get("--service") != c.Service {
		return awsError("ServiceNotFoundException", operation, "Service not found.")
	}
	return nil
}

// ours is the deployment that the build starts.
const ours = "ours"

func deploymentARN(name string) string { return ecsARN("service-deployment/c/s/" + name) }
func revisionARN(name string) string   { return ecsARN("service-revision/c/s/" + name) }

func listServiceDeployments(c cloud, o options) error {
	if err := c.wantService(o, "ListServiceDeployments"); err != nil {
		return err
	}
	after, err := strconv.ParseInt(strings.TrimPrefix(o.get("--created-at"), "after="), 10, 64)
	if err != nil || !strings.HasPrefix(o.get("--created-at"), "after=") {
		return exit{252, "Error parsing parameter '--created-at'"}
	}
	n, err := c.calls("aws|ecs|list-service-deployments")
	if err != nil {
		return err
	}
	all := slices.Clone(c.Others)
	if c.Listed > 0 && n >= c.Listed && c.noted("updated") != "" {
		all = append(all, deployment{Name: ours})
	}
	listed := []any{}
	for _, d := range all {
		if created := start - d.Age; created >= after {
			listed = append(listed, map[string]any{
				"serviceDeploymentArn":     deploymentARN(d.Name),
				"targetServiceRevisionArn": revisionARN(d.Name),
				"createdAt":                created,
				"status":                   "IN_PROGRESS",
			})
		}
	}
	return printJSON(map[string]any{"serviceDeployments": listed})
}

func describeServiceRevisions(c cloud, o options) error {
	revisions, failures := []any{}, []any{}
	for _, arn := range o["--service-revision-arns"] {
		i := slices.IndexFunc(c.Others, func(d deployment) bool { return revisionARN(d.Name) == arn })
		switch {
		case arn == revisionARN(ours):
			revisions = append(revisions, map[string]any{"serviceRevisionArn": arn, "taskDefinition": c.newRevision()})
		case i >= 0 && c.Others[i].TaskDefinition == "":
			revisions = append(revisions, map[string]any{"serviceRevisionArn": arn, "taskDefinition": c.newRevision()})
		case i >= 0:
			revisions = append(revisions, map[string]any{"serviceRevisionArn": arn, "taskDefinition": c.Others[i].TaskDefinition})
		default:
			failures = append(failures, map[string]any{"arn": arn, "reason": "MISSING"})
		}
	}
	return printJSON(map[string]any{"serviceRevisions": revisions, "failures": failures})
}

func describeServiceDeployments(c cloud, o options) error {
	if got, want := o["--service-deployment-arns"], []string{deploymentARN(ours)}; !slices.Equal(got, want) {
		return awsError("InvalidParameterException", "DescribeServiceDeployments", fmt.Sprintf("got %q, want %q", got, want))
	}
	n, err := c.calls("aws|ecs|describe-service-deployments")
	if err != nil {
		return err
	}
	poll := c.Polls[min(n, len(c.Polls))-1]
	if poll == nil {
		return printJSON(map[string]any{"serviceDeployments": []any{}, "failures": []any{map[string]any{"reason": "MISSING"}}})
	}
	return printJSON(map[string]any{"serviceDeployments": []any{poll}, "failures": []any{}})
}

// fakeDocker builds nothing and keeps the tags of what it has built and pushed.
func fakeDocker(c cloud, args []string) error {
	switch command := strings.Join(args[:min(2, len(args))], " "); {
	case command == "version":
		fmt.Fprintln(os.Stdout, "Client and Server") //nolint:errcheck // nobody reads it
		return nil
	case command == "image inspect":
		return dockerInspect(c, args[2:])
	case strings.HasPrefix(command, "login "):
		return dockerLogin(c, args[1:])
	case strings.HasPrefix(command, "build "):
		return dockerBuild(c, args[1:])
	case strings.HasPrefix(command, "push "):
		return dockerPush(c, args[1:])
	default:
		return exit{1, fmt.Sprintf("docker: %q is not a docker command", command)}
	}
}

func dockerLogin(c cloud, args []string) error {
	_, rest, err := parseOptions(args, map[string]int{"!--username": 1, "!--password-stdin": 0})
	if err != nil {
		return err
	}
	given, err := io.ReadAll(bufio.NewReader(os.Stdin))
	if err != nil {
		return err
	}
	if !slices.Equal(rest, []string{c.Registry}) {
		return exit{1, fmt.Sprintf("Error response from daemon: no such host: %q", rest)}
	}
	if string(bytes.TrimSuffix(given, []byte("\n"))) != password {
		return exit{1, "Error response from daemon: login attempt failed with status: 400 Bad Request"}
	}
	return c.note("logged-in", c.Registry)
}

func dockerBuild(c cloud, args []string) error {
	o, rest, err := parseOptions(args, map[string]int{"--pull": 0, "!--file": 1, "!--tag": 1})
	if err != nil {
		return err
	}
	if os.Getenv("DOCKER_BUILDKIT") != "1" {
		return exit{1, "BuildKit is off"}
	}
	if len(rest) != 1 {
		return exit{1, fmt.Sprintf("docker build requires 1 argument, got %q", rest)}
	}
	if _, err := os.Stat(o.get("--file")); err != nil {
		return exit{1, "ERROR: failed to read dockerfile: " + err.Error()}
	}
	entries, err := os.ReadDir(rest[0])
	if err != nil {
		return exit{1, "ERROR: " + err.Error()}
	}
	for _, e := range entries {
		if e.Name() == "deploy-artifact" {
			return exit{1, "the image would contain an artifact"}
		}
	}
	fmt.Fprintln(os.Stderr, "#1 building")
	return c.note("built", o.get("--tag"))
}

func dockerPush(c cloud, args []string) error {
	if len(args) != 1 || args[0] != c.noted("built") {
		return exit{1, fmt.Sprintf("An image does not exist locally with the tag: %q", args)}
	}
	repository, tag, _ := strings.Cut(args[0], ":")
	switch {
	case c.noted("logged-in") != strings.Split(repository, "/")[0]:
		return exit{1, "no basic auth credentials"}
	case slices.Contains(c.Tags, tag):
		return exit{1, "tag invalid: The image tag '" + tag + "' already exists and cannot be overwritten because the tag is immutable."}
	}
	fmt.Fprintln(os.Stdout, tag+": digest: "+digest+" size: 1234") //nolint:errcheck // nobody reads it
	return c.note("pushed", args[0])
}

func dockerInspect(c cloud, args []string) error {
	if len(args) != 1 || args[0] != c.noted("built") {
		return exit{1, "Error: No such image"}
	}
	digests := []string{}
	if image := c.noted("pushed"); image != "" {
		repository, _, _ := strings.Cut(image, ":")
		for _, d := range c.Digests {
			digests = append(digests, strings.ReplaceAll(d, "%s", repository))
		}
	}
	return printJSON([]any{map[string]any{"Id": "sha256:" + strings.Repeat("0", 64), "RepoDigests": digests}})
}

// digest is the one of every image that is pushed.
const digest = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

// eachJq is eachSession with the jq that the tests bring and with the machine's own.
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
