package pipeline

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/rehearsal"
)

func TestADeploymentCallsItsHooks(t *testing.T) {
	quick := fmt.Sprintf("%q:", contract.EnvService)
	tests := []struct {
		golden string
		faults string
		edit   string // in place of contract.OnFailureProceed
		status rehearsal.Status
		stages string // by their first letter; N is not run
		code   string
		reason string
		note   string
	}{
		{golden: "api-hook", status: rehearsal.Succeeded, stages: "SSSNNSSS", note: "deployment group is not in the template"},
		{golden: "api-service", status: rehearsal.Succeeded, stages: "SSSSSSSS", note: "only the hooks are rehearsed"},
		{golden: "search-hook", status: rehearsal.Succeeded, stages: "SSSSSSS"},
		{golden: "search-service", status: rehearsal.Succeeded, stages: "SSSSSSS"},
		{golden: "api-hook", faults: "lambda=crash-once", status: rehearsal.Succeeded, stages: "SSSNNSSS"},
		{golden: "search-service", faults: "cloudfront=slow", status: rehearsal.Succeeded, stages: "SSSSSSS"},
		{golden: "api-hook", faults: "cloudfront=denied", status: rehearsal.Succeeded, stages: "SSSNNSSS", note: "may get old answers"},
		{golden: "api-hook", faults: "cloudfront=denied", edit: string(contract.OnFailureFail), status: rehearsal.Failed, stages: "SSSNNSSF", code: "HOOK_EXECUTION_FAILURE", reason: "The hook AfterAllowTraffic failed: the function " + contract.HookFunctionName("api") + " reported Failed", note: "rolls the deployment back"},
		{golden: "api-hook", faults: "lambda=crash", status: rehearsal.Failed, stages: "SSSNNSSF", code: "HOOK_EXECUTION_FAILURE", reason: "reported nothing within an hour"},
		{golden: "search-hook", faults: "cloudfront=denied", edit: string(contract.OnFailureFail), status: rehearsal.Failed, stages: "SSSSSFN", code: "FAILED", reason: `at PRODUCTION_TRAFFIC_SHIFT: answered {"hookStatus":"FAILED"}`, note: "ECS rolls the deployment back, and calls the function at PRODUCTION_TRAFFIC_SHIFT again, which answers SUCCEEDED, although E2QWRUHAPOMQZP is not clear; the deployment is ROLLBACK_SUCCESSFUL"},
		{golden: "search-hook", faults: "lambda=crash", status: rehearsal.Failed, stages: "SSSSSFN", code: "FAILED", reason: "Runtime.ExitError", note: "again, which fails again (Runtime.ExitError"},
	}
	for _, tt := range tests {
		t.Run(tt.golden+" "+tt.faults+" "+tt.edit, func(t *testing.T) {
			t.Parallel()
			faults, err := ParseFaults(tt.faults)
			if err != nil {
				t.Fatal(err)
			}
			edits := []edit{replace(t, quick, variable(contract.EnvPollEvery, "50ms")+", "+quick)}
			if tt.edit != "" {
				edits = append(edits, replace(t, variable(contract.EnvOnFailure, string(contract.OnFailureProceed)), variable(contract.EnvOnFailure, tt.edit)))
			}
			plan, err := ReadDeployment(template(t, tt.golden, edits...))
			if err != nil {
				t.Fatal(err)
			}
			r := rehearse(t, t.Context(), plan, Options{Faults: faults}, nil)
			var stages strings.Builder
			for _, s := range r.Stages {
				stages.WriteString(string(s.Status[:1]))
			}
			if r.err != nil || r.Status != tt.status || stages.String() != tt.stages {
				t.Errorf("it ends as %s with the stages %s (%v), want %s and %s", r.Status, stages.String(), r.err, tt.status, tt.stages)
			}
			if failed := r.failed(); failed.Code != tt.code || !strings.Contains(failed.Reason, tt.reason) {
				t.Errorf("it fails with %s: %s, want %s: %s", failed.Code, failed.Reason, tt.code, tt.reason)
			}
			if notes := strings.Join(slices.Concat(r.Warnings, r.Notes), "\n"); !strings.Contains(notes, tt.note) {
				t.Errorf("notes are %s, want %s among them", notes, tt.note)
			}
			if tt.faults != "" && !strings.HasPrefix(r.strikes(), tt.faults+" ") {
				t.Errorf("%s strikes %q", tt.faults, r.strikes())
			}
			uncleared := tt.faults == "cloudfront=denied" && tt.status == rehearsal.Succeeded
			for _, stage := range r.Stages {
				for _, a := range stage.Actions {
					if strings.Contains(a.Summary, "although E") != uncleared {
						t.Errorf("%s says %q; it has cleared the distribution: %t", stage.Name, a.Summary, !uncleared)
					}
				}
			}
			if waits := tt.faults == "lambda=crash-once" || tt.faults == "cloudfront=slow"; waits && r.Skipped == 0 {
				t.Error("nothing was skipped, want what AWS would have waited")
			}
			if tt.faults == "" && (len(r.Invalidations) == 0 || r.Invalidations[0].Status != "Completed") {
				t.Errorf("invalidations are %+v, want one that is completed", r.Invalidations)
			}
		})
	}
}

