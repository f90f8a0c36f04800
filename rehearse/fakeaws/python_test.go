package fakeaws_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"blog-deploy-pipeline/rehearse/fakeaws"
)

// pythonEnv names the variable with the path of the Python that has boto3 and the AWS CLI. `make lint` sets
// it; they are not among the tools `make test` needs.
const pythonEnv = "AWS_PYTHON"

func python(t *testing.T) string {
	t.Helper()
	path := os.Getenv(pythonEnv)
	if path == "" {
		t.Skipf("%s is not set to the path of a Python with boto3; make lint sets it", pythonEnv)
	}
	return path
}

// apart is the whole environment of a Python program, which so knows nothing of this machine's AWS accounts
// and proxies. Without NO_PROXY Python asks macOS for its proxy.
func apart(t *testing.T, more map[string]string) []string {
	t.Helper()
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "NO_PROXY=127.0.0.1", "AWS_EC2_METADATA_DISABLED=true"}
	for _, name := range slices.Sorted(maps.Keys(more)) {
		env = append(env, name+"="+more[name])
	}
	return env
}

// boto3 is a running testdata/boto3_calls.py.
type boto3 struct {
	in  *json.Encoder
	out *bufio.Reader
}

func startBoto3(t *testing.T) *boto3 {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), python(t), filepath.Join("testdata", "boto3_calls.py"))
	cmd.Env, cmd.Stderr = apart(t, nil), os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // It is killed: t.Context ends before.
	return &boto3{in: json.NewEncoder(in), out: bufio.NewReader(out)}
}

// botoCall is a call of an operation, or without Input a question about its model.
type botoCall struct {
	Service   string         `json:"service"`
	Operation string         `json:"operation"`
	Input     map[string]any `json:"input,omitzero"`
	// Shape asks for one of the model's by its name instead.
	Shape       string            `json:"shape,omitempty"`
	Endpoint    string            `json:"endpoint"`
	Region      string            `json:"region"`
	Credentials map[string]string `json:"credentials"`
}

// botoAnswer is how boto3 sees an answer: its exception's class and what is in it, or the output.
type botoAnswer struct {
	Class, Code, Message, RequestID string
	Status                          int
	Output                          map[string]any
}

// botoModel is an operation in botocore's model.
type botoModel struct {
	Input, Output *botoShape
	Errors        map[string]struct { // by code
		Class  string
		Status int
	}
}

type botoShape struct {
	Type        string
	Required    []string
	Min, Max    *int
	Pattern     string
	Enum        []string
	Members     map[string]*botoShape
	Member, Key *botoShape // of a list, of a map
	URI         bool       // part of the path
}

func (b *boto3) ask(t *testing.T, w *world, call botoCall, answer any) {
	t.Helper()
	call.Endpoint, call.Region, call.Credentials = w.url, region, w.credentials.Env()
	if err := b.in.Encode(call); err != nil {
		t.Fatalf("%s.%s: %v", call.Service, call.Operation, err)
	}
	line, err := b.out.ReadBytes('\n')
	if err != nil {
		t.Fatalf("%s.%s %v: boto3 ended, its words are above: %v", call.Service, call.Operation, call.Input, err)
	}
	if err := json.Unmarshal(line, answer); err != nil {
		t.Fatalf("%s.%s: %s: %v", call.Service, call.Operation, line, err)
	}
}

func (b *boto3) call(t *testing.T, w *world, service, operation string, input map[string]any) (answer botoAnswer) {
	t.Helper()
	b.ask(t, w, botoCall{Service: service, Operation: operation, Input: input}, &answer)
	return answer
}

func (b *boto3) model(t *testing.T, w *world, service, operation string) (model botoModel) {
	t.Helper()
	b.ask(t, w, botoCall{Service: service, Operation: operation}, &model)
	return model
}

// altered returns a copy of an input where the value at a path such as "failureDetails.type" is another, or
// absent where it is nil.
func altered(input map[string]any, path string, to any) map[string]any {
	input = maps.Clone(input)
	name, rest, deeper := strings.Cut(path, ".")
	switch {
	case deeper:
		input[name] = altered(input[name].(map[string]any), rest, to)
	case to == nil:
		delete(input, name)
	default:
		input[name] = to
	}
	return input
}

