package stacks

import (
	"strings"
	"testing"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

// CloudFormation cannot change a service that CodeDeploy deploys: it names all of the
// service's properties, and ECS refuses those that are CodeDeploy's. The stack's update
// would fail, and so would its rollback.
func TestServiceOfCodeDeployStaysAsItIs(t *testing.T) {
	for _, s := range fixtures.ChangedServices {
		s := s.(props.FargateService)
		if s.WithDefaults().Controller != props.ControllerCodeDeploy {
			continue
		}
		const service = "AWS::ECS::Service"
		before, after := fargateTemplate(t, s).OfType(service)[0], changedApp().templates[s.StackName()].OfType(service)[0]
		equal(t, s.Name+"'s id", after.ID, before.ID)
		equal(t, s.Name+"'s service", after.Properties, before.Properties)
	}
}

func TestDeploymentByCodeDeploy(t *testing.T) {
	for _, tt := range []struct {
		props    props.FargateService
		config   string
		keep     int
		alarms   int
		appSpecs []string
	}{
		{fixtures.API, "CodeDeployDefault.ECSAllAtOnce", 5, 2, []string{"ContainerPort: 80\n", `- AfterAllowTraffic: "` + contract.HookFunctionName("api") + `"`}},
		{fixtures.Store, "CodeDeployDefault.ECSCanary10Percent5Minutes", 60, 3, []string{"ContainerPort: 8080\n", `- AfterAllowTestTraffic: "` + contract.HookFunctionName("store") + `"`, `- AfterAllowTraffic: "` + contract.HookFunctionName("store") + `"`}},
	} {
		t.Run(tt.props.Name, func(t *testing.T) {
			tmpl := fargateTemplate(t, tt.props)
			equal(t, "controller", at(t, tmpl, only(t, tmpl, "AWS::ECS::Service"), "DeploymentController", "Type"), "CODE_DEPLOY")
			group := only(t, tmpl, "AWS::CodeDeploy::DeploymentGroup")
			equal(t, "shift", group["DeploymentConfigName"], tt.config)
			equal(t, "rollback", at(t, tmpl, group, "AutoRollbackConfiguration"), map[string]any{
				"Enabled": true, "Events": []any{"DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_REQUEST", "DEPLOYMENT_STOP_ON_ALARM"},
			})
			equal(t, "minutes that the old version stays", at(t, tmpl, group, "BlueGreenDeploymentConfiguration", "TerminateBlueInstancesOnDeploymentSuccess", "TerminationWaitTimeInMinutes"), tt.keep)
			equal(t, "alarms", len(at(t, tmpl, group, "AlarmConfiguration", "Alarms").([]any)), tt.alarms)

			pair := at(t, tmpl, group, "LoadBalancerInfo", "TargetGroupPairInfoList", 0)
			listener := func(route string) map[string]any {
				arn := at(t, tmpl, pair, route, "ListenerArns", 0)
				for _, l := range tmpl.OfType("AWS::ElasticLoadBalancingV2::Listener") {
					if at(t, tmpl, map[string]any{"Ref": l.ID}) == arn {
						return l.Properties
					}
				}
				t.Fatalf("no listener %v", arn)
				return nil
			}
			equal(t, "production's port", listener("ProdTrafficRoute")["Port"], tt.props.LoadBalancer.ProductionPorts()[0])
			equal(t, "test port", listener("TestTrafficRoute")["Port"], tt.props.WithDefaults().LoadBalancer.TestPort)

			variables := buildVariables(t, tmpl, "Build")
			for _, want := range tt.appSpecs {
				if !strings.Contains(variables["APPSPEC"], want) {
					t.Errorf("the AppSpec is\n%s\nwant %q in it", variables["APPSPEC"], want)
				}
			}
			equal(t, "AppSpec of the build", variables["APPSPEC"], appSpec(t, tt.props))
			equal(t, "function", only(t, tmpl, "AWS::Lambda::Function")["FunctionName"], contract.HookFunctionName(tt.props.Name))

			configuration := at(t, tmpl, action(t, tmpl, stageDeploy), "Configuration").(map[string]any)
			equal(t, "deploy's configuration", configuration, map[string]any{
				"ApplicationName":                at(t, tmpl, map[string]any{"Ref": tmpl.OfType("AWS::CodeDeploy::Application")[0].ID}),
				"DeploymentGroupName":            at(t, tmpl, map[string]any{"Ref": tmpl.OfType("AWS::CodeDeploy::DeploymentGroup")[0].ID}),
				"AppSpecTemplateArtifact":        "Image",
				"AppSpecTemplatePath":            "appspec.yaml",
				"TaskDefinitionTemplateArtifact": "Image",
				"TaskDefinitionTemplatePath":     "taskdef.json",
				"Image1ArtifactName":             "Image",
				"Image1ContainerName":            "IMAGE1_NAME",
			})
		})
	}
}
