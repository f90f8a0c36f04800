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
	"sync/atomic"
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
	startDeployment(t, w.cloud)
	startService(t, w.cloud, nil)
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
	other := func(of fakeaws.DeploymentInput) func(*testing.T, *world, botoOperation, map[string]any) {
		return func(t *testing.T, w *world, _ botoOperation, input map[string]any) {
			t.Helper()
			of.Application, of.DeploymentGroup = "shop", "blue-green"
			d, err := w.cloud.StartDeployment(of)
			if err != nil {
				t.Fatal(err)
			}
			input["deploymentId"] = d.ID()
		}
	}
	notStarted, toServers := other(fakeaws.DeploymentInput{Created: true}), other(fakeaws.DeploymentInput{Server: true})
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
		{operation: "PutLifecycleEventHookExecutionStatus", want: "UnsupportedActionForDeploymentTypeException", before: toServers},
		{operation: "ListDeployments", path: "applicationName", want: "ApplicationNameRequiredException"},
		{operation: "ListDeployments", path: "applicationName", to: "a b", want: "InvalidApplicationNameException"},
		{operation: "ListDeployments", path: "applicationName", to: "none", want: "ApplicationDoesNotExistException"},
		{operation: "ListDeployments", path: "deploymentGroupName", want: "DeploymentGroupNameRequiredException"},
		{operation: "ListDeployments", path: "deploymentGroupName", to: "a b", want: "InvalidDeploymentGroupNameException"},
		{operation: "ListDeployments", path: "deploymentGroupName", to: "none", want: "DeploymentGroupDoesNotExistException"},
		{operation: "ListDeployments", path: "includeOnlyStatuses", to: []any{"Running"}, want: "InvalidDeploymentStatusException"},
		{operation: "ListDeployments", path: "nextToken", to: "a", want: "InvalidNextTokenException"},
		{operation: "GetDeploymentGroup", path: "applicationName", want: "ApplicationNameRequiredException"},
		{operation: "GetDeploymentGroup", path: "applicationName", to: "a b", want: "InvalidApplicationNameException"},
		{operation: "GetDeploymentGroup", path: "applicationName", to: "none", want: "ApplicationDoesNotExistException"},
		{operation: "GetDeploymentGroup", path: "deploymentGroupName", want: "DeploymentGroupNameRequiredException"},
		{operation: "GetDeploymentGroup", path: "deploymentGroupName", to: "a b", want: "InvalidDeploymentGroupNameException"},
		{operation: "GetDeploymentGroup", path: "deploymentGroupName", to: "none", want: "DeploymentGroupDoesNotExistException"},
		{operation: "GetDeployment", path: "deploymentId", want: "DeploymentIdRequiredException"},
		{operation: "GetDeployment", path: "deploymentId", to: "deployment", want: "InvalidDeploymentIdException"},
		{operation: "GetDeployment", path: "deploymentId", to: "d-AAAAAAAAA", want: "DeploymentDoesNotExistException"},
		{operation: "ListDeploymentTargets", path: "deploymentId", want: "DeploymentIdRequiredException"},
		{operation: "ListDeploymentTargets", path: "deploymentId", to: "deployment", want: "InvalidDeploymentIdException"},
		{operation: "ListDeploymentTargets", path: "deploymentId", to: "d-AAAAAAAAA", want: "DeploymentDoesNotExistException"},
		{operation: "ListDeploymentTargets", path: "nextToken", to: "a", want: "InvalidNextTokenException"},
		{operation: "ListDeploymentTargets", want: "DeploymentNotStartedException", before: notStarted},
		{operation: "ListDeploymentTargets", want: "InvalidDeploymentInstanceTypeException", before: toServers},
		{operation: "BatchGetDeploymentTargets", path: "deploymentId", want: "DeploymentIdRequiredException"},
		{operation: "BatchGetDeploymentTargets", path: "deploymentId", to: "deployment", want: "InvalidDeploymentIdException"},
		{operation: "BatchGetDeploymentTargets", path: "deploymentId", to: "d-AAAAAAAAA", want: "DeploymentDoesNotExistException"},
		{operation: "BatchGetDeploymentTargets", want: "DeploymentNotStartedException", before: notStarted},
		{operation: "BatchGetDeploymentTargets", path: "targetIds", to: []any{}, want: "DeploymentTargetIdRequiredException"},
		{operation: "BatchGetDeploymentTargets", path: "targetIds", to: []any{"shop"}, want: "InvalidDeploymentTargetIdException"},
		{operation: "BatchGetDeploymentTargets", path: "targetIds", to: []any{"production:api"}, want: "DeploymentTargetDoesNotExistException"},
		{operation: "BatchGetDeploymentTargets", path: "targetIds", to: numbered(26, "production:shop%d"), want: "DeploymentTargetListSizeExceededException"},
		{operation: "ListServiceDeployments", path: "maxResults", to: 101, want: "InvalidParameterException"},
		{operation: "ListServiceDeployments", path: "service", to: "api", want: "ServiceNotFoundException"},
		{operation: "ListServiceDeployments", path: "cluster", to: "none", want: "ClusterNotFoundException"},
		{operation: "ListServiceDeployments", want: "AccessDeniedException", authorize: os.ErrPermission},
		{operation: "DescribeServiceDeployments", path: "serviceDeploymentArns", to: []any{"shop"}, want: "InvalidParameterException"},
		{operation: "DescribeServiceDeployments", path: "serviceDeploymentArns", to: []any{"arn:aws:ecs:eu-west-1:123456789012:service-deployment/production/api/1"}, want: "ServiceNotFoundException"},
		{operation: "DescribeServiceDeployments", want: "AccessDeniedException", authorize: os.ErrPermission},
		{operation: "AssumeRole", path: "RoleArn", to: "arn:aws:iam::123456789012:role/none", want: "AccessDenied"},
	}
	// The doubles never return these errors. That of STS refuses the parameters themselves, has no disabled Region, and returns
	// ExpiredToken for an expired key, as users report. That of CodeDeploy refuses parameters that no caller sends, and has no
	// instances. That of ECS has services for all its operations, and fails as every service does.
	never := []string{
		"MalformedPolicyDocument", "PackedPolicyTooLarge", "RegionDisabledException", "ExpiredTokenException", "InvalidContextAssertion",
		"InvalidTimeRangeException", "InvalidExternalIdException", "InvalidInputException", "DeploymentConfigDoesNotExistException",
		"InvalidInstanceStatusException", "InvalidInstanceTypeException", "InvalidTargetFilterNameException", "InstanceDoesNotExistException",
		"UnsupportedFeatureException", "ClientException", "ServerException",
	}
	// These list errors of other operations in botocore's model.
	elsewhere := []string{
		"ListDeploymentTargets ApplicationDoesNotExistException", "ListDeploymentTargets DeploymentGroupDoesNotExistException", // It names a deployment alone.
		"DescribeServiceDeployments ClusterNotFoundException", // The cluster is a part of the ARN.
	}

	seen := make(map[string]bool)
	for _, test := range tests {
		t.Run(test.operation+"/"+test.want, func(t *testing.T) {
			var denies atomic.Bool // once there is an input
			w := newWorld(t, fakeaws.Options{Authorize: func(fakeaws.Call) error {
				if denies.Load() {
					return test.authorize
				}
				return nil
			}})
			w.cloud.AddDistribution(fakeaws.Distribution{ID: distID})
			w.cloud.AddRole(edgeRole)
			addPipeline(t, w)
			startDeployment(t, w.cloud)
			op := botoOperations[slices.IndexFunc(botoOperations, func(op botoOperation) bool { return op.operation == test.operation })]
			input := op.input(t, w)
			denies.Store(true)
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
			if !seen[op.operation+" "+code] && !slices.Contains(never, code) && !slices.Contains(elsewhere, op.operation+" "+code) {
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
				if strings.HasPrefix(op.service, "code") || op.service == "ecs" { // with the JSON protocol
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
