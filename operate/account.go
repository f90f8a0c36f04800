package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	lambda "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"
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

// unusable are the codes of refusals of the credentials themselves.
var unusable = []string{"ExpiredToken", "UnrecognizedClient", "InvalidSignature", "InvalidClientTokenId", "IncompleteSignature"}

// explain says what to do about an error of AWS.
func explain(err error, p contract.Pipeline, c aws.Config) error {
	if _, unknown := errors.AsType[*net.DNSError](err); unknown {
		return fmt.Errorf("AWS is not found in the region %s: check its name (Region in blogs.go or services.go, or AWS_REGION), and whether this machine is online: %w", c.Region, err)
	}
	refusal, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return err
	}
	if _, missing := errors.AsType[*types.PipelineNotFoundException](err); missing {
		return fmt.Errorf("there is no pipeline %s in this account and %s: deploy it, or use the credentials and the region that it was deployed with (AWS_PROFILE, AWS_REGION): %s", p.Name, c.Region, refusal.ErrorMessage())
	}
	if _, missing := errors.AsType[*lambda.ResourceNotFoundException](err); missing {
		return fmt.Errorf("the pipeline %s names a function that is not there: deploy it again: %s", p.Name, refusal.ErrorMessage())
	}
	if strings.HasPrefix(refusal.ErrorCode(), "AccessDenied") {
		return fmt.Errorf("your credentials do not allow %s for %s: add that permission to your user or role: %s", permission(err), p.Name, refusal.ErrorMessage())
	}
	for _, code := range unusable {
		if strings.HasPrefix(refusal.ErrorCode(), code) {
			return fmt.Errorf("AWS does not accept your credentials: log in again (aws sso login), or check AWS_PROFILE: %s", refusal.ErrorMessage())
		}
	}
	return err
}

// permission names the permission that a refused call needs.
func permission(err error) string {
	of, ok := errors.AsType[*smithy.OperationError](err)
	if !ok {
		return "a call"
	}
	name := strings.ToLower(strings.ReplaceAll(of.ServiceID, " ", "")) + ":" + of.OperationName
	if name == "lambda:Invoke" { // the one operation whose permission has another name
		return "lambda:InvokeFunction"
	}
	return name
}
