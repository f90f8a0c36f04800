package stacks

import (
	"fmt"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/stacks/props"
)

const stackTagsProblem = "CloudFormation would put them on the listeners, the rules and the ECS service, too, whatever the template says, and by every change of them send visitors to the wrong version. " +
	`Set tags in main.go, as docs/platform.md says under "Tags". Was the service first deployed with them, leave them as they are, and set Tagged`

// RefuseStackTags returns an error if one of the services must not get the tags that
// the CDK CLI gives to whole stacks. The text says where they are set.
func RefuseStackTags(services []props.Service, where string) error {
	for _, service := range services {
		if s, ok := service.(props.FargateService); ok && !s.Tagged {
			return fmt.Errorf("%s sets tags of whole stacks, and there is the %s: %s", where, s.Identity(), stackTagsProblem)
		}
	}
	return nil
}

// refuseStackTags has synth fail if the stack has tags by then.
func refuseStackTags(stack awscdk.Stack, service props.Identity) {
	stack.Node().AddValidation(&stackTags{stack, service})
}

type stackTags struct {
	stack   awscdk.Stack
	service props.Identity
}

// Validate is called by the CDK.
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
