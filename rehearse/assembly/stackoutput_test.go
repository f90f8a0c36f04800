package assembly

import (
	"fmt"
	"reflect"
	"testing"
)

// environments holds the environments of the stacks of [site].
type environments struct{ site, certificate, pipeline string }

// site loads an assembly whose stacks refer to each other as the CDK writes it: the pipeline's stack to the
// site's stack, and the site's stack to the certificate's stack in us-east-1.
func site(t *testing.T, at environments) map[string]*Template {
	t.Helper()
	dir := t.TempDir()
	stack := func(name, environment, template string) string {
		write(t, dir, name+".template.json", template)
		return fmt.Sprintf(`%q: {"type": "aws:cloudformation:stack", "environment": %q, "properties": {"templateFile": "%s.template.json"}}`, name, environment, name)
	}
	artifacts := stack("blog-certificate", at.certificate, `{
		"Resources": {"Certificate": {"Type": "AWS::CertificateManager::Certificate"}},
		"Outputs": {"ARN": {"Value": {"Ref": "Certificate"}}}}`)
	artifacts += "," + stack("blog-site", at.site, `{
		"Parameters": {"Suffix": {"Type": "String", "Default": "blog"}},
		"Resources": {
			"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Fn::Sub": "${AWS::Region}-${Suffix}"}}},
			"Distribution": {"Type": "AWS::CloudFront::Distribution"}
		},
		"Outputs": {
			"Bucket": {"Value": {"Ref": "Bucket"}},
			"Port": {"Value": 443},
			"DistributionARN": {"Value": {"Fn::Sub": "arn:aws:cloudfront::${AWS::AccountId}:distribution/x"}},
			"Certificate": {"Value": {"Fn::GetStackOutput": {"StackName": "blog-certificate", "OutputName": "ARN", "Region": "us-east-1"}}},
			"Conditional": {"Value": "x", "Condition": "Never"},
			"List": {"Value": ["x"]},
			"Wrong": {"Value": {"Ref": "Bukcet"}},
			"Circle": {"Value": {"Fn::GetStackOutput": {"StackName": "blog-pipeline", "OutputName": "Circle"}}}
		}}`)
	artifacts += "," + stack("blog-pipeline", at.pipeline, `{
		"Resources": {"Role": {"Type": "AWS::IAM::Role"}},
		"Outputs": {
			"None": {"Value": "x"},
			"Circle": {"Value": {"Fn::GetStackOutput": {"StackName": "blog-site", "OutputName": "Circle"}}}
		}}`)
	write(t, dir, "manifest.json", `{"artifacts": {`+artifacts+`}}`)
	templates, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]*Template{}
	for _, tpl := range templates {
		named[tpl.Name] = tpl
	}
	return named
}

var tokyo = environments{
	site: "aws://unknown-account/ap-northeast-1", certificate: "aws://unknown-account/us-east-1", pipeline: "aws://unknown-account/ap-northeast-1",
}

