package stacks

import (
	"regexp"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/jsii-runtime-go"
)

// PipelineType is a generation of CodePipeline.
type PipelineType string

// https://docs.aws.amazon.com/codepipeline/latest/userguide/pipeline-types.html
const (
	V1 PipelineType = "V1"
	V2 PipelineType = "V2"
)

// ExecutionMode is how executions of one pipeline meet.
type ExecutionMode string

// https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works.html
const (
	// Superseded lets a newer push overtake one that waits: the newest wins.
	Superseded ExecutionMode = "SUPERSEDED"
	// Queued takes every push in its turn.
	Queued ExecutionMode = "QUEUED"
	// Parallel is not offered: two executions would write one place in any order.
)

// https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
const maxPipelineName = 100

// noBuilds are the regions whose CloudFormation does not know AWS::CodeBuild::Project, as
// of cfn-lint 1.58: there it refuses the whole template.
var noBuilds = []string{"ap-east-2", "ca-west-1", "mx-central-1"}

// reservedBucketPattern is how no bucket's name may start. CloudFormation makes those of
// the stack's name, in lower case.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
var reservedBucketPattern = regexp.MustCompile(`^(?i:xn--|sthree-|amzn-s3-demo-)`)

// validatePipeline checks what an owner with a pipeline has to be like.
func (o owner) validatePipeline(p *problems) {
	if reservedBucketPattern.MatchString(o.name) {
		p.add("Name", o.name, "must not start with xn--, sthree- or amzn-s3-demo-: the bucket of the pipeline is called after it, and S3 keeps such names for itself")
	}
	if slices.Contains(noBuilds, o.region) {
		p.add("Region", o.region, "must be a region where CloudFormation makes CodeBuild projects, such as "+certificateRegion)
	}
}

// pipeline is what the pipelines of two owners differ in.
type pipeline struct {
	role      awsiam.Role
	artifacts awss3.IBucket
	kind      PipelineType
	mode      ExecutionMode
	source    sourceStage
	stages    []*awscodepipeline.StageProps // after Source
}

// newPipeline makes the pipeline of a blog or service. It has the owner's name:
// the event of a Lambda action has none, so that the name travels in UserParameters,
// and a pipeline cannot refer to itself.
func newPipeline(stack awscdk.Stack, owner owner, p pipeline) awscodepipeline.Pipeline {
	stages := append([]*awscodepipeline.StageProps{stage("Source", p.source.action)}, p.stages...)
	made := awscodepipeline.NewPipeline(stack, jsii.String("Pipeline"), &awscodepipeline.PipelineProps{
		PipelineName:   jsii.String(owner.name),
		PipelineType:   awscodepipeline.PipelineType(p.kind),
		ExecutionMode:  executionMode(p.kind, p.mode),
		Role:           p.role,
		ArtifactBucket: p.artifacts,
		Triggers:       p.source.triggers,
		Stages:         &stages,
	})
	if p.source.role != nil {
		// CodePipeline starts an execution as soon as the pipeline is there.
		made.Node().AddDependency(p.source.role)
	}
	justifyWildcards(p.role, artifactKeys)

	newOutput(stack, "PipelineConsole", "Where to watch the pipeline",
		*awscdk.Fn_Sub(jsii.String("https://${AWS::Region}.console.aws.amazon.com/codesuite/codepipeline/pipelines/"+owner.name+"/view"), nil))
	return made
}

// executionMode leaves the property out for V1, which refuses it.
func executionMode(kind PipelineType, mode ExecutionMode) awscodepipeline.ExecutionMode {
	if kind == V1 {
		return ""
	}
	return awscodepipeline.ExecutionMode(mode)
}

func stage(name string, actions ...awscodepipeline.IAction) *awscodepipeline.StageProps {
	return &awscodepipeline.StageProps{StageName: jsii.String(name), Actions: &actions}
}
