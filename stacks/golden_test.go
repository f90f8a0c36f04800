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
	"blog-deploy-pipeline/stacks/viewerrequest"
	"blog-deploy-pipeline/stacks/viewerresponse"
)

var (
	update = flag.Bool("update", false, "write the golden templates instead of comparing with them")
	golden string
)

var assetHash = regexp.MustCompile(`[0-9a-f]{64}`)

// TestGolden shows drift: what a change does to a template.
func TestGolden(t *testing.T) {
	for name := range templates {
		// The pipelines of Sites differ in names alone.
		if slices.ContainsFunc(siteFixtures[1:], func(b BlogProps) bool { return name == BlogStackID(b.Name) }) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			raw, err := os.ReadFile(filepath.Join(assemblyDir, name+".template.json"))
			if err != nil {
				t.Fatal(err)
			}
			text := withoutRecipes(t, string(raw))
			var got bytes.Buffer
			if err := json.Indent(&got, []byte(assetHash.ReplaceAllString(text, "ASSET")), "", "  "); err != nil {
				t.Fatal(err)
			}
			got.WriteByte('\n')

			path := filepath.Join(golden, name+".template.json")
			if *update {
				if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Errorf("the template of %s changed:\n%s\nIf that is meant, run `make golden` and commit the difference", name, firstDifference(got.String(), string(want)))
			}
		})
	}
}

// withoutRecipes puts the names of recipes where their text is: they have their own
// tests, and would only be noise here.
func withoutRecipes(t *testing.T, text string) string {
	t.Helper()
	for name, recipe := range map[string]string{"hugo": buildspec.Inline(buildspec.Hugo), "container": buildspec.Container, "ecs": buildspec.ECS} {
		text = strings.ReplaceAll(text, encoded(t, recipe), "buildspec/"+name+".yml")
	}
	for name, code := range map[string]string{
		"stacks/viewerrequest/viewerrequest.js":   viewerrequest.Code(viewerrequest.Settings{}),
		"stacks/viewerresponse/viewerresponse.js": viewerresponse.Code(""),
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
