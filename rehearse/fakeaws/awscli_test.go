package fakeaws_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// TestAWSCLI runs the commands that a person would type, first those of the project's documentation.
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
