// Package stacks is the infrastructure: one stack for each blog, one file for each
// stage of its pipeline.
//
// Props are plain values whose zero fields mean the documented default.
package stacks

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// BlogProps describes one blog and its delivery.
type BlogProps struct {
	// Name names the blog, its pipeline and its metrics. At most 100 letters,
	// digits and hyphens; must be unique, and must not change: a new name is a new
	// stack. Required. Example: "kzmorita-blog".
	Name string

	// Account is the AWS account to deploy to. Default: that of the credentials in
	// use. Example: "123456789012".
	Account string

	// Region is where the pipeline runs: that of the blog's bucket, since the S3
	// action deploys within its region. The distribution is global. Default: that of
	// the credentials in use. Example: "ap-northeast-1".
	Region string

	// Source is where the blog's repository is: a GitHubConnection or a
	// GitHubToken. Required.
	Source Source

	// Build says how the site is made. Default: Hugo, by this project's recipe.
	Build Build

	// Deploy says where the site goes. Required.
	Deploy Deploy

	// Invalidate says which cache to clear afterwards. Required.
	Invalidate Invalidate

	// Notifications says whom to tell of failures. Default: nobody.
	Notifications Notifications

	// PipelineType is V2 or V1. V1 costs 1 USD a month and knows no trigger filters
	// and no execution modes; V2 costs 0.002 USD a minute, the first 100 a month
	// free. Default: V2.
	PipelineType PipelineType

	// ExecutionMode says what happens to a push while another is on its way. Only
	// V2 has a choice. Default: Superseded.
	ExecutionMode ExecutionMode
}

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
	// Parallel is not offered: two executions would write one bucket in any order.
)

