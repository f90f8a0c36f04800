package stacks

import (
	"blog-deploy-pipeline/stacks/props"
	"strings"
	"testing"

	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/rehearse/iampolicy"
)

// call is a call of an AWS API, and whether a role may make it.
type call struct {
	action, resource string
	allowed          bool
}

// checkCalls asks a real evaluator of IAM policies what a role, named by the start of
// its logical id, may do.
func checkCalls(t *testing.T, tmpl *assembly.Template, role string, calls []call) {
	t.Helper()
	questions := make([]question, len(calls))
	for i, c := range calls {
		questions[i] = question{iampolicy.Request{Action: c.action, Resource: c.resource}, c.allowed}
	}
	checkQuestions(t, tmpl, role, questions)
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
	principal := arnOf(t, tmpl, id)
	requests := make([]iampolicy.Request, len(questions))
	for i, q := range questions {
		requests[i] = q.Request
		requests[i].Principal = principal
	}
	decisions, err := iampolicy.Evaluate(t.Context(), policies, requests)
	if err != nil {
		t.Fatal(err)
	}
	for i, q := range questions {
		if decisions[i].Allowed != q.allowed {
			t.Errorf("%s on %s %v: allowed is %v, want %v (%s)", q.Action, q.Resource, q.Context, decisions[i].Allowed, q.allowed, decisions[i].Reason)
		}
	}
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
	for _, group := range tmpl.OfType("AWS::Logs::LogGroup") {
		if strings.HasPrefix(group.ID, id) {
			return strings.TrimSuffix(arnOf(t, tmpl, group.ID), ":*") + ":log-stream:some-stream"
		}
	}
	t.Fatalf("no log group %s", id)
	return ""
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
const edge = "arn:aws:cloudfront::" + account + ":distribution/"

func TestRoles(t *testing.T) {
	const (
		object = "arn:aws:s3:::"
		region = "us-east-1"
	)
	tests := []struct {
		name  string
		props props.Blog
		role  string // start of the logical id
		calls func(t *testing.T, tmpl *assembly.Template) []call
	}{
		{"invalidate", modern, "InvalidateRole", func(t *testing.T, tmpl *assembly.Template) []call {
			return []call{
				{"cloudfront:CreateInvalidation", edge + modern.Invalidate.DistributionID, true},
				{"cloudfront:GetInvalidation", edge + modern.Invalidate.DistributionID, true},
				{"cloudfront:CreateInvalidation", edge + classic.Invalidate.DistributionID, false},
				{"cloudfront:GetDistribution", edge + modern.Invalidate.DistributionID, false},
				{"cloudfront:UpdateDistribution", edge + modern.Invalidate.DistributionID, false},
				{"codepipeline:PutJobSuccessResult", "*", true},
				{"codepipeline:PutJobFailureResult", "*", true},
				{"logs:PutLogEvents", log(t, tmpl, "InvalidateLog"), true},
				{"logs:PutLogEvents", log(t, tmpl, "BuildLog"), false},
				{"s3:GetObject", artifacts(t, tmpl) + "/source.zip", false},
			}
		}},
		// The article's build role had AmazonS3FullAccess.
		{"build", modern, "BuildRole", func(t *testing.T, tmpl *assembly.Template) []call {
			return []call{
				{"s3:GetObject", artifacts(t, tmpl) + "/source.zip", true},
				{"s3:PutObject", artifacts(t, tmpl) + "/site.zip", true},
				{"s3:DeleteObject", artifacts(t, tmpl) + "/site.zip", false},
				{"logs:PutLogEvents", log(t, tmpl, "BuildLog"), true},
				{"logs:PutLogEvents", "arn:aws:logs:us-east-1:" + account + ":log-group:/aws/codebuild/another:log-stream:s", false},
				{"logs:PutLogEvents", log(t, tmpl, "InvalidateLog"), false},
				{"s3:PutObject", object + modern.Deploy.Bucket + "/index.html", false},
				{"s3:GetObject", object + "another-bucket/secret", false},
				{"codeconnections:UseConnection", connectionARN, false},
				{"cloudfront:CreateInvalidation", edge + modern.Invalidate.DistributionID, false},
			}
		}},
		{"build that clones", full, "BuildRole", func(t *testing.T, tmpl *assembly.Template) []call {
			return []call{
				{"codeconnections:UseConnection", connectionARN, true},
				{"codeconnections:UseConnection", strings.Replace(connectionARN, "0123", "9876", 1), false},
			}
		}},
		{"schedule", complete, "ScheduleRole", func(t *testing.T, tmpl *assembly.Template) []call {
			const pipeline = "arn:aws:codepipeline:ap-northeast-1:" + account + ":"
			return []call{
				{"codepipeline:StartPipelineExecution", pipeline + "complete", true},
				{"codepipeline:StartPipelineExecution", pipeline + "complete-2", false},
				{"codepipeline:StopPipelineExecution", pipeline + "complete", false},
				{"s3:GetObject", artifacts(t, tmpl) + "/source.zip", false},
			}
		}},
		{"source", modern, "SourceRole", func(t *testing.T, tmpl *assembly.Template) []call {
			return []call{
				{"codeconnections:UseConnection", connectionARN, true},
				{"s3:PutObject", artifacts(t, tmpl) + "/source.zip", true},
				{"s3:PutObject", object + modern.Deploy.Bucket + "/index.html", false},
			}
		}},
		{"deploy to a whole bucket", modern, "DeployRole", func(t *testing.T, tmpl *assembly.Template) []call {
			return []call{
				{"s3:PutObject", object + "kzmorita-blog/index.html", true},
				{"s3:PutObject", object + "kzmorita-blog-of-somebody-else/index.html", false},
				{"s3:DeleteObject", object + "kzmorita-blog/index.html", false},
				{"s3:PutBucketPolicy", object + "kzmorita-blog", false},
				{"s3:GetObject", artifacts(t, tmpl) + "/site.zip", true},
				{"s3:PutObject", artifacts(t, tmpl) + "/site.zip", false},
			}
		}},
		{"deploy to a shared bucket", full, "DeployRole", func(t *testing.T, tmpl *assembly.Template) []call {
			return []call{
				{"s3:PutObject", object + "kzmorita-shared/ja/notes/index.html", true},
				{"s3:PutObject", object + "kzmorita-shared/index.html", false},
				{"s3:PutObject", object + "kzmorita-shared/en/notes/index.html", false},
			}
		}},
		{"deploy to a Site", complete, "DeployRole", func(t *testing.T, tmpl *assembly.Template) []call {
			bucket, _ := published(t, complete)
			another, _ := published(t, tokyo)
			at2 := siteTemplate(t, complete)
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
		{"invalidate a Site", complete, "InvalidateRole", func(t *testing.T, _ *assembly.Template) []call {
			_, distribution := published(t, complete)
			_, another := published(t, tokyo)
			return []call{
				{"cloudfront:CreateInvalidation", edge + distribution, true},
				{"cloudfront:GetInvalidation", edge + distribution, true},
				{"cloudfront:CreateInvalidation", edge + another, false},
				{"cloudfront:UpdateDistribution", edge + distribution, false},
				{"cloudfront:DeleteDistribution", edge + distribution, false},
			}
		}},
		{"build action", modern, "PipelineBuildCodePipelineActionRole", func(t *testing.T, tmpl *assembly.Template) []call {
			arn := arnOf(t, tmpl, tmpl.OfType("AWS::CodeBuild::Project")[0].ID)
			return []call{
				{"codebuild:StartBuild", arn, true},
				{"codebuild:StopBuild", arn, true},
				{"codebuild:StartBuild", arn + "-of-somebody-else", false},
				{"codebuild:UpdateProject", arn, false},
			}
		}},
		{"invalidate action", modern, "InvalidateActionRole", func(t *testing.T, tmpl *assembly.Template) []call {
			return invoking(arnOf(t, tmpl, tmpl.OfType("AWS::Lambda::Function")[0].ID))
		}},
		{"notifications to an existing topic", full, "ActionFailedEventsRole", func(*testing.T, *assembly.Template) []call {
			return []call{
				{"sns:Publish", full.Notifications.TopicARN, true},
				{"sns:Publish", full.Notifications.TopicARN + "2", false},
			}
		}},
		{"pipeline", modern, "PipelineRole", func(t *testing.T, tmpl *assembly.Template) []call {
			return []call{
				{"s3:GetObject", artifacts(t, tmpl) + "/source.zip", true},
				{"s3:PutObject", object + modern.Deploy.Bucket + "/index.html", false},
				{"codebuild:StartBuild", "arn:aws:codebuild:" + region + ":" + account + ":project/another", false},
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tmpl := template(t, tt.props)
			checkCalls(t, tmpl, tt.role, tt.calls(t, tmpl))
		})
	}
}

// TestWhoMayTakeOnARole: the actions' roles are for the pipeline alone, the others
// for the one service that needs them.
func TestWhoMayTakeOnARole(t *testing.T) {
	for name, tmpl := range templates {
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

// TestStarsHaveNoResource: an action is allowed on "*" only where IAM knows no
// resource for it.
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
	for name, tmpl := range templates {
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
	for _, role := range tmpl.OfType("AWS::IAM::Role") {
		if strings.HasPrefix(role.ID, id) {
			return role.ID
		}
	}
	t.Fatalf("%s has no role %s", tmpl.Name, id)
	return ""
}
