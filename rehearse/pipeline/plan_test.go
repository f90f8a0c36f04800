package pipeline

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/assembly"
)

func TestReadReadsThePipeline(t *testing.T) {
	plan := read(t, template(t, "uploaded-pipeline"))
	if plan.Name != "uploaded" || !strings.HasPrefix(plan.Pipeline.Store, "uploaded-pipeline-artifacts") || plan.Pipeline.Role.ID != "PipelineRoleDCFDBB91" {
		t.Errorf("the pipeline is %s, with %s, run by %s", plan.Name, plan.Pipeline.Store, plan.Pipeline.Role.ID)
	}
	var got []string
	for _, stage := range plan.Pipeline.Stages {
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
	deploy, invalidate := plan.Pipeline.Stages[2].Actions[0], plan.Pipeline.Stages[3].Actions[0]
	if want := map[string]string{"BucketName": "kzmorita-blog", "Extract": "true"}; !maps.Equal(deploy.Configuration, want) {
		t.Errorf("Deploy has %v, want %v", deploy.Configuration, want)
	}
	f := invalidate.kind.(invocation).function
	if f.Name != invalidate.Configuration["FunctionName"] || !strings.HasSuffix(f.ARN, ":function:"+f.Name) || f.Timeout != 80*time.Second || f.MemoryMB != 128 || f.Retries != 2 || f.Role.ID != "InvalidateRoleD64083AD" || f.Env[contract.EnvPollFor] != "40s" {
		t.Errorf("the function is %+v", f)
	}
	if invalidate.Namespace != "Invalidate" || invalidate.Clears != "E2QWRUHAPOMQZL" {
		t.Errorf("Invalidate has %v, and its variables are in %q", invalidate.Configuration, invalidate.Namespace)
	}
}

func TestReadNotesTheSchedule(t *testing.T) {
	notes := strings.Join(read(t, template(t, "uploaded-pipeline", replace(t, `"Resources": {`, `"Resources": {"Schedule": {"Type": "AWS::Scheduler::Schedule", "Properties": {"ScheduleExpression": "rate(6 hours)"}},`))).Notes, "\n")
	if want := "the schedule Schedule is not rehearsed: on AWS it also starts the pipeline, at rate(6 hours) (UTC)"; !strings.Contains(notes, want) {
		t.Errorf("notes are %q, want %q", notes, want)
	}
}

func TestReadReadsTheProject(t *testing.T) {
	inline := read(t, template(t, "uploaded-pipeline", replace(t, `"buildspec/hugo.yml"`, `"version: 0.2\nphases: {}\n"`))).Pipeline.Stages[1].Actions[0].kind.(build).project
	if inline.Buildspec != "version: 0.2\nphases: {}\n" || inline.BuildspecPath != "" || inline.Timeout != 15*time.Minute || inline.Role.ID != "BuildRole41B77417" || !inline.WritesLogs {
		t.Errorf("the project is %+v", inline)
	}
	if want := map[string]string{"HUGO_EXTENDED": "true", "HUGO_FLAGS": "--gc", "NODE_VERSION": "24"}; !maps.Equal(inline.Env, want) {
		t.Errorf("its variables are %v, want %v", inline.Env, want)
	}
	token := read(t, template(t, "uploaded-pipeline", withToken(t)))
	if project := token.Pipeline.Stages[1].Actions[0].kind.(build).project; project.BuildspecPath != "buildspec/hugo.yml" || project.Buildspec != "" {
		t.Errorf("the project is %+v", project)
	}
	source := token.Pipeline.Stages[0].Actions[0]
	if source.OwnRole || source.Role != token.Pipeline.Role {
		t.Errorf("the source has the role %s, want the pipeline's", source.Role.ID)
	}
	if _, has := source.Configuration["OAuthToken"]; has {
		t.Error("the token is in the plan")
	}
	variable := `"EnvironmentVariables": [{"Name": "TOKEN", "Type": "SECRETS_MANAGER", "Value": "blog/token"}], "Image"`
	if project := read(t, template(t, "uploaded-pipeline", replace(t, `"Image"`, variable))).Pipeline.Stages[1].Actions[0].kind.(build).project; project.Secrets["TOKEN"] != "blog/token" || len(project.Env) > 0 {
		t.Errorf("the project's secrets are %v, its variables %v", project.Secrets, project.Env)
	}
}

func TestReadRefusesWhatCannotBeRehearsed(t *testing.T) {
	tests := []struct {
		name   string
		golden string
		old    string
		with   string
		want   []string
	}{
		{"service", "api-service", "x", "x", []string{"api-service cannot be rehearsed", "stage Deploy, action CodeDeploy: an action of the provider CodeDeployToECS (Deploy, by AWS) cannot be rehearsed; those that can are Source/CodeStarSourceConnection"}},
		{"hook", "api-hook", "x", "x", []string{"it has 0 pipelines, want one"}},
		{"approval", "uploaded-pipeline", `"Category": "Deploy",
                  "Owner": "AWS",
                  "Provider": "S3"`, `"Category": "Approval", "Owner": "AWS", "Provider": "Manual"`, []string{"stage Deploy, action S3", "Manual"}},
		{"other Region", "uploaded-pipeline", `"Namespace": "Invalidate"`, `"Namespace": "Invalidate", "Region": "eu-west-1"`, []string{"stage Invalidate, action Invalidate", "eu-west-1"}},
		{"function in Python", "uploaded-pipeline", `"provided.al2023"`, `"python3.13"`, []string{"Invalidate", "python3.13"}},
		{"project elsewhere", "uploaded-pipeline", `"ProjectName": {`, `"ProjectName": "shared", "Other": {`, []string{"stage Build, action Build", `"shared" is no AWS::CodeBuild::Project`}},
		{"asset that is gone", "uploaded-pipeline", `"ASSET.zip"`, `"other.zip"`, []string{"stage Invalidate, action Invalidate", "other.zip"}},
		{"batch", "uploaded-pipeline", `"ProjectName": {`, `"BatchEnabled": "true", "ProjectName": {`, []string{"stage Build, action Build", "batch"}},
		{"artifacts of the function", "uploaded-pipeline", `"Namespace": "Invalidate"`, `"Namespace": "Invalidate", "OutputArtifacts": [{"Name": "Report"}]`, []string{"stage Invalidate, action Invalidate: its function has output artifacts (Report)"}},
		{"two artifacts for the function", "uploaded-pipeline", `"Namespace": "Invalidate"`, `"Namespace": "Invalidate", "InputArtifacts": [{"Name": "Site"}, {"Name": "Source"}]`, []string{"stage Invalidate, action Invalidate: its function has 2 input artifacts (Site, Source)"}},
		{"input that nobody puts out", "uploaded-pipeline", `"InputArtifacts": [
                  {
                    "Name": "Site"`, `"InputArtifacts": [
                {
                  "Name": "Sight"`, []string{`stage Deploy, action S3: its input artifact "Sight" is the output of no earlier action`}},
		{"output of two", "uploaded-pipeline", `"OutputArtifacts": [
                  {
                    "Name": "Site"`, `"OutputArtifacts": [
                {
                  "Name": "Source"`, []string{`stage Build, action Build: its output artifact "Source" is also the output of stage Source, action `}},
		{"stores in Regions", "uploaded-pipeline", `"ArtifactStore": {`, `"ArtifactStores": {`, []string{"ArtifactStores"}},
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

func TestReadNotesWhatIsNotRehearsed(t *testing.T) {
	for _, tt := range []struct{ name, old, with, want string }{
		{"stage condition", `"Name": "Build"
          },`, `"Name": "Build", "OnFailure": {"Result": "ROLLBACK"}},`, "stage Build: its OnFailure is not rehearsed"},
		{"transition that is disabled", `"ArtifactStore": {`, `"DisableInboundStageTransitions": [{"StageName": "Deploy", "Reason": "x"}], "ArtifactStore": {`, "DisableInboundStageTransitions is not rehearsed"},
		{"timeout of an action", `"Namespace": "Invalidate"`, `"Namespace": "Invalidate", "TimeoutInMinutes": 5`, "stage Invalidate, action Invalidate: its TimeoutInMinutes is not rehearsed"},
		{"unknown key of an action", `"Namespace": "Invalidate"`, `"Namespace": "Invalidate", "Retries": 5`, "stage Invalidate, action Invalidate: its Retries is not rehearsed"},
		{"function in a VPC", `"Handler": "bootstrap"`, `"Handler": "bootstrap", "VpcConfig": {"SubnetIds": ["s"]}, "Layers": ["l"], "ReservedConcurrentExecutions": 0`, ": its ReservedConcurrentExecutions is not rehearsed"},
		{"project in a VPC", `"ServiceRole": {`, `"VpcConfig": {"VpcId": "v"}, "ServiceRole": {`, ": its VpcConfig is not rehearsed"},
		{"permissions boundary", `"Description": "Uploads the blog"`, `"Description": "Uploads the blog", "PermissionsBoundary": "arn:aws:iam::123456789012:policy/b"`, "the permissions boundary arn:aws:iam::123456789012:policy/b is not rehearsed: it is assumed to allow"},
		{"key", `"ArtifactStore": {`, `"ArtifactStore": {"EncryptionKey": {"Id": "k", "Type": "KMS"},`, "encryption key"},
		{"policy of AWS's", `"Description": "Uploads the blog"`, `"Description": "Uploads the blog", "ManagedPolicyArns": ["arn:aws:iam::aws:policy/AmazonS3FullAccess"]`, "what the role DeployRole885297C3 may do is not checked"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			plan := read(t, template(t, "uploaded-pipeline", replace(t, tt.old, tt.with)))
			if !strings.Contains(strings.Join(plan.Notes, "\n"), tt.want) {
				t.Errorf("notes are %q, want %q among them", plan.Notes, tt.want)
			}
		})
	}
}

func TestTheStackIsInTheAccountOfTheConnection(t *testing.T) {
	plan := read(t, template(t, "uploaded-pipeline", replace(t, ":"+assembly.UnknownAccount+":connection", ":"+edgeAccount+":connection")))
	if plan.Template.Account != edgeAccount || !strings.Contains(plan.Pipeline.Role.ARN, ":"+edgeAccount+":") {
		t.Errorf("the stack is in %s, its role is %s", plan.Template.Account, plan.Pipeline.Role.ARN)
	}
}

func TestTheSiteIsInTheAccountOfTheConnection(t *testing.T) {
	for _, tt := range []struct{ name, account, moved, note string }{
		{"bound to none", assembly.UnknownAccount, edgeAccount, "the stack is bound to no account: it is assumed to be in " + edgeAccount},
		{"with example values", contract.ExampleAccount, edgeAccount, "the stack has example values, and so cannot be deployed: it is assumed to be in " + edgeAccount},
		{"bound to its own", "444455556666", "444455556666", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tpl := siteAssembly(t)
			for _, s := range tpl.Stacks() {
				s.Account = tt.account
			}
			source := assembly.Object(assembly.List(assembly.Object(assembly.List(tpl.OfType("AWS::CodePipeline::Pipeline")[0].Properties["Stages"])[0])["Actions"])[0])
			assembly.Object(source["Configuration"])["ConnectionArn"] = "arn:aws:codeconnections:ap-northeast-1:" + edgeAccount + ":connection/a"
			plan := read(t, tpl)
			if len(plan.Pipeline.Distributions) != 1 {
				t.Fatalf("distributions are %v", plan.Pipeline.Distributions)
			}
			d := slices.Collect(maps.Values(plan.Pipeline.Distributions))[0]
			if want := "arn:aws:cloudfront::" + tt.moved + ":distribution/" + d.ID; d.ARN != want || !strings.Contains(string(d.Policy), want) {
				t.Errorf("it is %s, want %s; the bucket's policy is %s", d.ARN, want, d.Policy)
			}
			if notes := strings.Join(plan.Notes, "\n"); !strings.Contains(notes, tt.note) || strings.Contains(notes, "assumed to be in") != (tt.note != "") {
				t.Errorf("notes are %q, want %q", notes, tt.note)
			}
		})
	}
}
