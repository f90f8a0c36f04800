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

// ProjectProps describe a project of CodeBuild.
type ProjectProps struct {
	Base

	// Description is the description of the project's role.
	Description string

	// Image and ComputeType are the container that the build runs in. Privileged lets it use
	// Docker.
	Image       awscodebuild.IBuildImage
	ComputeType props.ComputeType
	Privileged  bool

	// Variables are environment variables. They override those of a buildspec.
	Variables map[string]string

	// Recipe is the buildspec as text. File is the path of one in the source, and overrides it.
	Recipe, File string

	// Timeout is in whole minutes, at most 36 hours.
	Timeout time.Duration

	// Cache is kept for later builds. Default: none.
	Cache awscodebuild.Cache

	LogRetentionDays int

	// Justifications are the project's, besides the one that every project has.
	Justifications []cdk.Justification
}

// NewProject makes a project and its role, which may write the project's log and read artifacts.
// The caller adds what else the build needs.
func NewProject(scope constructs.Construct, id string, p ProjectProps) (awscodebuild.PipelineProject, awsiam.Role) {
	log := cdk.NewLogGroup(scope, id+"Log", p.LogRetentionDays)
	role := cdk.NewServiceRole(scope, id+"Role", "codebuild.amazonaws.com", p.Description)
	log.GrantWrite(role)
	environment := &awscodebuild.BuildEnvironment{
		BuildImage:  p.Image,
		ComputeType: awscodebuild.ComputeType(p.ComputeType),
	}
	if p.Privileged {
		environment.Privileged = jsii.Bool(true)
	}
	settings := &awscodebuild.PipelineProjectProps{
		// Without the CDK's own grants, which include log groups that are not used.
		Role:                 role.WithoutPolicyUpdates(&awsiam.WithoutPolicyUpdatesOptions{}),
		Environment:          environment,
		EnvironmentVariables: buildVariables(p.Variables),
		Timeout:              cdk.Duration(p.Timeout),
		Logging: &awscodebuild.LoggingOptions{
			CloudWatch: &awscodebuild.CloudWatchLoggingOptions{LogGroup: log},
		},
		Cache:                       p.Cache,
		GrantReportGroupPermissions: jsii.Bool(false),
	}
	if p.File != "" {
		settings.BuildSpec = awscodebuild.BuildSpec_FromSourceFilename(jsii.String(p.File))
	}
	project := awscodebuild.NewPipelineProject(scope, jsii.String(id), settings)
	if p.File == "" {
		// The CDK would turn the YAML into JSON, without its comments.
		cdk.Resource(project).AddPropertyOverride(jsii.String("Source.BuildSpec"), jsii.String(p.Recipe))
	}
	if p.Timeout > ruleTimeout {
		cdk.Resource(project).AddPropertyOverride(jsii.String("TimeoutInMinutes"), unjudged(role.RoleName(), strconv.Itoa(int(p.Timeout.Minutes()))))
	}
	p.Artifacts.GrantRead(role, nil)
	cdk.Justify(project, append([]cdk.Justification{
		{Rule: "AwsSolutions-CB4", Reason: "Artifacts are encrypted by S3; a key of one's own costs 1 USD a month for each " + p.Identity.Kind + "."},
	}, p.Justifications...)...)
	return project, role
}

// ruleTimeout is the longest timeout that the CDK's rule F3034 accepts. The rule is older than
// CodeBuild's limit of 36 hours, and can be turned off only for a whole app.
const ruleTimeout = 8 * time.Hour

// unjudged returns an expression for a value that the CDK's rules do not evaluate: the second word
// of "NAME value". CloudFormation does, once it knows the name, which has no space.
func unjudged(name *string, value string) any {
	both := map[string]any{"Fn::Join": []any{" ", []any{name, value}}}
	return map[string]any{"Fn::Select": []any{1, map[string]any{"Fn::Split": []any{" ", both}}}}
}

// GrantBuild lets the role of a Build stage's project leave an artifact and, if the source asks
// for a clone, read the repository.
func (b Base) GrantBuild(role awsiam.Role) {
	b.Artifacts.GrantPut(role, nil)
	if b.Source.connection != "" {
		allowConnection(role, b.Source.connection)
	}
}

// BuildStage is a Build stage.
type BuildStage struct {
	Project awscodebuild.PipelineProject
	Role    awsiam.Role
	Action  awscodepipeline.IAction

	// Output is the artifact that the build leaves for the next stage.
	Output awscodepipeline.Artifact
}

// NewBuildStage makes the stage that runs a project on the source, and leaves the artifact that is
// called output.
func (b Base) NewBuildStage(project awscodebuild.PipelineProject, role awsiam.Role, output string) BuildStage {
	artifact := awscodepipeline.NewArtifact(jsii.String(output), nil)
	return BuildStage{project, role, NewBuildAction("Build", project, b.Source.Output, nil, artifact), artifact}
}

// NewBuildAction makes the action that runs a project on an artifact, with variables besides those of
// the project. A project may leave no output.
func NewBuildAction(name string, project awscodebuild.IProject, input awscodepipeline.Artifact, variables map[string]string, outputs ...awscodepipeline.Artifact) awscodepipeline.IAction {
	settings := &actions.CodeBuildActionProps{ActionName: jsii.String(name), Project: project, Input: input}
	if len(variables) > 0 {
		settings.EnvironmentVariables = buildVariables(variables)
	}
	if len(outputs) > 0 {
		settings.Outputs = &outputs
	}
	return actions.NewCodeBuildAction(settings)
}

func buildVariables(variables map[string]string) *map[string]*awscodebuild.BuildEnvironmentVariable {
	all := map[string]*awscodebuild.BuildEnvironmentVariable{}
	for name, value := range variables {
		all[name] = &awscodebuild.BuildEnvironmentVariable{Value: value}
	}
	return &all
}
