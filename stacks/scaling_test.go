package stacks

import (
	"fmt"
	"strings"
	"testing"

	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
	"blog-deploy-pipeline/stacks/service"
)

// The template has the number of tasks, unless AWS sets the number and CloudFormation could reset it. A
// service under CodeDeploy keeps its number, since CloudFormation does not update it.
func TestDesiredCount(t *testing.T) {
	scaled := props.Scaling{MaxTasks: 6, CPUPercent: 60}
	for _, tt := range []struct {
		name       string
		controller props.Controller
		count      int
		scaling    props.Scaling
		want       int
	}{
		{"default", "", 0, props.Scaling{}, 2},
		{"fixed with CodeDeploy", props.ControllerCodeDeploy, 3, props.Scaling{}, 3},
		{"scaled with CodeDeploy", props.ControllerCodeDeploy, 3, scaled, 3},
		{"scaled with CodeDeploy, default", props.ControllerCodeDeploy, 0, scaled, 2},
		{"fixed with ECS", props.ControllerECS, 3, props.Scaling{}, 3},
		{"fixed with ECS, default", props.ControllerECS, 0, props.Scaling{}, 2},
		{"scaled with ECS", props.ControllerECS, 0, scaled, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := props.FargateService{Controller: tt.controller, DesiredCount: tt.count, Scaling: tt.scaling}.WithDefaults().DesiredCount
			equal(t, "count", got, tt.want)
		})
	}
	check := func(s props.FargateService, tmpl *assembly.Template) {
		count, named := only(t, tmpl, "AWS::ECS::Service")["DesiredCount"]
		switch want := s.WithDefaults().DesiredCount; {
		case named != (want != 0):
			t.Errorf("%s: the template has a number of tasks: %v, %v", tmpl.Name, named, count)
		case named:
			equal(t, tmpl.Name+"'s tasks", count, want)
		}
	}
	for _, s := range fixtures.FargateServices {
		check(s.(props.FargateService), fargateTemplate(t, s.(props.FargateService)))
	}
	for _, s := range fixtures.ChangedServices {
		check(s.(props.FargateService), changedApp().templates[s.StackName()])
	}
}

func TestScaling(t *testing.T) {
	const (
		target = "AWS::ApplicationAutoScaling::ScalableTarget"
		policy = "AWS::ApplicationAutoScaling::ScalingPolicy"
	)
	for _, tmpl := range []*assembly.Template{fargateTemplate(t, fixtures.API), fargateTemplate(t, fixtures.Docs), changedApp().templates["store-service"], changedApp().templates["search-service"]} {
		if n := len(tmpl.OfType(target)) + len(tmpl.OfType(policy)); n != 0 {
			t.Errorf("%s scales nothing, and has %d resources for it", tmpl.Name, n)
		}
	}
	for _, tt := range []struct {
		name      string
		tmpl      *assembly.Template
		min, max  int
		cpu, reqs int
	}{
		{"by CPU, with CodeDeploy", fargateTemplate(t, fixtures.Store), 2, 6, 60, 0},
		{"by both, with ECS", fargateTemplate(t, fixtures.Search), 3, 12, 50, 1000},
		{"by requests, with CodeDeploy", changedApp().templates["api-service"], 4, 4, 0, 600},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tmpl := tt.tmpl
			made := tmpl.OfType("AWS::ECS::Service")[0]
			_, name, _ := strings.Cut(at(t, tmpl, map[string]any{"Ref": made.ID}).(string), ":service/")
			resource := "service/" + name
			tasks := only(t, tmpl, target)
			equal(t, "whose tasks", at(t, tmpl, tasks, "ResourceId"), resource)
			equal(t, "least", tasks["MinCapacity"], tt.min)
			equal(t, "most", tasks["MaxCapacity"], tt.max)
			// Application Auto Scaling uses a role of its own, which may do only this.
			equal(t, "role", tasks["RoleARN"], nil)

			configurations := map[string]map[string]any{}
			for _, p := range tmpl.OfType(policy) {
				equal(t, "target", at(t, tmpl, p.Properties, "ScalingTargetId"), resource+"|ecs:service:DesiredCount|ecs")
				configurations[p.Properties["PolicyName"].(string)] = at(t, tmpl, p.Properties, "TargetTrackingScalingPolicyConfiguration").(map[string]any)
			}
			want := map[string]map[string]any{}
			if tt.cpu != 0 {
				want["CPU"] = map[string]any{"TargetValue": tt.cpu, "PredefinedMetricSpecification": map[string]any{"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}}
			}
			if tt.reqs != 0 {
				want["Requests"] = map[string]any{"TargetValue": tt.reqs, "CustomizedMetricSpecification": map[string]any{"Metrics": []any{
					requestsOf(t, tmpl, "blue", "Blue"), requestsOf(t, tmpl, "green", "Green"),
					map[string]any{"Id": "both", "Expression": service.RequestsOfBoth, "Label": "Requests a minute for each task", "ReturnData": true},
				}}}
			}
			equal(t, "policies", configurations, want)
		})
	}
}