// botoWorld has one of everything that the operations are about.
func botoWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, fakeaws.Options{})
	w.cloud.AddDistribution(fakeaws.Distribution{ID: distID, CompleteAfterGets: 1})
	w.cloud.AddRole(edgeRole)
	return w
}

// botoOperation is an operation of the doubles, with an input that is right.
type botoOperation struct {
	service, operation string
	input              func(t *testing.T, w *world) map[string]any
	// refusal is the code for what the model forbids.
	refusal string
	// stricter are the codes for what AWS refuses although its model has nothing against it, and where it
	// has another code than refusal.
	stricter map[string]string
	// unknown members are those that the double refuses: nothing here sends them.
	unknown []string
}

// botoOperations have all members of the model, if not in one input of an operation, then in several.
var botoOperations = []botoOperation{
	{
		service: "cloudfront", operation: "CreateInvalidation", refusal: "MalformedXML",
		input: func(*testing.T, *world) map[string]any {
			return map[string]any{"DistributionId": distID, "InvalidationBatch": map[string]any{
				"CallerReference": "job-1", "Paths": map[string]any{"Quantity": 2, "Items": []any{"/*", "/a&b"}},
			}}
		},
		stricter: map[string]string{
			"InvalidationBatch absent":             "MissingBody",
			"InvalidationBatch.Paths.Items absent": "InconsistentQuantities",
		},
	},
	{
		service: "cloudfront", operation: "GetInvalidation",
		input: func(t *testing.T, w *world) map[string]any {
			out, err := w.create(t, "job-1", "/*")
			if err != nil {
				t.Fatal(err)
			}
			return map[string]any{"DistributionId": distID, "Id": *out.Invalidation.Id}
		},
	},
	{
		service: "codepipeline", operation: "PutJobSuccessResult", refusal: "ValidationException",
		input: func(t *testing.T, w *world) map[string]any {
			return map[string]any{
				"jobId":            w.startAction(t).ID(),
				"currentRevision":  map[string]any{"revision": "r", "changeIdentifier": "c", "created": "2026-11-21T12:00:00Z", "revisionSummary": "s"},
				"executionDetails": map[string]any{"summary": "s", "externalExecutionId": "e", "percentComplete": 50},
				"outputVariables":  map[string]any{"a-Z_0@": "v"},
			}
		},
	},
	{
		service: "codepipeline", operation: "PutJobSuccessResult", refusal: "ValidationException",
		input: func(t *testing.T, w *world) map[string]any {
			return map[string]any{"jobId": w.startAction(t).ID(), "continuationToken": "t"}
		},
	},
	{
		service: "codepipeline", operation: "PutJobFailureResult", refusal: "ValidationException",
		input: func(t *testing.T, w *world) map[string]any {
			return map[string]any{"jobId": w.startAction(t).ID(), "failureDetails": map[string]any{"type": "JobFailed", "message": "m", "externalExecutionId": "e"}}
		},
	},
	{
		service: "codedeploy", operation: "PutLifecycleEventHookExecutionStatus", refusal: "InvalidLifecycleEventHookExecutionStatusException",
		input: func(t *testing.T, w *world) map[string]any {
			ids := hookReport(startDeployment(t, w.cloud, "AfterAllowTraffic").Next(), "")
			return map[string]any{"deploymentId": *ids.DeploymentId, "lifecycleEventHookExecutionId": *ids.LifecycleEventHookExecutionId, "status": "Succeeded"}
		},
		stricter: map[string]string{
			"deploymentId absent":                  "DeploymentIdRequiredException",
			"lifecycleEventHookExecutionId absent": "InvalidLifecycleEventHookExecutionIdException",
			"status absent":                        "InvalidLifecycleEventHookExecutionStatusException",
			"status is Pending":                    "InvalidLifecycleEventHookExecutionStatusException",
			"status is InProgress":                 "InvalidLifecycleEventHookExecutionStatusException",
			"status is Skipped":                    "InvalidLifecycleEventHookExecutionStatusException",
			"status is Unknown":                    "InvalidLifecycleEventHookExecutionStatusException",
		},
	},
	{
		service: "sts", operation: "AssumeRole", refusal: "ValidationError",
		input: func(*testing.T, *world) map[string]any {
			return map[string]any{"RoleArn": edgeRole, "RoleSessionName": "my-blog", "DurationSeconds": 900}
		},
		stricter: map[string]string{
			"DurationSeconds is 43200": "ValidationError", // A role that is taken on by a role has an hour.
		},
		unknown: []string{
			"PolicyArns", "Policy", "Tags", "TransitiveTagKeys", "ExternalId", "SerialNumber", "TokenCode", "SourceIdentity", "ProvidedContexts", "MinimumSessionTokenSize",
		},
	},
}

