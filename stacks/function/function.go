// Package function has the construct of a Lambda function that is compiled from lambdas/, and
// the permission to clear CloudFront's cache that such functions share.
package function

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/stacks/cdk"
)

// distFolder holds the compiled functions, one folder each, relative to the folder
// of cdk.json, where the CDK CLI runs the app. `make build` fills it.
const distFolder = "dist"

// Props describe a GoFunction.
type Props struct {
	// Binary is the name of the function's folder below lambdas/ and below dist/. Required.
	Binary string

	// Description is for the function and for its role. Required.
	Description string

	// Name is the function's own, for a function that others call by name. Default: one that
	// CloudFormation makes.
	Name string

	// Environment are the function's variables, at most 4 KB as JSON.
	Environment map[string]string

	// Timeout is at most 15 minutes. Required.
	Timeout time.Duration

	// MaxEventAge is how long Lambda keeps an asynchronous event that the function failed on,
	// or had no time for: 1 minute to 6 hours. Default: 6 hours.
	MaxEventAge time.Duration

	// LogRetentionDays is one of [props.LogRetentionDays]. Required.
	LogRetentionDays int
}

// GoFunction is a Lambda function that is compiled from lambdas/.
type GoFunction struct {
	constructs.Construct

	// Function is the function itself.
	Function awslambda.Function

	// Role may write the function's own log; whoever makes the function adds the rest.
	Role awsiam.Role
}

// NewGoFunction makes a function for Arm. Its code is built before synth, and is only hashed
// here, so that synth is fast and two machines agree on the hash. It panics if `make build`
// has not built it.
func NewGoFunction(scope constructs.Construct, id string, p Props) *GoFunction {
	folder := filepath.Join(distFolder, p.Binary)
	if _, err := os.Stat(filepath.Join(folder, "bootstrap")); err != nil {
		panic(fmt.Errorf("find the compiled function %s: %w; run `make build`", p.Binary, err))
	}
	this := &GoFunction{Construct: constructs.NewConstruct(scope, jsii.String(id))}
	log := cdk.NewLogGroup(this.Construct, "Log", p.LogRetentionDays)
	this.Role = cdk.NewServiceRole(this.Construct, "Role", "lambda.amazonaws.com", p.Description)
	log.GrantWrite(this.Role)

	variables := map[string]*string{}
	for name, value := range p.Environment {
		variables[name] = jsii.String(value)
	}
	settings := &awslambda.FunctionProps{
		Description:  jsii.String(p.Description),
		Runtime:      awslambda.Runtime_PROVIDED_AL2023(),
		Architecture: awslambda.Architecture_ARM_64(),
		Handler:      jsii.String("bootstrap"),
		Code:         awslambda.Code_FromAsset(jsii.String(folder), nil),
		// The function waits for the network; 128 MB is the least that Lambda sells, and
		// more than ten times what it uses.
		MemorySize:  jsii.Number(128),
		Timeout:     awscdk.Duration_Seconds(jsii.Number(p.Timeout.Seconds())),
		Environment: &variables,
		LogGroup:    log,
		Role:        this.Role,
	}
	if p.Name != "" {
		settings.FunctionName = &p.Name
	}
	if p.MaxEventAge != 0 {
		settings.MaxEventAge = awscdk.Duration_Minutes(jsii.Number(p.MaxEventAge.Minutes()))
		settings.RetryAttempts = jsii.Number(2) // Lambda's own default, which the CDK wants beside an age
	}
	// By the id Default, the function is this construct's main resource, and has its name.
	this.Function = awslambda.NewFunction(this.Construct, jsii.String("Default"), settings)
	return this
}
