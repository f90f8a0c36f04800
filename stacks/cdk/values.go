package cdk

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/jsii-runtime-go"
)

// Values that have no scope are the same for every construct of an app. Each is made once,
// because a call of the CDK crosses to Node.js and back, and most of synth is such calls.
var (
	// Duration returns a duration, which must be whole seconds.
	Duration = once(func(d time.Duration) awscdk.Duration { return awscdk.Duration_Seconds(jsii.Number(d.Seconds())) })

	// ServicePrincipal returns an AWS service as a role's or a policy's principal.
	ServicePrincipal = once(func(service string) awsiam.ServicePrincipal {
		return awsiam.NewServicePrincipal(jsii.String(service), nil)
	})

	// EventField returns the part of an event that a JSON path names, for a text.
	EventField = once(func(path string) string { return *awsevents.EventField_FromPath(jsii.String(path)) })

	blockPublicAccess = once(func(struct{}) awss3.BlockPublicAccess { return awss3.BlockPublicAccess_BLOCK_ALL() })
	customRuntime     = once(func(struct{}) awslambda.Runtime { return awslambda.Runtime_PROVIDED_AL2023() })
	arm64             = once(func(struct{}) awslambda.Architecture { return awslambda.Architecture_ARM_64() })
)

// Days returns a duration of whole days.
func Days(n int) awscdk.Duration { return Duration(time.Duration(n) * 24 * time.Hour) }

// BlockPublicAccess keeps the public out of a bucket in all four ways that S3 has.
func BlockPublicAccess() awss3.BlockPublicAccess { return blockPublicAccess(struct{}{}) }

// CustomRuntime is Lambda's runtime for compiled functions, on Amazon Linux 2023.
func CustomRuntime() awslambda.Runtime { return customRuntime(struct{}{}) }

// ARM64 is the architecture of Lambda's Graviton processors.
func ARM64() awslambda.Architecture { return arm64(struct{}{}) }

// once returns f, which then computes the value of each key only once for an app.
func once[K comparable, V any](f func(K) V) func(K) V {
	known := map[K]V{}
	current.forget = append(current.forget, func() { clear(known) })
	return func(key K) V {
		value, ok := known[key]
		if !ok {
			value = f(key)
			known[key] = value
		}
		return value
	}
}
