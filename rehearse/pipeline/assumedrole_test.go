package pipeline

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/rehearsal"
)

// edgeAccount is another account, with a role that clears its distributions.
const (
	edgeAccount = "210987654321"
	edgeRole    = "arn:aws:iam::" + edgeAccount + ":role/edge/clear-cache"
)

// withRole edits a template as the RoleARN of its blog or hook does. role is the logical id of the function's role.
func withRole(t *testing.T, role string) edit {
	t.Helper()
	clearing := regexp.MustCompile(`(?s)\{\s*"Action": \[\s*"cloudfront:CreateInvalidation".*?E2QWRUHAPOMQZL"\s*\]\s*\]\s*\}\s*\}`)
	return func(text string) string {
		for _, e := range []edit{
			replace(t, `"Variables": {`, `"Variables": {`+variable(contract.EnvRoleARN, edgeRole)+", "),
			replace(t, clearing.FindString(text), `{"Action": "sts:AssumeRole", "Effect": "Allow", "Resource": "`+edgeRole+`"}`),
			replace(t, `"Outputs": {`, `"Outputs": {
				"`+contract.OutputRoleTrust+`": {"Value": {"Fn::Join": ["", ["{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"", {"Fn::GetAtt": ["`+role+`", "Arn"]}, "\"},\"Action\":[\"sts:AssumeRole\"]}]}"]]}},
				"`+contract.OutputRolePermissions+`": {"Value": "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":[\"cloudfront:CreateInvalidation\",\"cloudfront:GetInvalidation\"],\"Resource\":[\"arn:aws:cloudfront::`+edgeAccount+`:distribution/E2QWRUHAPOMQZL\"]}]}"},`),
		} {
			text = e(text)
		}
		return text
	}
}

func TestEachPolicyDecidesOnARoleOfAnotherAccount(t *testing.T) {
	const (
		own         = "User: arn:aws:sts::123456789012:assumed-role/uploaded-pipeline-InvalidateRole"
		mayNot      = "is not authorized to perform: "
		takesOn     = mayNot + "sts:AssumeRole on resource: " + edgeRole
		taken       = "User: arn:aws:sts::" + edgeAccount + ":assumed-role/clear-cache/uploaded-pipeline-Invalidate"
		bothOutputs = "outputs " + contract.OutputRoleTrust + " and " + contract.OutputRolePermissions
		statement   = `"Action": "sts:AssumeRole", "Effect": "Allow", "Resource": "` + edgeRole
	)
	for _, tt := range []struct {
		name      string
		old, with string // of the template
		faults    string
		reason    []string // none: it succeeds
		look      string
	}{
		{name: "it is there"},
		{name: "it is not there yet", faults: "sts=no-role", reason: []string{"STS refused: AccessDenied: " + own, takesOn + ". There must be a role " + edgeRole + ", with the trust policy that is the stack's output " + contract.OutputRoleTrust}, look: bothOutputs},
		{name: "the function's role may not", old: statement, with: statement + "2", reason: []string{own, takesOn + " because no identity-based policy allows"}, look: "the policies of the role InvalidateRoleD64083AD in the template"},
		{name: "it trusts another", old: `["InvalidateRoleD64083AD", "Arn"]}, "\"},`, with: `["BuildRole41B77417", "Arn"]}, "\"},`, reason: []string{own, takesOn}, look: "outputs " + contract.OutputRoleTrust},
		{name: "it may not clear", old: `:distribution/E2QWRUHAPOMQZL\"]`, with: `:distribution/E2QWRUHAPOMQZN\"]`,
			reason: []string{"CloudFront refused: AccessDenied: " + taken, mayNot + "cloudfront:CreateInvalidation on resource: arn:aws:cloudfront::" + edgeAccount + ":distribution/E2QWRUHAPOMQZL", "The role " + edgeRole + " must allow"}, look: bothOutputs},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			faults, err := ParseFaults(tt.faults)
			if err != nil {
				t.Fatal(err)
			}
			edits := []edit{withRole(t, "InvalidateRoleD64083AD")}
			if tt.old != "" {
				edits = append(edits, replace(t, tt.old, tt.with))
			}
			r := rehearse(t, t.Context(), read(t, template(t, "uploaded-pipeline", edits...)), Options{Source: blog(t), Faults: faults}, nil)
			if tt.faults != "" && !strings.HasPrefix(r.strikes(), tt.faults+" Invalidate/Invalidate sts:AssumeRole ") {
				t.Errorf("%s strikes %q", tt.faults, r.strikes())
			}
			if len(tt.reason) == 0 {
				if r.err != nil || r.statuses() != allSucceeded || len(r.Invalidations) != 1 {
					t.Errorf("stages end as %s (%v) with %d invalidations: %+v", r.statuses(), r.err, len(r.Invalidations), r.failed())
				}
				for _, p := range r.Permissions {
					if p.Role == edgeRole && slices.ContainsFunc(p.Actions, func(a rehearsal.Permission) bool { return a.Used > 0 }) {
						return
					}
				}
				t.Errorf("permissions are %+v, want those of %s among them, used", r.Permissions, edgeRole)
			}
			failed := r.failed()
			for _, part := range tt.reason {
				if failed.Code != "PermissionError" || !strings.Contains(failed.Reason, part) {
					t.Errorf("it fails with %s:\n%s\nwant PermissionError with\n%s", failed.Code, failed.Reason, part)
				}
			}
			if !strings.Contains(failed.Look, tt.look) {
				t.Errorf("look at %q, want it to have %q", failed.Look, tt.look)
			}
			if notes := strings.Join(r.Notes, "\n"); !strings.Contains(notes, "the role "+edgeRole+" is in another account") {
				t.Errorf("notes are %q, want one about the role", notes)
			}
		})
	}
}