// mutation changes one thing of an input.
type mutation struct {
	name, path string
	to         any // nil: absent
	legal      bool
}

// mutations go to each limit of each member of the model, and one beyond. covered gets the members' paths.
func mutations(t *testing.T, s *botoShape, value any, path string, covered map[string]bool) (all []mutation) {
	t.Helper()
	covered[path] = true
	add := func(legal bool, what string, to any) { all = append(all, mutation{path + " " + what, path, to, legal}) }
	switch s.Type {
	case "structure":
		for _, name := range slices.Sorted(maps.Keys(s.Members)) {
			member, at := s.Members[name], strings.TrimPrefix(path+"."+name, ".")
			given, ok := value.(map[string]any)[name]
			if !ok {
				continue
			}
			if !member.URI { // Without it boto3 has no path to send a request to.
				all = append(all, mutation{at + " absent", at, nil, !slices.Contains(s.Required, name)})
			}
			all = append(all, mutations(t, member, given, at, covered)...)
		}
	case "map":
		if s.Key.Pattern != "" {
			add(false, "with another key", map[string]any{"\x01": "v"})
		}
	case "list", "timestamp":
		if s.Min != nil || s.Max != nil {
			t.Errorf("%s: a %s has limits now: have them tried here", path, s.Type)
		}
	case "string":
		if s.Pattern != "" {
			add(false, "with another character", value.(string)+"\x01")
		}
		for _, value := range s.Enum {
			add(true, "is "+value, value)
		}
		if s.Enum != nil {
			add(false, "is none of the values", "None")
		}
		pattern, err := regexp.Compile("^(?:" + s.Pattern + ")$")
		length := func(n int, legal bool) {
			to := strings.Repeat("a", n)
			if !legal || s.Pattern == "" || err == nil && pattern.MatchString(to) {
				add(legal, fmt.Sprintf("of %d characters", n), to)
			}
		}
		if s.Min != nil {
			length(*s.Min, true)
			if *s.Min > 0 {
				length(*s.Min-1, false)
			}
		}
		if s.Max != nil {
			length(*s.Max, true)
			length(*s.Max+1, false)
		}
	case "integer":
		number := func(n int, legal bool) { add(legal, fmt.Sprintf("is %d", n), n) }
		if s.Min != nil {
			number(*s.Min, true)
			number(*s.Min-1, false)
		}
		if s.Max != nil {
			number(*s.Max, true)
			number(*s.Max+1, false)
			number(18446744974, false) // seconds, as int64 nanoseconds, are 900 again
		}
	default:
		t.Errorf("%s: no mutations for a %s", path, s.Type)
	}
	return all
}

// TestDoublesKeepToBotocoresModels goes to every limit of botocore's models, on both sides, and compares
// the answers with them.
func TestDoublesKeepToBotocoresModels(t *testing.T) {
	boto := startBoto3(t)
	covered := make(map[string]map[string]bool)
	for _, op := range botoOperations {
		w := botoWorld(t)
		model := boto.model(t, w, op.service, op.operation)
		if covered[op.operation] == nil {
			covered[op.operation] = make(map[string]bool)
		}
		all := mutations(t, model.Input, op.input(t, w), "", covered[op.operation])
		for _, m := range append([]mutation{{name: "as it should be", legal: true}}, all...) {
			t.Run(op.operation+"/"+m.name, func(t *testing.T) {
				w := botoWorld(t) // Invalidations of one would be in each other's way.
				input := op.input(t, w)
				if m.path != "" {
					input = altered(input, m.path, m.to)
				}
				answer := boto.call(t, w, op.service, op.operation, input)
				want, stricter := op.stricter[m.name]
				if !stricter && !m.legal {
					want = op.refusal
				}
				if answer.Code != want {
					t.Fatalf("got %q (%s), want %q", answer.Code, answer.Message, want)
				}
				if want != "" {
					expectClass(t, model, answer)
				} else if model.Output != nil {
					for _, problem := range against(model.Output, answer.Output, "output") {
						t.Error(problem)
					}
				}
			})
		}
	}
	for _, op := range botoOperations {
		for path := range paths(boto.model(t, botoWorld(t), op.service, op.operation).Input, "") {
			top, _, _ := strings.Cut(path, ".")
			if got, want := covered[op.operation][path], !slices.Contains(op.unknown, top); got != want {
				t.Errorf("%s of %s: tried %v, want %v: the model has a member that botoOperations has not, or the other way round", path, op.operation, got, want)
			}
		}
	}
}

