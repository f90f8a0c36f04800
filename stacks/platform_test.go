package stacks

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// platform is the context of an organisation that has rules of its own for the CDK.
var platform = map[string]any{
	"@aws-cdk/core:bootstrapQualifier":  "team",
	"@aws-cdk/core:permissionsBoundary": map[string]any{"name": "team/boundary-${Qualifier}"},
}

// TestPlatform checks that every role has the boundary (those of the CDK's custom resources, too), that
// every reference to the bootstrap's resources has the qualifier (in us-east-1, too), and that nothing
// else changes.
func TestPlatform(t *testing.T) {
	const boundary = "PermissionsBoundary"
	manifests, err := filepath.Glob(filepath.Join(platformApp().dir, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range manifests {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "hnb659fds") {
			t.Errorf("%s has the CDK's own qualifier", filepath.Base(path))
		}
	}
	roles := map[string]int{}
	resources := func(t *testing.T, path string) map[string]map[string]any {
		t.Helper()
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var template struct{ Resources map[string]map[string]any }
		if err := json.Unmarshal([]byte(strings.ReplaceAll(string(text), "-team-assets-", "-hnb659fds-assets-")), &template); err != nil {
			t.Fatal(err)
		}
		return template.Resources
	}
	for name := range allApp().templates {
		file := name + ".template.json"
		with, without := resources(t, filepath.Join(platformApp().dir, file)), resources(t, filepath.Join(allApp().dir, file))
		for id, resource := range with {
			properties, _ := resource["Properties"].(map[string]any)
			switch resource["Type"] {
			case "AWS::IAM::Role", "AWS::IAM::User":
				policy, _ := json.Marshal(properties[boundary]) // It was JSON.
				if !strings.Contains(string(policy), ":policy/team/boundary-team") {
					t.Errorf("%s, %s has the boundary %s", name, id, policy)
				}
				delete(properties, boundary)
				roles[id]++
			}
			if got, want := asText(t, resource), asText(t, without[id]); got != want {
				t.Errorf("%s, %s is\n%s\nand without a platform\n%s", name, id, got, want)
			}
		}
		if len(with) != len(without) {
			t.Errorf("%s has %d resources, and without a platform %d", name, len(with), len(without))
		}
	}
	if roles["PipelineRoleDCFDBB91"] == 0 || roles["CustomS3AutoDeleteObjectsCustomResourceProviderRole3B1BD092"] == 0 {
		t.Errorf("the roles are %v: none of them is a pipeline's, or none a custom resource's of the CDK", roles)
	}
}

func asText(t *testing.T, v any) string {
	t.Helper()
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
