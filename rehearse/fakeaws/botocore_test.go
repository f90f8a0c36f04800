package fakeaws_test

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"blog-deploy-pipeline/rehearse/fakeaws"
)

// botoModel is the model of an operation in botocore.
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
	Member, Key *botoShape // of a list and of a map
	URI         bool       // whether it is a part of the path
}

func (b *boto3) model(t *testing.T, w *world, service, operation string) (model botoModel) {
	t.Helper()
	b.ask(t, w, botoCall{Service: service, Operation: operation}, &model)
	return model
}

// botoOperation is an operation of the doubles with a valid input.
type botoOperation struct {
	service, operation string
	input              func(t *testing.T, w *world) map[string]any
	// refusal is the error code for inputs that the model forbids.
	refusal string
	// stricter holds the error codes for inputs that AWS refuses although its model allows them, and for inputs with
	// another code than refusal.
	stricter map[string]string
	// unknown lists the members that the double refuses, because no function sends them.
	unknown []string
}

// botoOperations holds the operations. Together the inputs of an operation have all members of the model.
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
		service: "codepipeline", operation: "GetPipeline", refusal: "ValidationException",
		input: func(*testing.T, *world) map[string]any { return map[string]any{"name": "my-blog", "version": 1} },
		stricter: map[string]string{
			"name of 1 characters": "PipelineNotFoundException", "name of 100 characters": "PipelineNotFoundException",
		},
	},
	{
		service: "codepipeline", operation: "GetPipelineState", refusal: "ValidationException",
		input: func(*testing.T, *world) map[string]any { return map[string]any{"name": "my-blog"} },
		stricter: map[string]string{
			"name of 1 characters": "PipelineNotFoundException", "name of 100 characters": "PipelineNotFoundException",
		},
	},
	{
		service: "codepipeline", operation: "ListPipelineExecutions", refusal: "ValidationException",
		input: func(t *testing.T, w *world) map[string]any {
			out, err := w.codePipeline.ListPipelineExecutions(t.Context(), &codepipeline.ListPipelineExecutionsInput{PipelineName: aws.String("my-blog"), MaxResults: aws.Int32(1)})
			if err != nil {
				t.Fatal(err)
			}
			return map[string]any{"pipelineName": "my-blog", "maxResults": 1, "nextToken": *out.NextToken}
		},
		stricter: map[string]string{
			"pipelineName of 1 characters": "PipelineNotFoundException", "pipelineName of 100 characters": "PipelineNotFoundException",
			"nextToken of 1 characters": "InvalidNextTokenException", "nextToken of 2048 characters": "InvalidNextTokenException",
		},
	},
	{
		service: "codepipeline", operation: "ListPipelineExecutions", refusal: "ValidationException",
		input: func(*testing.T, *world) map[string]any {
			return map[string]any{"pipelineName": "my-blog", "filter": map[string]any{"succeededInStage": map[string]any{"stageName": "Source"}}}
		},
		stricter: map[string]string{
			"pipelineName of 1 characters": "PipelineNotFoundException", "pipelineName of 100 characters": "PipelineNotFoundException",
		},
	},
	{
		service: "codepipeline", operation: "ListActionExecutions", refusal: "ValidationException",
		input: func(t *testing.T, w *world) map[string]any {
			filter := &cptypes.ActionExecutionFilter{PipelineExecutionId: aws.String(firstExecution)}
			out, err := w.codePipeline.ListActionExecutions(t.Context(), &codepipeline.ListActionExecutionsInput{PipelineName: aws.String("my-blog"), MaxResults: aws.Int32(1), Filter: filter})
			if err != nil {
				t.Fatal(err)
			}
			return map[string]any{"pipelineName": "my-blog", "maxResults": 2, "nextToken": *out.NextToken, "filter": map[string]any{"pipelineExecutionId": firstExecution}}
		},
		stricter: map[string]string{
			"pipelineName of 1 characters": "PipelineNotFoundException", "pipelineName of 100 characters": "PipelineNotFoundException",
			"nextToken of 1 characters": "InvalidNextTokenException", "nextToken of 2048 characters": "InvalidNextTokenException",
			"filter absent": "InvalidNextTokenException", "filter.pipelineExecutionId absent": "InvalidNextTokenException", // A token belongs to one list.
		},
	},
	{
		service: "codepipeline", operation: "ListActionExecutions", refusal: "ValidationException",
		input: func(*testing.T, *world) map[string]any {
			return map[string]any{"pipelineName": "my-blog", "filter": map[string]any{"latestInPipelineExecution": map[string]any{"pipelineExecutionId": lastExecution, "startTimeRange": "Latest"}}}
		},
		stricter: map[string]string{
			"pipelineName of 1 characters": "PipelineNotFoundException", "pipelineName of 100 characters": "PipelineNotFoundException",
		},
	},
	{
		service: "codedeploy", operation: "ListDeployments", refusal: "InvalidApplicationNameException",
		input: func(*testing.T, *world) map[string]any {
			return map[string]any{"applicationName": "shop", "deploymentGroupName": "blue-green", "includeOnlyStatuses": []any{"InProgress"}}
		},
		stricter: map[string]string{
			"applicationName absent": "ApplicationNameRequiredException", "deploymentGroupName absent": "DeploymentGroupNameRequiredException",
			"applicationName of 1 characters": "ApplicationDoesNotExistException", "applicationName of 100 characters": "ApplicationDoesNotExistException",
			"deploymentGroupName of 1 characters": "DeploymentGroupDoesNotExistException", "deploymentGroupName of 100 characters": "DeploymentGroupDoesNotExistException",
			"deploymentGroupName of 0 characters": "InvalidDeploymentGroupNameException", "deploymentGroupName of 101 characters": "InvalidDeploymentGroupNameException",
			"deploymentGroupName with another character": "InvalidDeploymentGroupNameException",
		},
		unknown: []string{"externalId", "createTimeRange", "nextToken"},
	},
	{
		service: "codedeploy", operation: "GetDeploymentGroup", refusal: "InvalidApplicationNameException",
		input: func(*testing.T, *world) map[string]any {
			return map[string]any{"applicationName": "shop", "deploymentGroupName": "blue-green"}
		},
		stricter: map[string]string{
			"applicationName absent": "ApplicationNameRequiredException", "deploymentGroupName absent": "DeploymentGroupNameRequiredException",
			"applicationName of 1 characters": "ApplicationDoesNotExistException", "applicationName of 100 characters": "ApplicationDoesNotExistException",
			"deploymentGroupName of 1 characters": "DeploymentGroupDoesNotExistException", "deploymentGroupName of 100 characters": "DeploymentGroupDoesNotExistException",
			"deploymentGroupName of 0 characters": "InvalidDeploymentGroupNameException", "deploymentGroupName of 101 characters": "InvalidDeploymentGroupNameException",
			"deploymentGroupName with another character": "InvalidDeploymentGroupNameException",
		},
	},
	{
		service: "codedeploy", operation: "GetDeployment", refusal: "DeploymentIdRequiredException",
		input: func(t *testing.T, w *world) map[string]any {
			d := startDeployment(t, w.cloud, "AfterAllowTraffic")
			if answer := w.report(t, d.Next(), hookFailed); answer != nil {
				t.Fatal(answer)
			}
			return map[string]any{"deploymentId": d.ID()}
		},
	},
	{
		service: "codedeploy", operation: "ListDeploymentTargets", refusal: "DeploymentIdRequiredException",
		input: func(t *testing.T, w *world) map[string]any {
			return map[string]any{"deploymentId": startDeployment(t, w.cloud, "AfterAllowTraffic").ID()}
		},
		unknown:  []string{"nextToken", "targetFilters"},
		stricter: map[string]string{"deploymentId absent": "DeploymentIdRequiredException"},
	},
	{
		service: "codedeploy", operation: "BatchGetDeploymentTargets", refusal: "DeploymentIdRequiredException",
		input: func(t *testing.T, w *world) map[string]any {
			d := startDeployment(t, w.cloud, "BeforeAllowTraffic", "AfterAllowTraffic")
			if answer := w.report(t, d.Next(), hookFailed); answer != nil {
				t.Fatal(answer)
			}
			return map[string]any{"deploymentId": d.ID(), "targetIds": []any{"production:shop"}}
		},
		stricter: map[string]string{"targetIds absent": "DeploymentTargetIdRequiredException"},
	},
	{
		service: "ecs", operation: "ListServiceDeployments", refusal: "InvalidParameterException",
		input: func(t *testing.T, w *world) map[string]any {
			for range 2 {
				startService(t, w.cloud, nil)
			}
			out, err := w.ecs.ListServiceDeployments(t.Context(), &ecs.ListServiceDeploymentsInput{Cluster: aws.String("production"), Service: aws.String("shop"), MaxResults: aws.Int32(1)})
			if err != nil {
				t.Fatal(err)
			}
			return map[string]any{"cluster": "production", "service": "shop", "maxResults": 1, "nextToken": *out.NextToken}
		},
		stricter: map[string]string{"cluster absent": "ClusterNotFoundException"},
		unknown:  []string{"status", "createdAt"},
	},
	{
		service: "ecs", operation: "DescribeServiceDeployments", refusal: "InvalidParameterException",
		input: func(t *testing.T, w *world) map[string]any {
			d := startService(t, w.cloud, nil, hookAt(hookFunction, "PRODUCTION_TRAFFIC_SHIFT"))
			answer(t, d.Next(), `{"hookStatus":"FAILED"}`)
			return map[string]any{"serviceDeploymentArns": []any{d.ARN()}}
		},
	},
	{
		service: "sts", operation: "AssumeRole", refusal: "ValidationError",
		input: func(*testing.T, *world) map[string]any {
			return map[string]any{"RoleArn": edgeRole, "RoleSessionName": "my-blog", "DurationSeconds": 900}
		},
		stricter: map[string]string{
			"DurationSeconds is 43200": "ValidationError", // A role that is assumed by a role is limited to an hour.
		},
		unknown: []string{
			"PolicyArns", "Policy", "Tags", "TransitiveTagKeys", "ExternalId", "SerialNumber", "TokenCode", "SourceIdentity", "ProvidedContexts", "MinimumSessionTokenSize",
		},
	},
	{service: "sts", operation: "GetCallerIdentity", refusal: "ValidationError", input: func(*testing.T, *world) map[string]any { return map[string]any{} }},
}

