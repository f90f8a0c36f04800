package stacks

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"blog-deploy-pipeline/buildspec"
)

var (
	update = flag.Bool("update", false, "write the golden templates instead of comparing with them")
	golden string
)

var assetHash = regexp.MustCompile(`[0-9a-f]{64}`)

// TestGolden shows drift: what a change does to a template.
func TestGolden(t *testing.T) {
	for name := range templates {
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
	for name, recipe := range map[string]string{"hugo": buildspec.Hugo, "container": buildspec.Container, "ecs": buildspec.ECS} {
		var encoded bytes.Buffer
		encoder := json.NewEncoder(&encoded)
		encoder.SetEscapeHTML(false) // as JavaScript writes it
		if err := encoder.Encode(recipe); err != nil {
			t.Fatal(err)
		}
		text = strings.ReplaceAll(text, strings.TrimSpace(encoded.String()), `"buildspec/`+name+`.yml"`)
	}
	return text
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