// paths yields those of all members below a shape.
func paths(s *botoShape, at string) map[string]bool {
	all := make(map[string]bool)
	for name, member := range s.Members {
		path := strings.TrimPrefix(at+"."+name, ".")
		all[path] = true
		maps.Copy(all, paths(member, path))
	}
	return all
}

// against returns what in an output is not as the model has it.
func against(s *botoShape, value any, path string) (problems []string) {
	bad := func(format string, args ...any) { problems = append(problems, path+": "+fmt.Sprintf(format, args...)) }
	switch s.Type {
	case "structure":
		members, ok := value.(map[string]any)
		if !ok {
			bad("got %v, want a structure", value)
		}
		for _, name := range s.Required {
			if _, ok := members[name]; !ok {
				bad("%s is required and not there", name)
			}
		}
		for name, member := range s.Members {
			if given, ok := members[name]; ok {
				problems = append(problems, against(member, given, path+"."+name)...)
			}
		}
	case "list":
		items, ok := value.([]any)
		if !ok {
			bad("got %v, want a list", value)
		}
		for _, item := range items {
			problems = append(problems, against(s.Member, item, path)...)
		}
	case "string":
		text, ok := value.(string)
		if !ok || s.Min != nil && len(text) < *s.Min || s.Max != nil && len(text) > *s.Max {
			bad("got %v, want a string within the model's limits", value)
		}
		if pattern, err := regexp.Compile("^(?:" + s.Pattern + ")$"); s.Pattern != "" && err == nil && !pattern.MatchString(text) {
			bad("got %q, want it to match %s", text, s.Pattern)
		}
	case "timestamp":
		text, _ := value.(string)
		if at, err := time.Parse(time.RFC3339, text); err != nil || time.Since(at).Abs() > 24*time.Hour {
			bad("got %v, want a time of today", value)
		}
	case "integer":
		if _, ok := value.(float64); !ok {
			bad("got %v, want a number", value)
		}
	default:
		bad("no check for a %s", s.Type)
	}
	return problems
}

// expectClass compares boto3's exception with the one that the model has for the code.
func expectClass(t *testing.T, model botoModel, answer botoAnswer) {
	t.Helper()
	class, status := "ClientError", answer.Status
	if modelled, ok := model.Errors[answer.Code]; ok {
		class, status = modelled.Class, modelled.Status
	}
	if answer.Class != class || answer.Status != status || answer.Message == "" || answer.RequestID == "" {
		t.Errorf("got %+v, want an exception %s with status %d, a message and a request id", answer, class, status)
	}
}

// TestHooksOfECSAreBotocores: the double of ECS has no requests, but what it takes of a service is ECS's.
func TestHooksOfECSAreBotocores(t *testing.T) {
	boto, w := startBoto3(t), botoWorld(t)
	var model botoShape
	boto.ask(t, w, botoCall{Service: "ecs", Shape: "DeploymentLifecycleHook"}, &model)
	for _, stage := range model.Members["lifecycleStages"].Member.Enum {
		_, err := w.cloud.StartServiceDeployment(fakeaws.ServiceDeploymentInput{Cluster: "shop", Service: "shop", Hooks: []fakeaws.ServiceHook{{
			HookTargetARN: "arn:aws:lambda:eu-west-1:123456789012:function:hook", RoleARN: edgeRole, LifecycleStages: []string{stage},
		}}})
		if err != nil {
			t.Errorf("stage %s: got %v, want none", stage, err)
		}
	}
	known := map[string]bool{"targetType": true, "timeoutConfiguration": true} // For hooks that nothing here makes.
	for field := range reflect.TypeFor[fakeaws.ServiceHook]().Fields() {
		known[field.Tag.Get("json")] = true
	}
	if got, want := slices.Sorted(maps.Keys(model.Members)), slices.Sorted(maps.Keys(known)); !slices.Equal(got, want) {
		t.Errorf("members of a hook: the model has %q, the double knows %q", got, want)
	}
}