// mutation is a change of an input.
type mutation struct {
	name, path string
	to         any // nil removes the member
	legal      bool
}

// mutations returns a change to each limit of each member of the model, and one beyond it. It adds the paths of the members
// to covered.
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
			if !member.URI { // boto3 itself requires the parts of the path.
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
			number(18446744974, false) // This number of seconds overflows to 900 in int64 nanoseconds.
		}
	default:
		t.Errorf("%s: no mutations for a %s", path, s.Type)
	}
	return all
}

// TestDoublesKeepToBotocoresModels sends inputs at and beyond every limit of botocore's models, and compares the replies
// with the models.
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
				w := botoWorld(t) // Each call has a world of its own, because invalidations count against quotas.
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

// paths returns the paths of all members below a shape.
func paths(s *botoShape, at string) map[string]bool {
	all := make(map[string]bool)
	for name, member := range s.Members {
		path := strings.TrimPrefix(at+"."+name, ".")
		all[path] = true
		maps.Copy(all, paths(member, path))
	}
	return all
}

// against returns the differences of an output from the model.
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
	case "integer", "long", "double":
		if _, ok := value.(float64); !ok {
			bad("got %v, want a number", value)
		}
	case "boolean":
		if _, ok := value.(bool); !ok {
			bad("got %v, want true or false", value)
		}
	case "map":
		entries, ok := value.(map[string]any)
		if !ok {
			bad("got %v, want a map", value)
		}
		for name := range entries {
			problems = append(problems, against(s.Key, name, path+"'s key")...)
		}
	default:
		bad("no check for a %s", s.Type)
	}
	return problems
}

// TestHooksOfECSAreBotocores compares the hooks of the double of ECS with the model of a service's hooks.
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
	known := map[string]bool{"targetType": true, "timeoutConfiguration": true} // These are for kinds of hooks that the double does not support.
	for field := range reflect.TypeFor[fakeaws.ServiceHook]().Fields() {
		known[field.Tag.Get("json")] = true
	}
	if got, want := slices.Sorted(maps.Keys(model.Members)), slices.Sorted(maps.Keys(known)); !slices.Equal(got, want) {
		t.Errorf("members of a hook: the model has %q, the double knows %q", got, want)
	}
}
