package stacks

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

func TestStagesAreWired(t *testing.T) {
	for _, given := range fixtures.Blogs {
		t.Run(given.Name, func(t *testing.T) {
			tmpl := template(t, given)
			pipeline := only(t, tmpl, "AWS::CodePipeline::Pipeline")
			var names []string
			for _, stage := range pipeline["Stages"].([]any) {
				names = append(names, stage.(map[string]any)["Name"].(string))
			}
			equal(t, "stages", names, []string{"Source", "Build", "Deploy", "Invalidate"})
			equal(t, "pipeline's name", pipeline["Name"], given.Name)

			source, build, deploy, invalidate := action(t, tmpl, stageSource), action(t, tmpl, stageBuild), action(t, tmpl, stageDeploy), action(t, tmpl, stageInvalidate)
			equal(t, "build's input", build["InputArtifacts"], source["OutputArtifacts"])
			equal(t, "deploy's input", deploy["InputArtifacts"], build["OutputArtifacts"])
			bucket, distribution := published(t, given)
			if given.WithDefaults().Deploy.By == props.DeployByS3Action {
				equal(t, "deploy's bucket", at(t, tmpl, deploy, "Configuration", "BucketName"), bucket)
				equal(t, "deploy's extract", at(t, tmpl, deploy, "Configuration", "Extract"), "true")
			}

			function := named(t, tmpl, "AWS::Lambda::Function", "Invalidate")
			want := at(t, tmpl, map[string]any{"Ref": function.ID})
			equal(t, "invalidate's function", at(t, tmpl, invalidate, "Configuration", "FunctionName"), want)
			var params contract.UserParameters
			text := at(t, tmpl, invalidate, "Configuration", "UserParameters").(string)
			if err := json.Unmarshal([]byte(text), &params); err != nil {
				t.Fatalf("UserParameters %q: %v", text, err)
			}
			equal(t, "PipelineName", params.PipelineName, given.Name)
			equal(t, "distribution", params.ID, distribution)
			equal(t, "UserParameters", text, given.WithDefaults().Invalidate.UserParameters(given.Name, distribution, given.WithDefaults().Site))
		})
	}
}

func TestPipelineTypeAndMode(t *testing.T) {
	for _, tt := range []struct {
		props              props.Blog
		wantType, wantMode any
	}{
		{fixtures.Modern, "V2", "SUPERSEDED"},
		{fixtures.Full, "V2", "QUEUED"},
		{fixtures.Webhook, "V1", nil},
	} {
		pipeline := only(t, template(t, tt.props), "AWS::CodePipeline::Pipeline")
		equal(t, tt.props.Name+"'s type", pipeline["PipelineType"], tt.wantType)
		equal(t, tt.props.Name+"'s mode", pipeline["ExecutionMode"], tt.wantMode)
	}
}

func TestSourceByConnection(t *testing.T) {
	tmpl := template(t, fixtures.Modern)
	source := action(t, tmpl, stageSource)
	equal(t, "provider", at(t, tmpl, source, "ActionTypeId", "Provider"), "CodeStarSourceConnection")
	equal(t, "connection", at(t, tmpl, source, "Configuration", "ConnectionArn"), fixtures.ConnectionARN)
	equal(t, "repository", at(t, tmpl, source, "Configuration", "FullRepositoryId"), "kzmorita/blog")
	equal(t, "branch", at(t, tmpl, source, "Configuration", "BranchName"), "main") // not CDK's master

	push := func(tmplOf props.Blog) any {
		return at(t, template(t, tmplOf), only(t, template(t, tmplOf), "AWS::CodePipeline::Pipeline"), "Triggers", 0, "GitConfiguration", "Push", 0)
	}
	// CodePipeline refuses a filter of paths without a filter of branches.
	equal(t, "trigger", push(fixtures.Modern), map[string]any{
		"Branches":  map[string]any{"Includes": []any{"main"}},
		"FilePaths": map[string]any{"Includes": []any{"content/**"}, "Excludes": []any{"content/drafts/**"}},
	})
	// It refuses a filter of tags with a filter of branches.
	equal(t, "trigger by tag", push(fixtures.Full), map[string]any{"Tags": map[string]any{"Includes": []any{"v*"}}})
	equal(t, "clone's artifact", at(t, template(t, fixtures.Full), action(t, template(t, fixtures.Full), stageSource), "Configuration", "OutputArtifactFormat"), "CODEBUILD_CLONE_REF")
}

