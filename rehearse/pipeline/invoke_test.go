package pipeline

import (
	"encoding/json"
	"strings"
	"testing"

	"blog-deploy-pipeline/lambdas/contract"
)

func TestTheInvalidationFails(t *testing.T) {
	const denied = "is not authorized to perform: "
	failsAt(t, 3, []failing{
		{name: "no permission to call the function", edit: replace(t, `"lambda:InvokeFunction"`, `"lambda:InvokeAsync"`), code: "AccessDenied", reason: []string{denied + "lambda:InvokeFunction on resource: arn:aws:lambda:"}},
		{name: "function that may not invalidate", edit: replace(t, `:distribution/E2QWRUHAPOMQZL`, `:distribution/E2ANOTHER`), code: "PermissionError",
			reason: []string{"assumed-role/uploaded-pipeline-InvalidateRole", denied + "cloudfront:CreateInvalidation on resource: arn:aws:cloudfront::123456789012:distribution/E2QWRUHAPOMQZL"}, look: "the policies of the role InvalidateRoleD64083AD in the template; the log of the function "},
		{name: "function that may not report", edit: replace(t, `"codepipeline:PutJobSuccessResult"`, `"codepipeline:PollForJobs"`), code: "JobFailed", reason: []string{"failed to return a result", "permission to call the PutJobSuccessResult action"}},
		{name: "paths that do not cover the site", edit: replace(t, userParameters("E2QWRUHAPOMQZL"), userParameters("E2QWRUHAPOMQZL", "/about/*")), code: "StaleReaders",
			reason: []string{"/ (old, 200)", "/posts/猫/ (old, 200)"}, look: "paths of the invalidation"},
		{name: "home by the path that readers ask for alone", edit: replace(t, userParameters("E2QWRUHAPOMQZL"), userParameters("E2QWRUHAPOMQZL", "/posts/*", "/about/*", "/")), code: "StaleReaders",
			reason: []string{"readers do not get what was built: / (old, 200)"}, look: "by both of their names, such as / and /index.html?"},
		{name: "CloudFront denies", faults: "cloudfront=denied", code: "PermissionError", reason: []string{"AccessDenied", "assumed-role/uploaded-pipeline-InvalidateRole", "with an explicit deny in an identity-based policy"}},
		{name: "function that crashes each time", faults: "lambda=crash", code: "JobFailed", reason: []string{"failed to return a result"}, look: "invoked 3 times, and ended with Runtime.ExitError"},
		{name: "quota used up", faults: "cloudfront=quota", code: "SystemUnavailable", reason: []string{"TooManyInvalidationsInProgress", "too many invalidations in progress"}, look: "InvalidateLog1F6D4723"},
	})
}

func TestALateInvalidationIsWarnedOf(t *testing.T) {
	t.Parallel()
	plan := read(t, template(t, "uploaded-pipeline", replace(t, variable(contract.EnvOnFailure, string(contract.OnFailureFail)), variable(contract.EnvOnFailure, string(contract.OnFailureProceed)))))
	r := rehearse(t, t.Context(), plan, Options{Source: blog(t), Faults: Faults{"cloudfront": "never"}}, nil)
	if r.statuses() != allSucceeded {
		t.Fatalf("stages end as %s (%v): %+v", r.statuses(), r.err, r.failed())
	}
	if summary := r.Stages[3].Actions[0].Summary; !strings.HasSuffix(summary, ", although E2QWRUHAPOMQZL is not clear") || !strings.Contains(strings.Join(r.Warnings, "\n"), "no invalidation of the distribution E2QWRUHAPOMQZL is completed") {
		t.Errorf("it says %q, and notes %q", summary, r.Warnings)
	}
}

func TestAFunctionRunsWithoutALog(t *testing.T) {
	t.Parallel()
	source := blog(t)
	write(t, source, map[string]string{"buildspec/hugo.yml": "version: 0.2\nphases:\n  build:\n    commands: ['true']\nartifacts:\n  files: ['site/index.html']\n"})
	plan := read(t, template(t, "uploaded-pipeline"))
	for _, f := range plan.Functions { // It may do all that it does, except to write its log.
		f.Role.Policies = []json.RawMessage{[]byte(`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "NotAction": "logs:*", "Resource": "*"}}`)}
	}
	r := rehearse(t, t.Context(), plan, Options{Source: source}, nil)
	if n := strings.Count(strings.Join(r.Warnings, "\n"), "would run without a log"); r.statuses() != allSucceeded || n != 1 {
		t.Errorf("stages end as %s (%v), %d notes: %+v", r.statuses(), r.err, n, r.failed())
	}
	if summary := r.Stages[1].Actions[0].Summary; !strings.HasPrefix(summary, "1 file, ") {
		t.Errorf("the build says %q", summary)
	}
	last := r.Permissions[len(r.Permissions)-1].Actions
	if len(last) != 1 || last[0].Action != "all but logs:*" || last[0].Used == 0 {
		t.Errorf("the function's permissions are %+v", last)
	}
}
