package stacks

import (
	"encoding/json"
	"strings"
	"testing"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/rehearse/iampolicy"
	"blog-deploy-pipeline/stacks/internal/fixtures"
)

// TestRoleToAssume uses a role in the distributions' account, with the two policies in the stack's
// outputs. The function may assume the role and do nothing else, nobody else may assume the role, and the
// role may clear these distributions and do nothing else.
func TestRoleToAssume(t *testing.T) {
	edge := strings.Replace(edge, fixtures.Account, fixtures.EdgeAccount, 1)
	for _, tt := range []struct {
		tmpl          *assembly.Template
		function      string // its role
		distributions []string
	}{
		{template(t, fixtures.Full), "InvalidateRole", []string{"E2QWRUHAPOMQZN"}},
		{hookTemplate(t, fixtures.Checkout), "HookRole", []string{"E2QWRUHAPOMQZM", "E2QWRUHAPOMQZN"}},
	} {
		t.Run(tt.tmpl.Name, func(t *testing.T) {
			output := func(id string) json.RawMessage {
				return json.RawMessage(at(t, tt.tmpl, tt.tmpl.Outputs[id].Value).(string))
			}
			trust, permissions := output(contract.OutputRoleTrust), output(contract.OutputRolePermissions)
			id := roleID(t, tt.tmpl, tt.function)
			function := arnOf(t, tt.tmpl, id)
			policies, err := tt.tmpl.RolePolicies(id)
			if err != nil {
				t.Fatal(err)
			}
			anything := []json.RawMessage{json.RawMessage(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)}
			clearing := tt.distributions[0]
			for _, c := range []struct {
				who        string
				policies   []json.RawMessage
				action, on string
				trust      json.RawMessage
				allowed    bool
			}{
				{function, policies, "sts:AssumeRole", fixtures.RoleARN, trust, true},
				{function, policies, "sts:AssumeRole", fixtures.RoleARN + "2", trust, false},
				{function, policies, "cloudfront:CreateInvalidation", edge + clearing, nil, false},
				{function, policies, "cloudfront:CreateInvalidation", "arn:aws:cloudfront::" + fixtures.Account + ":distribution/" + clearing, nil, false},
				{function, policies, "cloudfront:GetInvalidation", "arn:aws:cloudfront::" + fixtures.Account + ":distribution/" + clearing, nil, false},
				{function + "2", anything, "sts:AssumeRole", fixtures.RoleARN, trust, false},
				{"arn:aws:iam::" + fixtures.Account + ":role/admin", anything, "sts:AssumeRole", fixtures.RoleARN, trust, false},
				{fixtures.RoleARN, []json.RawMessage{permissions}, "cloudfront:CreateInvalidation", edge + clearing, nil, true},
				{fixtures.RoleARN, []json.RawMessage{permissions}, "cloudfront:GetInvalidation", edge + tt.distributions[len(tt.distributions)-1], nil, true},
				{fixtures.RoleARN, []json.RawMessage{permissions}, "cloudfront:CreateInvalidation", edge + "E2QWRUHAPOMQZL", nil, false},
				{fixtures.RoleARN, []json.RawMessage{permissions}, "cloudfront:UpdateDistribution", edge + clearing, nil, false},
				{fixtures.RoleARN, []json.RawMessage{permissions}, "cloudfront:GetDistribution", edge + clearing, nil, false},
			} {
				ask(t, c.policies, question{iampolicy.Request{Principal: c.who, Action: c.action, Resource: c.on, ResourcePolicy: c.trust}, c.allowed})
			}
		})
	}
}

// Without a role there is no output.
func TestNoRoleToAssume(t *testing.T) {
	for _, tmpl := range []*assembly.Template{template(t, fixtures.Modern), hookTemplate(t, fixtures.Shop)} {
		if _, ok := tmpl.Outputs[contract.OutputRoleTrust]; ok {
			t.Errorf("%s has the output %s, want none", tmpl.Name, contract.OutputRoleTrust)
		}
	}
}
