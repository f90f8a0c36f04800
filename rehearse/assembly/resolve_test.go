package assembly

import (
	"encoding/json"
	"reflect"
	"testing"
)

const shop = `{
	"Parameters": {
		"Stage": {"Type": "String", "Default": "prod"},
		"Retention": {"Type": "Number", "Default": 14},
		"Paths": {"Type": "CommaDelimitedList", "Default": "/a, /b/*"},
		"Owner": {"Type": "String"},
		"BootstrapVersion": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/cdk-bootstrap/hnb659fds/version"}
	},
	"Mappings": {"Regions": {"us-east-1": {"zone": "Z2FDTNDATAQYW2"}}},
	"Resources": {
		"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Fn::Sub": "${AWS::StackName}-${Stage}"}}},
		"Generated": {"Type": "AWS::S3::Bucket"},
		"Conditional": {"Type": "AWS::S3::Bucket", "Condition": "IsEurope"},
		"Table": {"Type": "AWS::DynamoDB::Table"},
		"Left": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Fn::GetAtt": ["Right", "TopicName"]}}},
		"Right": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Fn::GetAtt": ["Left", "TopicName"]}}}
	}
}`

func fromJSON(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestResolve(t *testing.T) {
	tests := []struct {
		name string
		in   string
		want string // JSON
	}{
		{"plain values", `{"a": [1, true, null, "x"]}`, `{"a": [1, true, null, "x"]}`},
		{"account", `{"Ref": "AWS::AccountId"}`, `"123456789012"`},
		{"region", `{"Ref": "AWS::Region"}`, `"us-east-1"`},
		{"partition", `{"Ref": "AWS::Partition"}`, `"aws"`},
		{"stack name", `{"Ref": "AWS::StackName"}`, `"Blog"`},
		{"URL suffix", `{"Ref": "AWS::URLSuffix"}`, `"amazonaws.com"`},
		{"parameter's default", `{"Ref": "Stage"}`, `"prod"`},
		{"number parameter is a string", `{"Ref": "Retention"}`, `"14"`},
		{"list parameter", `{"Ref": "Paths"}`, `["/a", "/b/*"]`},
		{"no value in an object", `{"a": {"Ref": "AWS::NoValue"}, "b": 1}`, `{"b": 1}`},
		{"no value in a list", `[{"Ref": "AWS::NoValue"}, 1]`, `[1]`},
		{"no value alone", `{"Ref": "AWS::NoValue"}`, `null`},
		{"Ref with another key is a property", `{"Ref": "Stage", "Other": 1}`, `{"Ref": "Stage", "Other": 1}`},
		{"IAM condition is a property", `{"Condition": {"StringEquals": {"a": {"Ref": "Stage"}}}}`, `{"Condition": {"StringEquals": {"a": "prod"}}}`},
		{"lone condition name is a property", `{"Condition": "IsEurope"}`, `{"Condition": "IsEurope"}`},
		{"dynamic reference", `"{{resolve:secretsmanager:token:SecretString:::}}"`, `"{{resolve:secretsmanager:token:SecretString:::}}"`},

		{"join", `{"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":s3:::", {"Ref": "Bucket"}, "/*"]]}`, `"arn:aws:s3:::Blog-prod/*"`},
		{"join of a list parameter", `{"Fn::Join": ["|", {"Ref": "Paths"}]}`, `"/a|/b/*"`},
		{"join of numbers", `{"Fn::Join": ["-", [1, 1000000, 0.5, true]]}`, `"1-1000000-0.5-true"`},
		{"join omits AWS::NoValue", `{"Fn::Join": [",", ["a", {"Ref": "AWS::NoValue"}]]}`, `"a"`},
		{"split", `{"Fn::Split": [":", {"Fn::GetAtt": ["Bucket", "Arn"]}]}`, `["arn", "aws", "s3", "", "", "Blog-prod"]`},
		{"select from split", `{"Fn::Select": [5, {"Fn::Split": [":", {"Fn::GetAtt": ["Bucket", "Arn"]}]}]}`, `"Blog-prod"`},
		{"select by a string", `{"Fn::Select": ["1", ["a", "b"]]}`, `"b"`},
		{"sub", `{"Fn::Sub": "${Stage}/${Bucket.Arn}/${AWS::Region}/${Retention}"}`, `"prod/arn:aws:s3:::Blog-prod/us-east-1/14"`},
		{"sub with variables", `{"Fn::Sub": ["${Stage}-${who}", {"who": {"Ref": "AWS::AccountId"}, "Stage": "mine"}]}`, `"mine-123456789012"`},
		{"sub keeps literals and dollars in values", `{"Fn::Sub": ["${!Stage} ${v} $5 ${", {"v": "${Stage}"}]}`, `"${Stage} ${Stage} $5 ${"`},
		{"map", `{"Fn::FindInMap": ["Regions", {"Ref": "AWS::Region"}, "zone"]}`, `"Z2FDTNDATAQYW2"`},
		{"attribute as one string", `{"Fn::GetAtt": "Bucket.DomainName"}`, `"Blog-prod.s3.amazonaws.com"`},
	}
	tpl := parse(t, shop)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := fromJSON(t, tt.in)
			got, err := tpl.Resolve(in)
			if err != nil {
				t.Fatal(err)
			}
			if want := fromJSON(t, tt.want); !reflect.DeepEqual(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
			if !reflect.DeepEqual(in, fromJSON(t, tt.in)) {
				t.Errorf("Resolve changed its argument to %v", in)
			}
		})
	}
}