// TestBoto3GetsEveryError has boto3 meet every error that the model has for an operation.
func TestBoto3GetsEveryError(t *testing.T) {
	boto := startBoto3(t)
	numbered := func(n int, format string) (all []any) {
		for i := range n {
			all = append(all, fmt.Sprintf(format, i))
		}
		return all
	}
	batch := func(items []any) any {
		return map[string]any{"CallerReference": "job-1", "Paths": map[string]any{"Quantity": len(items), "Items": items}}
	}
	const uuid = "11111111-abcd-1111-abcd-111111abcdef"
	again := func(t *testing.T, w *world, op botoOperation, input map[string]any) {
		t.Helper()
		if answer := boto.call(t, w, op.service, op.operation, input); answer.Code != "" {
			t.Fatalf("first report: got %q", answer.Code)
		}
	}
	tests := []struct {
		operation, want string
		path            string
		to              any
		before          func(t *testing.T, w *world, op botoOperation, input map[string]any)
		authorize       error
	}{
		{operation: "CreateInvalidation", path: "DistributionId", to: "ENONE", want: "NoSuchDistribution"},
		{operation: "CreateInvalidation", want: "AccessDenied", authorize: os.ErrPermission},
		{operation: "CreateInvalidation", path: "InvalidationBatch", to: batch(numbered(16, "/%d/*")), want: "TooManyInvalidationsInProgress"},
		{operation: "CreateInvalidation", path: "InvalidationBatch", want: "MissingBody"},
		{operation: "CreateInvalidation", path: "InvalidationBatch.Paths.Quantity", to: 1, want: "InconsistentQuantities"},
		{operation: "CreateInvalidation", path: "InvalidationBatch", to: batch(numbered(3001, "/%d")), want: "BatchTooLarge"},
		{operation: "CreateInvalidation", path: "InvalidationBatch.Paths.Items", to: []any{"/*", "a"}, want: "InvalidArgument"},
		{operation: "GetInvalidation", path: "DistributionId", to: "ENONE", want: "NoSuchDistribution"},
		{operation: "GetInvalidation", path: "Id", to: "INONE", want: "NoSuchInvalidation"},
		{operation: "GetInvalidation", want: "AccessDenied", authorize: os.ErrPermission},
		{operation: "PutJobSuccessResult", path: "jobId", to: "1", want: "ValidationException"},
		{operation: "PutJobSuccessResult", path: "jobId", to: uuid, want: "JobNotFoundException"},
		{operation: "PutJobSuccessResult", before: again, want: "InvalidJobStateException"},
		{operation: "PutJobSuccessResult", path: "outputVariables", to: map[string]any{"a": strings.Repeat("v", 122880)}, want: "OutputVariablesSizeExceededException"},
		{operation: "PutJobFailureResult", path: "jobId", to: "1", want: "ValidationException"},
		{operation: "PutJobFailureResult", path: "jobId", to: uuid, want: "JobNotFoundException"},
		{operation: "PutJobFailureResult", before: again, want: "InvalidJobStateException"},
		{operation: "PutLifecycleEventHookExecutionStatus", path: "status", to: "Unknown", want: "InvalidLifecycleEventHookExecutionStatusException"},
		{operation: "PutLifecycleEventHookExecutionStatus", path: "lifecycleEventHookExecutionId", to: "x", want: "InvalidLifecycleEventHookExecutionIdException"},
		{operation: "PutLifecycleEventHookExecutionStatus", before: again, want: "LifecycleEventAlreadyCompletedException"},
		{operation: "PutLifecycleEventHookExecutionStatus", path: "deploymentId", want: "DeploymentIdRequiredException"},
		{operation: "PutLifecycleEventHookExecutionStatus", path: "deploymentId", to: "d-AAAAAAAAA", want: "DeploymentDoesNotExistException"},
		{operation: "PutLifecycleEventHookExecutionStatus", path: "deploymentId", to: "deployment", want: "InvalidDeploymentIdException"},
		{operation: "PutLifecycleEventHookExecutionStatus", want: "UnsupportedActionForDeploymentTypeException", before: func(t *testing.T, w *world, _ botoOperation, input map[string]any) {
			d, err := w.cloud.StartDeployment(fakeaws.DeploymentInput{Application: "shop", DeploymentGroup: "servers", Server: true})
			if err != nil {
				t.Fatal(err)
			}
			input["deploymentId"] = d.ID()
		}},
		{operation: "AssumeRole", path: "RoleArn", to: "arn:aws:iam::123456789012:role/none", want: "AccessDenied"},
	}
	// What the double of STS has no occasion for: it refuses the policies and contexts themselves, every
	// Region is on, and a key that has ended is ExpiredToken by all that was seen.
	never := []string{"MalformedPolicyDocument", "PackedPolicyTooLarge", "RegionDisabledException", "ExpiredTokenException", "InvalidContextAssertion"}

	seen := make(map[string]bool)
	for _, test := range tests {
		t.Run(test.operation+"/"+test.want, func(t *testing.T) {
			w := newWorld(t, fakeaws.Options{Authorize: func(fakeaws.Call) error { return test.authorize }})
			w.cloud.AddDistribution(fakeaws.Distribution{ID: distID})
			w.cloud.AddRole(edgeRole)
			op := botoOperations[slices.IndexFunc(botoOperations, func(op botoOperation) bool { return op.operation == test.operation })]
			input := map[string]any{"DistributionId": distID, "Id": "I1"} // What is denied is not looked for.
			if test.authorize == nil || test.operation != "GetInvalidation" {
				input = op.input(t, w)
			}
			if test.before != nil {
				test.before(t, w, op, input)
			}
			if test.path != "" {
				input = altered(input, test.path, test.to)
			}
			answer := boto.call(t, w, op.service, op.operation, input)
			if answer.Code != test.want {
				t.Errorf("got %q (%s), want %q", answer.Code, answer.Message, test.want)
			}
			expectClass(t, boto.model(t, w, op.service, op.operation), answer)
			seen[op.operation+" "+test.want] = true
		})
	}
	for _, op := range botoOperations {
		for code := range boto.model(t, botoWorld(t), op.service, op.operation).Errors {
			if !seen[op.operation+" "+code] && !slices.Contains(never, code) {
				t.Errorf("%s: the model has the error %s: have boto3 meet it here", op.operation, code)
			}
		}
	}
}

