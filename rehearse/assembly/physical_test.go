package assembly

import (
	"regexp"
	"strings"
	"testing"
)

func TestPhysicalNames(t *testing.T) {
	// Each type once with the name the template sets and once with a generated
	// one. The patterns are AWS's own for such names, where it documents one.
	tests := []struct {
		cfnType    string
		properties string // that set the name blog
		attribute  string // empty for Ref
		want       string
		generated  string // regular expression
	}{
		{"AWS::CloudFront::Distribution", `{}`, "", "", `^E[A-Z0-9]{13}$`},
		{"AWS::CloudFront::Distribution", `{}`, "Id", "", `^E[A-Z0-9]{13}$`},
		{"AWS::CloudFront::Distribution", `{}`, "DomainName", "", `^d[a-z0-9]+\.cloudfront\.net$`},
		{"AWS::CloudWatch::Alarm", `{"AlarmName": "blog"}`, "Arn", "arn:aws:cloudwatch:us-east-1:123456789012:alarm:blog", `:alarm:Blog-Thing-[A-Z2-7]{12}$`},
		{"AWS::CodeBuild::Project", `{"Name": "blog"}`, "", "blog", `^[A-Za-z0-9][A-Za-z0-9_-]{1,149}$`},
		{"AWS::CodeBuild::Project", `{"Name": "blog"}`, "Arn", "arn:aws:codebuild:us-east-1:123456789012:project/blog", `:project/Thing-[A-Z2-7]{12}$`},
		{"AWS::CodePipeline::Pipeline", `{"Name": "blog"}`, "", "blog", `^[A-Za-z0-9.@_-]{1,100}$`},
		{"AWS::Events::Rule", `{"Name": "blog"}`, "Arn", "arn:aws:events:us-east-1:123456789012:rule/blog", `:rule/Blog-Thing-`},
		{"AWS::IAM::ManagedPolicy", `{"ManagedPolicyName": "blog", "Path": "/team/"}`, "", "arn:aws:iam::123456789012:policy/team/blog", `^arn:aws:iam::123456789012:policy/Blog-Thing-`},
		{"AWS::IAM::Role", `{"RoleName": "blog"}`, "", "blog", `^[\w+=,.@-]{1,64}$`},
		{"AWS::IAM::Role", `{"RoleName": "blog"}`, "Arn", "arn:aws:iam::123456789012:role/blog", `^arn:aws:iam::123456789012:role/Blog-Thing-[A-Z2-7]{12}$`},
		{"AWS::IAM::Role", `{"RoleName": "blog", "Path": "/service-role/"}`, "Arn", "arn:aws:iam::123456789012:role/service-role/blog", ``},
		{"AWS::KMS::Key", `{}`, "", "", `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`},
		{"AWS::KMS::Key", `{}`, "Arn", "", `^arn:aws:kms:us-east-1:123456789012:key/[0-9a-f-]{36}$`},
		{"AWS::Lambda::Function", `{"FunctionName": "blog"}`, "", "blog", `^[A-Za-z0-9_-]{1,64}$`},
		{"AWS::Lambda::Function", `{"FunctionName": "blog"}`, "Arn", "arn:aws:lambda:us-east-1:123456789012:function:blog", `:function:Blog-Thing-`},
		{"AWS::Logs::LogGroup", `{"LogGroupName": "/aws/lambda/blog"}`, "", "/aws/lambda/blog", `^[A-Za-z0-9._/#-]{1,512}$`},
		{"AWS::Logs::LogGroup", `{"LogGroupName": "/aws/lambda/blog"}`, "Arn", "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/blog:*", `:log-group:Blog-Thing-[A-Z2-7]{12}:\*$`},
		{"AWS::S3::Bucket", `{"BucketName": "blog"}`, "", "blog", `^blog-thing-[a-z2-7]{12}$`},
		{"AWS::S3::Bucket", `{"BucketName": "blog"}`, "Arn", "arn:aws:s3:::blog", `^arn:aws:s3:::blog-thing-[a-z2-7]{12}$`},
		{"AWS::S3::Bucket", `{"BucketName": "blog"}`, "RegionalDomainName", "blog.s3.us-east-1.amazonaws.com", `^blog-thing-`},
		{"AWS::SecretsManager::Secret", `{"Name": "blog"}`, "", "", `^arn:aws:secretsmanager:us-east-1:123456789012:secret:Thing-[A-Z2-7]{12}-[a-z2-7]{6}$`},
		{"AWS::SNS::Topic", `{"TopicName": "blog"}`, "", "arn:aws:sns:us-east-1:123456789012:blog", `:Blog-Thing-[A-Z2-7]{12}$`},
		{"AWS::SNS::Topic", `{"TopicName": "blog"}`, "TopicName", "blog", `^Blog-Thing-`},
		{"AWS::SQS::Queue", `{"QueueName": "blog"}`, "", "https://sqs.us-east-1.amazonaws.com/123456789012/blog", `/Blog-Thing-[A-Z2-7]{12}$`},
		{"AWS::SQS::Queue", `{"QueueName": "blog"}`, "Arn", "arn:aws:sqs:us-east-1:123456789012:blog", `:Blog-Thing-`},
	}
	for _, tt := range tests {
		name := strings.TrimPrefix(tt.cfnType, "AWS::") + "." + tt.attribute
		call := `{"Ref": "Thing"}`
		if tt.attribute != "" {
			call = `{"Fn::GetAtt": ["Thing", "` + tt.attribute + `"]}`
		}
		resolve := func(t *testing.T, properties string) string {
			t.Helper()
			got, err := parse(t, `{"Resources": {"Thing": {"Type": "`+tt.cfnType+`", "Properties": `+properties+`}}}`).Resolve(fromJSON(t, call))
			if err != nil {
				t.Fatal(err)
			}
			return got.(string)
		}
		t.Run(name, func(t *testing.T) {
			if got := resolve(t, tt.properties); tt.want != "" && got != tt.want {
				t.Errorf("named: got %s, want %s", got, tt.want)
			}
			got := resolve(t, `{}`)
			if !regexp.MustCompile(tt.generated).MatchString(got) {
				t.Errorf("generated: got %s, want it to match %s", got, tt.generated)
			}
			if again := resolve(t, `{}`); again != got {
				t.Errorf("generated: got %s, then %s", got, again)
			}
		})
	}
}

func TestGeneratedNamesFitAndDiffer(t *testing.T) {
	long := strings.Repeat("Invalidate", 12)
	tpl := parse(t, `{"Resources": {
		"`+long+`A": {"Type": "AWS::Lambda::Function"}, "`+long+`B": {"Type": "AWS::Lambda::Function"},
		"`+long+`C": {"Type": "AWS::S3::Bucket"}, "`+long+`D": {"Type": "AWS::CodePipeline::Pipeline"}
	}}`)
	limits := map[string]int{"A": 64, "B": 64, "C": 63, "D": 100}
	seen := map[any]string{}
	for id, limit := range limits {
		got, err := tpl.Resolve(map[string]any{"Ref": long + id})
		if err != nil {
			t.Fatal(err)
		}
		if n := len(got.(string)); n > limit {
			t.Errorf("%s: got %d characters, want at most %d", got, n, limit)
		}
		if other, ok := seen[got]; ok {
			t.Errorf("%s and %s are both called %s", id, other, got)
		}
		seen[got] = id
	}
}
