package main

import (
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	lambda "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"

	"blog-deploy-pipeline/lambdas/contract"
)

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
