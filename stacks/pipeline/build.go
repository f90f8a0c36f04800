package pipeline

import (
	"strconv"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscodebuild"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
	actions "github.com/aws/aws-cdk-go/awscdk/v2/awscodepipelineactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/props"
)

// BuildStage is an action that builds, and the artifact that it leaves.
type BuildStage struct {
	Action awscodepipeline.IAction
	Output awscodepipeline.Artifact
}

// ProjectProps describe a project of CodeBuild.
type ProjectProps struct {
	Description      string // of its role
	Image            awscodebuild.IBuildImage
	ComputeType      props.ComputeType
	Privileged       bool
	Variables        map[string]string
	Timeout          time.Duration
	LogRetentionDays int
	Cache            awscodebuild.Cache
	Recipe           string // one of this project's,
	File             string // or the path of one in the source
}

// NewProject makes a project, and its role, which may write the project's own
// log; the caller adds what it does.
func NewProject(scope constructs.Construct, id string, b ProjectProps) (awscodebuild.PipelineProject, awsiam.Role) {
	log := cdk.NewLogGroup(scope, id+"Log", b.LogRetentionDays)
	role := cdk.NewServiceRole(scope, id+"Role", "codebuild.amazonaws.com", b.Description)
	log.GrantWrite(role)
	variables := map[string]*awscodebuild.BuildEnvironmentVariable{}
	for name, value := range b.Variables {
		variables[name] = &awscodebuild.BuildEnvironmentVariable{Value: value}
	}
	environment := &awscodebuild.BuildEnvironment{
		BuildImage:  b.Image,
		ComputeType: awscodebuild.ComputeType(b.ComputeType),
	}
	if b.Privileged {
		environment.Privileged = jsii.Bool(true)
	}
	settings := &awscodebuild.PipelineProjectProps{
		// Without CDK's own grants, which include log groups that are not used.
		Role:                 role.WithoutPolicyUpdates(&awsiam.WithoutPolicyUpdatesOptions{}),
		Environment:          environment,
		EnvironmentVariables: &variables,
		Timeout:              cdk.Duration(b.Timeout),
		Logging: &awscodebuild.LoggingOptions{
			CloudWatch: &awscodebuild.CloudWatchLoggingOptions{LogGroup: log},
		},
		Cache:                       b.Cache,
		GrantReportGroupPermissions: jsii.Bool(false),
	}
	if b.File != "" {
		settings.BuildSpec = awscodebuild.BuildSpec_FromSourceFilename(jsii.String(b.File))
	}
	project := awscodebuild.NewPipelineProject(scope, jsii.String(id), settings)
	if b.File == "" {
		// As YAML: CDK would turn it into JSON.
		cdk.Resource(project).(awscodebuild.CfnProject).
			AddPropertyOverride(jsii.String("Source.BuildSpec"), jsii.String(b.Recipe))
	}
	if b.Timeout > ruleTimeout {
		cdk.Resource(project).(awscodebuild.CfnProject).
			AddPropertyOverride(jsii.String("TimeoutInMinutes"), unjudged(role.RoleName(), strconv.Itoa(int(b.Timeout.Minutes()))))
	}
	return project, role
}

// ruleTimeout is the longest that the CDK's rule F3034 takes for a build. The rule is
// of the time before CodeBuild took 36 hours, and can be turned off for a whole app only.
const ruleTimeout = 8 * time.Hour

// unjudged writes a value so that the CDK's rules do not see it, and CloudFormation
// does: as what follows the name, which has no space and is known once deployed.
func unjudged(name *string, value string) any {
	both := map[string]any{"Fn::Join": []any{" ", []any{name, value}}}
	return map[string]any{"Fn::Select": []any{1, map[string]any{"Fn::Split": []any{" ", both}}}}
}

// NoKey is why projects have no key of their own.
func NoKey(identity props.Identity) cdk.Justification {
	return cdk.Justification{Rule: "AwsSolutions-CB4", Reason: "Artifacts are encrypted by S3; a key of one's own costs 1 USD a month for each " + identity.Kind + "."}
}

// NewBuildAction runs a project on an artifact.
func NewBuildAction(name string, project awscodebuild.IProject, input awscodepipeline.Artifact, outputs ...awscodepipeline.Artifact) awscodepipeline.IAction {
	settings := &actions.CodeBuildActionProps{ActionName: jsii.String(name), Project: project, Input: input}
	if len(outputs) > 0 {
		settings.Outputs = &outputs
	}
	return actions.NewCodeBuildAction(settings)
}
