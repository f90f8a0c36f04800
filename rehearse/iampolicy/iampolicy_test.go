package iampolicy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	role              = "arn:aws:iam::123456789012:role/blog-invalidate"
	distribution      = "arn:aws:cloudfront::123456789012:distribution/E2EXAMPLEBLOG"
	otherDistribution = "arn:aws:cloudfront::123456789012:distribution/E2EXAMPLEBLOG2"
	taskRole          = "arn:aws:iam::123456789012:role/task"
	group             = "arn:aws:codedeploy:us-east-1:123456789012:deploymentgroup:shop/blue-green"
	key               = "arn:aws:kms:us-east-1:123456789012:key/0f2d9a36-3c1b-4a43-8f0e-0d4c9a3b7e11"
)

func policy(statements ...string) json.RawMessage {
	return json.RawMessage(`{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`)
}

func statement(effect, action, resource string) string {
	return fmt.Sprintf(`{"Effect":%q,"Action":%q,"Resource":%q}`, effect, action, resource)
}

// start shares one process among the cases of a test, as a rehearsal would.
func start(t *testing.T) *Evaluator {
	t.Helper()
	e, err := Start(context.Background()) // t.Context() is done before Cleanup runs
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

func TestDecisions(t *testing.T) {
	passRole := `{"Effect":"Allow","Action":"iam:PassRole","Resource":"*",
		"Condition":{"StringEquals":{"iam:PassedToService":"ecs-tasks.amazonaws.com"}}}`
	invalidate := statement("Allow", "cloudfront:CreateInvalidation", distribution)
	request := Request{Action: "cloudfront:CreateInvalidation", Resource: distribution}
	on := func(action, resource string) Request { return Request{Action: action, Resource: resource} }
	report := policy(statement("Allow", "codedeploy:PutLifecycleEventHookExecutionStatus", group))
	keyPolicy := func(principal string) json.RawMessage {
		return policy(`{"Effect":"Allow","Principal":{"AWS":"` + principal + `"},"Action":"kms:*","Resource":"*"}`)
	}

	decryptSecret := policy(fmt.Sprintf(`{"Effect":"Allow","Action":"kms:Decrypt","Resource":%q,"Condition":{"StringEquals":{"kms:EncryptionContext:SecretARN":"a"}}}`, key))
	secret := func(name, value string) map[string]string { return map[string]string{name: value} }

	tests := []struct {
		name     string
		policies []json.RawMessage
		request  Request
		allowed  bool
		reason   string // part of it
	}{
		{"exact ARN", []json.RawMessage{policy(invalidate)}, request, true, "allowed by policy 0 Statement[0]"},
		{"another distribution whose id starts the same", []json.RawMessage{policy(invalidate)},
			on("cloudfront:CreateInvalidation", otherDistribution), false,
			"policy 0 Statement[0] allows the action but its Resource does not match"},
		{"another action on the same distribution", []json.RawMessage{policy(invalidate)},
			on("cloudfront:GetInvalidation", distribution), false,
			"implicitly denied: no statement allows cloudfront:GetInvalidation on " + distribution},
		{"action in other letters", []json.RawMessage{policy(invalidate)}, on("CloudFront:createinvalidation", distribution), true, "allowed"},
		{"no policy at all", nil, request, false, "implicitly denied"},
		{"wildcard action", []json.RawMessage{policy(statement("Allow", "cloudfront:*Invalidation", "*"))}, request, true, "allowed"},
		{"wildcard action that does not fit", []json.RawMessage{policy(statement("Allow", "cloudfront:Get*", "*"))}, request, false, "implicitly denied"},
		{"explicit deny wins over an allow in another policy",
			[]json.RawMessage{policy(statement("Allow", "*", "*")), policy(invalidate, `{"Sid":"Freeze","Effect":"Deny","Action":"cloudfront:*","Resource":"*"}`)},
			request, false, `explicitly denied by policy 1 Statement[1] ("Freeze")`},
		{"action without a resource, on a star", []json.RawMessage{policy(statement("Allow", "codepipeline:PutJobSuccessResult", "*"))},
			on("codepipeline:PutJobSuccessResult", "*"), true, "allowed"},
		{"action without a resource, granted on an ARN only", []json.RawMessage{policy(statement("Allow", "codepipeline:PutJobSuccessResult", "arn:aws:codepipeline:us-east-1:123456789012:blog"))},
			on("codepipeline:PutJobSuccessResult", "*"), false, "implicitly denied"},
		{"optional resource left out, granted on a star", []json.RawMessage{policy(statement("Allow", "cloudwatch:PutMetricData", "*"))},
			on("cloudwatch:PutMetricData", "*"), true, "allowed"},
		{"optional resource left out, granted on an ARN only", []json.RawMessage{policy(statement("Allow", "cloudwatch:PutMetricData", "arn:aws:cloudwatch:us-east-1:123456789012:dataset/d"))},
			on("cloudwatch:PutMetricData", "*"), false, "implicitly denied"},
		{"hook report on its deployment group", []json.RawMessage{report}, on("codedeploy:PutLifecycleEventHookExecutionStatus", group), true, "allowed by policy 0 Statement[0]"},
		{"hook report, action in other letters", []json.RawMessage{report}, on("CodeDeploy:putlifecycleeventhookexecutionstatus", group), true, "allowed"},
		{"hook report on another group", []json.RawMessage{report}, on("codedeploy:PutLifecycleEventHookExecutionStatus", group+"2"), false,
			"policy 0 Statement[0] allows the action but its Resource does not match"},
		{"hook report on another application's group", []json.RawMessage{report},
			on("codedeploy:PutLifecycleEventHookExecutionStatus", "arn:aws:codedeploy:us-east-1:123456789012:deploymentgroup:api/blue-green"), false, "Resource does not match"},
		{"hook report in another Region", []json.RawMessage{report},
			on("codedeploy:PutLifecycleEventHookExecutionStatus", strings.Replace(group, "us-east-1", "eu-west-1", 1)), false, "Resource does not match"},
		{"hook report on any group of the application", []json.RawMessage{policy(statement("Allow", "codedeploy:Put*", "arn:aws:codedeploy:us-east-1:123456789012:deploymentgroup:shop/*"))},
			on("codedeploy:PutLifecycleEventHookExecutionStatus", group), true, "allowed"},
		{"hook report granted on a star", []json.RawMessage{policy(statement("Allow", "codedeploy:PutLifecycleEventHookExecutionStatus", "*"))},
			on("codedeploy:PutLifecycleEventHookExecutionStatus", group), true, "allowed"},
		{"another action on the deployment group", []json.RawMessage{report}, on("codedeploy:CreateDeployment", group), false, "implicitly denied"},
		{"condition key that fits", []json.RawMessage{policy(passRole)},
			Request{Action: "iam:PassRole", Resource: taskRole, Context: map[string]string{"iam:PassedToService": "ecs-tasks.amazonaws.com"}}, true, "allowed"},
		{"condition key of another value", []json.RawMessage{policy(passRole)},
			Request{Action: "iam:PassRole", Resource: taskRole, Context: map[string]string{"iam:PassedToService": "lambda.amazonaws.com"}}, false,
			"its Condition does not match"},
		{"condition key absent", []json.RawMessage{policy(passRole)}, on("iam:PassRole", taskRole), false, "its Condition does not match"},
		{"object in a bucket", []json.RawMessage{policy(statement("Allow", "s3:PutObject", "arn:aws:s3:::blog-bucket/*"))},
			on("s3:PutObject", "arn:aws:s3:::blog-bucket/posts/index.html"), true, "allowed"},
		{"bucket is not its objects", []json.RawMessage{policy(statement("Allow", "s3:*", "arn:aws:s3:::blog-bucket"))},
			on("s3:PutObject", "arn:aws:s3:::blog-bucket/index.html"), false, "implicitly denied"},
		{"another account's distribution", []json.RawMessage{policy(statement("Allow", "*", "*"))},
			on("cloudfront:CreateInvalidation", "arn:aws:cloudfront::999999999999:distribution/E2EXAMPLEBLOG"), false, "implicitly denied"},
		{"key policy that leaves it to IAM", []json.RawMessage{policy(statement("Allow", "kms:Decrypt", key))},
			Request{Action: "kms:Decrypt", Resource: key, ResourcePolicy: keyPolicy("arn:aws:iam::123456789012:root")}, true, "allowed"},
		{"name within a condition key", []json.RawMessage{decryptSecret},
			Request{Action: "kms:Decrypt", Resource: key, Context: secret("kms:EncryptionContext:SecretARN", "a"), ResourcePolicy: keyPolicy("arn:aws:iam::123456789012:root")}, true, "allowed by policy 0 Statement[0]"},
		{"its value is another", []json.RawMessage{decryptSecret},
			Request{Action: "kms:Decrypt", Resource: key, Context: secret("kms:EncryptionContext:SecretARN", "b"), ResourcePolicy: keyPolicy("arn:aws:iam::123456789012:root")}, false, "its Condition does not match"},
		{"another name within the condition key", []json.RawMessage{decryptSecret},
			Request{Action: "kms:Decrypt", Resource: key, Context: secret("kms:EncryptionContext:PARAMETER_ARN", "a"), ResourcePolicy: keyPolicy("arn:aws:iam::123456789012:root")}, false, "its Condition does not match"},
		{"name within a condition key of the key policy", nil,
			Request{Action: "kms:Decrypt", Resource: key, Context: secret("kms:EncryptionContext:SecretARN", "b"), ResourcePolicy: policy(`{"Effect":"Allow","Principal":{"AWS":"` + role + `"},"Action":"kms:*","Resource":"*","Condition":{"StringEquals":{"kms:EncryptionContext:SecretARN":"a"}}}`)}, false, "denied"},
		{"key policy for somebody else", []json.RawMessage{policy(statement("Allow", "kms:Decrypt", key))},
			Request{Action: "kms:Decrypt", Resource: key, ResourcePolicy: keyPolicy("arn:aws:iam::123456789012:role/other")}, false, "denied"},
		{"resource policy alone", nil,
			Request{Action: "kms:Decrypt", Resource: key, ResourcePolicy: keyPolicy(role)}, true, "allowed by resource policy Statement[0]"},
	}
	e := start(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.request.Principal = role
			got, err := e.Evaluate(t.Context(), tt.policies, []Request{tt.request})
			if err != nil {
				t.Fatal(err)
			}
			if got[0].Allowed != tt.allowed || !strings.Contains(got[0].Reason, tt.reason) {
				t.Errorf("got %+v, want Allowed %t and a reason with %q", got[0], tt.allowed, tt.reason)
			}
		})
	}
}

