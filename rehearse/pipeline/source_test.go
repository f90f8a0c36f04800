package pipeline

import (
	"regexp"
	"testing"
)

func TestTheSourceFails(t *testing.T) {
	const denied = "is not authorized to perform: "
	failsAt(t, 0, []failing{
		{name: "no permission to upload the source", edit: both(withToken(t), replace(t, `"s3:PutObject"`, `"s3:PutObjectAcl"`)), code: "AccessDenied",
			reason: []string{"User: arn:aws:sts::123456789012:assumed-role/uploaded-pipeline-PipelineRole", denied + "s3:PutObject on resource: arn:aws:s3:::uploaded-pipeline-artifacts", "because no identity-based policy allows the s3:PutObject action"}, look: "PipelineRoleDCFDBB91"},
		{name: "no permission to use the connection", edit: replace(t, `"codeconnections:UseConnection"`, `"codeconnections:GetConnection"`), code: "AccessDenied",
			reason: []string{denied + "codeconnections:UseConnection on resource: arn:aws:codeconnections:us-east-1:123456789012:connection/"}, look: "SourceRole"},
		{name: "role that CodePipeline may not assume", edit: replace(t, `"codepipeline.amazonaws.com"`, `"codedeploy.amazonaws.com"`), code: "AccessDenied",
			reason: []string{"CodePipeline is not authorized to perform: sts:AssumeRole on arn:aws:iam::"}, look: "must name codepipeline.amazonaws.com"},
		{name: "action's role that the pipeline may not assume", edit: func(text string) string {
			return regexp.MustCompile(`"sts:AssumeRole",\s*"Effect": "Allow",\s*"Resource"`).ReplaceAllString(text, `"sts:AssumeRole", "Effect": "Deny", "Resource"`)
		}, code: "AccessDenied", reason: []string{denied + "sts:AssumeRole on resource: arn:aws:iam::123456789012:role/", " with an explicit deny in an identity-based policy"}},
	})
}
