// Package stacks chooses the region and the order of the stacks of each blog and each service,
// and hands over to the constructs: package site has what a blog is served from, delivery its
// pipeline, service a new ECS service, hook the function that a service's deployment calls.
// Package props has what an owner writes.
package stacks

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/appspec"
	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/stacks/props"
)

// onlyConstruct is the id of the one construct that a stack of ours has. The CDK leaves
// Default out of logical ids, which are short so, and stay if the construct moves.
const onlyConstruct = "Default"

// newStack makes a stack. An account or region that identity does not name is that of the
// credentials in use.
func newStack(scope constructs.Construct, identity props.Identity, kind contract.StackKind, description string) awscdk.Stack {
	settings := &awscdk.StackProps{Description: jsii.String(description), Env: &awscdk.Environment{}}
	if identity.Account != "" {
		settings.Env.Account = jsii.String(identity.Account)
	}
	if identity.Region != "" {
		settings.Env.Region = jsii.String(identity.Region)
	}
	if identity.Account == props.ExampleAccount {
		// The CLI asks for no role there, but says at once that the account is another.
		settings.Synthesizer = awscdk.NewCliCredentialsStackSynthesizer(nil)
	}
	return awscdk.NewStack(scope, jsii.String(contract.StackName(identity.Name, kind)), settings)
}

// AppSpec returns the AppSpec file of the service called name.
func AppSpec(blogs []props.Blog, services []props.Service, name string) (string, error) {
	names := make([]string, len(services))
	for i, service := range services {
		if err := props.IsService(service); err != nil {
			return "", fmt.Errorf("services[%d] %w", i, err)
		}
		if names[i] = service.Identity().Name; names[i] != name {
			continue
		}
		if err := service.Validate(); err != nil {
			return "", err
		}
		spec, err := service.AppSpec()
		if err != nil {
			return "", err
		}
		return appspec.Render(spec)
	}
	known := cmp.Or(strings.Join(names, ", "), "none")
	for _, b := range blogs {
		if b.Name == name {
			return "", fmt.Errorf("%s has no AppSpec, only services have; there are: %s", b.Identity(), known)
		}
	}
	return "", fmt.Errorf("no service %q in services.go; there are: %s", name, known)
}