func TestStackOutput(t *testing.T) {
	agnostic := environments{"aws://unknown-account/unknown-region", "aws://unknown-account/unknown-region", "aws://unknown-account/unknown-region"}
	bound := environments{"aws://111122223333/eu-west-1", "aws://111122223333/us-east-1", "aws://111122223333/eu-west-1"}
	tests := []struct {
		name string
		at   environments
		call string // in the stack of the pipeline
		want any    // nil stands for the certificate, whose ARN is invented
	}{
		{"same Region, given", tokyo, `{"StackName": "blog-site", "Region": "ap-northeast-1", "OutputName": "Bucket"}`, "ap-northeast-1-blog"},
		{"same Region, not given", tokyo, `{"StackName": "blog-site", "OutputName": "Bucket"}`, "ap-northeast-1-blog"},
		{"another Region", tokyo, `{"StackName": "blog-certificate", "Region": "us-east-1", "OutputName": "ARN"}`, nil},
		{"through another stack", tokyo, `{"StackName": "blog-site", "OutputName": "Certificate"}`, nil},
		{"a number is text", tokyo, `{"StackName": "blog-site", "OutputName": "Port"}`, "443"},
		{"names by intrinsics", tokyo, `{"StackName": {"Fn::Sub": "blog-site"}, "OutputName": "Bucket", "Region": {"Ref": "AWS::Region"}}`, "ap-northeast-1-blog"},
		{"stacks without an environment", agnostic, `{"StackName": "blog-site", "OutputName": "Bucket"}`, "us-east-1-blog"},
		{"stacks in a given environment", bound, `{"StackName": "blog-site", "OutputName": "DistributionARN"}`, "arn:aws:cloudfront::111122223333:distribution/x"},
		{"a role of the same account", bound, `{"StackName": "blog-site", "OutputName": "Bucket", "RoleArn": "arn:aws:iam::111122223333:role/reader"}`, "eu-west-1-blog"},
		{"a role of another account", environments{"aws://444455556666/eu-west-1", "aws://111122223333/us-east-1", "aws://111122223333/eu-west-1"},
			`{"StackName": "blog-site", "OutputName": "DistributionARN", "RoleArn": "arn:aws:iam::444455556666:role/reader"}`, "arn:aws:cloudfront::444455556666:distribution/x"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stacks := site(t, tt.at)
			want := tt.want
			if want == nil {
				want = resolve(t, stacks["blog-certificate"], `{"Ref": "Certificate"}`)
			}
			if got := resolve(t, stacks["blog-pipeline"], `{"Fn::GetStackOutput": `+tt.call+`}`); got != want {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

func resolve(t *testing.T, tpl *Template, call string) any {
	t.Helper()
	got, err := tpl.Resolve(fromJSON(t, call))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestStackOutputErrorsNameTheirCause(t *testing.T) {
	tests := []struct {
		name, argument string
		want           []string
	}{
		{"no such stack", `{"StackName": "blog-sight", "OutputName": "Bucket"}`, []string{"stack blog-pipeline", "Fn::GetStackOutput", "blog-sight in ap-northeast-1 is not in the assembly", "blog-site in ap-northeast-1", "blog-certificate in us-east-1"}},
		{"stack in another Region", `{"StackName": "blog-certificate", "OutputName": "ARN"}`, []string{"blog-certificate in ap-northeast-1 is not in the assembly", "blog-certificate in us-east-1"}},
		{"wrong Region", `{"StackName": "blog-site", "OutputName": "Bucket", "Region": "us-east-1"}`, []string{"blog-site in us-east-1 is not in the assembly"}},
		{"no such output", `{"StackName": "blog-site", "OutputName": "Bukcet"}`, []string{"stack blog-site", "output Bukcet", "Bucket, Certificate, Circle"}},
		{"output by its export", `{"StackName": "blog-site", "ExportName": "Bucket"}`, []string{"ExportName: no such parameter"}},
		{"no StackName", `{"OutputName": "Bucket"}`, []string{"StackName is missing"}},
		{"no OutputName", `{"StackName": "blog-site"}`, []string{"OutputName is missing"}},
		{"not an object", `["blog-site", "Bucket"]`, []string{"Fn::GetStackOutput", "want {StackName, OutputName}"}},
		{"name that cannot be resolved", `{"StackName": {"Ref": "Nobody"}, "OutputName": "Bucket"}`, []string{"StackName", "Nobody"}},
		{"output with a condition", `{"StackName": "blog-site", "OutputName": "Conditional"}`, []string{"output Conditional has the condition Never", "does not support conditions"}},
		{"output that is a list", `{"StackName": "blog-site", "OutputName": "List"}`, []string{"output List", "want a string"}},
		{"output that cannot be resolved", `{"StackName": "blog-site", "OutputName": "Wrong"}`, []string{"stack blog-site", "output Wrong", "Bukcet"}},
		{"stacks in a circle", `{"StackName": "blog-site", "OutputName": "Circle"}`, []string{"output Circle refers to itself"}},
		{"role of another account", `{"StackName": "blog-site", "OutputName": "Bucket", "RoleArn": "arn:aws:iam::444455556666:role/reader"}`, []string{"is in account 123456789012, not in 444455556666"}},
		{"RoleArn that is not an ARN", `{"StackName": "blog-site", "OutputName": "Bucket", "RoleArn": "reader"}`, []string{`RoleArn: "reader" is not the ARN`}},
	}
	stacks := site(t, tokyo)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := stacks["blog-pipeline"].Resolve(fromJSON(t, `{"Fn::GetStackOutput": `+tt.argument+`}`))
			wantError(t, err, tt.want...)
		})
	}
	t.Run("template by itself", func(t *testing.T) {
		_, err := parse(t, oneBucket).Resolve(fromJSON(t, `{"Fn::GetStackOutput": {"StackName": "blog-site", "OutputName": "Bucket"}}`))
		wantError(t, err, "blog-site in us-east-1 is not in the assembly, which has Blog in us-east-1")
	})
}

// Outputs of the same name in two stacks are not a circle.
func TestStackOutputOfTheSameName(t *testing.T) {
	stacks := site(t, tokyo)
	stacks["blog-pipeline"].Outputs["Bucket"] = Output{Value: fromJSON(t, `{"Fn::GetStackOutput": {"StackName": "blog-site", "OutputName": "Bucket"}}`)}
	got := resolve(t, stacks["blog-certificate"], `{"Fn::GetStackOutput": {"StackName": "blog-pipeline", "Region": "ap-northeast-1", "OutputName": "Bucket"}}`)
	if want := "ap-northeast-1-blog"; got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestInAccount(t *testing.T) {
	stacks := site(t, environments{tokyo.site, "aws://444455556666/us-east-1", tokyo.pipeline})
	before := stacks["blog-pipeline"]
	bound := before.InAccount("111122223333")
	got := map[string]string{}
	for _, s := range bound.Stacks() {
		got[s.Name] = s.Account
	}
	if want := map[string]string{"blog-certificate": "444455556666", "blog-site": "111122223333", "blog-pipeline": "111122223333"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	const call = `{"Fn::GetStackOutput": {"StackName": "blog-site", "OutputName": "DistributionARN"}}`
	if got, want := resolve(t, bound, call), "arn:aws:cloudfront::111122223333:distribution/x"; got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, want := resolve(t, before, call), "arn:aws:cloudfront::123456789012:distribution/x"; got != want {
		t.Errorf("the original template: got %v, want %v", got, want)
	}
	// InAccount also replaces an account that is written out in the template, and changes nothing else.
	stacks = site(t, environments{"aws://111122223333/ap-northeast-1", "aws://444455556666/us-east-1", "aws://111122223333/ap-northeast-1"})
	before = stacks["blog-pipeline"]
	stacks["blog-site"].Outputs["DistributionARN"] = Output{Value: "arn:aws:cloudfront::111122223333:distribution/x"}
	before.Resources["Topic"] = Resource{Type: "AWS::SNS::Topic", Properties: fromJSON(t, `{"Tags": [{"Key": "111122223333", "Value": "aws:111122223333:x"}], "FifoTopic": true}`).(map[string]any)}
	bound = before.InAccount("210987654321")
	if got, want := resolve(t, bound, call), "arn:aws:cloudfront::210987654321:distribution/x"; got != want {
		t.Errorf("account written out in another stack: got %v, want %v", got, want)
	}
	if got, want := bound.Resources["Topic"].Properties, fromJSON(t, `{"Tags": [{"Key": "210987654321", "Value": "aws:210987654321:x"}], "FifoTopic": true}`); !reflect.DeepEqual(any(got), want) {
		t.Errorf("account written out: got %v, want %v", got, want)
	}
	if got := before.Resources["Topic"].Properties["Tags"].([]any)[0].(map[string]any)["Key"]; got != "111122223333" {
		t.Errorf("the original template has %v, want no change", got)
	}
	if got := parse(t, oneBucket).InAccount("111122223333").Account; got != "111122223333" {
		t.Errorf("a template that was read alone is in account %s, want 111122223333", got)
	}
}
