package stacks

import (
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
)

// Values that AWS's own documentation uses for examples, and so does blogs.go.
const (
	exampleAccount = "111122223333"
	exampleBucket  = "amzn-s3-demo-"
	exampleID      = "EXAMPLE"
	exampleDomain  = "@example.com"
	exampleOwner   = "example"
)

// exampleValues returns the fields that still hold a value from the documentation,
// and could not be deployed.
func (b BlogProps) exampleValues() []string {
	var fields []string
	add := func(field string, isExample bool) {
		if isExample {
			fields = append(fields, field)
		}
	}
	add("Account", b.Account == exampleAccount)
	switch source := b.Source.(type) {
	case GitHubConnection:
		add("Source.Owner", source.Owner == exampleOwner)
		add("Source.ConnectionARN", strings.Contains(source.ConnectionARN, exampleAccount))
	case GitHubToken:
		add("Source.Owner", source.Owner == exampleOwner)
	}
	add("Deploy.Bucket", strings.HasPrefix(b.Deploy.Bucket, exampleBucket))
	add("Invalidate.DistributionID", strings.HasSuffix(b.Invalidate.DistributionID, exampleID))
	add("Notifications.Emails", slices.ContainsFunc(b.Notifications.Emails, func(address string) bool {
		return strings.HasSuffix(address, exampleDomain)
	}))
	add("Notifications.TopicARN", strings.Contains(b.Notifications.TopicARN, exampleAccount))
	return fields
}

// warnOfExamples puts a warning on a stack that still holds example values. Synth
// shows it; `make deploy` passes --strict, which makes it an error.
func warnOfExamples(stack awscdk.Stack, props BlogProps) {
	if fields := props.exampleValues(); len(fields) > 0 {
		awscdk.Annotations_Of(stack).AddWarningV2(jsii.String("blog-deploy-pipeline:exampleValues"), jsii.String(
			"blog \""+props.Name+"\" still has example values and cannot be deployed: "+strings.Join(fields, ", ")+". Put your own into blogs.go"))
	}
}
