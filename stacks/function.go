package stacks

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
)

// distFolder holds the compiled functions, one folder each, relative to the folder
// of cdk.json, where the CDK CLI runs the app. `make build` fills it.
const distFolder = "dist"

// goFunction describes one of the binaries under lambdas/.
type goFunction struct {
	// name is the function's own, where others must know it. Default: CloudFormation's.
	name string
	// binary is the folder under lambdas/ and under dist/.
	binary      string
	description string
	environment map[string]string
	timeout     time.Duration
	logDays     LogDays
}

// newGoFunction declares a Lambda function compiled from lambdas/. The code is
// built before synth and here only hashed, so that synth is fast and two machines
// agree on the hash. The role may write the function's own log; the caller adds
// what it does.
func newGoFunction(scope constructs.Construct, id string, f goFunction) (awslambda.Function, awsiam.Role) {
	folder := filepath.Join(distFolder, f.binary)
	if _, err := os.Stat(filepath.Join(folder, "bootstrap")); err != nil {
		panic(fmt.Errorf("find the compiled function %s: %w; run `make build`", f.binary, err))
	}
	log := newLogGroup(scope, id+"Log", f.logDays)
	role := newServiceRole(scope, id+"Role", "lambda.amazonaws.com", f.description)
	log.GrantWrite(role)

	variables := map[string]*string{}
	for name, value := range f.environment {
		variables[name] = jsii.String(value)
	}
	var name *string
	if f.name != "" {
		name = &f.name
	}
	function := awslambda.NewFunction(scope, jsii.String(id), &awslambda.FunctionProps{
		FunctionName: name,
		Description:  jsii.String(f.description),
		Runtime:      awslambda.Runtime_PROVIDED_AL2023(),
		Architecture: awslambda.Architecture_ARM_64(),
		Handler:      jsii.String("bootstrap"),
		Code:         awslambda.Code_FromAsset(jsii.String(folder), nil),
		// The function waits for the network; 128 MB is the least Lambda sells and
		// more than ten times what it uses.
		MemorySize:  jsii.Number(128),
		Timeout:     awscdk.Duration_Seconds(jsii.Number(f.timeout.Seconds())),
		Environment: &variables,
		LogGroup:    log,
		Role:        role,
	})
	return function, role
}