func TestSourceByToken(t *testing.T) {
	tmpl := template(t, fixtures.Classic)
	source := action(t, tmpl, stageSource)
	equal(t, "provider", at(t, tmpl, source, "ActionTypeId", "Provider"), "GitHub")
	equal(t, "branch", at(t, tmpl, source, "Configuration", "Branch"), "master")
	equal(t, "polling", at(t, tmpl, source, "Configuration", "PollForSourceChanges"), true)
	if n := len(tmpl.OfType("AWS::CodePipeline::Webhook")); n != 0 {
		t.Errorf("has %d webhooks, want none when it polls", n)
	}
	// The template names the parameter; CloudFormation looks its value up.
	// The CDK CLI keeps a deployed parameter's value, so another name needs another id.
	id := fmt.Sprintf("GitHubToken%x", sha256.Sum256([]byte("/blog/github-oauth-token")))[:len("GitHubToken")+8]
	parameter := tmpl.Parameters[id]
	equal(t, "parameter's type", parameter.Type, "AWS::SSM::Parameter::Value<String>")
	equal(t, "parameter's name", parameter.Default, "/blog/github-oauth-token")
	raw := only(t, tmpl, "AWS::CodePipeline::Pipeline")["Stages"].([]any)[0].(map[string]any)["Actions"].([]any)[0].(map[string]any)["Configuration"].(map[string]any)["OAuthToken"]
	equal(t, "token", raw, map[string]any{"Ref": id})

	tmpl = template(t, fixtures.Webhook)
	source = action(t, tmpl, stageSource)
	equal(t, "token from a secret", at(t, tmpl, source, "Configuration", "OAuthToken"), "{{resolve:secretsmanager:github:SecretString:token::"+fixtures.UUID+"}}")
	equal(t, "polling", at(t, tmpl, source, "Configuration", "PollForSourceChanges"), false)
	if n := len(tmpl.OfType("AWS::CodePipeline::Webhook")); n != 1 {
		t.Errorf("has %d webhooks, want 1", n)
	}
}

