// Package pipeline has what the pipelines of blogs and services have in common: the artifact
// bucket, the Source stage, projects of CodeBuild, and the notifications. Make a [Base]
// first, then the stages, and with both the pipeline.
package pipeline

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/notify"
	"blog-deploy-pipeline/stacks/props"
)

// Base is what the stages of a pipeline need before the pipeline itself is made.
type Base struct {
	// Identity is the blog or service that the pipeline delivers.
	Identity props.Identity

	// Artifacts is the bucket in which one stage leaves its output for the next.
	Artifacts awss3.IBucket

	// Role is the pipeline's own.
	Role awsiam.Role

	// Principal is that role as the roles of its actions trust it.
	Principal awsiam.IPrincipal

	// Source is the first stage.
	Source Source
}

// NewBase makes the artifact bucket, the pipeline's role and the action that reads the
// repository.
func NewBase(scope constructs.Construct, identity props.Identity, source props.Source) Base {
	artifacts := newArtifactBucket(scope)
	role := cdk.NewServiceRole(scope, "PipelineRole", "codepipeline.amazonaws.com", "Runs the pipeline of the "+identity.Kind+" "+identity.Name)
	principal := awsiam.NewArnPrincipal(role.RoleArn())
	return Base{Identity: identity, Artifacts: artifacts, Role: role, Principal: principal, Source: newSource(scope, principal, source)}
}

// Props describe a pipeline.
type Props struct {
	Base

	Type          props.PipelineType
	ExecutionMode props.ExecutionMode

	// Variables are what a person may set who starts an execution. V1 has none. Default: none.
	Variables *[]awscodepipeline.Variable

	// Stages are the stages after Source.
	Stages []*awscodepipeline.StageProps

	// Topics are told of every action that fails.
	Topics notify.Topics

	// Success begins what the topics are told of an execution that succeeds. Default: they are not told.
	Success string
}

// NewPipeline makes the pipeline of a blog or service, which has the same name. UserParameters
// tell a Lambda action the name of its pipeline, because the event does not, and a pipeline cannot
// refer to itself.
func NewPipeline(scope constructs.Construct, p Props) awscodepipeline.Pipeline {
	stages := append([]*awscodepipeline.StageProps{Stage("Source", p.Source.action)}, p.Stages...)
	made := awscodepipeline.NewPipeline(scope, jsii.String("Pipeline"), &awscodepipeline.PipelineProps{
		PipelineName:   jsii.String(p.Identity.Name),
		PipelineType:   awscodepipeline.PipelineType(p.Type),
		ExecutionMode:  executionMode(p.Type, p.ExecutionMode),
		Role:           p.Role,
		ArtifactBucket: p.Artifacts,
		Triggers:       p.Source.triggers,
		Variables:      p.Variables,
		Stages:         &stages,
	})
	if p.Source.role != nil {
		// CodePipeline starts the first execution as soon as the pipeline exists.
		made.Node().AddDependency(p.Source.role)
	}
	cdk.JustifyWildcards(p.Role, cdk.ArtifactKeys)

	cdk.NewOutput(scope, "PipelineConsole", "Where to watch the pipeline",
		*awscdk.Fn_Sub(jsii.String("https://${AWS::Region}.console.aws.amazon.com/codesuite/codepipeline/pipelines/"+p.Identity.Name+"/view"), nil))
	notifyOfFailures(scope, made, p.Identity, p.Topics)
	if p.Success != "" {
		notifyOfSuccesses(scope, made, p.Identity, p.Topics, stages[len(stages)-1], p.Success)
	}
	return made
}

// executionMode returns "", which leaves the property out, for V1: that does not accept it.
func executionMode(kind props.PipelineType, mode props.ExecutionMode) awscodepipeline.ExecutionMode {
	if kind == props.PipelineTypeV1 {
		return ""
	}
	return awscodepipeline.ExecutionMode(mode)
}

// Stage returns a stage that has one action.
func Stage(name string, action awscodepipeline.IAction) *awscodepipeline.StageProps {
	return &awscodepipeline.StageProps{StageName: jsii.String(name), Actions: &[]awscodepipeline.IAction{action}}
}
