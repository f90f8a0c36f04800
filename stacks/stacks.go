// Package stacks makes the stacks of each blog and each service. It chooses their regions and
// their order; what is in them is made by constructs: package site has what a blog is served
// from, delivery a blog's pipeline, service a new ECS service, and hook the function that a
// service's deployment calls. Package props has what an owner writes.
package stacks

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/props"
)

// onlyConstruct is the id of the one construct in each stack. The CDK leaves "Default" out of
// logical ids, so that they are short, and stay the same if the construct moves.
const onlyConstruct = "Default"

// newStack makes a stack in the account and the region of identity. Where identity has none, the
// CDK CLI uses those of the credentials.
func newStack(scope constructs.Construct, identity props.Identity, kind contract.StackKind, description string) awscdk.Stack {
	settings := &awscdk.StackProps{Description: jsii.String(description), Env: &awscdk.Environment{}}
	if identity.Account != "" {
		settings.Env.Account = jsii.String(identity.Account)
	}
	if identity.Region != "" {
		settings.Env.Region = jsii.String(identity.Region)
	}
	if identity.Account == props.ExampleAccount {
		// So the CLI assumes no role first, but says at once that the account is another one.
		settings.Synthesizer = awscdk.NewCliCredentialsStackSynthesizer(nil)
	}
	return cdk.NewStack(scope, contract.StackName(identity.Name, kind), settings)
}

// deployedTo returns identity with the account that its stacks are deployed to: its own, or with example
// values [props.ExampleAccount]. No command of the CDK CLI then gets further than its message "Need to
// perform AWS calls for account 111122223333".
func deployedTo(identity props.Identity, examples []string) props.Identity {
	if len(examples) > 0 {
		identity.Account = props.ExampleAccount
	}
	return identity
}

// warnOfExamples has synth warn that a stack cannot be deployed yet, because fields of its props
// still have example values. `make deploy` passes --strict, which makes an error of it.
func warnOfExamples(stack awscdk.Stack, identity props.Identity, examples []string) {
	if len(examples) > 0 {
		awscdk.Annotations_Of(stack).AddWarningV2(jsii.String("blog-deploy-pipeline:exampleValues"), jsii.String(
			identity.String()+" still has example values and cannot be deployed: "+strings.Join(examples, ", ")+". Put your own into "+identity.Kind+"s.go"))
	}
}
