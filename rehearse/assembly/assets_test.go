package assembly

import (
	"path/filepath"
	"testing"
)

func TestFunctionAssetDir(t *testing.T) {
	const manifest = `{"version": "54.0.0", "files": {
		"aaa": {"source": {"path": "Blog.template.json", "packaging": "file"}, "destinations": {"here": {"bucketName": "b", "objectKey": "aaa.json"}}},
		"bbb": {"source": {"path": "asset.bbb", "packaging": "zip"}, "destinations": {"here": {"bucketName": "b", "objectKey": "bbb.zip"}}},
		"ccc": {"source": {"path": "asset.ccc", "packaging": "zip"}, "destinations": {"here": {"bucketName": "b", "objectKey": "ccc.zip"}}},
		"ddd": {"source": {"path": "asset.ddd.jar", "packaging": "file"}, "destinations": {"here": {"bucketName": "b", "objectKey": "ddd.jar"}}}
	}}`
	fromKey := func(key string) string {
		return `{"S3Bucket": {"Fn::Sub": "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"}, "S3Key": "` + key + `"}`
	}
	tests := []struct {
		name     string
		code     string
		manifest string
		want     string   // folder in cdk.out
		wantErr  []string // instead
	}{
		{"folder", fromKey("bbb.zip"), manifest, "asset.bbb", nil},
		{"key by an intrinsic", `{"S3Key": {"Fn::Sub": "bbb.zip"}}`, manifest, "asset.bbb", nil},
		{"key that is in no manifest", fromKey("zzz.zip"), manifest, "", []string{"Function", "zzz.zip"}},
		{"folder that is gone", fromKey("ccc.zip"), manifest, "", []string{"Function", "asset.ccc"}},
		{"ready-made archive", fromKey("ddd.jar"), manifest, "", []string{"asset.ddd.jar", `"file"`}},
		{"inline code", `{"ZipFile": "exports.handler = 1"}`, manifest, "", []string{"Function", "no S3Key"}},
		{"no code", `null`, manifest, "", []string{"Function", "Code"}},
		{"no manifest", fromKey("bbb.zip"), "", "", []string{"Blog.assets.json"}},
		{"manifest cut off", fromKey("bbb.zip"), `{"files":`, "", []string{"decode", "Blog.assets.json"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tpl := parse(t, `{"Resources": {"Function": {"Type": "AWS::Lambda::Function", "Properties": {"Code": `+tt.code+`}}}}`)
			write(t, tpl.Dir, "asset.bbb/bootstrap", "#!")
			if tt.manifest != "" {
				write(t, tpl.Dir, "Blog.assets.json", tt.manifest)
			}
			got, err := tpl.FunctionAssetDir("Function")
			if tt.wantErr != nil {
				wantError(t, err, tt.wantErr...)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if want := filepath.Join(tpl.Dir, tt.want); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}
