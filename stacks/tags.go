package stacks

import (
	"fmt"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/stacks/props"
)

const stackTagsProblem = "CloudFormation would put them on the listeners, the rules and the ECS service as well, whatever the template says, and each change of a tag would send visitors to the wrong version. " +
	`Set tags in main.go instead, as docs/platform.md says under "Tags". If the service was first deployed with these tags, leave them as they are, and set Tagged`

// RefuseStackTags returns an error if the CDK CLI is set to give tags to whole stacks, and one of
// the services must not have them. where says which setting it is.
func RefuseStackTags(services []props.Service, where string) error {
	for _, service := range services {
		if s, ok := service.(props.FargateService); ok && !s.Tagged {
			return fmt.Errorf("%s sets tags of whole stacks, and there is the %s: %s", where, s.Identity(), stackTagsProblem)
		}
	}
	return nil
}

// refuseStackTags has synth fail if the stack has tags.
func refuseStackTags(stack awscdk.Stack, service props.Identity) {
	stack.Node().AddValidation(&stackTags{stack, service})
}

// stackTags is a validation of the CDK, which calls it at the end of synth.
type stackTags struct {
	stack   awscdk.Stack
	service props.Identity
}

// Validate returns what is wrong with the stack's tags.
func (v *stackTags) Validate() *[]*string {
	var problems []*string
	if tags := *v.stack.Tags().TagValues(); len(tags) > 0 {
		var names []string
		for name := range tags {
			names = append(names, name)
		}
		slices.Sort(names)
		problems = append(problems, jsii.String(fmt.Sprintf("%s: its stack has the tags %q: %s", v.service, names, stackTagsProblem)))
	}
	return &problems
}
