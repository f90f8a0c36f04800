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
			// The recipe has its own tests; here it would only be noise.
			var recipe bytes.Buffer
			encoder := json.NewEncoder(&recipe)
			encoder.SetEscapeHTML(false) // as JavaScript writes it
			if err := encoder.Encode(buildspec.Hugo); err != nil {
				t.Fatal(err)
			}
			text := strings.ReplaceAll(string(raw), strings.TrimSpace(recipe.String()), `"buildspec/hugo.yml"`)
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

func firstDifference(got, want string) string {
	gotLines, wantLines := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(gotLines), len(wantLines)) {
		if gotLines[i] != wantLines[i] {
			return "got  " + gotLines[i] + "\nwant " + wantLines[i]
		}
	}
	return "one is longer than the other"
}