func TestBuild(t *testing.T) {
	variables := func(given props.Blog) map[string]string {
		out := map[string]string{}
		tmpl := template(t, given)
		list, _ := at(t, tmpl, only(t, tmpl, "AWS::CodeBuild::Project"), "Environment", "EnvironmentVariables").([]any)
		for _, v := range list {
			out[v.(map[string]any)["Name"].(string)] = v.(map[string]any)["Value"].(string)
		}
		return out
	}
	equal(t, "modern's variables", variables(fixtures.Modern), map[string]string{"HUGO_EXTENDED": "true", "NODE_VERSION": "24", "HUGO_FLAGS": "--gc"})
	equal(t, "full's variables", variables(fixtures.Full), map[string]string{
		"HUGO_VERSION": "0.150.0", "NODE_VERSION": "22",
		"ROOT_DIRECTORY": "site", "ASSET_SCRIPT": "build:css", "AFTER_HUGO": "npx pagefind --site public",
	})
	// A Site is built for its own address, which without a Domain is the distribution's.
	domainName := at(t, siteTemplate(t, fixtures.Bare), map[string]any{"Fn::GetAtt": []any{siteTemplate(t, fixtures.Bare).OfType("AWS::CloudFront::Distribution")[0].ID, "DomainName"}})
	for _, tt := range []struct {
		props props.Blog
		want  string
	}{{fixtures.Bare, fmt.Sprintf("https://%s/", domainName)}, {fixtures.Tokyo, "https://kzmorita.dev/"}, {fixtures.Elsewhere, "https://blog.kzmorita.io/"}, {fixtures.Complete, "https://preview.kzmorita.dev/"}} {
		equal(t, tt.props.Name+"'s address", variables(tt.props)["HUGO_BASEURL"], tt.want)
	}
	// A blog's own buildspec keeps its own defaults.
	equal(t, "classic's variables", variables(fixtures.Classic), map[string]string{})

	for _, tt := range []struct {
		props                                      props.Blog
		image, kind, size, cache, buildspec, logIn string
		minutes                                    int
	}{
		{fixtures.Modern, "aws/codebuild/standard:7.0", "LINUX_CONTAINER", "BUILD_GENERAL1_SMALL", "LOCAL", "version: 0.2\nenv:", "30", 15},
		{fixtures.Classic, "aws/codebuild/standard:7.0", "LINUX_CONTAINER", "BUILD_GENERAL1_SMALL", "LOCAL", "code-pipeline/buildspec.yml", "30", 15},
		{fixtures.Full, "aws/codebuild/amazonlinux-aarch64-standard:3.0", "ARM_CONTAINER", "BUILD_GENERAL1_LARGE", "NO_CACHE", "version: 0.2\nenv:", "7", 2160},
		{fixtures.Webhook, "public.ecr.aws/docker/library/node:24", "LINUX_CONTAINER", "BUILD_GENERAL1_SMALL", "NO_CACHE", "buildspec.yml", "30", 15},
	} {
		tmpl := template(t, tt.props)
		project := only(t, tmpl, "AWS::CodeBuild::Project")
		name := tt.props.Name
		equal(t, name+"'s image", at(t, tmpl, project, "Environment", "Image"), tt.image)
		equal(t, name+"'s machine", at(t, tmpl, project, "Environment", "Type"), tt.kind)
		equal(t, name+"'s size", at(t, tmpl, project, "Environment", "ComputeType"), tt.size)
		equal(t, name+"'s cache", at(t, tmpl, project, "Cache", "Type"), tt.cache)
		equal(t, name+"'s minutes", at(t, tmpl, project, "TimeoutInMinutes"), tt.minutes)
		if got, _ := at(t, tmpl, project, "Source", "BuildSpec").(string); !strings.HasPrefix(got, tt.buildspec) {
			t.Errorf("%s's buildspec is %.40q, want %q", name, got, tt.buildspec)
		}
		log := tmpl.Resources[project["LogsConfig"].(map[string]any)["CloudWatchLogs"].(map[string]any)["GroupName"].(map[string]any)["Ref"].(string)]
		equal(t, name+"'s days of log", log.Properties["RetentionInDays"], tt.logIn)
	}
}

func TestDeployByS3Action(t *testing.T) {
	for _, tt := range []struct {
		props                props.Blog
		cacheControl, prefix any
	}{
		{fixtures.Classic, nil, nil},
		{fixtures.Folder, "no-cache", "ja/notes"},
	} {
		tmpl := template(t, tt.props)
		deploy := action(t, tmpl, stageDeploy)
		equal(t, tt.props.Name+"'s provider", at(t, tmpl, deploy, "ActionTypeId", "Provider"), "S3")
		equal(t, tt.props.Name+"'s Cache-Control", at(t, tmpl, deploy, "Configuration", "CacheControl"), tt.cacheControl)
		equal(t, tt.props.Name+"'s prefix", at(t, tmpl, deploy, "Configuration", "ObjectKey"), tt.prefix)
		equal(t, tt.props.Name+"'s functions", len(tmpl.OfType("AWS::Lambda::Function")), 1)
		equal(t, tt.props.Name+"'s buckets", len(tmpl.OfType("AWS::S3::Bucket")), 1)
		equal(t, tt.props.Name+"'s variables", only(t, tmpl, "AWS::CodePipeline::Pipeline")["Variables"], nil)
	}
}