func TestStatementsThatDecided(t *testing.T) {
	policies := []json.RawMessage{
		policy(statement("Allow", "s3:*", "*")),
		policy(statement("Allow", "cloudfront:GetInvalidation", "*"), `{"Sid":"Clear","Effect":"Allow","Action":"cloudfront:CreateInvalidation","Resource":"*"}`),
		policy(statement("Allow", "cloudfront:*", distribution)),
	}
	got, err := start(t).Evaluate(t.Context(), policies, []Request{
		{Principal: role, Action: "cloudfront:CreateInvalidation", Resource: distribution},
		{Principal: role, Action: "cloudfront:DeleteDistribution", Resource: otherDistribution},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []Statement{{Policy: 1, Index: 1, Sid: "Clear"}, {Policy: 2, Index: 0}}
	if !slices.Equal(got[0].Statements, want) {
		t.Errorf("allowed by %v, want %v", got[0].Statements, want)
	}
	if got[1].Allowed || len(got[1].Statements) != 0 {
		t.Errorf("second request: got %+v, want a denial without statements", got[1])
	}
}

func TestWhatCannotBeDecidedIsAnError(t *testing.T) {
	allowAll := []json.RawMessage{policy(statement("Allow", "*", "*"))}
	invalidate := Request{Principal: role, Action: "cloudfront:CreateInvalidation", Resource: distribution}
	tests := []struct {
		name     string
		policies []json.RawMessage
		request  Request
		want     []string
	}{
		{"unknown action", allowAll, Request{role, "cloudfront:ClearCache", distribution, nil, nil}, []string{"cloudfront:ClearCache", "unknown action"}},
		{"unknown service", allowAll, Request{role, "cloudfrnt:CreateInvalidation", distribution, nil, nil}, []string{"cloudfrnt:CreateInvalidation", "unknown action"}},
		{"action without a service", allowAll, Request{role, "CreateInvalidation", distribution, nil, nil}, []string{"CreateInvalidation", "unknown action"}},
		{"unknown action in a policy", []json.RawMessage{allowAll[0], policy(statement("Allow", "cloudfront:CreateInvalidations", "*"))}, invalidate,
			[]string{"policy 1", "unknown action cloudfront:CreateInvalidations"}},
		{"policy is cut off", []json.RawMessage{allowAll[0], json.RawMessage(`{"Version":`)}, invalidate, []string{"policy 1", "not JSON"}},
		{"policy is null", []json.RawMessage{json.RawMessage(`null`)}, invalidate, []string{"policy 0", "not a JSON object"}},
		{"policy is a list", []json.RawMessage{json.RawMessage(`[]`)}, invalidate, []string{"policy 0", "not a JSON object"}},
		{"effect misspelt", []json.RawMessage{policy(statement("Permit", "s3:*", "*"))}, invalidate, []string{"policy 0", "Statement[0].Effect"}},
		{"statement without a resource", []json.RawMessage{policy(`{"Effect":"Allow","Action":"s3:*"}`)}, invalidate, []string{"policy 0", "Resource"}},
		{"statement is null", []json.RawMessage{policy(`null`)}, invalidate, []string{"policy 0", "Statement[0]"}},
		{"identity policy with a principal", []json.RawMessage{policy(`{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}`)}, invalidate, []string{"policy 0", "Principal"}},
		{"unresolved intrinsic in a policy", []json.RawMessage{policy(`{"Effect":"Allow","Action":"s3:*","Resource":{"Ref":"Bucket"}}`)}, invalidate, []string{"policy 0", "Statement[0].Resource"}},
		{"ARN of another service", allowAll, Request{role, "cloudfront:CreateInvalidation", "arn:aws:s3:::bucket", nil, nil},
			[]string{"cloudfront:CreateInvalidation on arn:aws:s3:::bucket", "no resource type"}},
		{"resource for an action that has none", allowAll, Request{role, "codepipeline:PutJobSuccessResult", distribution, nil, nil},
			[]string{"codepipeline:PutJobSuccessResult", `must be "*"`}},
		{"star for an action on one resource", allowAll, Request{role, "cloudfront:CreateInvalidation", "*", nil, nil}, []string{"cloudfront:CreateInvalidation", "give its ARN"}},
		{"star for a hook report", allowAll, Request{role, "codedeploy:PutLifecycleEventHookExecutionStatus", "*", nil, nil}, []string{"codedeploy:PutLifecycleEventHookExecutionStatus", "give its ARN"}},
		{"application for a hook report", allowAll, Request{role, "codedeploy:PutLifecycleEventHookExecutionStatus", "arn:aws:codedeploy:us-east-1:123456789012:application:shop", nil, nil},
			[]string{"codedeploy:PutLifecycleEventHookExecutionStatus", "no resource type"}},
		{"pattern for a resource", allowAll, Request{role, "cloudfront:CreateInvalidation", distribution + "*", nil, nil}, []string{"must not contain"}},
		{"condition key the action does not have", allowAll, Request{role, "iam:PassRole", taskRole, map[string]string{"s3:prefix": "a"}, nil}, []string{"iam:PassRole", "s3:prefix"}},
		{"key without its key policy", allowAll, Request{role, "kms:Decrypt", key, nil, nil}, []string{"kms:Decrypt", "key policy"}},
		{"encryption context of an action that has none", allowAll, Request{role, "kms:DescribeKey", key, map[string]string{"kms:EncryptionContext:SecretARN": "a"}, json.RawMessage(`{"Statement":[]}`)}, []string{"kms:DescribeKey", "no condition key kms:EncryptionContext:SecretARN"}},
		{"role without its trust policy", allowAll, Request{role, "sts:AssumeRole", taskRole, nil, nil}, []string{"sts:AssumeRole", "trust policy"}},
		{"resource policy is malformed", allowAll, Request{role, "kms:Decrypt", key, nil, json.RawMessage(`{"Statement":[{"Effect":"Maybe"}]}`)}, []string{"resource policy", "Statement[0].Effect"}},
		{"resource policy is null", allowAll, Request{role, "kms:Decrypt", key, nil, json.RawMessage(`null`)}, []string{"kms:Decrypt", "resource policy: is not a JSON object"}},
		{"resource policy is cut off", allowAll, Request{role, "kms:Decrypt", key, nil, json.RawMessage(`{`)}, []string{"kms:Decrypt", "resource policy is not JSON"}},
		{"principal is no role", allowAll, Request{"blog-invalidate", "cloudfront:CreateInvalidation", distribution, nil, nil}, []string{`"blog-invalidate"`, "ARN of a role"}},
		{"service with identity policies", allowAll, Request{"cloudfront.amazonaws.com", "s3:GetObject", object, nil, bucketPolicy("")}, []string{"cloudfront.amazonaws.com", "no identity policies"}},
	}
	e := start(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := e.Evaluate(t.Context(), tt.policies, []Request{invalidate, tt.request})
			if err == nil {
				t.Fatalf("got %+v, want an error", got)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want it to contain %q", err, want)
				}
			}
			// The process goes on after an error.
			if got, err := e.Evaluate(t.Context(), allowAll, []Request{invalidate}); err != nil || !got[0].Allowed {
				t.Errorf("next evaluation: got %+v, %v, want it allowed", got, err)
			}
		})
	}
}

