package props

import (
	"regexp"
	"slices"
)

// PipelineType is a generation of CodePipeline.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/pipeline-types.html
type PipelineType string

const (
	// PipelineTypeV1 costs a fixed price for each pipeline. It has no trigger filters and no choice of
	// an execution mode.
	PipelineTypeV1 PipelineType = "V1"
	// PipelineTypeV2 costs by the minute, and has both.
	PipelineTypeV2 PipelineType = "V2"
)

// ExecutionMode says what a pipeline does with an execution that starts while another one runs.
// CodePipeline's third mode, PARALLEL, is not offered: two executions would publish to the same place
// in any order.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works.html
type ExecutionMode string

const (
	// ExecutionModeSuperseded lets a newer execution replace one that waits between two stages.
	ExecutionModeSuperseded ExecutionMode = "SUPERSEDED"
	// ExecutionModeQueued runs every execution, one after the other.
	ExecutionModeQueued ExecutionMode = "QUEUED"
)

// maxPipelineName limits the name of a pipeline, which is that of its blog or service.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
const maxPipelineName = 100

// reservedBucketPattern matches the beginnings that no bucket's name may have. CloudFormation makes the
// name of the pipeline's bucket from the stack's name, in lower case.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
var reservedBucketPattern = regexp.MustCompile(`^(?i:xn--|sthree-|amzn-s3-demo-)`)

// validatePipeline checks what a blog or service with a pipeline needs beyond [validateIdentity].
func validatePipeline(p *problems) {
	if reservedBucketPattern.MatchString(p.of.Name) {
		p.add("Name", p.of.Name, "must not start with xn--, sthree- or amzn-s3-demo-: the name of the pipeline's bucket starts with it, and S3 reserves such names")
	}
	if slices.Contains(withoutBuilds, p.of.Region) {
		p.add("Region", p.of.Region, "must be a region in which CloudFormation can create CodeBuild projects, such as "+CloudFrontRegion)
	}
}
