package pipeline

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestRead(t *testing.T) {
	plan := read(t, template(t, "full-pipeline"))
	if plan.Name != "full" || !strings.HasPrefix(plan.Store, "full-pipeline-artifacts") || plan.Role.ID != "PipelineRoleDCFDBB91" {
		t.Errorf("the pipeline is %s, with %s, run by %s", plan.Name, plan.Store, plan.Role.ID)
	}
	var got []string
	for _, stage := range plan.Stages {
		for _, a := range stage.Actions {
			got = append(got, a.String()+" "+a.Provider+" "+a.Role.ID+" "+strings.Join(a.Inputs, ",")+">"+strings.Join(a.Outputs, ","))
		}
	}
	want := []string{
		"Source/GitHub CodeStarSourceConnection SourceRole02CDCA55 >Source",
		"Build/Build CodeBuild PipelineBuildCodePipelineActionRoleD77A08E6 Source>Site",
		"Deploy/S3 S3 DeployRole885297C3 Site>",
		"Invalidate/Invalidate Lambda InvalidateActionRole23C184AE >",
	}
	if !slices.Equal(got, want) {
		t.Errorf("actions are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	deploy, invalidate := plan.Stages[2].Actions[0], plan.Stages[3].Actions[0]
	if want := map[string]string{"BucketName": "kzmorita-shared", "Extract": "true", "ObjectKey": "ja/notes"}; !maps.Equal(deploy.Configuration, want) {
		t.Errorf("Deploy has %v, want %v", deploy.Configuration, want)
	}
	f := invalidate.Function
	if f.Name != invalidate.Configuration["FunctionName"] || !strings.HasSuffix(f.ARN, ":function:"+f.Name) || f.Timeout != 160*time.Second || f.MemoryMB != 128 || f.Retries != 2 || f.Role.ID != "InvalidateRole36A76A10" || f.Env["POLL_FOR"] != "2m0s" {
		t.Errorf("the function is %+v", f)
	}
	if invalidate.Namespace != "Invalidate" || distributionOf(invalidate.Configuration["UserParameters"]) != "E2QWRUHAPOMQZN" {
		t.Errorf("Invalidate has %v, and its variables are in %q", invalidate.Configuration, invalidate.Namespace)
	}
}

func TestReadSchedule(t *testing.T) {
	notes := strings.Join(read(t, template(t, "webhook-pipeline")).Notes, "\n")
	if want := "the schedule Schedule is not rehearsed: at AWS it starts the pipeline, too, at rate(6 hours) (UTC)"; !strings.Contains(notes, want) {
		t.Errorf("notes are %q, want %q", notes, want)
	}
}

func TestReadProject(t *testing.T) {
	inline := read(t, template(t, "modern-pipeline", replace(t, `"buildspec/hugo.yml"`, `"version: 0.2\nphases: {}\n"`))).Stages[1].Actions[0].Project
	if inline.Buildspec != "version: 0.2\nphases: {}\n" || inline.BuildspecPath != "" || inline.Timeout != 15*time.Minute || inline.Role.ID != "BuildRole41B77417" || !inline.WritesLogs {
		t.Errorf("the project is %+v", inline)
	}
	if want := map[string]string{"HUGO_EXTENDED": "true", "HUGO_FLAGS": "--gc", "NODE_VERSION": "24"}; !maps.Equal(inline.Env, want) {
		t.Errorf("its variables are %v, want %v", inline.Env, want)
	}
	classic := read(t, template(t, "classic-pipeline"))
	if project := classic.Stages[1].Actions[0].Project; project.BuildspecPath != "code-pipeline/buildspec.yml" || project.Buildspec != "" {
		t.Errorf("the project is %+v", project)
	}
	source := classic.Stages[0].Actions[0]
	if source.OwnRole || source.Role != classic.Role {
		t.Errorf("the source has the role %s, want the pipeline's", source.Role.ID)
	}
	if _, has := source.Configuration["OAuthToken"]; has {
		t.Error("the token is in the plan")
	}
	variable := `"EnvironmentVariables": [{"Name": "TOKEN", "Type": "SECRETS_MANAGER", "Value": "blog/token"}], "Image"`
	if project := read(t, template(t, "classic-pipeline", replace(t, `"Image"`, variable))).Stages[1].Actions[0].Project; project.Secrets["TOKEN"] != "blog/token" || len(project.Env) > 0 {
		t.Errorf("the project's secrets are %v, its variables %v", project.Secrets, project.Env)
	}
}

func TestReadRefuses(t *testing.T) {
	tests := []struct {
		name   string
		golden string
		old    string
		with   string
		want   []string
	}{
		{"service", "api-service", "x", "x", []string{"api-service cannot be rehearsed", "stage Deploy, action CodeDeploy: an action of the provider CodeDeployToECS (Deploy, by AWS) cannot be rehearsed; those that can are Source/CodeStarSourceConnection"}},
		{"hook", "shop-hook", "x", "x", []string{"it has 0 pipelines, want one"}},
		{"approval", "classic-pipeline", `"Category": "Deploy",
                  "Owner": "AWS",
                  "Provider": "S3"`, `"Category": "Approval", "Owner": "AWS", "Provider": "Manual"`, []string{"stage Deploy, action S3", "Manual"}},
		{"other Region", "classic-pipeline", `"Namespace": "Invalidate"`, `"Namespace": "Invalidate", "Region": "eu-west-1"`, []string{"stage Invalidate, action Invalidate", "eu-west-1"}},
		{"function in Python", "classic-pipeline", `"provided.al2023"`, `"python3.13"`, []string{"Invalidate", "python3.13"}},
		{"project elsewhere", "classic-pipeline", `"ProjectName": {`, `"ProjectName": "shared", "Other": {`, []string{"stage Build, action Build", `"shared" is no AWS::CodeBuild::Project`}},
		{"asset that is gone", "classic-pipeline", `"ASSET.zip"`, `"other.zip"`, []string{"stage Invalidate, action Invalidate", "other.zip"}},
		{"batch", "classic-pipeline", `"ProjectName": {`, `"BatchEnabled": "true", "ProjectName": {`, []string{"stage Build, action Build", "batch"}},
		{"artifacts for the function", "classic-pipeline", `"Namespace": "Invalidate"`, `"Namespace": "Invalidate", "InputArtifacts": [{"Name": "Site"}]`, []string{"stage Invalidate, action Invalidate", "Site"}},
		{"input that nobody puts out", "classic-pipeline", `"InputArtifacts": [
                  {
                    "Name": "Site"`, `"InputArtifacts": [
                {
                  "Name": "Sight"`, []string{`stage Deploy, action S3: its input artifact "Sight" is the output of no earlier action`}},
		{"output of two", "classic-pipeline", `"OutputArtifacts": [
                  {
                    "Name": "Site"`, `"OutputArtifacts": [
                {
                  "Name": "Source"`, []string{`stage Build, action Build: its output artifact "Source" is the output of stage Source, action `}},
		{"stores in Regions", "classic-pipeline", `"ArtifactStore": {`, `"ArtifactStores": {`, []string{"ArtifactStores"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Read(template(t, tt.golden, replace(t, tt.old, tt.with)))
			if err == nil {
				t.Fatal("it can be rehearsed")
			}
			for _, part := range tt.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("got %v, want it to have %q", err, part)
				}
			}
		})
	}
}

