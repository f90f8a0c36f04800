package stacks

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestAwsSolutions fails on every finding of cdk-nag that no justification covers.
func TestAwsSolutions(t *testing.T) {
	finding := regexp.MustCompile(`AwsSolutions-[A-Z0-9]+(\[[^\]]*\])?: [^"]*`)
	for name := range allApp().templates {
		for _, text := range finding.FindAllString(annotations(t, name), -1) {
			t.Errorf("%s: %s", name, text)
		}
	}
}

// annotations returns the file in which the CDK keeps a stack's warnings and errors.
func annotations(t *testing.T, stack string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(allApp().dir, stack+".metadata.json"))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// TestJustificationsAreNeeded fails on a justification whose rule cdk-nag did not
// find broken: it would hide the next, real finding.
func TestJustificationsAreNeeded(t *testing.T) {
	for name, template := range allApp().templates {
		reports, err := filepath.Glob(filepath.Join(allApp().dir, "AwsSolutions-*"+name+"-NagReport.csv"))
		if err != nil || len(reports) != 1 {
			t.Fatalf("%s: reports of cdk-nag are %v, %v, want one", name, reports, err)
		}
		report, err := os.ReadFile(reports[0])
		if err != nil {
			t.Fatal(err)
		}
		for id, resource := range template.Resources {
			nag, _ := resource.Metadata["cdk_nag"].(map[string]any)
			rules, _ := nag["rules_to_suppress"].([]any)
			for _, rule := range rules {
				rule := rule.(map[string]any)
				used := false
				for line := range strings.Lines(string(report)) {
					used = used || strings.Contains(line, rule["id"].(string)) && strings.Contains(line, rule["reason"].(string)) && strings.Contains(line, "Suppressed")
				}
				if !used {
					t.Errorf("%s: %s justifies %s, which cdk-nag does not complain of", name, id, rule["id"])
				}
				if len(rule["reason"].(string)) < 30 {
					t.Errorf("%s: %s has no reason for %s", name, id, rule["id"])
				}
			}
		}
	}
}