// Stack names are at most 128 characters, pipeline names at most 100.
var namePattern = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,99}$`)

var (
	accountPattern = regexp.MustCompile(`^\d{12}$`)
	regionPattern  = regexp.MustCompile(`^[a-z]{2,}(-[a-z]+)+-\d+$`)
	// CloudFront is not there, or is another one, with other endpoints.
	otherPartitionPattern = regexp.MustCompile(`^(cn|us-gov|us-iso[a-z]*|eu-isoe|eusc-[a-z]+)-`)
)

// Validate returns all that is wrong with these props, or nil.
func (b BlogProps) Validate() error {
	p := &problems{owner: fmt.Sprintf("blog %q", b.Name)}
	p.match("Name", b.Name, namePattern, "must start with a letter and hold at most 100 letters, digits and hyphens")
	if b.Account != "" {
		p.match("Account", b.Account, accountPattern, "must be the 12 digits of an AWS account, or empty for that of your credentials")
	}
	if b.Region != "" {
		p.match("Region", b.Region, regionPattern, "must be a region such as ap-northeast-1, or empty for that of your credentials")
		if otherPartitionPattern.MatchString(b.Region) {
			p.add("Region", b.Region, "must be one of AWS's commercial regions, where CloudFront can be cleared from")
		}
	}
	pipelineType := or(b.PipelineType, V2)
	oneOf(p, "PipelineType", pipelineType, V2, V1)
	mode := or(b.ExecutionMode, Superseded)
	oneOf(p, "ExecutionMode", mode, Superseded, Queued)
	if pipelineType == V1 && mode != Superseded {
		p.add("ExecutionMode", string(mode), "needs PipelineType V2")
	}
	switch source := b.Source.(type) {
	case GitHubConnection, GitHubToken:
		source.validate(p, b)
	default:
		p.add("Source", fmt.Sprintf("%T", source), "must be a stacks.GitHubConnection{…} or a stacks.GitHubToken{…}")
	}
	b.Build.validate(p)
	b.Deploy.validate(p, b.Region)
	b.Invalidate.validate(p, b.Name)
	b.Notifications.validate(p, b.Account, b.Region)
	return p.join()
}

// Validate returns all that is wrong with the blogs and between them, or nil.
func Validate(blogs []BlogProps) error {
	if len(blogs) == 0 {
		return errors.New("blogs.go lists no blog: add one, as README.md shows under \"Deploy your blog\"")
	}
	var errs []error
	type place struct{ bucket, prefix string }
	names, places := map[string]bool{}, map[place]string{}
	for _, b := range blogs {
		errs = append(errs, b.Validate())
		p := &problems{owner: fmt.Sprintf("blog %q", b.Name)}
		// In lower case, because the stacks' templates are files.
		if name := strings.ToLower(b.Name); names[name] {
			p.add("Name", b.Name, "another blog has this name; each needs its own")
		} else {
			names[name] = true
		}
		at := place{b.Deploy.Bucket, b.Deploy.KeyPrefix}
		if other, taken := places[at]; taken && b.Deploy.Bucket != "" {
			p.add("Deploy.Bucket", b.Deploy.Bucket, fmt.Sprintf("blog %q publishes to the same place; give each its own Deploy.KeyPrefix", other))
		}
		places[at] = b.Name
		errs = append(errs, p.join())
	}
	return errors.Join(errs...)
}

// BlogStackID returns the id and name of the stack of the blog called name.
func BlogStackID(name string) string { return name + "-pipeline" }

// NewBlogStack adds the stack of a blog's delivery to scope. Like every construct it panics on
// props that are not valid; [Validate] returns what is wrong instead.
func NewBlogStack(scope constructs.Construct, props BlogProps) awscdk.Stack {
	if err := props.Validate(); err != nil {
		panic(err)
	}
	stack := awscdk.NewStack(scope, jsii.String(BlogStackID(props.Name)), &awscdk.StackProps{
		Description: jsii.String(fmt.Sprintf("Delivery of the blog %s: source, build, deploy, invalidate", props.Name)),
		Env:         environment(props),
	})
	warnOfExamples(stack, props)

	artifacts := newArtifactBucket(stack)
	role := newServiceRole(stack, "PipelineRole", "codepipeline.amazonaws.com", "Runs the pipeline of the blog "+props.Name)
	source := props.Source.action(stack, role)
	build := newBuild(stack, props.Build, source, artifacts)
	deploy := newDeploy(stack, props.Deploy, build.output, artifacts, role)
	invalidate := newInvalidate(stack, props.Name, props.Invalidate, role)

	pipeline := awscodepipeline.NewPipeline(stack, jsii.String("Pipeline"), &awscodepipeline.PipelineProps{
		// A fixed name, because the Lambda event has none: the name travels in
		// UserParameters, and a pipeline cannot refer to itself.
		PipelineName:   jsii.String(props.Name),
		PipelineType:   awscodepipeline.PipelineType(or(props.PipelineType, V2)),
		ExecutionMode:  executionMode(props),
		Role:           role,
		ArtifactBucket: artifacts,
		Triggers:       source.triggers,
		Stages: &[]*awscodepipeline.StageProps{
			stage("Source", source.action),
			stage("Build", build.action),
			stage("Deploy", deploy),
			stage("Invalidate", invalidate),
		},
	})
	if source.role != nil {
		// CodePipeline starts an execution as soon as the pipeline is there.
		pipeline.Node().AddDependency(source.role)
	}
	justifyWildcards(role, artifactKeys)
	newNotifications(stack, pipeline, props)

	awscdk.NewCfnOutput(stack, jsii.String("PipelineConsole"), &awscdk.CfnOutputProps{
		Description: jsii.String("Where to watch the pipeline"),
		Value:       awscdk.Fn_Sub(jsii.String("https://${AWS::Region}.console.aws.amazon.com/codesuite/codepipeline/pipelines/"+props.Name+"/view"), nil),
	})
	return stack
}

func environment(props BlogProps) *awscdk.Environment {
	env := &awscdk.Environment{}
	if props.Account != "" {
		env.Account = jsii.String(props.Account)
	}
	if props.Region != "" {
		env.Region = jsii.String(props.Region)
	}
	return env
}

// executionMode leaves the property out for V1, which refuses it.
func executionMode(props BlogProps) awscodepipeline.ExecutionMode {
	if or(props.PipelineType, V2) == V1 {
		return ""
	}
	return awscodepipeline.ExecutionMode(or(props.ExecutionMode, Superseded))
}

func stage(name string, action awscodepipeline.IAction) *awscodepipeline.StageProps {
	return &awscodepipeline.StageProps{
		StageName: jsii.String(name),
		Actions:   &[]awscodepipeline.IAction{action},
	}
}
