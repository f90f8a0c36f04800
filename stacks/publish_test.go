package stacks

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

// publishing lists the blogs that the function publishes.
func publishing() (blogs []props.Blog) {
	for _, given := range fixtures.Blogs {
		if given.WithDefaults().Deploy.By == props.DeployByFunction {
			blogs = append(blogs, given)
		}
	}
	return blogs
}

func TestPublishFunction(t *testing.T) {
	for _, tt := range []struct {
		props props.Blog
		env   map[string]any // besides those that every blog has
		rules []contract.HeaderRule
		days  int
	}{
		{fixtures.Tokyo, map[string]any{contract.EnvGrace: "24h0m0s", contract.EnvMaxDeletePercent: "30"}, nil, 30},
		{fixtures.Complete, map[string]any{contract.EnvGrace: "24h0m0s", contract.EnvMaxDeletePercent: "30"}, nil, 30},
		{
			fixtures.Full,
			map[string]any{contract.EnvGrace: "168h0m0s", contract.EnvMaxDeletePercent: "50", contract.EnvKeyPrefix: "ja/notes"},
			[]contract.HeaderRule{
				{Match: "*.pdf", CacheControl: "public, max-age=3600", ContentDisposition: "attachment", ContentLanguage: "ja"},
				{Match: "/data/*.txt", ContentType: "text/plain; charset=shift_jis", Metadata: map[string]string{"author": "kzmorita"}},
			}, 7,
		},
		{
			fixtures.Webhook,
			map[string]any{contract.EnvGrace: "0s", contract.EnvMaxDeletePercent: "30", contract.EnvKeyPrefix: "notes"},
			[]contract.HeaderRule{{Match: "*", CacheControl: "public, max-age=60"}}, 30,
		},
	} {
		t.Run(tt.props.Name, func(t *testing.T) {
			tmpl := template(t, tt.props)
			function := named(t, tmpl, "AWS::Lambda::Function", "Publish").Properties
			bucket, _ := published(t, tt.props)
			tt.env[contract.EnvSiteBucket] = bucket
			tt.env[contract.EnvReleases] = strings.TrimPrefix(releasesOf(t, tmpl), "arn:aws:s3:::")
			env := at(t, tmpl, function, "Environment", "Variables").(map[string]any)
			if tt.rules != nil {
				tt.env[contract.EnvHeaders] = contract.JSON(tt.rules)
			}
			equal(t, "settings", env, tt.env)
			equal(t, "memory", function["MemorySize"], 1024)
			equal(t, "timeout", function["Timeout"], 900)
			equal(t, "oldest event", named(t, tmpl, "AWS::Lambda::EventInvokeConfig", "Publish").Properties["MaximumEventAgeInSeconds"], 1200)
			equal(t, "days of log", named(t, tmpl, "AWS::Logs::LogGroup", "PublishLog").Properties["RetentionInDays"], tt.days)
			if n := len(contract.JSON(env)); n > 4096 {
				t.Errorf("the settings have %d bytes, and Lambda allows 4,096", n)
			}
		})
	}
}

// TestInvalidateKnowsWhatChanged checks that invalidate gets the releases unless it clears a fixed list of paths.
func TestInvalidateKnowsWhatChanged(t *testing.T) {
	site := siteTemplate(t, fixtures.Bare)
	domainName := at(t, site, map[string]any{"Fn::GetAtt": []any{site.OfType("AWS::CloudFront::Distribution")[0].ID, "DomainName"}})
	verified := map[string]any{
		"bare": fmt.Sprintf("https://%s", domainName), "tokyo": "https://kzmorita.dev", "virginia": "https://notes.kzmorita.dev",
		"elsewhere": "https://blog.kzmorita.io", "webhook": "https://www.kzmorita.dev",
	}
	for _, given := range fixtures.Blogs {
		tmpl := template(t, given)
		function := named(t, tmpl, "AWS::Lambda::Function", "Invalidate").Properties
		env := at(t, tmpl, function, "Environment", "Variables").(map[string]any)
		withDefaults := given.WithDefaults()
		if withDefaults.Deploy.By == props.DeployByS3Action || given.Invalidate.Paths != nil {
			equal(t, given.Name+"'s releases", env[contract.EnvReleases], nil)
			equal(t, given.Name+"'s most paths", env[contract.EnvMaxPaths], nil)
			equal(t, given.Name+"'s address", env[contract.EnvVerify], nil)
			equal(t, given.Name+"'s memory", function["MemorySize"], 128)
			continue
		}
		publish := at(t, tmpl, named(t, tmpl, "AWS::Lambda::Function", "Publish").Properties, "Environment", "Variables").(map[string]any)
		for _, name := range []string{contract.EnvReleases, contract.EnvKeyPrefix} {
			equal(t, given.Name+"'s "+name, env[name], publish[name])
		}
		most, addresses := "30", `{"Bare":true}`
		switch given.Name {
		case fixtures.Webhook.Name:
			most, addresses = "10", `{"BasePath":"/notes/","Bare":true,"QueryStrings":true}`
		case fixtures.Tokyo.Name, fixtures.Bare.Name, fixtures.Virginia.Name, fixtures.Elsewhere.Name:
			addresses = `{"Tags":true}`
		}
		equal(t, given.Name+"'s most paths", env[contract.EnvMaxPaths], most)
		equal(t, given.Name+"'s addresses", env[contract.EnvAddresses], addresses)
		equal(t, given.Name+"'s address", env[contract.EnvVerify], verified[given.Name])
		var goesBackBy any
		if given.Invalidate.OnFailure == props.OnFailureRollBack {
			goesBackBy = at(t, tmpl, map[string]any{"Ref": named(t, tmpl, "AWS::Lambda::Function", "Publish").ID})
		}
		equal(t, given.Name+"'s function to go back by", env[contract.EnvPublishFunction], goesBackBy)
		equal(t, given.Name+"'s memory", function["MemorySize"], 256)
	}
}

