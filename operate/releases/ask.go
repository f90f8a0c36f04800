package releases

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/smithy-go"
	"github.com/google/uuid"

	"blog-deploy-pipeline/lambdas/contract"
)

const (
	// tries is how often an invocation is tried that ended without an answer, as Lambda does for CodePipeline. A
	// function does nothing twice for one job.
	tries = 3
	// invokeWithin is longer than Lambda lets a function run.
	invokeWithin = 16 * time.Minute
	// again is the wait before the next request for the same work, also after an invocation without an answer.
	again = time.Second
)

// ask asks the function for work, or for a look at it. It returns an error if there is no answer, or if that is a failure.
func (b Blog) ask(ctx context.Context, f function, d contract.Direct) (contract.DirectAnswer, error) {
	d.Job = cmp.Or(d.Job, uuid.NewString())
	for try := 1; ; try++ {
		answer, mayRepeat, err := b.invoke(ctx, f, d)
		if err == nil && answer.Failure != "" {
			return answer, fmt.Errorf("%s: %s", f.stage, answer.Message)
		}
		if err == nil || !mayRepeat || try == tries || ctx.Err() != nil {
			return answer, err
		}
		b.say("%s: %v: trying again", f.stage, err)
		if err := b.Sleep(ctx, again); err != nil {
			return answer, err
		}
	}
}

// invoke calls the function once. mayRepeat says that an error may not come again.
func (b Blog) invoke(ctx context.Context, f function, d contract.Direct) (answer contract.DirectAnswer, mayRepeat bool, err error) {
	event, err := json.Marshal(contract.DirectEvent{Direct: d})
	if err != nil {
		return answer, false, err
	}
	limited, cancel := context.WithTimeout(ctx, invokeWithin)
	defer cancel()
	out, err := b.Lambda.Invoke(limited, &lambda.InvokeInput{FunctionName: &f.name, Payload: event})
	if err != nil {
		// The SDK has repeated what AWS asks it to repeat.
		_, refused := errors.AsType[smithy.APIError](err)
		return answer, !refused, fmt.Errorf("call the function %s: %w", f.name, err)
	}
	if out.FunctionError != nil {
		var failed struct{ ErrorType, ErrorMessage string }
		_ = json.Unmarshal(out.Payload, &failed) // The log has more.
		// A function that does not know direct requests looks for a job of CodePipeline's.
		if strings.Contains(failed.ErrorMessage, `"CodePipeline.job"`) {
			return answer, false, fmt.Errorf("the deployed function %s is older than this command: run make deploy BLOG=%s, and then this again", f.name, b.Name)
		}
		return answer, true, fmt.Errorf("the function %s has ended without an answer (%s: %s: %.1000s); its log says more: in the console of Lambda, under Monitor",
			f.name, aws.ToString(out.FunctionError), failed.ErrorType, failed.ErrorMessage)
	}
	if err := json.Unmarshal(out.Payload, &answer); err != nil {
		return answer, true, fmt.Errorf("the function %s has answered %.200q, which is no answer to this command: %w", f.name, out.Payload, err)
	}
	return answer, false, nil
}
