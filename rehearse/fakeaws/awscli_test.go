package fakeaws_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/fakeaws"
)

// TestAWSCLI runs the commands that a person would type, first those of the project's documentation.
func TestAWSCLI(t *testing.T) {
	path := python(t)
	w := botoWorld(t)
	out, err := w.create(t, "job-1", "/*")
	if err != nil {
		t.Fatal(err)
	}
	w.cloud.AddFunction("publish", func(_ context.Context, event []byte) ([]byte, bool) { return event, false })
	hook := hookReport(startDeployment(t, w.cloud, "AfterAllowTraffic").Next(), "")
	service := startService(t, w.cloud, nil).ARN()
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
		{"a deployment group", []string{"deploy", "get-deployment-group", "--application-name", "shop", "--deployment-group-name", "blue-green"}, `"lastAttemptedDeployment"`, 0},
		{"deployments", []string{"deploy", "list-deployments", "--application-name", "shop", "--deployment-group-name", "blue-green", "--include-only-statuses", "Succeeded"}, `"d-`, 0},
		{"a deployment", []string{"deploy", "get-deployment", "--deployment-id", *hook.DeploymentId}, `"status": "InProgress"`, 0},
		{"a deployment's targets", []string{"deploy", "list-deployment-targets", "--deployment-id", *hook.DeploymentId}, `"production:shop"`, 0},
		{"a deployment's target", []string{"deploy", "batch-get-deployment-targets", "--deployment-id", *hook.DeploymentId, "--target-ids", "production:shop"}, `"trafficWeight": 100`, 0},
		{"no such group", []string{"deploy", "get-deployment-group", "--application-name", "shop", "--deployment-group-name", "none"}, "(DeploymentGroupDoesNotExistException)", 255},
		{"a service's deployments", []string{"ecs", "list-service-deployments", "--cluster", "production", "--service", "shop"}, `"status": "SUCCESSFUL"`, 0},
		{"a service's deployment", []string{"ecs", "describe-service-deployments", "--service-deployment-arns", service}, `"requestedProductionTrafficWeight": 100`, 0},
		{"no such service", []string{"ecs", "list-service-deployments", "--cluster", "production", "--service", "api"}, "(ServiceNotFoundException)", 255},
		{"a pipeline", []string{"codepipeline", "get-pipeline", "--name", "my-blog"}, `"executionMode": "SUPERSEDED"`, 0},
		{"a pipeline's state", []string{"codepipeline", "get-pipeline-state", "--name", "my-blog", "--query", "stageStates[].latestExecution.status"}, `"InProgress"`, 0},
		{"a pipeline's executions", []string{"codepipeline", "list-pipeline-executions", "--pipeline-name", "my-blog", "--page-size", "1", "--query", "pipelineExecutionSummaries[].status"}, `"Failed"`, 0},
		{"a pipeline's actions", []string{"codepipeline", "list-action-executions", "--pipeline-name", "my-blog"}, `"Still no index.html."`, 0},
		{"no such pipeline", []string{"codepipeline", "get-pipeline", "--name", "other"}, "(PipelineNotFoundException)", 255},
		{"a function", []string{"lambda", "invoke", "--function-name", "publish", "--payload", `{"a":1}`, "/dev/stdout"}, `{"a":1}`, 0},
		{"no such function", []string{"lambda", "invoke", "--function-name", "other", "/dev/null"}, "(ResourceNotFoundException)", 255},
		{"a role", []string{"sts", "assume-role", "--role-arn", edgeRole, "--role-session-name", "me"}, `"SessionToken"`, 0},
		{"who I am", []string{"sts", "get-caller-identity", "--query", "Arn"}, `"` + roleARN + `"`, 0},
		{"no such role", []string{"sts", "assume-role", "--role-arn", edgeRole + "-none", "--role-session-name", "me"}, "(AccessDenied)", 255},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			// The script aws cannot be used, because its first line cannot name a Python in a folder with a space.
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

// TestAWSCLIOfS3 runs commands that a person would type at a bucket. The CLI's high-level commands need more of S3 than
// the project's functions.
func TestAWSCLIOfS3(t *testing.T) {
	path := python(t)
	dir := t.TempDir()
	for name, content := range map[string]string{"index.html": "<h1>home</h1>", "日本 +.txt": "日本"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name       string
		command    []string // BUCKET is the bucket's name
		want       string   // in the output
		wantStatus int
		wantKeys   []string
	}{
		{"put", []string{"s3api", "put-object", "--bucket", "BUCKET", "--key", "new +日.html", "--body", dir + "/index.html", "--cache-control", "no-cache", "--metadata", contract.MetadataCacheTag + "=r-1"}, `"ETag"`, 0, []string{"a", "new +日.html"}},
		{"put if new", []string{"s3api", "put-object", "--bucket", "BUCKET", "--key", "a", "--body", dir + "/index.html", "--if-none-match", "*"}, "(PreconditionFailed)", 255, []string{"a"}},
		{"get", []string{"s3api", "get-object", "--bucket", "BUCKET", "--key", "a", "--range", "bytes=0-3", "/dev/stdout"}, "cont", 0, []string{"a"}},
		{"get none", []string{"s3api", "get-object", "--bucket", "BUCKET", "--key", "none", "/dev/null"}, "(NoSuchKey)", 255, []string{"a"}},
		{"head", []string{"s3api", "head-object", "--bucket", "BUCKET", "--key", "a"}, `"ContentLength": 7`, 0, []string{"a"}},
		{"copy", []string{"s3api", "copy-object", "--bucket", "BUCKET", "--key", "b", "--copy-source", "BUCKET/a"}, `"CopyObjectResult"`, 0, []string{"a", "b"}},
		{"list", []string{"s3api", "list-objects-v2", "--bucket", "BUCKET", "--prefix", "a"}, `"Key": "a"`, 0, []string{"a"}},
		{"delete", []string{"s3api", "delete-object", "--bucket", "BUCKET", "--key", "a"}, "", 0, nil},
		{"delete several", []string{"s3api", "delete-objects", "--bucket", "BUCKET", "--delete", "Objects=[{Key=a},{Key=none}]"}, `"Key": "none"`, 0, nil},
		{"sync", []string{"s3", "sync", "--delete", dir, "s3://BUCKET"}, "delete: s3://BUCKET/a", 0, []string{"index.html", "日本 +.txt"}},
		{"ls", []string{"s3", "ls", "s3://BUCKET"}, "7 a", 0, []string{"a"}},
		{"cp", []string{"s3", "cp", "s3://BUCKET/a", "-"}, "content", 0, []string{"a"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := newBucketWorld(t, fakeaws.Options{})
			putDirectly(t, b, "a", "content")
			args := []string{"-m", "awscli"}
			for _, arg := range test.command {
				args = append(args, strings.ReplaceAll(arg, "BUCKET", b.bucket))
			}
			cmd := exec.CommandContext(t.Context(), path, args...)
			env := b.credentials.Env()
			env["AWS_ENDPOINT_URL"], env["AWS_DEFAULT_REGION"], env["AWS_MAX_ATTEMPTS"] = b.url, region, "1"
			cmd.Env = apart(t, env)
			out, err := cmd.CombinedOutput()
			if want := strings.ReplaceAll(test.want, "BUCKET", b.bucket); cmd.ProcessState.ExitCode() != test.wantStatus || !strings.Contains(string(out), want) {
				t.Errorf("got %v:\n%s\nwant status %d and %q", err, out, test.wantStatus, want)
			}
			if got := b.keys(t); !slices.Equal(got, test.wantKeys) {
				t.Errorf("keys: got %q, want %q", got, test.wantKeys)
			}
		})
	}
}
