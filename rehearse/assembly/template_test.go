package assembly

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// parse loads a template given as text, as stack Blog.
func parse(t *testing.T, template string) *Template {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "Blog.template.json", template)
	parsed, err := LoadTemplate(filepath.Join(dir, "Blog.template.json"))
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// wantError reports what of want err does not say.
func wantError(t *testing.T, err error, want ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("got no error, want one that says %q", want)
		return
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("got error %q, want it to contain %q", err, w)
		}
	}
}

func TestOfType(t *testing.T) {
	tpl := parse(t, `{"Resources": {
		"Zeta": {"Type": "AWS::S3::Bucket", "DependsOn": "Role"},
		"Role": {"Type": "AWS::IAM::Role"},
		"Alpha": {"Type": "AWS::S3::Bucket", "DependsOn": ["Role", "Zeta"], "Metadata": {"aws:cdk:path": "Blog/Alpha"}}
	}}`)
	got := tpl.OfType("AWS::S3::Bucket")
	if len(got) != 2 || got[0].ID != "Alpha" || got[1].ID != "Zeta" {
		t.Fatalf("got %v, want Alpha, Zeta", got)
	}
	if d := got[0].DependsOn; !slices.Equal(d, []string{"Role", "Zeta"}) {
		t.Errorf("list of dependencies: got %v", d)
	}
	if d := got[1].DependsOn; !slices.Equal(d, []string{"Role"}) {
		t.Errorf("single dependency: got %v", d)
	}
	if got := got[0].Metadata["aws:cdk:path"]; got != "Blog/Alpha" {
		t.Errorf("metadata: got %v", got)
	}
	if got := tpl.OfType("AWS::SNS::Topic"); len(got) != 0 {
		t.Errorf("absent type: got %v", got)
	}
}
