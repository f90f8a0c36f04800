package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/redact"
)

// lambdaClient has the method of the Lambda client that a publisher calls.
type lambdaClient interface {
	Invoke(context.Context, *lambda.InvokeInput, ...func(*lambda.Options)) (*lambda.InvokeOutput, error)
}

// publisher is the function of the Deploy stage.
type publisher struct {
	lambda   lambdaClient
	function string
}

// maxCause limits what an error quotes of a function's, in characters.
const maxCause = 400

// ask implements asker.
func (p publisher) ask(ctx context.Context, d contract.Direct) (answer contract.DirectAnswer, err error) {
	out, err := p.lambda.Invoke(ctx, &lambda.InvokeInput{FunctionName: &p.function, Payload: []byte(contract.JSON(contract.DirectEvent{Direct: d}))})
	if err != nil {
		return answer, fmt.Errorf("ask the function %s: %w", p.function, err)
	}
	if kind := aws.ToString(out.FunctionError); kind != "" {
		return answer, fmt.Errorf("ask the function %s: it has failed (%s): %s", p.function, kind, redact.Line(string(out.Payload), maxCause))
	}
	if err := json.Unmarshal(out.Payload, &answer); err != nil {
		return answer, fmt.Errorf("ask the function %s: decode the answer: %w", p.function, err)
	}
	return answer, nil
}
