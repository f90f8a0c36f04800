package stacks

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"

	"blog-deploy-pipeline/buildspec"
	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

func TestDeploymentByECS(t *testing.T) {
	for _, tt := range []struct {
		props  props.FargateService
		want   map[string]any // of the deployment configuration
		stages []any
		alarms int
		wait   string
	}{
		{fixtures.Docs, map[string]any{"Strategy": "BLUE_GREEN", "BakeTimeInMinutes": 5}, []any{"PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT"}, 2, "55"},
		{fixtures.Search, map[string]any{
			"Strategy": "LINEAR", "BakeTimeInMinutes": 10,
			"LinearConfiguration": map[string]any{"StepPercent": 10, "StepBakeTimeInMinutes": 1},
		}, []any{"PRE_PRODUCTION_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT"}, 3, "270"},
	} {
		t.Run(tt.props.Name, func(t *testing.T) {
			tmpl := fargateTemplate(t, tt.props)
			made := tmpl.OfType("AWS::ECS::Service")[0]
			equal(t, "controller", at(t, tmpl, made.Properties, "DeploymentController", "Type"), "ECS")
			configuration := at(t, tmpl, made.Properties, "DeploymentConfiguration").(map[string]any)
			for name, want := range tt.want {
				equal(t, name, configuration[name], want)
			}
			equal(t, "circuit breaker", configuration["DeploymentCircuitBreaker"], map[string]any{"Enable": true, "Rollback": true})
			alarms := configuration["Alarms"].(map[string]any)
			equal(t, "alarms", len(alarms["AlarmNames"].([]any)), tt.alarms)
			equal(t, "rollback on alarm", alarms["Rollback"], true)
			equal(t, "hooks", configuration["LifecycleHooks"], []any{map[string]any{
				"HookTargetArn":   arnOf(t, tmpl, tmpl.OfType("AWS::Lambda::Function")[0].ID),
				"RoleArn":         arnOf(t, tmpl, roleID(t, tmpl, "HookInvoker")),
				"LifecycleStages": tt.stages,
			}})
			for _, role := range []string{"HookInvoker", "TrafficRole"} {
				if !slices.Contains(made.DependsOn, roleID(t, tmpl, role)) {
					t.Errorf("the service may be there before its %s", role)
				}
			}

			// Two rules forward to the production group, and ECS can change them to forward to the other.
			balancer := at(t, tmpl, made.Properties, "LoadBalancers", 0).(map[string]any)
			advanced := balancer["AdvancedConfiguration"].(map[string]any)
			for _, rule := range tmpl.OfType("AWS::ElasticLoadBalancingV2::ListenerRule") {
				ref := at(t, tmpl, map[string]any{"Ref": rule.ID})
				if ref != advanced["ProductionListenerRule"] && ref != advanced["TestListenerRule"] {
					t.Errorf("ECS does not know of %s", rule.ID)
				}
				equal(t, "rule", at(t, tmpl, rule.Properties, "Actions", 0, "ForwardConfig", "TargetGroups"), []any{
					map[string]any{"TargetGroupArn": balancer["TargetGroupArn"], "Weight": 100},
					map[string]any{"TargetGroupArn": advanced["AlternateTargetGroupArn"], "Weight": 0},
				})
			}
			if advanced["ProductionListenerRule"] == advanced["TestListenerRule"] {
				t.Error("production and tests have one rule")
			}

			deploy := project(t, tmpl, "Deploy")
			equal(t, "recipe", at(t, tmpl, deploy, "Source", "BuildSpec"), buildspec.ECS)
			equal(t, "variables", buildVariables(t, tmpl, "Deploy"), map[string]string{"DEPLOY_TIMEOUT_MINUTES": tt.wait})
			// make status reads these in the pipeline.
			var own []struct{ Name, Value string }
			text := at(t, tmpl, action(t, tmpl, stageDeploy), "Configuration", "EnvironmentVariables").(string)
			if err := json.Unmarshal([]byte(text), &own); err != nil {
				t.Errorf("variables of the action: %s: %v", text, err)
			}
			slices.SortFunc(own, func(a, b struct{ Name, Value string }) int { return strings.Compare(a.Name, b.Name) })
			equal(t, "variables of the action", own, []struct{ Name, Value string }{
				{"CLUSTER", at(t, tmpl, made.Properties, "Cluster").(string)},
				{"SERVICE", at(t, tmpl, map[string]any{"Fn::GetAtt": []any{made.ID, "Name"}}).(string)},
			})
			if wait, err := strconv.Atoi(tt.wait); err != nil || deploy["TimeoutInMinutes"].(float64) <= float64(wait) {
				t.Errorf("the build ends after %v minutes, want it to outlast the %s that it waits", deploy["TimeoutInMinutes"], tt.wait)
			}
			if text, set := buildVariables(t, tmpl, "Build")["APPSPEC"]; set {
				t.Errorf("the build makes an AppSpec, which nobody reads: %s", text)
			}
			if _, err := tt.props.AppSpec(); err == nil || !strings.Contains(err.Error(), "deployed by ECS itself, which has no AppSpec: its stack "+tt.props.Name+"-service connects the hook") {
				t.Errorf("AppSpec: %v", err)
			}
		})
	}
}