func TestADeploymentFailsWithoutPermissions(t *testing.T) {
	for _, tt := range []struct{ name, golden, old, with, reason string }{
		{"hook that may not report", "api-hook", `"api/blue-green"`, `"api/another"`, ""},
		{"role that may not call the function", "search-hook", `"lambda:InvokeFunction"`, `"lambda:InvokeAsync"`, "is not authorized to perform: lambda:InvokeFunction on resource: arn:aws:lambda:"},
		{"role that ECS may not assume", "search-hook", `"ecs.amazonaws.com"`, `"ecs-tasks.amazonaws.com"`, "ECS is not authorized to perform: sts:AssumeRole"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			plan, err := ReadDeployment(template(t, tt.golden, replace(t, tt.old, tt.with)))
			if err != nil {
				t.Fatal(err)
			}
			if tt.reason == "" { // The group is the one that the function may report to: another is the owner's.
				plan.Deployment.deployer.(*codeDeploy).input.DeploymentGroup = "blue-green"
				tt.reason = "reported nothing within an hour"
			}
			r := rehearse(t, t.Context(), plan, Options{}, nil)
			if failed := r.failed(); r.Status != rehearsal.Failed || !strings.Contains(failed.Reason, tt.reason) {
				t.Errorf("it ends as %s: %s, want %s", r.Status, failed.Reason, tt.reason)
			}
		})
	}
}

func TestADeploymentStops(t *testing.T) {
	for _, golden := range []string{"api-hook", "search-service"} {
		t.Run(golden, func(t *testing.T) {
			plan, err := ReadDeployment(template(t, golden))
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			r := rehearse(t, ctx, plan, Options{CompleteAfter: time.Minute}, func(e rehearsal.Event) {
				if e.Kind == rehearsal.ActionStarted {
					time.AfterFunc(300*time.Millisecond, cancel)
				}
			})
			if r.err != nil || r.Status != rehearsal.Stopped {
				t.Errorf("it ends as %s, %v, want Stopped", r.Status, r.err)
			}
		})
	}
}

func TestReadDeploymentRefusesWhatHasNoHooks(t *testing.T) {
	for _, tt := range []struct{ golden, old, with, want string }{
		{"uploaded-pipeline", "x", "x", "has no hooks"},
		{"api-hook", contract.HookFunctionName("api") + "\\\"\\n", "Another\\\"\\n", `"Another" is no AWS::Lambda::Function`},
		{"api-hook", "Hooks:\\n", "Nothing:\\n", "the AppSpec has no hooks"},
	} {
		_, err := ReadDeployment(template(t, tt.golden, replace(t, tt.old, tt.with)))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.golden, err, tt.want)
		}
	}
}
