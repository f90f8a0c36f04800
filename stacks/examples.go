package stacks

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/stacks/props"
)

// warnOfExamples puts a warning on a stack that still holds example values. Synth
// shows it; `make deploy` passes --strict, which makes it an error that comes first.
func warnOfExamples(stack awscdk.Stack, identity props.Identity, fields props.Examples) {
	if len(fields) > 0 {
		awscdk.Annotations_Of(stack).AddWarningV2(jsii.String("blog-deploy-pipeline:exampleValues"), jsii.String(
			identity.String()+" still has example values and cannot be deployed: "+strings.Join(fields, ", ")+". Put your own into "+identity.File()))
	}
}