// TestReadNotes has what can be rehearsed, but not all of it.
func TestReadNotes(t *testing.T) {
	for _, tt := range []struct{ name, old, with, want string }{
		{"stage condition", `"Name": "Build"
          },`, `"Name": "Build", "OnFailure": {"Result": "ROLLBACK"}},`, "stage Build: its OnFailure is not rehearsed"},
		{"transition that is disabled", `"ArtifactStore": {`, `"DisableInboundStageTransitions": [{"StageName": "Deploy", "Reason": "x"}], "ArtifactStore": {`, "DisableInboundStageTransitions is not rehearsed"},
		{"timeout of an action", `"Namespace": "Invalidate"`, `"Namespace": "Invalidate", "TimeoutInMinutes": 5`, "stage Invalidate, action Invalidate: its TimeoutInMinutes is not rehearsed"},
		{"unknown key of an action", `"Namespace": "Invalidate"`, `"Namespace": "Invalidate", "Retries": 5`, "stage Invalidate, action Invalidate: its Retries is not rehearsed"},
		{"function in a VPC", `"Handler": "bootstrap"`, `"Handler": "bootstrap", "VpcConfig": {"SubnetIds": ["s"]}, "Layers": ["l"], "ReservedConcurrentExecutions": 0`, ": its ReservedConcurrentExecutions is not rehearsed"},
		{"project in a VPC", `"ServiceRole": {`, `"VpcConfig": {"VpcId": "v"}, "ServiceRole": {`, ": its VpcConfig is not rehearsed"},
		{"permissions boundary", `"Description": "Uploads the blog"`, `"Description": "Uploads the blog", "PermissionsBoundary": "arn:aws:iam::123456789012:policy/b"`, "the permissions boundary arn:aws:iam::123456789012:policy/b is not rehearsed: it is taken to allow"},
		{"key", `"ArtifactStore": {`, `"ArtifactStore": {"EncryptionKey": {"Id": "k", "Type": "KMS"},`, "encryption key"},
		{"policy of AWS's", `"Description": "Uploads the blog"`, `"Description": "Uploads the blog", "ManagedPolicyArns": ["arn:aws:iam::aws:policy/AmazonS3FullAccess"]`, "what the role DeployRole885297C3 may do is not checked"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			plan := read(t, template(t, "classic-pipeline", replace(t, tt.old, tt.with)))
			if !strings.Contains(strings.Join(plan.Notes, "\n"), tt.want) {
				t.Errorf("notes are %q, want %q among them", plan.Notes, tt.want)
			}
		})
	}
}

