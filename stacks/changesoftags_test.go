package stacks

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/stacks/props"
)

// tagging describes a way to set a tag.
type tagging struct {
	name string
	tag  func(app awscdk.App, stack awscdk.Stack)
	// refused is true if the tag is one of a service's whole stack, and kept if the service is Tagged.
	refused, kept bool
}

func tag(on constructs.IConstruct, given *awscdk.TagProps) {
	awscdk.Tags_Of(on).Add(jsii.String("team"), jsii.String("web"), given)
}

var taggings = []tagging{
	{name: "no tag", tag: func(awscdk.App, awscdk.Stack) {}},
	{name: "on the app", tag: func(app awscdk.App, _ awscdk.Stack) { tag(app, nil) }},
	{name: "on the app of a service that keeps it", tag: func(app awscdk.App, _ awscdk.Stack) { tag(app, nil) }, kept: true},
	{name: "on the stack", tag: func(_ awscdk.App, stack awscdk.Stack) { tag(stack, nil) }},
	{name: "on each resource", tag: func(_ awscdk.App, stack awscdk.Stack) {
		for _, child := range *stack.Node().FindAll("") {
			tag(child, &awscdk.TagProps{Priority: jsii.Number(1000)})
		}
	}},
	{name: "of the stack", tag: func(_ awscdk.App, stack awscdk.Stack) { stack.AddStackTag(jsii.String("team"), jsii.String("web")) }, refused: true},
	{name: "of the stack by the app", tag: func(app awscdk.App, _ awscdk.Stack) {
		tag(app, &awscdk.TagProps{IncludeResourceTypes: jsii.Strings("aws:cdk:stack")})
	}, refused: true},
}

// taggedService returns a service with every resource that no tag may reach.
func taggedService(by props.Controller) props.FargateService {
	s := changedService(by)
	internal(&s)
	s.LoadBalancer.CertificateARN = strings.Replace(serviceCertificate, "us-east-1", "us-west-1", 1)
	return s
}

func taggedBlog() props.Blog {
	b := changedBlog()
	withLogs(&b)
	b.Site.MonthlyBudget, b.Schedule.Expression = 10, "rate(1 day)"
	return b
}

// refusal ends the name of a file with synth's last message.
const refusal = ".refused"

func panicOf(do func()) (cause string) {
	defer func() { cause = fmt.Sprint(recover()) }()
	do()
	return ""
}

// wantRefusal checks synth's last message.
func wantRefusal(t *testing.T, path string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := `service "api": its stack has the tags ["team"]: CloudFormation would put them on the listeners`; !strings.Contains(string(got), want) {
		t.Errorf("synth with a tag of the whole stack ends with %q, want %q in it", got, want)
	}
}
