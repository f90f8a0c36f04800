package pipeline

import (
	"crypto/sha256"
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
	actions "github.com/aws/aws-cdk-go/awscdk/v2/awscodepipelineactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/props"
)

// Source is the first stage: the action that reads the repository, and what the other stages need
// of it.
type Source struct {
	// Output is the artifact with the files of the repository.
	Output awscodepipeline.Artifact

	action   awscodepipeline.IAction
	triggers *[]*awscodepipeline.TriggerProps
	// role is the role of the action; nil if that uses the pipeline's.
	role awsiam.Role
	// connection is the ARN of the connection by which a build has to clone the repository; "" if
	// Output has the files themselves.
	connection string
}

// SourceNamespace is the namespace of the variables of the first stage, such as CommitId.
const SourceNamespace = "Source"

// newSource makes the Source stage.
func newSource(scope constructs.Construct, pipeline awsiam.IPrincipal, from props.Source) Source {
	switch from := from.(type) {
	case props.GitHubConnection:
		return newConnectionAction(scope, pipeline, from)
	case props.GitHubToken:
		return newTokenAction(scope, from)
	}
	panic(fmt.Sprintf("source is a %T", from))
}

func newConnectionAction(scope constructs.Construct, pipeline awsiam.IPrincipal, s props.GitHubConnection) Source {
	output := awscodepipeline.NewArtifact(jsii.String("Source"), nil)
	role := cdk.NewActionRole(scope, "SourceRole", pipeline, "Reads the repository")
	allowConnection(role, s.ConnectionARN)
	cdk.JustifyWildcards(role, cdk.ArtifactKeys)
	action := actions.NewCodeStarConnectionsSourceAction(&actions.CodeStarConnectionsSourceActionProps{
		ActionName:           jsii.String("GitHub"),
		ConnectionArn:        jsii.String(s.ConnectionARN),
		Owner:                jsii.String(s.Owner),
		Repo:                 jsii.String(s.Repo),
		Branch:               jsii.String(s.Branch),
		CodeBuildCloneOutput: jsii.Bool(s.FullClone),
		Output:               output,
		Role:                 role,
		VariablesNamespace:   jsii.String(SourceNamespace),
	})
	stage := Source{action: action, Output: output, role: role}
	if s.FullClone {
		stage.connection = s.ConnectionARN
	}
	if s.Trigger.IsZero() {
		return stage
	}
	filter := &awscodepipeline.GitPushFilter{TagsIncludes: patterns(s.Trigger.Tags)}
	if len(s.Trigger.Tags) == 0 {
		filter.BranchesIncludes = patterns(s.BranchPatterns())
		filter.FilePathsIncludes = patterns(s.Trigger.Paths)
		filter.FilePathsExcludes = patterns(s.Trigger.IgnorePaths)
	}
	stage.triggers = &[]*awscodepipeline.TriggerProps{{
		ProviderType: awscodepipeline.ProviderType_CODE_STAR_SOURCE_CONNECTION,
		GitConfiguration: &awscodepipeline.GitConfiguration{
			SourceAction: action,
			PushFilter:   &[]*awscodepipeline.GitPushFilter{filter},
		},
	}}
	return stage
}

// allowConnection lets a role read repositories through a connection. The action has two names,
// of which AWS checks the one in the connection's ARN; the CDK grants only the former name.
func allowConnection(role awsiam.Role, connectionARN string) {
	cdk.Allow(role, []string{"codeconnections:UseConnection", "codestar-connections:UseConnection"}, connectionARN)
}

// patterns returns a list for a filter, or nil, because CodePipeline does not accept an empty list.
func patterns(list []string) *[]*string {
	if len(list) == 0 {
		return nil
	}
	return jsii.Strings(list...)
}

func newTokenAction(scope constructs.Construct, s props.GitHubToken) Source {
	output := awscodepipeline.NewArtifact(jsii.String("Source"), nil)
	return Source{Output: output, action: actions.NewGitHubSourceAction(&actions.GitHubSourceActionProps{
		ActionName: jsii.String("GitHub"),
		Owner:      jsii.String(s.Owner),
		Repo:       jsii.String(s.Repo),
		Branch:     jsii.String(s.Branch),
		OauthToken: newToken(scope, s),
		Trigger:    actions.GitHubTrigger(s.Trigger),
		Output:     output,

		VariablesNamespace: jsii.String(SourceNamespace),
	})}
}

// newToken returns a reference to the token, whose value CloudFormation fetches.
func newToken(scope constructs.Construct, s props.GitHubToken) awscdk.SecretValue {
	if s.ParameterName == "" {
		options := &awscdk.SecretsManagerSecretOptions{}
		if s.SecretField != "" {
			options.JsonField = jsii.String(s.SecretField)
		}
		if s.SecretVersion != "" {
			options.VersionId = jsii.String(s.SecretVersion)
		}
		return awscdk.SecretValue_SecretsManager(jsii.String(s.SecretName), options)
	}
	// The id depends on the name, because the CDK CLI keeps the value of a deployed stack's
	// parameter even if its default changes.
	id := fmt.Sprintf("GitHubToken%x", sha256.Sum256([]byte(s.ParameterName)))[:len("GitHubToken")+8]
	return awscdk.SecretValue_CfnParameter(awscdk.NewCfnParameter(scope, jsii.String(id), &awscdk.CfnParameterProps{
		Type:        jsii.String("AWS::SSM::Parameter::Value<String>"),
		Default:     jsii.String(s.ParameterName),
		Description: jsii.String("Name of the parameter that holds the GitHub token"),
		// Without it, DescribeStacks would show the token.
		NoEcho: jsii.Bool(true),
	}))
}
