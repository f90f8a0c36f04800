package cdksettings

import (
	"maps"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
)

// contextOf returns the context for a project and a home folder that contain these files.
func contextOf(t *testing.T, files, variables map[string]string) (map[string]any, error) {
	t.Helper()
	dir := t.TempDir()
	home := filepath.Join(dir, "a home")
	if err := os.Mkdir(home, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if name == "~/.cdk.json" {
			path = filepath.Join(home, ".cdk.json")
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	return Context(func(name string) (string, bool) {
		if name == "HOME" {
			return home, true
		}
		value, isSet := variables[name]
		return value, isSet
	})
}

func TestContext(t *testing.T) {
	// The first three keys are in the context of an empty cdk.json.
	const asset, path, reporting, disabled, unstaged = "aws:cdk:enable-asset-metadata", "aws:cdk:enable-path-metadata", "aws:cdk:version-reporting", "aws:cdk:disable-version-reporting", "aws:cdk:disable-asset-staging"
	for _, tt := range []struct {
		name             string
		files, variables map[string]string
		want             map[string]any // a key with "" must be missing
	}{
		{"empty cdk.json", nil, nil, nil},
		{"context in ~/.cdk.json", map[string]string{"~/.cdk.json": `{"context": {"a": "1"}}`}, nil, map[string]any{"a": "1"}},
		{"file with the mark of UTF-8", map[string]string{"~/.cdk.json": "\ufeff" + `{"context": {"a": "1"}}`}, nil, map[string]any{"a": "1"}},
		{"no context", map[string]string{"~/.cdk.json": `{"context": null, "language": "go"}`}, nil, nil},
		{"same key in all sources", map[string]string{
			"~/.cdk.json":      `{"context": {"a": "home", "b": "home", "c": "home", "d": "home"}}`,
			"cdk.context.json": `{"b": "found", "c": "found", "d": "found"}`,
			"cdk.json":         `{"context": {"c": "project", "d": "project"}}`,
		}, map[string]string{"CDK_CONTEXT": "d=a=b"}, map[string]any{"a": "home", "b": "found", "c": "project", "d": "a=b"}},
		{"settings in ~/.cdk.json", map[string]string{"~/.cdk.json": `{"versionReporting": false, "pathMetadata": false, "staging": false}`}, nil,
			map[string]any{reporting: "", disabled: true, path: "", unstaged: true}},
		{"setting in two files", map[string]string{"~/.cdk.json": `{"assetMetadata": false, "pathMetadata": true}`, "cdk.json": `{"assetMetadata": true, "pathMetadata": false}`}, nil, map[string]any{path: ""}},
		{"setting that is null", map[string]string{"~/.cdk.json": `{"assetMetadata": false}`, "cdk.json": `{"assetMetadata": null}`}, nil, nil},
		{"settings in the environment", map[string]string{"cdk.json": `{"assetMetadata": false}`},
			map[string]string{"CDK_ASSET_METADATA": "true", "CDK_PATH_METADATA": "0", "CDK_STAGING": "false", "CDK_VERSION_REPORTING": ""},
			map[string]any{path: "", unstaged: true, reporting: "", disabled: true}},
		{"context from the CLI", map[string]string{"~/.cdk.json": `{"context": {"a": "1"}}`, "cdk.json": "not read"},
			map[string]string{"CDK_CONTEXT_JSON": `{"b": "2"}`}, map[string]any{"b": "2", asset: "", path: "", reporting: ""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := map[string]string{"cdk.json": "{}"}
			maps.Copy(files, tt.files)
			got, err := contextOf(t, files, tt.variables)
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]any{asset: true, path: true, reporting: true}
			maps.Copy(want, tt.want)
			maps.DeleteFunc(want, func(_ string, value any) bool { return value == "" })
			if asJSON(got) != asJSON(want) {
				t.Errorf("the context is %s, want %s", asJSON(got), asJSON(want))
			}
		})
	}
	t.Run("no HOME", func(t *testing.T) {
		got := userFile(func(string) (string, bool) { return "", false })
		if me, err := user.Current(); err != nil || got != filepath.Join(me.HomeDir, ".cdk.json") {
			t.Errorf("got %s, want it in the home folder that the system knows, %v", got, err)
		}
	})
	t.Run("objects under the same key", func(t *testing.T) {
		got, err := contextOf(t, map[string]string{"~/.cdk.json": `{"context": {"o": {"a": {"x": 1}, "b": 1}, "p": {"a": 1}}}`, "cdk.json": `{"context": {"o": {"a": {"y": 2}}, "p": 3}}`}, nil)
		if want := `{"a":{"x":1,"y":2},"b":1}`; err != nil || asJSON(got["o"]) != want || asJSON(got["p"]) != "3" {
			t.Errorf("the context is %s, %v, want o to be %s and p to be 3", asJSON(got), err, want)
		}
	})
}

func TestContextRefuses(t *testing.T) {
	qualifier := func(value string) map[string]string {
		return map[string]string{"~/.cdk.json": `{"context": {"` + qualifierKey + `": ` + value + `}}`}
	}
	boundary := func(value string) map[string]string {
		return map[string]string{"~/.cdk.json": `{"context": {"` + boundaryKey + `": ` + value + `}}`}
	}
	const home, must = "a home/.cdk.json", `must be {"name": "…"}`
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  []string // parts of the error; nil if there is none
	}{
		{"empty file", map[string]string{"~/.cdk.json": ""}, []string{home + " is not JSON, in line 1", "unexpected end"}},
		{"file that is not JSON", map[string]string{"~/.cdk.json": "{\n\"context\": {\"a\": 1,}\n}"}, []string{home + " is not JSON, in line 2"}},
		{"list", map[string]string{"~/.cdk.json": `[1]`}, []string{home + " is [1]: must be an object"}},
		{"null", map[string]string{"~/.cdk.json": `null`}, []string{home + " is null: must be an object"}},
		{"context that is a text", map[string]string{"~/.cdk.json": `{"context": "a=b"}`}, []string{home + `: context is "a=b": must be an object`}},
		{"cdk.context.json that is not JSON", map[string]string{"cdk.context.json": `{`}, []string{"cdk.context.json is not JSON"}},
		{"cdk.json whose context is a list", map[string]string{"cdk.json": `{"context": []}`}, []string{"cdk.json: context is []"}},

		{"qualifier", qualifier(`"team-1"`), nil},
		{"no qualifier", qualifier(`null`), nil},
		{"qualifier in capitals", qualifier(`"Team"`), []string{qualifierKey + ` is "Team": must be a text of 1 to 10 lower-case letters`, "~/.cdk.json or --context"}},
		{"qualifier of eleven characters", qualifier(`"hnb659fds12"`), []string{qualifierKey}},
		{"empty qualifier", qualifier(`""`), []string{qualifierKey}},
		{"qualifier that is a number", qualifier(`7`), []string{qualifierKey + " is 7: must be a text"}},

		{"boundary", boundary(`{"name": "team/boundary-${Qualifier}"}`), nil},
		{"boundary by its ARN", boundary(`{"arn": "arn:${AWS::Partition}:iam::${AWS::AccountId}:policy/b"}`), nil},
		{"boundary that is a policy of AWS", boundary(`{"arn": "arn:aws:iam::aws:policy/PowerUserAccess"}`), nil},
		{"boundary that is a text", boundary(`"b"`), []string{boundaryKey + ` is "b": ` + must}},
		{"mistyped key", boundary(`{"Name": "b"}`), []string{`is {"Name":"b"}: ` + must}},
		{"ARN as name", boundary(`{"name": "arn:aws:iam::123456789012:policy/b"}`), []string{must}},
		{"name as ARN", boundary(`{"arn": "b"}`), []string{must}},
		{"ARN of a role", boundary(`{"arn": "arn:aws:iam::123456789012:role/b"}`), []string{must}},
		{"name and ARN", boundary(`{"name": "b", "arn": "arn:aws:iam::123456789012:policy/b"}`), []string{must}},
		{"empty name", boundary(`{"name": ""}`), []string{must}},
		{"unknown placeholder", boundary(`{"name": "b-${Region}"}`), []string{must}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := map[string]string{"cdk.json": "{}"}
			maps.Copy(files, tt.files)
			_, err := contextOf(t, files, nil)
			if err == nil && len(tt.want) > 0 {
				t.Fatal("it is accepted")
			} else if err != nil && len(tt.want) == 0 {
				t.Fatal(err)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want %q in it", err, want)
				}
			}
		})
	}
	t.Run("no cdk.json", func(t *testing.T) {
		if _, err := contextOf(t, nil, nil); err == nil || !strings.Contains(err.Error(), "no cdk.json in this folder") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("from the CLI", func(t *testing.T) {
		_, err := contextOf(t, nil, map[string]string{"CDK_CONTEXT_JSON": `{"` + qualifierKey + `": "Team"}`})
		if err == nil || !strings.Contains(err.Error(), qualifierKey) {
			t.Errorf("got %v", err)
		}
	})
}
