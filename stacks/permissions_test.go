package stacks

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/rehearse/iam"
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
		service, _, _ := strings.Cut(c.action, ":")
		questions[i] = question{iampolicy.Request{Action: c.action, Resource: c.resource, ResourcePolicy: ownPolicies[service]}, c.allowed}
	}
	checkQuestions(t, tmpl, role, questions)
}

// ownPolicies are the policies of resources that IAM allows nobody without one: keys, and roles to assume. Each
// leaves it to the policies of the account's own roles.
var ownPolicies = map[string]json.RawMessage{
	"kms": json.RawMessage(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + fixtures.Account + `:root"},"Action":"kms:*","Resource":"*"}]}`),
	"sts": json.RawMessage(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + fixtures.Account + `:root"},"Action":"sts:AssumeRole"}]}`),
}

// roleOf says which calls a role in the template of a blog or service may make.
type roleOf[P any] struct {
	name  string
	props P
	role  string // the start of its logical id
	calls func(t *testing.T, tmpl *assembly.Template) []call
}

// checkRoles asks what each role may do, and checks that rows name all of it. A role that is in several templates
// has rows in several places, which count together.
func checkRoles[P any](t *testing.T, template func(*testing.T, P) *assembly.Template, roles []roleOf[P]) {
	t.Helper()
	named := map[string][]string{} // for each role, the actions of rows that expect true
	for _, r := range roles {
		calls := r.calls(t, template(t, r.props))
		t.Run(r.name, func(t *testing.T) { checkCalls(t, template(t, r.props), r.role, calls) })
		for _, c := range calls {
			if c.allowed {
				named[r.role] = append(named[r.role], c.action)
			}
		}
	}
	checked := map[string]bool{}
	for _, r := range roles {
		tmpl := template(t, r.props)
		for _, role := range tmpl.OfType("AWS::IAM::Role") {
			if !checked[tmpl.Name+role.ID] {
				checked[tmpl.Name+role.ID] = true
				checkRowsName(t, tmpl, role.ID, named)
			}
		}
	}
}

// checkRowsName checks that each action that a role may call is named by a row that expects true.
func checkRowsName(t *testing.T, tmpl *assembly.Template, id string, named map[string][]string) {
	t.Helper()
	role := strings.TrimRight(id, "0123456789ABCDEF") // The CDK ends an id with eight such digits.
	policies, err := tmpl.RolePolicies(id)
	if err != nil {
		t.Fatal(err)
	}
	for _, policy := range policies {
		statements, err := iam.Statements(policy)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range statements {
			if s.Effect != "Allow" {
				continue
			}
			if len(s.Action) == 0 {
				t.Errorf("%s: %s has a statement without Action, which allows more than rows can name", tmpl.Name, role)
			}
			for _, action := range s.Action {
				if !slices.Contains(named[role], cmp.Or(otherwiseNamed[action], action)) && underCondition[role+" "+action] == "" {
					t.Errorf("%s: %s may %s, and no row says so: remove it, or add a row, and one to docs/permissions.md", tmpl.Name, role, action)
				}
			}
		}
	}
}

// otherwiseNamed are actions as the CDK's grants write them, each with the one that rows name for it: those with a
// wildcard, and the old name of a connection's service, which no ARN under the new name answers to.
var otherwiseNamed = map[string]string{
	"s3:GetObject*":        "s3:GetObject",
	"s3:GetBucket*":        "s3:GetBucketLocation",
	"s3:List*":             "s3:ListBucket",
	"s3:Abort*":            "s3:AbortMultipartUpload",
	"s3:DeleteObject*":     "s3:DeleteObject",
	"kms:GenerateDataKey*": "kms:GenerateDataKey",
	"kms:ReEncrypt*":       "kms:ReEncryptTo",

	"codestar-connections:UseConnection": "codeconnections:UseConnection",
}