// requestsOf returns the query for the requests that each task of a group gets.
func requestsOf(t *testing.T, tmpl *assembly.Template, id, group string) map[string]any {
	t.Helper()
	full := func(cfnType, start, attribute string) any {
		found := named(t, tmpl, "AWS::ElasticLoadBalancingV2::"+cfnType, start)
		return at(t, tmpl, map[string]any{"Fn::GetAtt": []any{found.ID, attribute}})
	}
	return map[string]any{"Id": id, "ReturnData": false, "MetricStat": map[string]any{"Stat": "Sum", "Metric": map[string]any{
		"Namespace": "AWS/ApplicationELB", "MetricName": "RequestCountPerTarget",
		"Dimensions": []any{
			map[string]any{"Name": "LoadBalancer", "Value": full("LoadBalancer", "LoadBalancer", "LoadBalancerFullName")},
			map[string]any{"Name": "TargetGroup", "Value": full("TargetGroup", group, "TargetGroupFullName")},
		},
	}}}
}

// The sum is the number of all visitors' requests divided by the desired number of tasks, at any time of a
// deployment.
func TestRequestsOfBoth(t *testing.T) {
	const tasks, requests = 4, 4000.0 // a minute
	share := func(percent float64) *float64 {
		n := requests * percent / 100 / tasks
		return &n
	}
	for _, tt := range []struct {
		name        string
		blue, green *float64 // nil where the load balancer says nothing
		want        any
	}{
		{"before the first deployment", share(100), nil, 1000.0},
		{"visitors on green", nil, share(100), 1000.0},
		{"visitors on green, the last on blue", share(0), share(100), 1000.0},
		{"canary", share(90), share(10), 1000.0},
		{"linear, half way", share(50), share(50), 1000.0},
		{"not a single request", nil, nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := sumOf(service.RequestsOfBoth, map[string]*float64{"blue": tt.blue, "green": tt.green})
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "requests for each task", got, tt.want)
		})
	}
	// FILL would hide that the newest minute's value is only late.
	if _, err := sumOf("FILL(blue, 0) + green", map[string]*float64{"blue": nil, "green": nil}); err == nil {
		t.Error("sumOf accepts functions, whose rules for missing values are others")
	}
}

// sumOf computes a sum of metrics at one point in time as CloudWatch does: what is
// missing counts as 0 beside what is there, and nothing comes of nothing.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
func sumOf(expression string, values map[string]*float64) (sum any, err error) {
	for id := range strings.SplitSeq(expression, " + ") {
		value, known := values[id]
		if !known {
			return nil, fmt.Errorf("%q is no metric", id)
		}
		if value != nil {
			before, _ := sum.(float64)
			sum = before + *value
		}
	}
	return sum, nil
}