func TestInvalidateFunction(t *testing.T) {
	for _, tt := range []struct {
		props   props.Blog
		env     map[string]any
		timeout int
		days    int
	}{
		{fixtures.Classic, map[string]any{contract.EnvPollFor: "40s", contract.EnvDeadline: "30m0s", contract.EnvOnFailure: string(contract.OnFailureFail)}, 80, 30},
		{fixtures.Full, map[string]any{contract.EnvPollFor: "2m0s", contract.EnvDeadline: "1h0m0s", contract.EnvRoleARN: fixtures.RoleARN, contract.EnvOnFailure: string(contract.OnFailureProceed)}, 160, 14},
	} {
		tmpl := template(t, tt.props)
		function := named(t, tmpl, "AWS::Lambda::Function", "Invalidate").Properties
		name := tt.props.Name
		equal(t, name+"'s runtime", function["Runtime"], "provided.al2023")
		equal(t, name+"'s architecture", function["Architectures"], []any{"arm64"})
		equal(t, name+"'s settings", at(t, tmpl, function, "Environment", "Variables"), tt.env)
		equal(t, name+"'s timeout", function["Timeout"], tt.timeout)
		log := tmpl.Resources[function["LoggingConfig"].(map[string]any)["LogGroup"].(map[string]any)["Ref"].(string)]
		equal(t, name+"'s days of log", log.Properties["RetentionInDays"], tt.days)
		equal(t, name+"'s oldest event", named(t, tmpl, "AWS::Lambda::EventInvokeConfig", "Invalidate").Properties["MaximumEventAgeInSeconds"], 1200)
	}
}

func TestArtifactsAreSafe(t *testing.T) {
	for _, given := range fixtures.Blogs {
		tmpl := template(t, given)
		bucket := named(t, tmpl, "AWS::S3::Bucket", "Artifacts")
		isPrivate(t, tmpl, bucket)
		equal(t, "expiry", at(t, tmpl, bucket.Properties, "LifecycleConfiguration", "Rules", 0, "ExpirationInDays"), 30)
		if n := len(tmpl.OfType("AWS::KMS::Key")); n != 0 {
			t.Errorf("%s makes %d keys, want none: each costs 1 USD a month", given.Name, n)
		}
	}
}