func TestBoto3GetsTheRefusalsOfKeys(t *testing.T) {
	boto := startBoto3(t)
	tests := []struct {
		name      string
		key       func(key fakeaws.Credentials, c *fakeaws.Cloud) fakeaws.Credentials
		xml, json string
		message   string
	}{
		{"a role's", func(key fakeaws.Credentials, _ *fakeaws.Cloud) fakeaws.Credentials { return key }, "", "", ""},
		{"a user's", func(_ fakeaws.Credentials, c *fakeaws.Cloud) fakeaws.Credentials {
			return c.Issue("arn:aws:iam::123456789012:user/me", 0)
		}, "", "", ""},
		{"no session token", func(key fakeaws.Credentials, _ *fakeaws.Cloud) fakeaws.Credentials {
			key.SessionToken = ""
			return key
		}, "InvalidClientTokenId", "UnrecognizedClientException", "The security token included in the request is invalid."},
		{"ended", func(_ fakeaws.Credentials, c *fakeaws.Cloud) fakeaws.Credentials {
			return c.Issue(roleARN, -time.Second)
		},
			"ExpiredToken", "ExpiredTokenException", "The security token included in the request is expired"},
		{"wrong secret", func(key fakeaws.Credentials, _ *fakeaws.Cloud) fakeaws.Credentials {
			key.SecretAccessKey = "wrong"
			return key
		}, "SignatureDoesNotMatch", "InvalidSignatureException", "\n\nThe Canonical String for this request should have been\n'POST\n/"},
	}
	for _, test := range tests {
		for _, op := range botoOperations {
			t.Run(test.name+"/"+op.operation, func(t *testing.T) {
				w := botoWorld(t)
				input := op.input(t, w)
				w.credentials = test.key(w.credentials, w.cloud)
				answer := boto.call(t, w, op.service, op.operation, input)
				want, message := test.xml, test.message
				if strings.HasPrefix(op.service, "code") {
					want = test.json
				}
				if op.operation == "GetInvalidation" {
					message = strings.Replace(message, "POST", "GET", 1)
				}
				if answer.Code != want || !strings.Contains(answer.Message, message) {
					t.Errorf("got %q: %s\nwant %q: %s", answer.Code, answer.Message, want, message)
				}
			})
		}
	}
}

