package fakeaws_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/rehearse/fakeaws"
)

// boto3 is a running process of testdata/boto3_calls.py.
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
	t.Cleanup(func() { _ = cmd.Wait() }) // The end of t.Context kills the process before.
	return &boto3{in: json.NewEncoder(in), out: bufio.NewReader(out)}
}

// botoCall is a call of an operation. Without Input it asks for the operation's model.
type botoCall struct {
	Service   string         `json:"service"`
	Operation string         `json:"operation"`
	Input     map[string]any `json:"input,omitzero"`
	// Shape asks for a shape of the model by its name.
	Shape       string            `json:"shape,omitempty"`
	Endpoint    string            `json:"endpoint"`
	Region      string            `json:"region"`
	Credentials map[string]string `json:"credentials"`
}

// botoAnswer is boto3's result of a call: the class and the content of the exception, or the output.
type botoAnswer struct {
	Class, Code, Message, RequestID string
	Status                          int
	Output                          map[string]any
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

// altered returns a copy of an input with another value at a path such as "failureDetails.type". The value nil removes the
// member.
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

// botoWorld returns a world with a distribution, a job, a deployment and a role for the operations.
func botoWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, fakeaws.Options{})
	w.cloud.AddDistribution(fakeaws.Distribution{ID: distID, CompleteAfterGets: 1})
	w.cloud.AddRole(edgeRole)
	addPipeline(t, w)
	return w
}

// expectClass compares the class of boto3's exception with the model's class for the code.
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

// TestBoto3GetsEveryError provokes every error in the model of each operation.
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
	const uuid = "33333333-abcd-3333-abcd-333333abcdef"
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
		{operation: "GetPipeline", path: "name", to: "a b", want: "ValidationException"},
		{operation: "GetPipeline", path: "name", to: "other", want: "PipelineNotFoundException"},
		{operation: "GetPipeline", path: "version", to: 2, want: "PipelineVersionNotFoundException"},
		{operation: "GetPipelineState", path: "name", to: "a b", want: "ValidationException"},
		{operation: "GetPipelineState", path: "name", to: "other", want: "PipelineNotFoundException"},
		{operation: "ListPipelineExecutions", path: "maxResults", to: 0, want: "ValidationException"},
		{operation: "ListPipelineExecutions", path: "pipelineName", to: "other", want: "PipelineNotFoundException"},
		{operation: "ListPipelineExecutions", path: "nextToken", to: "other", want: "InvalidNextTokenException"},
		{operation: "ListActionExecutions", path: "maxResults", to: 0, want: "ValidationException"},
		{operation: "ListActionExecutions", path: "pipelineName", to: "other", want: "PipelineNotFoundException"},
		{operation: "ListActionExecutions", path: "nextToken", to: "other", want: "InvalidNextTokenException"},
		{operation: "ListActionExecutions", path: "filter", to: map[string]any{"pipelineExecutionId": uuid}, want: "PipelineExecutionNotFoundException"},
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
	// The double of STS never returns these errors: it refuses the parameters themselves, it has no disabled Region, and it
	// returns ExpiredToken for an expired key, as users report.
	never := []string{"MalformedPolicyDocument", "PackedPolicyTooLarge", "RegionDisabledException", "ExpiredTokenException", "InvalidContextAssertion"}

	seen := make(map[string]bool)
	for _, test := range tests {
		t.Run(test.operation+"/"+test.want, func(t *testing.T) {
			w := newWorld(t, fakeaws.Options{Authorize: func(fakeaws.Call) error { return test.authorize }})
			w.cloud.AddDistribution(fakeaws.Distribution{ID: distID})
			w.cloud.AddRole(edgeRole)
			addPipeline(t, w)
			op := botoOperations[slices.IndexFunc(botoOperations, func(op botoOperation) bool { return op.operation == test.operation })]
			input := map[string]any{"DistributionId": distID, "Id": "I1"} // IAM denies the call before CloudFront looks for the invalidation.
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