func TestResolveErrorsNameTheirCause(t *testing.T) {
	tests := []struct {
		name string
		in   string
		want []string
	}{
		{"unknown intrinsic", `{"a": [{"Fn::ImportValue": "x"}]}`, []string{"stack Blog", "a: [0]: Fn::ImportValue", "does not support"}},
		{"intrinsic that does not exist", `{"Fn::Shuffle": []}`, []string{"Fn::Shuffle", "does not support"}},
		{"intrinsic with another key", `{"Fn::Join": ["", []], "b": 1}`, []string{"Fn::Join", "other keys"}},
		{"unknown name", `{"Ref": "Bukcet"}`, []string{"Ref", "Bukcet", "no such"}},
		{"unknown pseudo parameter", `{"Ref": "AWS::Galaxy"}`, []string{"AWS::Galaxy"}},
		{"unknown attribute", `{"Fn::GetAtt": ["Bucket", "WebsiteURL"]}`, []string{"Bucket.WebsiteURL", "AWS::S3::Bucket", "RegionalDomainName"}},
		{"unknown resource type", `{"Ref": "Table"}`, []string{"Table", "AWS::DynamoDB::Table"}},
		{"attribute of a parameter", `{"Fn::GetAtt": ["Stage", "Arn"]}`, []string{"Stage"}},
		{"no attribute", `{"Fn::GetAtt": "Bucket"}`, []string{`"Bucket"`}},
		{"attribute of three parts", `{"Fn::GetAtt": ["Bucket", "Arn", "x"]}`, []string{"Fn::GetAtt", "[id, attribute]"}},
		{"resource with a condition", `{"Ref": "Conditional"}`, []string{"Conditional has the condition IsEurope", "does not support conditions"}},
		{"value by a condition", `{"Fn::If": ["IsEurope", 1, 2]}`, []string{"Fn::If", "does not support"}},
		{"parameter without a value", `{"Ref": "Owner"}`, []string{"Owner", "ParameterValues"}},
		{"parameter whose value is in SSM", `{"Ref": "BootstrapVersion"}`, []string{"BootstrapVersion", "/cdk-bootstrap/hnb659fds/version", "ParameterValues"}},
		{"names that refer to each other", `{"Ref": "Left"}`, []string{"resource Left", "refers to itself"}},
		{"join of an object", `{"Fn::Join": ["", [{"a": 1}]]}`, []string{"Fn::Join", "[0]"}},
		{"join without a list", `{"Fn::Join": ["", {"Ref": "Stage"}]}`, []string{"Fn::Join", "want a list"}},
		{"select beyond the end", `{"Fn::Select": [2, ["a", "b"]]}`, []string{"Fn::Select", "index 2", "list of 2"}},
		{"select a fraction", `{"Fn::Select": [0.5, ["a"]]}`, []string{"0.5"}},
		{"split by nothing", `{"Fn::Split": ["", "abc"]}`, []string{"Fn::Split", "delimiter"}},
		{"every unknown name in a sub", `{"Fn::Sub": "${Nope} ${Bucket.Nope}"}`, []string{"${Nope}", "${Bucket.Nope}"}},
		{"sub of a list", `{"Fn::Sub": "${Paths}"}`, []string{"${Paths}", "want a string"}},
		{"map without the key", `{"Fn::FindInMap": ["Regions", "mars", "zone"]}`, []string{"Regions.mars.zone"}},
	}
	tpl := parse(t, shop)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tpl.Resolve(fromJSON(t, tt.in))
			if got != nil {
				t.Errorf("got %v together with the error", got)
			}
			wantError(t, err, tt.want...)
		})
	}
}

func TestResolveInAnotherEnvironment(t *testing.T) {
	tpl := parse(t, shop)
	tpl.Account, tpl.Region = "111122223333", "eu-west-1"
	tpl.ParameterValues = map[string]string{"Owner": "me", "Paths": "/x", "BootstrapVersion": "21"}
	got, err := tpl.Resolve(fromJSON(t, `[
		{"Fn::Sub": "${AWS::AccountId} ${AWS::Region}"}, {"Ref": "Owner"}, {"Ref": "Paths"}, {"Ref": "BootstrapVersion"}]`))
	if err != nil {
		t.Fatal(err)
	}
	if want := fromJSON(t, `["111122223333 eu-west-1", "me", ["/x"], "21"]`); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