// isPrivate checks that a bucket is private, encrypted, and reached over TLS only.
func isPrivate(t *testing.T, tmpl *assembly.Template, bucket assembly.NamedResource) {
	t.Helper()
	equal(t, "public access", bucket.Properties["PublicAccessBlockConfiguration"], map[string]any{"BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true, "RestrictPublicBuckets": true})
	equal(t, "encryption", at(t, tmpl, bucket.Properties, "BucketEncryption", "ServerSideEncryptionConfiguration", 0, "ServerSideEncryptionByDefault", "SSEAlgorithm"), "AES256")
	statement := at(t, tmpl, policyOf(t, tmpl, bucket), "Statement", 0)
	equal(t, "effect", at(t, tmpl, statement, "Effect"), "Deny")
	equal(t, "condition", at(t, tmpl, statement, "Condition"), map[string]any{"Bool": map[string]any{"aws:SecureTransport": "false"}})
}

func TestNotificationsSayWhatFailed(t *testing.T) {
	tmpl := template(t, fixtures.Modern)
	rule := only(t, tmpl, "AWS::Events::Rule")
	equal(t, "state", at(t, tmpl, rule, "EventPattern", "detail", "state"), []any{"FAILED"})
	equal(t, "kind", at(t, tmpl, rule, "EventPattern", "detail-type"), []any{"CodePipeline Action Execution State Change"})
	equal(t, "pipeline", at(t, tmpl, rule, "EventPattern", "detail", "pipeline"), []any{"modern"})
	text := at(t, tmpl, rule, "Targets", 0, "InputTransformer", "InputTemplate").(string)
	for _, want := range []string{"blog modern", "<detail-stage>", "<detail-action>", "<detail-execution-result-external-execution-summary>", "<detail-execution-result-error-code>"} {
		if !strings.Contains(text, want) {
			t.Errorf("text %q lacks %s", text, want)
		}
	}
	equal(t, "address", only(t, tmpl, "AWS::SNS::Subscription")["Endpoint"], "me@blog.dev")
	equal(t, "existing topic", at(t, template(t, fixtures.Full), only(t, template(t, fixtures.Full), "AWS::Events::Rule"), "Targets", 0, "Arn"), fixtures.Full.Notifications.TopicARN)
	if n := len(template(t, fixtures.Classic).OfType("AWS::Events::Rule")); n != 0 {
		t.Errorf("classic has %d rules, want none: nobody is to be told", n)
	}
}

// TestNotificationsSayWhatSucceeded checks that only those who want it are told, when the last stage has succeeded.
func TestNotificationsSayWhatSucceeded(t *testing.T) {
	for _, tt := range []struct {
		tmpl        *assembly.Template
		stage, says string
	}{
		{template(t, fixtures.Webhook), "Invalidate", "The blog webhook was published: https://www.kzmorita.dev/notes/\""},
		{template(t, fixtures.Open), "Invalidate", "The blog open was published: " + fmt.Sprint(at(t, siteTemplate(t, fixtures.Open), siteTemplate(t, fixtures.Open).Outputs["URL"].Value)) + "/\""},
		{fargateTemplate(t, fixtures.Store), "Deploy", "The service store was deployed.\""},
	} {
		rule := named(t, tt.tmpl, "AWS::Events::Rule", "Succeeded").Properties
		equal(t, tt.tmpl.Name+"'s state", at(t, tt.tmpl, rule, "EventPattern", "detail", "state"), []any{"SUCCEEDED"})
		equal(t, tt.tmpl.Name+"'s stage", at(t, tt.tmpl, rule, "EventPattern", "detail", "stage"), []any{tt.stage})
		pipeline := only(t, tt.tmpl, "AWS::CodePipeline::Pipeline")
		equal(t, tt.tmpl.Name+"'s pipeline", at(t, tt.tmpl, rule, "EventPattern", "detail", "pipeline", 0), pipeline["Name"])
		stages := pipeline["Stages"].([]any)
		last := stages[len(stages)-1].(map[string]any)
		equal(t, tt.tmpl.Name+"'s last stage", last["Name"], tt.stage)
		equal(t, tt.tmpl.Name+"'s actions, each of which tells", len(last["Actions"].([]any)), 1)
		text := at(t, tt.tmpl, rule, "Targets", 0, "InputTransformer", "InputTemplate").(string)
		for _, want := range []string{tt.says, "<detail-execution-result-external-execution-summary>"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: text %q lacks %s", tt.tmpl.Name, text, want)
			}
		}
		equal(t, tt.tmpl.Name+"'s topic", at(t, tt.tmpl, rule, "Targets", 0, "Arn"), at(t, tt.tmpl, named(t, tt.tmpl, "AWS::Events::Rule", "ActionFailed").Properties, "Targets", 0, "Arn"))
	}
	only(t, template(t, fixtures.Modern), "AWS::Events::Rule") // of failures
}

// Adding a blog must not touch another's stacks.
func TestBlogsShareNothing(t *testing.T) {
	for _, given := range fixtures.AloneBlogs {
		for _, id := range given.StackNames() {
			file := id + ".template.json"
			alone, err := os.ReadFile(filepath.Join(aloneApp().dir, file))
			if err != nil {
				t.Fatal(err)
			}
			among, err := os.ReadFile(filepath.Join(allApp().dir, file))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(alone, among) {
				t.Errorf("the template of %s depends on which other blogs are there:\n%s", id, firstDifference(string(among), string(alone)))
			}
		}
	}
}

// `make deploy` treats warnings as errors, so a blog without example values must have none.
func TestNoWarnings(t *testing.T) {
	for name := range allApp().templates {
		text := annotations(t, name)
		if at := strings.Index(text, "aws:cdk:warning"); at >= 0 {
			t.Errorf("%s: %s", name, text[at:min(at+400, len(text))])
		}
	}
}
