package stacks

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/rehearse/iampolicy"
	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

// call is a call of an AWS API, and whether a role may make it.
type call struct {
	action, resource string
	allowed          bool
}

// evaluator evaluates IAM policies. It is one process for all tests, and ends with theirs.
var evaluator = sync.OnceValues(func() (*iampolicy.Evaluator, error) { return iampolicy.Start(context.Background()) })

// ask asks the evaluator what a principal with these policies may do.
func ask(t *testing.T, policies []json.RawMessage, questions ...question) {
	t.Helper()
	e, err := evaluator()
	if err != nil {
		t.Fatal(err)
	}
	requests := make([]iampolicy.Request, len(questions))
	for i, q := range questions {
		requests[i] = q.Request
	}
	decisions, err := e.Evaluate(t.Context(), policies, requests)
	if err != nil {
		t.Fatal(err)
	}
	for i, q := range questions {
		if decisions[i].Allowed != q.allowed {
			t.Errorf("%s: %s on %s %v: allowed is %v, want %v (%s)", q.Principal, q.Action, q.Resource, q.Context, decisions[i].Allowed, q.allowed, decisions[i].Reason)
		}
	}
}

// checkCalls asks what a role, named by the start of its logical id, may do.
func checkCalls(t *testing.T, tmpl *assembly.Template, role string, calls []call) {
	t.Helper()
	questions := make([]question, len(calls))
	for i, c := range calls {
		questions[i] = question{iampolicy.Request{Action: c.action, Resource: c.resource}, c.allowed}
	}
	checkQuestions(t, tmpl, role, questions)
}

// roleOf says which calls a role in the template of a blog or service may make.
type roleOf[P any] struct {
	name  string
	props P
	role  string // the start of its logical id
	calls func(t *testing.T, tmpl *assembly.Template) []call
}

func checkRoles[P any](t *testing.T, template func(*testing.T, P) *assembly.Template, roles []roleOf[P]) {
	t.Helper()
	for _, r := range roles {
		t.Run(r.name, func(t *testing.T) {
			tmpl := template(t, r.props)
			checkCalls(t, tmpl, r.role, r.calls(t, tmpl))
		})
	}
}

// question is a call with all that IAM looks at.
type question struct {
	iampolicy.Request
	allowed bool
}

func checkQuestions(t *testing.T, tmpl *assembly.Template, role string, questions []question) {
	t.Helper()
	id := roleID(t, tmpl, role)
	policies, err := tmpl.RolePolicies(id)
	if err != nil {
		t.Fatal(err)
	}
	for i := range questions {
		questions[i].Principal = arnOf(t, tmpl, id)
	}
	ask(t, policies, questions...)
}

func arnOf(t *testing.T, tmpl *assembly.Template, id string) string {
	t.Helper()
	return at(t, tmpl, map[string]any{"Fn::GetAtt": []any{id, "Arn"}}).(string)
}

// artifacts returns the ARN of the stack's bucket.
func artifacts(t *testing.T, tmpl *assembly.Template) string {
	t.Helper()
	return arnOf(t, tmpl, tmpl.OfType("AWS::S3::Bucket")[0].ID)
}

// log returns a stream of the log group whose logical id starts with id.
func log(t *testing.T, tmpl *assembly.Template, id string) string {
	t.Helper()
	return strings.TrimSuffix(arnOf(t, tmpl, named(t, tmpl, "AWS::Logs::LogGroup", id).ID), ":*") + ":log-stream:some-stream"
}

// invoking are the calls of a role that may invoke one function, by its ARN or by that of
// a version or an alias, and no other whose name begins the same.
func invoking(function string) []call {
	const invoke = "lambda:InvokeFunction"
	return []call{
		{invoke, function, true}, {invoke, function + ":7", true}, {invoke, function + ":live", true},
		{invoke, function + "2", false}, {invoke, function + "-x", false}, {invoke, function + "2:7", false}, {invoke, function + "-x:live", false},
		{"lambda:UpdateFunctionCode", function, false},
	}
}