// underCondition are the actions that a role may call only under a condition, which rows cannot state, each with
// the test that asks about it.
var underCondition = map[string]string{
	"DeployRole iam:PassRole":     "TestPassedRoles",
	"DeploymentRole iam:PassRole": "TestPassedRoles",

	"PublishRole kms:GenerateDataKey": "TestPublishUnderConditions",
	"ExecutionRole kms:Decrypt":       "TestSecretKeys",
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

// artifacts returns the ARN of the pipeline's artifact bucket.
func artifacts(t *testing.T, tmpl *assembly.Template) string {
	t.Helper()
	return arnOf(t, tmpl, named(t, tmpl, "AWS::S3::Bucket", "Artifacts").ID)
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

// reading are the calls of a role that reads artifacts.
func reading(t *testing.T, tmpl *assembly.Template) []call {
	t.Helper()
	bucket := artifacts(t, tmpl)
	return []call{
		{"s3:GetObject", bucket + "/source.zip", true},
		{"s3:GetBucketLocation", bucket, true},
		{"s3:ListBucket", bucket, true},
	}
}

// putting are the calls of a role that puts objects below the start of an ARN.
func putting(start string) []call {
	var calls []call
	for _, action := range []string{"PutObject", "PutObjectLegalHold", "PutObjectRetention", "PutObjectTagging", "PutObjectVersionTagging", "AbortMultipartUpload"} {
		calls = append(calls, call{"s3:" + action, start + "/index.html", true})
	}
	return calls
}

// logging are the calls of a role that writes the log whose logical id starts with id.
func logging(t *testing.T, tmpl *assembly.Template, id string) []call {
	t.Helper()
	return []call{
		{"logs:CreateLogStream", log(t, tmpl, id), true},
		{"logs:PutLogEvents", log(t, tmpl, id), true},
	}
}

// ofConnection are the calls of a role that uses the connection to GitHub.
func ofConnection() []call {
	return []call{
		{"codeconnections:UseConnection", fixtures.ConnectionARN, true},
		{"codeconnections:UseConnection", strings.Replace(fixtures.ConnectionARN, "0123", "9876", 1), false},
	}
}

// ofSource are the calls of the role that fetches a repository.
func ofSource(t *testing.T, tmpl *assembly.Template) []call {
	t.Helper()
	object := artifacts(t, tmpl) + "/source.zip"
	return slices.Concat(ofConnection(), reading(t, tmpl), putting(artifacts(t, tmpl)), []call{
		{"s3:DeleteObject", object, true},
		{"s3:PutObjectAcl", object, true},
		{"s3:PutObjectVersionAcl", object, true},
	})
}

// ofPipeline are the calls of a pipeline's own role, which assumes those of its actions.
func ofPipeline(t *testing.T, tmpl *assembly.Template) []call {
	t.Helper()
	return slices.Concat(reading(t, tmpl), putting(artifacts(t, tmpl)), []call{
		{"s3:DeleteObject", artifacts(t, tmpl) + "/source.zip", true},
		{"sts:AssumeRole", arnOf(t, tmpl, roleID(t, tmpl, "SourceRole")), true},
		{"sts:AssumeRole", arnOf(t, tmpl, roleID(t, tmpl, "BuildRole")), false},
	})
}

// ofBuildAction are the calls of the role that starts the builds of one project.
func ofBuildAction(project string) []call {
	return []call{
		{"codebuild:StartBuild", project, true},
		{"codebuild:StopBuild", project, true},
		{"codebuild:BatchGetBuilds", project, true},
		{"codebuild:StartBuild", project + "-of-somebody-else", false},
		{"codebuild:UpdateProject", project, false},
	}
}

// edge is the start of a distribution's ARN.
const edge = "arn:aws:cloudfront::" + fixtures.Account + ":distribution/"

func TestRoles(t *testing.T) {
	const (
		object = "arn:aws:s3:::"
		region = "us-east-1"
	)
	checkRoles(t, template, slices.Concat(publishingRoles, []roleOf[props.Blog]{
		{"invalidate", fixtures.Modern, "InvalidateRole", func(t *testing.T, tmpl *assembly.Template) []call {
			return append(logging(t, tmpl, "InvalidateLog"), []call{
				{"cloudfront:CreateInvalidation", edge + fixtures.Modern.Invalidate.DistributionID, true},
				{"cloudfront:GetInvalidation", edge + fixtures.Modern.Invalidate.DistributionID, true},
				{"cloudfront:CreateInvalidation", edge + fixtures.Classic.Invalidate.DistributionID, false},
				{"cloudfront:GetDistribution", edge + fixtures.Modern.Invalidate.DistributionID, false},
				{"cloudfront:UpdateDistribution", edge + fixtures.Modern.Invalidate.DistributionID, false},
				{"codepipeline:PutJobSuccessResult", "*", true},
				{"codepipeline:PutJobFailureResult", "*", true},
				{"logs:PutLogEvents", log(t, tmpl, "BuildLog"), false},
				{"s3:GetObject", artifacts(t, tmpl) + "/source.zip", false},
			}...)
		}},
		{"invalidate by a role of another account", fixtures.Full, "InvalidateRole", func(*testing.T, *assembly.Template) []call {
			return []call{
				{"sts:AssumeRole", fixtures.RoleARN, true},
				{"sts:AssumeRole", fixtures.RoleARN + "2", false},
			}
		}},
		// The article's build role had AmazonS3FullAccess.
		{"build", fixtures.Modern, "BuildRole", func(t *testing.T, tmpl *assembly.Template) []call {
			return slices.Concat(reading(t, tmpl), putting(artifacts(t, tmpl)), logging(t, tmpl, "BuildLog"), []call{
				{"s3:DeleteObject", artifacts(t, tmpl) + "/site.zip", false},
				{"logs:PutLogEvents", "arn:aws:logs:us-east-1:" + fixtures.Account + ":log-group:/aws/codebuild/another:log-stream:s", false},
				{"logs:PutLogEvents", log(t, tmpl, "InvalidateLog"), false},
				{"s3:PutObject", object + fixtures.Modern.Deploy.Bucket + "/index.html", false},
				{"s3:GetObject", object + "another-bucket/secret", false},
				{"codeconnections:UseConnection", fixtures.ConnectionARN, false},
				{"cloudfront:CreateInvalidation", edge + fixtures.Modern.Invalidate.DistributionID, false},
			})
		}},
		{"build that clones", fixtures.Full, "BuildRole", func(*testing.T, *assembly.Template) []call { return ofConnection() }},
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
			return append(ofSource(t, tmpl), call{"s3:PutObject", object + fixtures.Modern.Deploy.Bucket + "/index.html", false})
		}},
		{"deploy to a whole bucket", fixtures.Classic, "DeployRole", func(t *testing.T, tmpl *assembly.Template) []call {
			return slices.Concat(reading(t, tmpl), putting(object+"kzmorita-blog"), []call{
				{"s3:PutObject", object + "kzmorita-blog-of-somebody-else/index.html", false},
				{"s3:DeleteObject", object + "kzmorita-blog/index.html", false},
				{"s3:PutBucketPolicy", object + "kzmorita-blog", false},
				{"s3:PutObject", artifacts(t, tmpl) + "/site.zip", false},
			})
		}},
		{"deploy to a shared bucket", fixtures.Folder, "DeployRole", func(t *testing.T, tmpl *assembly.Template) []call {
			return []call{
				{"s3:PutObject", object + "kzmorita-folder/ja/notes/index.html", true},
				{"s3:PutObject", object + "kzmorita-folder/index.html", false},
				{"s3:PutObject", object + "kzmorita-folder/en/notes/index.html", false},
			}
		}},
		{"deploy with a key", fixtures.Folder, "DeployRole", func(*testing.T, *assembly.Template) []call {
			key := fixtures.Folder.Deploy.EncryptionKeyARN
			return []call{
				{"kms:Encrypt", key, true},
				{"kms:Decrypt", key, true},
				{"kms:GenerateDataKey", key, true},
				{"kms:ReEncryptTo", key, true},
				{"kms:Encrypt", key + "0", false},
				{"kms:ScheduleKeyDeletion", key, false},
			}
		}},
		{"deploy to a Site", fixtures.Open, "DeployRole", func(t *testing.T, tmpl *assembly.Template) []call {
			bucket, _ := published(t, fixtures.Open)
			another, _ := published(t, fixtures.Tokyo)
			return []call{
				{"s3:PutObject", object + bucket + "/index.html", true},
				{"s3:PutObject", object + another + "/index.html", false},
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
			return ofBuildAction(arnOf(t, tmpl, tmpl.OfType("AWS::CodeBuild::Project")[0].ID))
		}},
		{"invalidate action", fixtures.Modern, "InvalidateActionRole", func(t *testing.T, tmpl *assembly.Template) []call {
			return append(invoking(arnOf(t, tmpl, named(t, tmpl, "AWS::Lambda::Function", "Invalidate").ID)), call{"lambda:ListFunctions", "*", true})
		}},
		{"notifications to an existing topic", fixtures.Full, "ActionFailedEventsRole", func(*testing.T, *assembly.Template) []call {
			return []call{
				{"sns:Publish", fixtures.Full.Notifications.TopicARN, true},
				{"sns:Publish", fixtures.Full.Notifications.TopicARN + "2", false},
			}
		}},
		{"notifications of successes", fixtures.Webhook, "SucceededEventsRole", func(*testing.T, *assembly.Template) []call {
			return []call{
				{"sns:Publish", fixtures.Webhook.Notifications.TopicARN, true},
				{"sns:Publish", fixtures.Webhook.Notifications.TopicARN + "2", false},
			}
		}},
		{"pipeline", fixtures.Modern, "PipelineRole", func(t *testing.T, tmpl *assembly.Template) []call {
			return append(ofPipeline(t, tmpl), []call{
				{"s3:PutObject", object + fixtures.Modern.Deploy.Bucket + "/index.html", false},
				{"codebuild:StartBuild", "arn:aws:codebuild:" + region + ":" + fixtures.Account + ":project/another", false},
			}...)
		}},
	}))
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
