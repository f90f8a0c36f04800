package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"

	"blog-deploy-pipeline/lambdas/contract"
)

// credentialsWithin limits the time for finding credentials. Outside of AWS nobody answers the last place that is asked.
const credentialsWithin = 15 * time.Second

// connect finds the credentials and the region for a pipeline where the AWS CLI and the CDK CLI find them.
// https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
func connect(ctx context.Context, p contract.Pipeline) (aws.Config, error) {
	c, err := config.LoadDefaultConfig(ctx, func(o *config.LoadOptions) error {
		o.Region = p.Region
		o.Logger = logging.Nop{} // Whatever matters is an error, which is told.
		return nil
	})
	if _, mfa := errors.AsType[config.AssumeRoleTokenProviderNotSetError](err); mfa {
		return c, errors.New(`your profile wants an MFA code, and this command cannot ask for it: run eval "$(aws configure export-credentials --profile name --format env)" before it, without AWS_PROFILE`)
	}
	if err != nil {
		return c, fmt.Errorf("read the configuration of AWS: %w", err)
	}
	if c.Region == "" {
		return c, fmt.Errorf("in which region is %s? Set its Region in blogs.go or services.go, or AWS_REGION", p.Name)
	}
	finding, cancel := context.WithTimeout(ctx, credentialsWithin)
	defer cancel()
	if _, err := c.Credentials.Retrieve(finding); err != nil {
		return c, fmt.Errorf("there are no AWS credentials: name a profile with AWS_PROFILE=name, and log in to it (aws sso login): %w", err)
	}
	return c, nil
}