// edge is the start of a distribution's ARN.
const edge = "arn:aws:cloudfront::" + fixtures.Account + ":distribution/"

func TestRoles(t *testing.T) {
	const (
		object = "arn:aws:s3:::"
		region = "us-east-1"
	)
	checkRoles(t, template, []roleOf[props.Blog]{
		{"invalidate", fixtures.Modern, "InvalidateRole", func(t *testing.T, tmpl *assembly.Template) []call {
			return []call{
				{"cloudfront:CreateInvalidation", edge + fixtures.Modern.Invalidate.DistributionID, true},
				{"cloudfront:GetInvalidation", edge + fixtures.Modern.Invalidate.DistributionID, true},
				{"cloudfront:CreateInvalidation", edge + fixtures.Classic.Invalidate.DistributionID, false},
				{"cloudfront:GetDistribution", edge + fixtures.Modern.Invalidate.DistributionID, false},
				{"cloudfront:UpdateDistribution", edge + fixtures.Modern.Invalidate.DistributionID, false},
				{"codepipeline:PutJobSuccessResult", "*", true},
				{"codepipeline:PutJobFailureResult", "*", true},
				{"logs:PutLogEvents", log(t, tmpl, "InvalidateLog"), true},
				{"logs:PutLogEvents", log(t, tmpl, "BuildLog"), false},
				{"s3:GetObject", artifacts(t, tmpl) + "/source.zip", false},
			}
		}},
		// The article's build role had AmazonS3FullAccess.
		{"build", fixtures.Modern, "BuildRole", func(t *testing.T, tmpl *assembly.Template) []call {
			return []call{
				{"s3:GetObject", artifacts(t, tmpl) + "/source.zip", true},
				{"s3:PutObject", artifacts(t, tmpl) + "/site.zip", true},
				{"s3:DeleteObject", artifacts(t, tmpl) + "/site.zip", false},
				{"logs:PutLogEvents", log(t, tmpl, "BuildLog"), true},
				{"logs:PutLogEvents", "arn:aws:logs:us-east-1:" + fixtures.Account + ":log-group:/aws/codebuild/another:log-stream:s", false},
				{"logs:PutLogEvents", log(t, tmpl, "InvalidateLog"), false},
				{"s3:PutObject", object + fixtures.Modern.Deploy.Bucket + "/index.html", false},
				{"s3:GetObject", object + "another-bucket/secret", false},
				{"codeconnections:UseConnection", fixtures.ConnectionARN, false},
				{"cloudfront:CreateInvalidation", edge + fixtures.Modern.Invalidate.DistributionID, false},
			}
		}},
		{"build that clones", fixtures.Full, "BuildRole", func(t *testing.T, tmpl *assembly.Template) []call {
			return []call{
				{"codeconnections:UseConnection", fixtures.ConnectionARN, true},
				{"codeconnections:UseConnection", strings.Replace(fixtures.ConnectionARN, "0123", "9876", 1), false},
			}
		}},
		{"schedule", fixtures.Complete, "ScheduleRole", func(t *testing.T, tmpl *assembly.Template) []call {
			const pipeline = "arn:aws:codepipeline:ap-northeast-1:" + fixtures.Account + ":"
			return []call{
				{"codepipeline:StartPipelineExecution", pipeline + "complete", true},
				{"codepipeline:StartPipelineExecution", pipeline + "complete-2", false},
				{"codepipeline:StopPipelineExecution", pipeline + "complete", false},
				{"s3:GetObject", artifacts(t, tmpl) + "/source.zip", false},
			}
		}},
		{"source", fixtures.Modern, "SourceRole", func(t *testing.T, tmpl *assembly.Template) []call {
			return []call{
				{"codeconnections:UseConnection", fixtures.ConnectionARN, true},
				{"s3:PutObject", artifacts(t, tmpl) + "/source.zip", true},
				{"s3:PutObject", object + fixtures.Modern.Deploy.Bucket + "/index.html", false},
			}
		}},
		{"deploy to a whole bucket", fixtures.Modern, "DeployRole", func(t *testing.T, tmpl *assembly.Template) []call {
			return []call{
				{"s3:PutObject", object + "kzmorita-blog/index.html", true},
				{"s3:PutObject", object + "kzmorita-blog-of-somebody-else/index.html", false},
				{"s3:DeleteObject", object + "kzmorita-blog/index.html", false},
				{"s3:PutBucketPolicy", object + "kzmorita-blog", false},
				{"s3:GetObject", artifacts(t, tmpl) + "/site.zip", true},
				{"s3:PutObject", artifacts(t, tmpl) + "/site.zip", false},
			}
		}},
		{"deploy to a shared bucket", fixtures.Full, "DeployRole", func(t *testing.T, tmpl *assembly.Template) []call {
			return []call{
				{"s3:PutObject", object + "kzmorita-shared/ja/notes/index.html", true},
				{"s3:PutObject", object + "kzmorita-shared/index.html", false},
				{"s3:PutObject", object + "kzmorita-shared/en/notes/index.html", false},
			}
		}},
		{"deploy to a Site", fixtures.Complete, "DeployRole", func(t *testing.T, tmpl *assembly.Template) []call {
			bucket, _ := published(t, fixtures.Complete)
			another, _ := published(t, fixtures.Tokyo)
			at2 := siteTemplate(t, fixtures.Complete)
			logs := strings.TrimPrefix(at(t, at2, at2.Outputs["AccessLogBucketName"].Value).(string), object)
			return []call{
				{"s3:PutObject", object + bucket + "/index.html", true},
				{"s3:PutObject", object + another + "/index.html", false},
				{"s3:PutObject", object + logs + "/index.html", false},
				{"s3:GetObject", object + bucket + "/index.html", false},
				{"s3:DeleteObject", object + bucket + "/index.html", false},
				{"s3:DeleteObjectVersion", object + bucket + "/index.html", false},
				{"s3:PutBucketPolicy", object + bucket, false},
				{"s3:GetObject", artifacts(t, tmpl) + "/site.zip", true},
				{"s3:PutObject", artifacts(t, tmpl) + "/site.zip", false},
			}
		}},
		{"invalidate a Site", fixtures.Complete, "InvalidateRole", func(t *testing.T, _ *assembly.Template) []call {
			_, distribution := published(t, fixtures.Complete)
			_, another := published(t, fixtures.Tokyo)
			return []call{
				{"cloudfront:CreateInvalidation", edge + distribution, true},
				{"cloudfront:GetInvalidation", edge + distribution, true},
				{"cloudfront:CreateInvalidation", edge + another, false},
				{"cloudfront:UpdateDistribution", edge + distribution, false},
				{"cloudfront:DeleteDistribution", edge + distribution, false},
			}
		}},
		{"build action", fixtures.Modern, "PipelineBuildCodePipelineActionRole", func(t *testing.T, tmpl *assembly.Template) []call {
			arn := arnOf(t, tmpl, tmpl.OfType("AWS::CodeBuild::Project")[0].ID)
			return []call{
				{"codebuild:StartBuild", arn, true},
				{"codebuild:StopBuild", arn, true},
				{"codebuild:StartBuild", arn + "-of-somebody-else", false},
				{"codebuild:UpdateProject", arn, false},
			}
		}},
		{"invalidate action", fixtures.Modern, "InvalidateActionRole", func(t *testing.T, tmpl *assembly.Template) []call {
			return invoking(arnOf(t, tmpl, tmpl.OfType("AWS::Lambda::Function")[0].ID))
		}},
		{"notifications to an existing topic", fixtures.Full, "ActionFailedEventsRole", func(*testing.T, *assembly.Template) []call {
			return []call{
				{"sns:Publish", fixtures.Full.Notifications.TopicARN, true},
				{"sns:Publish", fixtures.Full.Notifications.TopicARN + "2", false},
			}
		}},
		{"pipeline", fixtures.Modern, "PipelineRole", func(t *testing.T, tmpl *assembly.Template) []call {
			return []call{
				{"s3:GetObject", artifacts(t, tmpl) + "/source.zip", true},
				{"s3:PutObject", object + fixtures.Modern.Deploy.Bucket + "/index.html", false},
				{"codebuild:StartBuild", "arn:aws:codebuild:" + region + ":" + fixtures.Account + ":project/another", false},
			}
		}},
	})
}

