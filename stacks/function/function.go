// Package function has the construct of a Lambda function that is compiled from lambdas/, and
// the permission to clear CloudFront's cache that such functions share.
package function

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/stacks/cdk"
)

// distFolder has a folder for each compiled function. `make build` fills it. The path is
// relative to the folder of cdk.json, in which the CDK CLI runs the app.
const distFolder = "dist"

// Props describe a [GoFunction].
type Props struct {
	// Binary is the name of the function's folder below lambdas/ and below dist/. Required.
	Binary string

	// Description is the description of the function and of its role. Required.
	Description string

	// Name is the function's name, for a function that is called by a fixed name. Default: a
	// name that CloudFormation makes.
	Name string

	// Environment has the function's environment variables, at most 4 KB as JSON. Default: none.
	Environment map[string]string

	// MemoryMB is the function's memory, and its share of a processor: a whole one has 1,769 MB. Default: 128,
	// the least that Lambda offers, and more than ten times what a function uses that waits for the network.
	MemoryMB int

	// Timeout is how long one call may last, in whole seconds up to 15 minutes. Required.
	Timeout time.Duration

	// MaxEventAge is how long Lambda retries an asynchronous call: 1 minute to 6 hours. Default:
	// 6 hours.
	MaxEventAge time.Duration

	// LogRetentionDays is how long the function's log is kept: a number of days that CloudWatch
	// Logs offers, such as 30. Required.
	LogRetentionDays int
}

// GoFunction is a Lambda function that is compiled from lambdas/.
//
//	f := function.NewGoFunction(stack, "Invalidate", function.Props{
//		Binary:           "invalidate",
//		Description:      "Clears CloudFront for the blog travel",
//		Timeout:          time.Minute,
//		LogRetentionDays: 30,
//	})
//	f.GrantClearing(stack, "", "E2QWRUHAPOMQZL")
type GoFunction struct {
	constructs.Construct

	// Function is the function itself.
	Function awslambda.Function

	// Role is the function's role. It allows writing the function's log; add what else the
	// function needs.
	Role awsiam.Role
}

// NewGoFunction makes a function for Arm processors. It panics if `make build` has not compiled
// the function. Synth only hashes the result, so that it is fast, and the hash is the same on
// every machine.
func NewGoFunction(scope constructs.Construct, id string, p Props) *GoFunction {
	folder := filepath.Join(distFolder, p.Binary)
	if _, err := os.Stat(filepath.Join(folder, "bootstrap")); err != nil {
		panic(fmt.Errorf("find the compiled function %s: %w; run `make build`", p.Binary, err))
	}
	this := &GoFunction{Construct: cdk.NewConstruct(scope, id)}
	log := cdk.NewLogGroup(this.Construct, "Log", p.LogRetentionDays)
	this.Role = cdk.NewServiceRole(this.Construct, "Role", "lambda.amazonaws.com", p.Description)
	log.GrantWrite(this.Role)

	variables := map[string]*string{}
	for name, value := range p.Environment {
		variables[name] = jsii.String(value)
	}
	settings := &awslambda.FunctionProps{
		Description:  jsii.String(p.Description),
		Runtime:      cdk.CustomRuntime(),
		Architecture: cdk.ARM64(),
		Handler:      jsii.String("bootstrap"),
		Code:         awslambda.Code_FromAsset(jsii.String(folder), nil),
		MemorySize:   jsii.Number(cmp.Or(p.MemoryMB, 128)),
		Timeout:      cdk.Duration(p.Timeout),
		Environment:  &variables,
		LogGroup:     log,
		Role:         this.Role,
	}
	if p.Name != "" {
		settings.FunctionName = &p.Name
	}
	if p.MaxEventAge != 0 {
		settings.MaxEventAge = cdk.Duration(p.MaxEventAge)
		settings.RetryAttempts = jsii.Number(2) // Lambda's default, which the CDK requires beside an age
	}
	// The id Default keeps the logical id short, and makes the function this construct's main
	// resource.
	this.Function = awslambda.NewFunction(this.Construct, jsii.String("Default"), settings)
	return this
}
