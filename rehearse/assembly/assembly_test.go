package assembly

import (
	"path/filepath"
	"slices"
	"testing"
)

const oneBucket = `{"Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}}}`

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	// Neither sorted by id nor by name: the manifest's order is what counts.
	write(t, dir, "manifest.json", `{
		"version": "54.0.0",
		"artifacts": {
			"Tree": {"type": "cdk:tree", "properties": {"file": "tree.json"}},
			"Zebra.assets": {"type": "cdk:asset-manifest", "properties": {"file": "Zebra.assets.json"}},
			"Zebra": {"type": "aws:cloudformation:stack", "environment": "aws://unknown-account/unknown-region",
				"properties": {"templateFile": "Zebra.template.json"}},
			"assembly-Prod": {"type": "cdk:cloud-assembly", "properties": {"directoryName": "assembly-Prod"}},
			"Alpha": {"type": "aws:cloudformation:stack", "environment": "aws://111122223333/eu-west-1",
				"properties": {"templateFile": "Alpha.template.json", "stackName": "blog-alpha"}}
		}
	}`)
	write(t, dir, "Zebra.template.json", oneBucket)
	write(t, dir, "Alpha.template.json", oneBucket)
	write(t, dir, "assembly-Prod/manifest.json", `{"artifacts": {"ProdBlog": {"type": "aws:cloudformation:stack",
		"environment": "aws://unknown-account/us-west-2", "properties": {"templateFile": "ProdBlog.template.json", "stackName": "Prod-Blog"}}}}`)
	write(t, dir, "assembly-Prod/ProdBlog.template.json", oneBucket)

	templates, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	type stack struct{ name, dir, account, region string }
	var got []stack
	for _, tpl := range templates {
		got = append(got, stack{tpl.Name, tpl.Dir, tpl.Account, tpl.Region})
	}
	want := []stack{
		{"Zebra", dir, "123456789012", "us-east-1"},
		{"Prod-Blog", filepath.Join(dir, "assembly-Prod"), "123456789012", "us-west-2"},
		{"blog-alpha", dir, "111122223333", "eu-west-1"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestLoadErrors(t *testing.T) {
	stack := func(environment string) string {
		return `{"artifacts": {"Blog": {"type": "aws:cloudformation:stack", "environment": "` + environment + `",
			"properties": {"templateFile": "Blog.template.json"}}}}`
	}
	const anywhere = "aws://unknown-account/unknown-region"
	tests := []struct {
		name     string
		manifest string
		template string
		want     []string
	}{
		{"never synthesised", "", "", []string{"manifest.json", "make synth"}},
		{"manifest cut off", `{"artifacts": {"Blog":`, "", []string{"decode manifest.json"}},
		{"artifacts are a list", `{"artifacts": []}`, "", []string{"want an object"}},
		{"no stack", `{"artifacts": {"Tree": {"type": "cdk:tree"}}}`, "", []string{"no stack"}},
		{"template missing", stack(anywhere), "", []string{"stack Blog", "Blog.template.json"}},
		{"template cut off", stack(anywhere), `{"Resources": {`, []string{"stack Blog", "decode template"}},
		{"template without resources", stack(anywhere), `{"Outputs": {}}`, []string{"stack Blog", "no resources"}},
		{"macro", stack(anywhere), `{"Transform": "AWS::Serverless-2016-10-31", "Resources": {"B": {"Type": "AWS::S3::Bucket"}}}`,
			[]string{"stack Blog", "AWS::Serverless-2016-10-31"}},
		{"environment of another kind", stack("gcp://project"), oneBucket, []string{"stack Blog", `"gcp://project"`}},
		{"nested assembly missing", `{"artifacts": {"Prod": {"type": "cdk:cloud-assembly", "properties": {"directoryName": "assembly-Prod"}}}}`, "",
			[]string{"stage Prod", "manifest.json"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			if tt.manifest != "" {
				write(t, dir, "manifest.json", tt.manifest)
			}
			if tt.template != "" {
				write(t, dir, "Blog.template.json", tt.template)
			}
			_, err := Load(dir)
			wantError(t, err, append(tt.want, dir)...)
		})
	}
}