// TestWhoMayAssumeARole checks that only the pipeline may assume the actions' roles, and only the one
// service that needs it each of the others.
func TestWhoMayAssumeARole(t *testing.T) {
	for name, tmpl := range allApp().templates {
		pipelineRole := "none"
		if len(tmpl.OfType("AWS::CodePipeline::Pipeline")) > 0 {
			pipelineRole = arnOf(t, tmpl, roleID(t, tmpl, "PipelineRole"))
		}
		for _, role := range tmpl.OfType("AWS::IAM::Role") {
			statements := at(t, tmpl, role.Properties, "AssumeRolePolicyDocument", "Statement").([]any)
			if len(statements) != 1 {
				t.Errorf("%s: %s trusts %d principals, want 1", name, role.ID, len(statements))
			}
			principal := at(t, tmpl, statements[0], "Principal").(map[string]any)
			if _, made := principal["Service"].(string); !made && principal["AWS"] != pipelineRole {
				t.Errorf("%s: %s trusts %v, want a service or the pipeline's role", name, role.ID, principal)
			}
		}
	}
}

// TestStarsHaveNoResource checks that only actions for which IAM has no type of resource are allowed on
// "*".
func TestStarsHaveNoResource(t *testing.T) {
	known := map[string]bool{
		"codepipeline:PutJobSuccessResult": true,
		"codepipeline:PutJobFailureResult": true,
		"lambda:ListFunctions":             true, // CDK's, for CodePipeline's console

		"ecr:GetAuthorizationToken":                 true,
		"ecs:DescribeTaskDefinition":                true,
		"ecs:DeregisterTaskDefinition":              true,
		"elasticloadbalancing:DescribeListeners":    true,
		"elasticloadbalancing:DescribeRules":        true,
		"elasticloadbalancing:DescribeTargetGroups": true,
		"elasticloadbalancing:DescribeTargetHealth": true,
	}
	for name, tmpl := range allApp().templates {
		for _, policy := range tmpl.OfType("AWS::IAM::Policy") {
			for _, s := range at(t, tmpl, policy.Properties, "PolicyDocument", "Statement").([]any) {
				statement := s.(map[string]any)
				if statement["Resource"] != "*" {
					continue
				}
				actions, ok := statement["Action"].([]any)
				if !ok {
					actions = []any{statement["Action"]}
				}
				for _, action := range actions {
					if !known[action.(string)] {
						t.Errorf("%s: %s allows %v on *", name, policy.ID, action)
					}
				}
			}
		}
	}
}

