// Package releases lists what a blog's pipeline has published, and publishes an earlier release again: `make releases`
// and `make rollback`. It calls the pipeline's own functions, which do what they do for the pipeline.
package releases

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/operate/status"
)

// CodePipeline is the part of the API that is read.
type CodePipeline interface {
	status.Lister
	GetPipeline(context.Context, *codepipeline.GetPipelineInput, ...func(*codepipeline.Options)) (*codepipeline.GetPipelineOutput, error)
}

// Lambda is the part of the API that calls the functions. An answer may take Lambda's longest timeout, 15 minutes: a
// client must not give up before.
type Lambda interface {
	Invoke(context.Context, *lambda.InvokeInput, ...func(*lambda.Options)) (*lambda.InvokeOutput, error)
}

// Blog is a blog whose pipeline is deployed. All fields are required.
type Blog struct {
	CodePipeline CodePipeline
	Lambda       Lambda
	// Name is that of the blog and of its pipeline.
	Name string
	// Tell gets a line for each thing that a person should know.
	Tell func(line string)
	// Now and Sleep stand for the clock.
	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error
}

// say tells what happens now.
func (b Blog) say(format string, args ...any) {
	b.Tell(b.Now().Local().Format("15:04:05") + "  " + fmt.Sprintf(format, args...))
}

// function is a function of an action of the pipeline.
type function struct {
	// stage is the stage of the pipeline, name that of the function, and parameters are the action's.
	stage, name, parameters string
}

var errNoReleases = errors.New("has no releases, because CodePipeline's S3 action publishes it (Deploy.By: props.DeployByS3Action): " +
	"to go back to an earlier build, use Start rollback of its stages Deploy and Invalidate in the console; docs/operating.md says how")

// functions finds the functions of the blog's pipeline. The one that publishes has the build as its input artifact.
func (b Blog) functions(ctx context.Context) (publish, invalidate function, err error) {
	out, err := b.CodePipeline.GetPipeline(ctx, &codepipeline.GetPipelineInput{Name: &b.Name})
	if err != nil {
		return publish, invalidate, err
	}
	for _, stage := range out.Pipeline.Stages {
		for _, action := range stage.Actions {
			if action.ActionTypeId == nil || aws.ToString(action.ActionTypeId.Provider) != "Lambda" {
				continue
			}
			f := function{aws.ToString(stage.Name), action.Configuration["FunctionName"], action.Configuration["UserParameters"]}
			if len(action.InputArtifacts) > 0 {
				publish = f
			} else {
				invalidate = f
			}
		}
	}
	switch {
	case invalidate.name == "":
		return publish, invalidate, fmt.Errorf("the pipeline %s has no function that clears a cache, so it is no blog's: only blogs have releases", b.Name)
	case publish.name == "":
		return publish, invalidate, fmt.Errorf("%s %w", b.Name, errNoReleases)
	}
	publish.parameters, err = allowed(publish.parameters)
	return publish, invalidate, err
}

// allowed returns the UserParameters of publish for a request of the owner's. The pipeline would replace the variables in
// them. Execution and Revision are those of the release that is published again. It may remove any number of files: the
// owner has seen how many, and agreed.
func allowed(parameters string) (string, error) {
	var p contract.PublishParameters
	if err := json.Unmarshal([]byte(parameters), &p); err != nil {
		return "", fmt.Errorf("the UserParameters of the pipeline's action are %.200q, and not what this project writes: %w", parameters, err)
	}
	return contract.JSON(contract.PublishParameters{PipelineName: p.PipelineName, AllowDeletions: contract.AllowDeletionsYes}), nil
}
