package assembly

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// document returns a policy that allows one action on the blog's distribution. It writes the ARN as the CDK
// does.
func document(action string) string {
	return `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "` + action + `", "Resource":
		{"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":cloudfront::", {"Ref": "AWS::AccountId"}, ":distribution/E2EXAMPLE"]]}}]}`
}

func actions(t *testing.T, policies []json.RawMessage) []string {
	t.Helper()
	var found []string
	for _, p := range policies {
		var policy struct {
			Statement []struct{ Action, Resource string }
		}
		if err := json.Unmarshal(p, &policy); err != nil {
			t.Fatal(err)
		}
		for _, s := range policy.Statement {
			found = append(found, s.Action)
			if want := "arn:aws:cloudfront::123456789012:distribution/E2EXAMPLE"; s.Resource != want {
				t.Errorf("%s: got resource %s, want %s", s.Action, s.Resource, want)
			}
		}
	}
	return found
}

func TestRolePolicies(t *testing.T) {
	tpl := parse(t, `{
		"Resources": {
			"Role": {"Type": "AWS::IAM::Role", "Properties": {
				"AssumeRolePolicyDocument": {"Statement": [{"Principal": {"Service": {"Fn::ImportValue": "not resolved here"}}}]},
				"ManagedPolicyArns": [{"Ref": "ManagedByArn"}],
				"Policies": [{"PolicyName": "Inline", "PolicyDocument": `+document("cloudfront:A")+`}]}},
			"Named": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "named"}},
			"Bare": {"Type": "AWS::IAM::Role"},
			"RoleDefaultPolicy": {"Type": "AWS::IAM::Policy", "Properties": {
				"Roles": [{"Ref": "Role"}], "PolicyName": "p", "PolicyDocument": `+document("cloudfront:B")+`}},
			"Shared": {"Type": "AWS::IAM::Policy", "Properties": {
				"Roles": ["named", {"Ref": "Role"}], "PolicyName": "p", "PolicyDocument": `+document("cloudfront:C")+`}},
			"ManagedByArn": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": `+document("cloudfront:E")+`}},
			"ManagedByRoles": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {
				"Roles": [{"Ref": "Role"}], "PolicyDocument": `+document("cloudfront:F")+`}},
			"ManagedByNobody": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": `+document("cloudfront:X")+`}},
			"ForUser": {"Type": "AWS::IAM::Policy", "Properties": {
				"Users": ["somebody"], "PolicyName": "p", "PolicyDocument": {"Fn::ImportValue": "not resolved here"}}}
		}}`)
	tests := []struct {
		role string
		want string
	}{
		{"Role", "cloudfront:A cloudfront:B cloudfront:C cloudfront:E cloudfront:F"},
		{"Named", "cloudfront:C"},
		{"Bare", ""},
	}
	for _, tt := range tests {
		t.Run(tt.role, func(t *testing.T) {
			policies, err := tpl.RolePolicies(tt.role)
			if err != nil {
				t.Fatal(err)
			}
			if got := actions(t, policies); !reflect.DeepEqual(got, strings.Fields(tt.want)) && len(got)+len(tt.want) > 0 {
				t.Errorf("got %v, want %s", got, tt.want)
			}
		})
	}
}

func TestRolePoliciesErrors(t *testing.T) {
	tests := []struct {
		name       string
		properties string // of the role
		others     string // more resources
		want       []string
	}{
		{"AWS managed policy", `{"ManagedPolicyArns": [{"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"]]}]}`, "",
			[]string{"role Role", "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole", "cannot evaluate it"}},
		{"inline policy without a document", `{"Policies": [{"PolicyName": "p"}]}`, "", []string{"Policies[0]", "PolicyDocument"}},
		{"inline policy is a string", `{"Policies": ["p"]}`, "", []string{"Policies[0]", "PolicyDocument"}},
		{"document with an unknown intrinsic", `{}`,
			`, "P": {"Type": "AWS::IAM::Policy", "Properties": {"Roles": [{"Ref": "Role"}], "PolicyDocument": {"Statement": [{"Resource": {"Fn::ImportValue": "x"}}]}}}`,
			[]string{"P:", "Fn::ImportValue"}},
		{"policy with a condition", `{}`, `, "P": {"Type": "AWS::IAM::Policy", "Condition": "Never", "Properties": {"Roles": [{"Ref": "Role"}]}}`,
			[]string{"P has the condition Never", "does not support conditions"}},
		{"roles that cannot be resolved", `{}`, `, "P": {"Type": "AWS::IAM::Policy", "Properties": {"Roles": [{"Ref": "Nobody"}]}}`, []string{"P:", "Nobody"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tpl := parse(t, `{"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": `+tt.properties+`}`+tt.others+`}}`)
			_, err := tpl.RolePolicies("Role")
			wantError(t, err, tt.want...)
		})
	}
	t.Run("not in the stack", func(t *testing.T) {
		_, err := parse(t, oneBucket).RolePolicies("Role")
		wantError(t, err, "Role", "not in stack Blog")
	})
	t.Run("not a role", func(t *testing.T) {
		_, err := parse(t, oneBucket).RolePolicies("Bucket")
		wantError(t, err, "AWS::S3::Bucket", "want AWS::IAM::Role")
	})
}