// TestAWSCLI types what a person would: README.md's command first.
func TestAWSCLI(t *testing.T) {
	path := python(t)
	w := botoWorld(t)
	out, err := w.create(t, "job-1", "/*")
	if err != nil {
		t.Fatal(err)
	}
	hook := hookReport(startDeployment(t, w.cloud, "AfterAllowTraffic").Next(), "")
	tests := []struct {
		name       string
		command    []string
		want       string // in the output
		wantStatus int
	}{
		{"paths", []string{"cloudfront", "create-invalidation", "--distribution-id", distID, "--paths", "/posts/old/*"}, `"/posts/old/*"`, 0},
		{"a tag and a path", []string{"cloudfront", "create-invalidation", "--distribution-id", distID, "--paths", "#blog:post-1", "/a"}, `"Quantity": 2`, 0},
		{"no path", []string{"cloudfront", "create-invalidation", "--distribution-id", distID, "--paths", "posts"}, "(InvalidArgument) when calling the CreateInvalidation operation: Your request contains one or more invalid invalidation paths.", 255},
		{"an invalidation", []string{"cloudfront", "get-invalidation", "--distribution-id", distID, "--id", aws.ToString(out.Invalidation.Id)}, `"Status": "Completed"`, 0},
		{"wait for an invalidation", []string{"cloudfront", "wait", "invalidation-completed", "--distribution-id", distID, "--id", aws.ToString(out.Invalidation.Id)}, "", 0},
		{"no such distribution", []string{"cloudfront", "get-invalidation", "--distribution-id", "ENONE", "--id", "I1"}, "(NoSuchDistribution)", 255},
		{"success of a job", []string{"codepipeline", "put-job-success-result", "--job-id", w.startAction(t).ID()}, "", 0},
		{"failure of a job", []string{"codepipeline", "put-job-failure-result", "--job-id", w.startAction(t).ID(), "--failure-details", "type=JobFailed,message=by hand"}, "", 0},
		{"no such job", []string{"codepipeline", "put-job-success-result", "--job-id", "11111111-abcd-1111-abcd-111111abcdef"}, "(JobNotFoundException)", 255},
		{"success of a hook", []string{"deploy", "put-lifecycle-event-hook-execution-status", "--deployment-id", *hook.DeploymentId, "--lifecycle-event-hook-execution-id", *hook.LifecycleEventHookExecutionId, "--status", "Succeeded"}, `"lifecycleEventHookExecutionId"`, 0},
		{"no such deployment", []string{"deploy", "put-lifecycle-event-hook-execution-status", "--deployment-id", "d-AAAAAAAAA", "--status", "Succeeded"}, "(DeploymentDoesNotExistException)", 255},
		{"a role", []string{"sts", "assume-role", "--role-arn", edgeRole, "--role-session-name", "me"}, `"SessionToken"`, 0},
		{"no such role", []string{"sts", "assume-role", "--role-arn", edgeRole + "-none", "--role-session-name", "me"}, "(AccessDenied)", 255},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			// Not the script aws, whose first line cannot name a Python in a folder with a space.
			cmd := exec.CommandContext(t.Context(), path, append([]string{"-m", "awscli"}, test.command...)...)
			env := w.credentials.Env()
			env["AWS_ENDPOINT_URL"], env["AWS_DEFAULT_REGION"], env["AWS_MAX_ATTEMPTS"] = w.url, region, "1"
			cmd.Env = apart(t, env)
			out, err := cmd.CombinedOutput()
			if got := cmd.ProcessState.ExitCode(); got != test.wantStatus || !strings.Contains(string(out), test.want) {
				t.Errorf("got status %d (%v):\n%s\nwant %d and %q", got, err, out, test.wantStatus, test.want)
			}
		})
	}
}