func TestPublishAction(t *testing.T) {
	for _, given := range publishing() {
		t.Run(given.Name, func(t *testing.T) {
			tmpl := template(t, given)
			deploy := action(t, tmpl, stageDeploy)
			equal(t, "function", at(t, tmpl, deploy, "Configuration", "FunctionName"), at(t, tmpl, map[string]any{"Ref": named(t, tmpl, "AWS::Lambda::Function", "Publish").ID}))
			equal(t, "namespaces", []any{action(t, tmpl, stageSource)["Namespace"], deploy["Namespace"], action(t, tmpl, stageInvalidate)["Namespace"]}, []any{"Source", "Publish", "Invalidate"})
			text := at(t, tmpl, deploy, "Configuration", "UserParameters").(string)
			if len(text) > 1000 {
				t.Errorf("UserParameters have %d characters, and CodePipeline allows 1,000", len(text))
			}
			var got contract.PublishParameters
			if err := json.Unmarshal([]byte(text), &got); err != nil {
				t.Fatal(err)
			}
			want := contract.PublishParameters{PipelineName: given.Name, Execution: "#{codepipeline.PipelineExecutionId}", Revision: "#{Source.CommitId}", AllowDeletions: "#{variables." + contract.VariableAllowDeletions + "}"}
			variables := at(t, tmpl, only(t, tmpl, "AWS::CodePipeline::Pipeline"), "Variables")
			if given.PipelineType == props.PipelineTypeV1 {
				want.AllowDeletions = ""
				equal(t, "variables", variables, nil)
			} else {
				equal(t, "variables", variables, []any{map[string]any{
					"Name": contract.VariableAllowDeletions, "DefaultValue": contract.AllowDeletionsNo,
					"Description": "yes lets this execution remove any number of the blog's files",
				}})
			}
			equal(t, "parameters", got, want)
			if n := len(tmpl.OfType("AWS::IAM::Role")); n == 0 {
				t.Error("there are no roles")
			}
			for _, role := range tmpl.OfType("AWS::IAM::Role") {
				if strings.HasPrefix(role.ID, "DeployRole") {
					t.Errorf("%s is of the S3 action, which is not there", role.ID)
				}
			}
		})
	}
}

func TestReleasesAreSafe(t *testing.T) {
	for _, given := range publishing() {
		tmpl := template(t, given)
		bucket := named(t, tmpl, "AWS::S3::Bucket", "Releases")
		isPrivate(t, tmpl, bucket)
		equal(t, given.Name+"'s rules", at(t, tmpl, bucket.Properties, "LifecycleConfiguration", "Rules"), []any{
			map[string]any{"Status": "Enabled", "Prefix": contract.ReleaseArtifacts, "ExpirationInDays": given.WithDefaults().Deploy.KeepDays},
			map[string]any{"Status": "Enabled", "AbortIncompleteMultipartUpload": map[string]any{"DaysAfterInitiation": 1}},
		})
		equal(t, "the bucket when it is replaced", bucket.UpdateReplacePolicy, "Retain")
		equal(t, "the bucket when the stack goes", bucket.DeletionPolicy, "RetainExceptOnCreate")
	}
	if n := len(publishing()); n < 4 {
		t.Errorf("only %d blogs are published by the function", n)
	}
}
