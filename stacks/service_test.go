package stacks

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

func fargateTemplate(t *testing.T, s props.FargateService) *assembly.Template {
	t.Helper()
	return stackTemplate(t, s.StackName())
}

// eachFargate runs check on the template of every new service.
func eachFargate(t *testing.T, check func(t *testing.T, s props.FargateService, tmpl *assembly.Template)) {
	t.Helper()
	for _, s := range fixtures.FargateServices {
		s := s.(props.FargateService)
		t.Run(s.Name, func(t *testing.T) { check(t, s, fargateTemplate(t, s)) })
	}
}

// An owner needs these names to change the number of tasks by hand. For an existing cluster, the output
// has its name, and the stack makes no other.
func TestServiceOutputs(t *testing.T) {
	eachFargate(t, func(t *testing.T, s props.FargateService, tmpl *assembly.Template) {
		if made := len(tmpl.OfType("AWS::ECS::Cluster")); s.Cluster != "" {
			equal(t, "cluster", at(t, tmpl, tmpl.Outputs["ClusterName"].Value), s.Cluster)
			equal(t, "clusters made", made, 0)
		}
		made := tmpl.OfType("AWS::ECS::Service")[0]
		equal(t, "cluster", at(t, tmpl, tmpl.Outputs["ClusterName"].Value), at(t, tmpl, made.Properties, "Cluster"))
		equal(t, "service", at(t, tmpl, tmpl.Outputs["ServiceName"].Value), at(t, tmpl, map[string]any{"Fn::GetAtt": []any{made.ID, "Name"}}))
	})
}

func TestServiceStages(t *testing.T) {
	eachFargate(t, func(t *testing.T, s props.FargateService, tmpl *assembly.Template) {
		pipeline := only(t, tmpl, "AWS::CodePipeline::Pipeline")
		var names []string
		for _, stage := range pipeline["Stages"].([]any) {
			names = append(names, stage.(map[string]any)["Name"].(string))
		}
		equal(t, "stages", names, []string{"Source", "Build", "Deploy"})
		equal(t, "name", pipeline["Name"], s.Name)
		equal(t, "type", pipeline["PipelineType"], "V2")
		equal(t, "mode", pipeline["ExecutionMode"], cmp.Or(s.ExecutionMode, props.ExecutionModeSuperseded))
		source, build, deploy := action(t, tmpl, stageSource), action(t, tmpl, stageBuild), action(t, tmpl, stageDeploy)
		equal(t, "build's input", build["InputArtifacts"], source["OutputArtifacts"])
		equal(t, "deploy's input", deploy["InputArtifacts"], build["OutputArtifacts"])
		provider := "CodeDeployToECS"
		if s.WithDefaults().Controller == props.ControllerECS {
			provider = "CodeBuild"
		}
		equal(t, "who deploys", at(t, tmpl, deploy, "ActionTypeId", "Provider"), provider)
		// CodePipeline starts an execution as soon as the pipeline exists.
		function := tmpl.OfType("AWS::Lambda::Function")[0].ID
		if after := tmpl.OfType("AWS::CodePipeline::Pipeline")[0].DependsOn; !slices.Contains(after, function) {
			t.Errorf("the pipeline depends on %v, want the hook's function among them", after)
		}
	})
}

func TestServicesAreValues(t *testing.T) {
	for name, tt := range map[string]struct {
		service props.Service
		want    string
	}{
		"nil":              {nil, "services[1] is nil: remove it"},
		"nil pointer":      {(*props.ExistingService)(nil), "services[1] is a *props.ExistingService: must be a props.ExistingService{…}"},
		"another one":      {(*props.FargateService)(nil), "services[1] is a *props.FargateService"},
		"pointer":          {&fixtures.Shop, "without &"},
		"service in a box": {struct{ props.ExistingService }{fixtures.Shop}, "services[1] is a struct"},
	} {
		t.Run(name, func(t *testing.T) {
			services := []props.Service{fixtures.News, tt.service}
			if err := props.Validate(nil, services); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Validate: %v, want %q", err, tt.want)
			}
		})
	}
}