func TestAHookAssumesTheRoleForAllDistributions(t *testing.T) {
	distributions := func(all ...contract.Distribution) string { return strconv.Quote(contract.JSON(all)) }
	one := contract.Distribution{ID: "E2QWRUHAPOMQZL", Paths: []string{contract.AllPaths}}
	another := contract.Distribution{ID: "E2QWRUHAPOMQZN", Paths: []string{"/checkout/*", "#prices"}}
	call := "- AfterAllowTraffic: \\\"" + contract.HookFunctionName("api") + "\\\"\\n"
	plan, err := ReadDeployment(template(t, "api-hook", withRole(t, "HookRole5025F404"),
		replace(t, distributions(one), distributions(one, another)),
		replace(t, `:distribution/E2QWRUHAPOMQZL\"]`, `:distribution/E2QWRUHAPOMQZL\",\"arn:aws:cloudfront::`+edgeAccount+`:distribution/E2QWRUHAPOMQZN\"]`),
		replace(t, call, strings.Replace(call, "AfterAllowTraffic", "AfterAllowTestTraffic", 1)+"  "+call),
		replace(t, variable(contract.EnvWaitFor, string(contract.WaitForCompleted)), variable(contract.EnvWaitFor, string(contract.WaitForCreated))),
		replace(t, variable(contract.EnvOnFailure, string(contract.OnFailureProceed)), variable(contract.EnvOnFailure, string(contract.OnFailureFail))),
	))
	if err != nil {
		t.Fatal(err)
	}
	r := rehearse(t, t.Context(), plan, Options{}, nil)
	if r.err != nil || r.Status != rehearsal.Succeeded || len(r.Invalidations) != 4 { // two, at two events
		t.Errorf("it ends as %s (%v) with the invalidations %+v, want 4: %+v", r.Status, r.err, r.Invalidations, r.failed())
	}
}

func TestReadRefusesARoleThatCannotBeAssumed(t *testing.T) {
	for _, tt := range []struct{ name, old, with, want string }{
		{"no role", variable(contract.EnvRoleARN, edgeRole), variable(contract.EnvRoleARN, "clear-cache"), contract.EnvRoleARN + ` is "clear-cache": want a role's ARN`},
		{"no policy", `"` + contract.OutputRoleTrust + `"`, `"AnotherOutput"`, `assumes the role ` + edgeRole + `, and the stack's output ` + contract.OutputRoleTrust + ` is no policy for it: ""`},
	} {
		_, err := Read(template(t, "uploaded-pipeline", withRole(t, "InvalidateRoleD64083AD"), replace(t, tt.old, tt.with)))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}