// TestReadSettles has the account of the connection, where the stack is bound to none.
func TestReadSettles(t *testing.T) {
	plan := read(t, template(t, "modern-pipeline", replace(t, "us-east-1:123456789012:connection", "us-east-1:210987654321:connection")))
	if plan.Template.Account != "210987654321" || !strings.Contains(plan.Role.ARN, ":210987654321:") {
		t.Errorf("the stack is in %s, its role is %s", plan.Template.Account, plan.Role.ARN)
	}
}

func TestParseFaults(t *testing.T) {
	got, err := ParseFaults(" cloudfront=throttle, lambda=crash-once,")
	if want := (Faults{"cloudfront": "throttle", "lambda": "crash-once"}); err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	if none, err := ParseFaults(""); err != nil || len(none) > 0 {
		t.Errorf("got %v, %v for no faults", none, err)
	}
	_, err = ParseFaults("cloudfront=trottle,s3,lambda=crash,lambda=timeout")
	if err == nil {
		t.Fatal("they are known")
	}
	for _, part := range []string{`"cloudfront=trottle"`, `"s3"`, "exclude each other", "cloudfront=throttle", "codepipeline=error", "lambda=timeout", "build=fail"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("got %v, want it to have %s", err, part)
		}
	}
}

func TestChoosePages(t *testing.T) {
	many := map[string]Edition{"index.html": Same, "404.html": Missing, "a/index.html": Same, "b/index.html": Missing, "c/index.html": Old, "d/index.html": Missing, "e/index.html": Missing, "f.css": Old, "g.html": Missing, "猫.html": Same}
	for _, tt := range []struct {
		name  string
		state map[string]Edition
		first string
		want  []string
	}{
		{"nothing", nil, home, nil},
		{"no page", map[string]Edition{"a.css": Old}, home, nil},
		{"changed, then new, and one that is not ASCII", many, home, []string{"index.html", "c/index.html", "b/index.html", "d/index.html", "猫.html"}},
		{"prefix", map[string]Edition{"ja/a.html": Old, "ja/index.html": Same}, "ja/index.html", []string{"ja/index.html", "ja/a.html"}},
		{"no home page", map[string]Edition{"a.html": Same, "b.html": Missing}, home, []string{"b.html", "a.html"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := choosePages(tt.state, tt.first); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAddress(t *testing.T) {
	for key, want := range map[string]string{"index.html": "/", "a/index.html": "/a/", "a/b.html": "/a/b.html", "猫/index.html": "/猫/"} {
		if got := (page{key: key}).address(); got != want {
			t.Errorf("%s is at %s, want %s", key, got, want)
		}
	}
}

func TestSubstitute(t *testing.T) {
	r := &rehearsal{plan: &Plan{variables: map[string]string{"Env": "prod"}}, execution: "e-1", variables: map[string]map[string]string{"Source": {"CommitId": "abc"}}}
	got, err := r.substitute(&Action{Configuration: map[string]string{
		"A": "#{Source.CommitId}/#{variables.Env}-#{codepipeline.PipelineExecutionId}", "B": "no #{variable} here, nor #{there", "C": "plain",
	}})
	if want := map[string]string{"A": "abc/prod-e-1", "B": "no #{variable} here, nor #{there", "C": "plain"}; err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	for _, text := range []string{"#{Source.Nothing}", "#{Nobody.CommitId}", "#{codepipeline.Other}"} {
		if _, err := r.substitute(&Action{Configuration: map[string]string{"A": text}}); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: got %v, want an error that names it", text, err)
		}
	}
}