const (
	bucket = "arn:aws:s3:::blog"
	object = "arn:aws:s3:::blog/index.html"
)

// bucketPolicy is the policy that the CDK writes for origin access control. A statement in it allows CloudFront to read.
func bucketPolicy(allow string) json.RawMessage {
	statements := []string{
		`{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"s3:*","Resource":["` + bucket + `","` + bucket + `/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}`,
		`{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"s3:*","Resource":["` + bucket + `","` + bucket + `/*"],"Condition":{"NumericLessThan":{"s3:TlsVersion":1.2}}}`,
	}
	if allow != "" {
		statements = append(statements, allow)
	}
	return policy(statements...)
}

// For a service that calls as itself, the resource's policy decides.
func TestServices(t *testing.T) {
	const read = `{"Effect":"Allow","Principal":{"Service":"cloudfront.amazonaws.com"},"Action":["s3:GetObject","s3:ListBucket"],` +
		`"Resource":["` + bucket + `","` + bucket + `/*"],"Condition":{"StringEquals":{"AWS:SourceArn":"` + distribution + `"}}}`
	tests := []struct {
		name           string
		policy         json.RawMessage
		action, on     string
		source, secure string
		allowed        bool
		reason         string
	}{
		{"reads", bucketPolicy(read), "s3:GetObject", object, distribution, "true", true, "allowed by resource policy Statement[2]"},
		{"lists", bucketPolicy(read), "s3:ListBucket", bucket, distribution, "true", true, "allowed"},
		{"does not write", bucketPolicy(read), "s3:PutObject", object, distribution, "true", false, "no statement allows s3:PutObject"},
		{"another distribution", bucketPolicy(read), "s3:GetObject", object, otherDistribution, "true", false, "resource policy Statement[2] allows the action but its Condition does not match"},
		{"another bucket's objects", bucketPolicy(read), "s3:GetObject", "arn:aws:s3:::others/index.html", distribution, "true", false, "its Resource does not match"},
		{"another service", bucketPolicy(strings.ReplaceAll(read, "cloudfront.amazonaws.com", "delivery.logs.amazonaws.com")), "s3:GetObject", object, distribution, "true", false, "its Principal does not match"},
		{"in the clear", bucketPolicy(read), "s3:GetObject", object, distribution, "false", false, "explicitly denied by resource policy Statement[0]"},
		{"nothing allowed", bucketPolicy(""), "s3:GetObject", object, distribution, "true", false, "implicitly denied"},
	}
	e := start(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			request := Request{
				Principal: "cloudfront.amazonaws.com", Action: tt.action, Resource: tt.on, ResourcePolicy: tt.policy,
				Context: map[string]string{"aws:SourceArn": tt.source, "aws:SecureTransport": tt.secure, "s3:TlsVersion": "1.3"},
			}
			got, err := e.Evaluate(t.Context(), nil, []Request{request})
			if err != nil {
				t.Fatal(err)
			}
			if got[0].Allowed != tt.allowed || !strings.Contains(got[0].Reason, tt.reason) {
				t.Errorf("got %t, %q, want %t, %q", got[0].Allowed, got[0].Reason, tt.allowed, tt.reason)
			}
		})
	}
	t.Run("no resource policy", func(t *testing.T) {
		_, err := e.Evaluate(t.Context(), nil, []Request{{Principal: "cloudfront.amazonaws.com", Action: "s3:GetObject", Resource: object}})
		if err == nil || !strings.Contains(err.Error(), "the resource's own policy decides") {
			t.Errorf("got %v, want an error that says so", err)
		}
	})
}

func TestNodeMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Evaluate(t.Context(), nil, nil)
	for _, want := range []string{"node", "make build", "npm ci"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to contain %q", err, want)
		}
	}
}

func TestPackageMissing(t *testing.T) {
	t.Chdir(t.TempDir())
	_, err := Evaluate(t.Context(), nil, nil)
	for _, want := range []string{"@cloud-copilot/iam-simulate is not installed", "make build", "npm ci"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to contain %q", err, want)
		}
	}
}

func TestEvaluateStopsWithItsContext(t *testing.T) {
	e := start(t)
	requests := slices.Repeat([]Request{{Principal: role, Action: "cloudfront:CreateInvalidation", Resource: distribution}}, 200_000)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if _, err := e.Evaluate(ctx, nil, requests); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("took %v to stop", took)
	}
	if e.cmd.ProcessState == nil {
		t.Error("the process still runs")
	}
	if _, err := e.Evaluate(t.Context(), nil, requests[:1]); err == nil {
		t.Error("evaluation in a stopped process: got no error")
	}
}

func TestEvaluatorStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	e, err := Start(ctx)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := e.Evaluate(t.Context(), nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if err := e.Close(); err != nil {
		t.Errorf("close after cancel: %v", err)
	}

	// The end that was asked for is no error, even if nobody noticed it before.
	ctx, cancel = context.WithCancel(t.Context())
	if e, err = Start(ctx); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := e.Close(); err != nil {
		t.Errorf("close after cancel, without an evaluation: %v", err)
	}
}

func TestClosedEvaluator(t *testing.T) {
	e := start(t)
	for range 2 {
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := e.Evaluate(t.Context(), nil, nil); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("got %v, want an error that says closed", err)
	}
}

func TestEvaluationsFromSeveralGoroutines(t *testing.T) {
	e := start(t)
	policies := []json.RawMessage{policy(statement("Allow", "cloudfront:CreateInvalidation", distribution))}
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			resource, want := distribution, true
			if i%2 == 1 {
				resource, want = otherDistribution, false
			}
			got, err := e.Evaluate(t.Context(), policies, []Request{{Principal: role, Action: "cloudfront:CreateInvalidation", Resource: resource}})
			if err != nil || got[0].Allowed != want {
				t.Errorf("%s: got %+v, %v, want Allowed %t", resource, got, err, want)
			}
		})
	}
	wg.Wait()
}
