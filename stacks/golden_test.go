package stacks

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"blog-deploy-pipeline/buildspec"
	"blog-deploy-pipeline/stacks/internal/shortform"
	"blog-deploy-pipeline/stacks/site/viewerrequest"
	"blog-deploy-pipeline/stacks/site/viewerresponse"
)

var update = flag.Bool("update", false, "write the golden templates instead of comparing with them")

// wholeTemplates are kept whole in testdata, for all that the others share with them: a blog's pipeline with
// every default, the same by CodePipeline's S3 action, a Site with a domain, a certificate and access logs, and a
// new service under each controller, with its network and its hook. The rehearsal's tests run the pipelines.
var wholeTemplates = []string{"modern-pipeline", "uploaded-pipeline", "virginia-site", "api-service", "search-service"}

// shortTemplates are kept as differences from the template that is named here.
var shortTemplates = map[string]string{
	"bare-pipeline":    "modern-pipeline",
	"classic-pipeline": "uploaded-pipeline",
	"folder-pipeline":  "uploaded-pipeline",
	"full-pipeline":    "modern-pipeline",
	"webhook-pipeline": "modern-pipeline",

	// They publish to a Site, as bare-pipeline does.
	"complete-pipeline":  "bare-pipeline",
	"elsewhere-pipeline": "bare-pipeline",
	"open-pipeline":      "uploaded-pipeline",
	"tokyo-pipeline":     "bare-pipeline",
	"virginia-pipeline":  "bare-pipeline",

	"bare-site":         "virginia-site",
	"complete-logs":     "virginia-site",
	"complete-site":     "virginia-site",
	"elsewhere-site":    "virginia-site",
	"open-site":         "virginia-site",
	"tokyo-certificate": "virginia-site",
	"tokyo-site":        "virginia-site",

	// CodeDeploy deploys these.
	"checkout-hook":  "api-service",
	"cheap-service":  "api-service",
	"shared-service": "api-service",
	"shop-hook":      "api-service",
	"store-service":  "api-service",

	// ECS deploys these.
	"docs-service":  "search-service",
	"feed-hook":     "search-service",
	"inner-service": "search-service",
	"news-hook":     "search-service",
}

// TestGolden shows what a change does to the templates. A change of what they share shows in the whole
// ones alone.
func TestGolden(t *testing.T) {
	files := map[string]string{}
	for _, name := range wholeTemplates {
		files[name+".template.json"] = goldenJSON(t, name)
	}
	for name, base := range shortTemplates {
		files[name+".short.txt"] = shortform.Write(goldenTemplate(t, name), goldenTemplate(t, base))
	}
	for name := range allApp().templates {
		if files[name+".template.json"]+files[name+".short.txt"] == "" {
			t.Errorf("%s has no golden file: add it to shortTemplates", name)
		}
	}
	golden := filepath.Join(root, "stacks", "testdata")
	for file, got := range files {
		t.Run(file, func(t *testing.T) { compareGolden(t, filepath.Join(golden, file), got) })
	}
	kept, err := os.ReadDir(golden)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range kept {
		if _, ok := files[file.Name()]; ok {
			continue
		}
		if !*update {
			t.Errorf("testdata/%s belongs to no fixture: run `make golden`, which deletes it", file.Name())
		} else if err := os.Remove(filepath.Join(golden, file.Name())); err != nil {
			t.Error(err)
		}
	}
}

func compareGolden(t *testing.T, path, got string) {
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v: run `make golden` and commit the file", err)
	}
	if got != string(want) {
		t.Errorf("%s changed:\n%s\nIf that is meant, run `make golden` and commit the difference", filepath.Base(path), firstDifference(got, string(want)))
	}
}

// goldenJSON returns a synthesised template as its golden file has it: without hashes of assets and
// without the texts that have tests of their own, and with sorted dependencies. The CDK sorts those by the
// constructs' paths, which change without any effect when a construct moves.
func goldenJSON(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(allApp().dir, name+".template.json"))
	if err != nil {
		t.Fatal(err)
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, []byte(assetHash.ReplaceAllString(withoutRecipes(t, string(raw)), "ASSET")), "", "  "); err != nil {
		t.Fatal(err)
	}
	return dependsOn.ReplaceAllStringFunc(indented.String(), func(list string) string {
		lines := strings.Split(list, "\n")
		ids := lines[1 : len(lines)-1]
		for i, id := range ids {
			ids[i] = strings.TrimSuffix(id, ",")
		}
		slices.Sort(ids)
		return lines[0] + "\n" + strings.Join(ids, ",\n") + "\n" + lines[len(lines)-1]
	}) + "\n"
}

var dependsOn = regexp.MustCompile(`"DependsOn": \[\n[^\]]*\]`)

var assetHash = regexp.MustCompile(`[0-9a-f]{64}`)

func goldenTemplate(t *testing.T, stack string) shortform.Template {
	t.Helper()
	owner := stack[:strings.LastIndex(stack, "-")]
	template, err := shortform.Decode(stack, owner, []byte(goldenJSON(t, stack)))
	if err != nil {
		t.Fatal(err)
	}
	return template
}

// withoutRecipes replaces the texts of recipes and of CloudFront's functions by their names: they have
// tests of their own.
func withoutRecipes(t *testing.T, text string) string {
	t.Helper()
	for name, recipe := range map[string]string{"hugo": buildspec.Inline(buildspec.Hugo), "container": buildspec.Container, "ecs": buildspec.ECS} {
		text = strings.ReplaceAll(text, encoded(t, recipe), "buildspec/"+name+".yml")
	}
	for name, code := range map[string]string{
		"stacks/site/viewerrequest/viewerrequest.js":   viewerrequest.Code(viewerrequest.Settings{}),
		"stacks/site/viewerresponse/viewerresponse.js": viewerresponse.Code(""),
	} {
		_, source, _ := strings.Cut(code, "\n") // The first line is a Site's own.
		text = strings.ReplaceAll(text, encoded(t, source), name)
	}
	return text
}

// encoded returns text as it is inside a JSON string.
func encoded(t *testing.T, text string) string {
	t.Helper()
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false) // as JavaScript writes it
	if err := encoder.Encode(text); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(out.String()), `"`), `"`)
}

func firstDifference(got, want string) string {
	gotLines, wantLines := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(gotLines), len(wantLines)) {
		if gotLines[i] != wantLines[i] {
			return "got  " + gotLines[i] + "\nwant " + wantLines[i]
		}
	}
	return "one is longer than the other"
}