// roleID finds a role by the start of its logical id.
func roleID(t *testing.T, tmpl *assembly.Template, id string) string {
	t.Helper()
	return named(t, tmpl, "AWS::IAM::Role", id).ID
}

// TestPoliciesFit compares the policies that the CDK makes of a role's grants with IAM's limits.
func TestPoliciesFit(t *testing.T) {
	all := maps.Clone(allApp().templates)
	maps.Copy(all, changedApp().templates)
	for name, tmpl := range all {
		for _, kind := range []struct {
			cfnType     string
			size, count int
		}{{"AWS::IAM::Policy", 10240, 1}, {"AWS::IAM::ManagedPolicy", 6144, 10}} {
			count := map[string]int{}
			for _, policy := range tmpl.OfType(kind.cfnType) {
				resolved, err := tmpl.Resolve(policy.Properties["PolicyDocument"])
				if err != nil {
					t.Fatal(err)
				}
				if n := len(contract.JSON(resolved)); n > kind.size {
					t.Errorf("%s: %s has %d characters, and IAM allows %d", name, policy.ID, n, kind.size)
				}
				role := fmt.Sprint(policy.Properties["Roles"])
				if count[role]++; count[role] > kind.count {
					t.Errorf("%s: %s has more than %d of %s", name, role, kind.count, kind.cfnType)
				}
			}
		}
	}
}
