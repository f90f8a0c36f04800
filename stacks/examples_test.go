package stacks

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

// TestExamplesAreNobodys checks that each stack of a blog or service with an example value is bound to the
// documentation's account, and that its manifest names no role for the CLI to assume.
func TestExamplesAreNobodys(t *testing.T) {
	var ids []string
	for _, b := range fixtures.ExampleBlogs {
		ids = append(ids, b.StackNames()...)
	}
	for _, s := range fixtures.ExampleServices {
		ids = append(ids, s.StackName())
	}
	if len(ids) != 7 {
		t.Fatalf("the examples have the stacks %v, want a certificate, a site and logs among seven", ids)
	}
	raw, err := os.ReadFile(filepath.Join(changedApp().dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		Missing   []any
		Artifacts map[string]struct {
			Type, Environment string
			Properties        struct{ AssumeRoleArn string }
		}
	}
	if err := json.Unmarshal(raw, &manifest); err != nil {
		t.Fatal(err)
	}
	for id, made := range manifest.Artifacts {
		if made.Type != "aws:cloudformation:stack" {
			continue
		}
		bound, role := changedApp().templates[id].Account == props.ExampleAccount, made.Properties.AssumeRoleArn
		if isExample := slices.Contains(ids, id); bound != isExample || isExample != (role == "") {
			t.Errorf("%s (with example values: %t) is bound to %s, and is deployed by the role %q", id, isExample, made.Environment, role)
		}
	}
	for _, id := range ids {
		if changedApp().templates[id] == nil {
			t.Errorf("there is no %s", id)
		}
	}
	if len(manifest.Missing) > 0 {
		t.Errorf("synth asks AWS for %v", manifest.Missing)
	}
}
