package stacks

import (
	"strings"
	"testing"

	"blog-deploy-pipeline/buildspec"
	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

func TestRepository(t *testing.T) {
	eachFargate(t, func(t *testing.T, s props.FargateService, tmpl *assembly.Template) {
		repository := tmpl.OfType("AWS::ECR::Repository")[0]
		equal(t, "tags", repository.Properties["ImageTagMutability"], "IMMUTABLE")
		equal(t, "scan", at(t, tmpl, repository.Properties, "ImageScanningConfiguration", "ScanOnPush"), true)
		equal(t, "emptied when it goes", repository.Properties["EmptyOnDelete"], true)
		if text := at(t, tmpl, repository.Properties, "LifecyclePolicy", "LifecyclePolicyText").(string); !strings.Contains(text, `"countNumber":100`) {
			t.Errorf("images expire by %s, want 100 kept", text)
		}
		uri := at(t, tmpl, map[string]any{"Fn::GetAtt": []any{repository.ID, "RepositoryUri"}})
		equal(t, "repository of the build", buildVariables(t, tmpl, "Build")["REPOSITORY_URI"], uri)
		equal(t, "output", at(t, tmpl, tmpl.Outputs["RepositoryURI"].Value), uri)
		balancer := tmpl.OfType("AWS::ElasticLoadBalancingV2::LoadBalancer")[0].ID
		equal(t, "origin", tmpl.Outputs["Origin"].Value, map[string]any{"Fn::GetAtt": []any{balancer, "DNSName"}})
	})
}

// buildVariables returns the variables of a build project, named by the start of its
// logical id.
func buildVariables(t *testing.T, tmpl *assembly.Template, id string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, v := range at(t, tmpl, project(t, tmpl, id), "Environment", "EnvironmentVariables").([]any) {
		out[v.(map[string]any)["Name"].(string)] = v.(map[string]any)["Value"].(string)
	}
	return out
}

func project(t *testing.T, tmpl *assembly.Template, id string) map[string]any {
	t.Helper()
	return named(t, tmpl, "AWS::CodeBuild::Project", id).Properties
}

func TestImageBuild(t *testing.T) {
	for _, tt := range []struct {
		props                     props.FargateService
		kind, size, file, context string
		minutes                   int
	}{
		{fixtures.API, "ARM_CONTAINER", "BUILD_GENERAL1_SMALL", "Dockerfile", ".", 15},
		{fixtures.Store, "LINUX_CONTAINER", "BUILD_GENERAL1_LARGE", "docker/store.Dockerfile", "services/store", 60},
	} {
		tmpl := fargateTemplate(t, tt.props)
		built := project(t, tmpl, "Build")
		// The image must have the tasks' architecture.
		equal(t, "machine", at(t, tmpl, built, "Environment", "Type"), tt.kind)
		equal(t, "size", at(t, tmpl, built, "Environment", "ComputeType"), tt.size)
		equal(t, "privileged", at(t, tmpl, built, "Environment", "PrivilegedMode"), true)
		equal(t, "minutes", built["TimeoutInMinutes"], tt.minutes)
		equal(t, "recipe", at(t, tmpl, built, "Source", "BuildSpec"), buildspec.Container)
		variables := buildVariables(t, tmpl, "Build")
		equal(t, "container", variables["CONTAINER_NAME"], "web")
		equal(t, "Dockerfile", variables["DOCKERFILE"], tt.file)
		equal(t, "context", variables["CONTEXT"], tt.context)
	}
}
