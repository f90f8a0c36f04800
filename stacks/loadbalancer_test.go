package stacks

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

// The production ports are open to those whom the owner names. The test port is open to the network
// itself, and to others only if the owner names them.
func TestWhoReachesTheLoadBalancer(t *testing.T) {
	for _, tt := range []struct {
		props props.FargateService
		want  []string
	}{
		{fixtures.API, []string{"0.0.0.0/0:80", "10.0.0.0/16:8080"}},
		{fixtures.Store, []string{"198.51.100.7/32:9443", "pl-58a04531:80-443"}},
		{fixtures.Docs, []string{"0.0.0.0/0:80", "172.31.0.0/16:8080"}},
		{fixtures.Search, []string{"10.0.0.0/16:8080", "192.0.2.0/24:80", "203.0.113.0/24:80"}},
		{fixtures.Cheap, []string{"10.0.0.0/24:8080", "pl-3b927c52:80-443"}},
		{fixtures.Inner, []string{"10.0.0.0/8:443", "10.0.0.0/8:80", "172.31.0.0/16:8443", "pl-3b927c52:80-443"}},
		{fixtures.Shared, []string{"0.0.0.0/0:443", "172.31.0.0/16:8443"}}, // With NoRedirect, port 80 stays closed.
	} {
		tmpl := fargateTemplate(t, tt.props)
		groups := at(t, tmpl, only(t, tmpl, "AWS::ElasticLoadBalancingV2::LoadBalancer"), "SecurityGroups").([]any)
		var got []string
		add := func(rule map[string]any) {
			from, ports := rule["CidrIp"], fmt.Sprint(rule["FromPort"])
			if from == nil {
				from, ports = rule["SourcePrefixListId"], fmt.Sprintf("%v-%v", rule["FromPort"], rule["ToPort"])
			} else {
				equal(t, "last port", rule["ToPort"], rule["FromPort"])
			}
			got = append(got, fmt.Sprintf("%v:%s", from, ports))
		}
		for _, group := range tmpl.OfType("AWS::EC2::SecurityGroup") {
			if at(t, tmpl, map[string]any{"Ref": group.ID}) != groups[0] {
				// CloudFront's prefix list leaves no room for other rules in its group.
				if rules := group.Properties["SecurityGroupIngress"]; rules != nil {
					t.Errorf("%s lets in %v, want the load balancer alone", group.ID, rules)
				}
				continue
			}
			rules, _ := at(t, tmpl, group.Properties, "SecurityGroupIngress").([]any)
			for _, rule := range rules {
				add(rule.(map[string]any))
			}
		}
		for _, rule := range tmpl.OfType("AWS::EC2::SecurityGroupIngress") {
			resolved := at(t, tmpl, rule.Properties).(map[string]any)
			if resolved["SourcePrefixListId"] != nil && len(groups) == 2 && resolved["GroupId"] == groups[1] {
				add(resolved)
				continue
			}
			equal(t, tt.props.Name+"'s tasks accept requests from", resolved["SourceSecurityGroupId"], groups[0])
			equal(t, tt.props.Name+"'s tasks' port", resolved["FromPort"], tt.props.WithDefaults().Container.Port)
		}
		slices.Sort(got)
		equal(t, tt.props.Name+"'s rules", got, tt.want)
	}
}

func TestListeners(t *testing.T) {
	for _, tt := range []struct {
		props props.FargateService
		want  map[int]string // protocol by port
	}{
		{fixtures.API, map[int]string{80: "HTTP", 8080: "HTTP"}},
		{fixtures.Store, map[int]string{443: "HTTPS", 80: "HTTP", 9443: "HTTPS"}},
	} {
		tmpl := fargateTemplate(t, tt.props)
		got := map[int]string{}
		for _, listener := range tmpl.OfType("AWS::ElasticLoadBalancingV2::Listener") {
			port := int(listener.Properties["Port"].(float64))
			got[port] = listener.Properties["Protocol"].(string)
			action := at(t, tmpl, listener.Properties, "DefaultActions", 0).(map[string]any)
			switch {
			case got[port] == "HTTPS":
				equal(t, "certificate", at(t, tmpl, listener.Properties, "Certificates", 0, "CertificateArn"), tt.props.LoadBalancer.CertificateARN)
				equal(t, "TLS", listener.Properties["SslPolicy"], "ELBSecurityPolicy-TLS13-1-2-Res-2021-06")
			case tt.props.LoadBalancer.CertificateARN != "":
				equal(t, "what HTTP leads to", action["Type"], "redirect")
				equal(t, "redirect's protocol", action["RedirectConfig"].(map[string]any)["Protocol"], "HTTPS")
			}
		}
		equal(t, tt.props.Name+"'s listeners", got, tt.want)
	}
	eachFargate(t, func(t *testing.T, s props.FargateService, tmpl *assembly.Template) {
		attributes := fmt.Sprint(only(t, tmpl, "AWS::ElasticLoadBalancingV2::LoadBalancer")["LoadBalancerAttributes"])
		if !strings.Contains(attributes, "map[Key:routing.http.drop_invalid_header_fields.enabled Value:true]") {
			t.Errorf("invalid headers get through: %s", attributes)
		}
		groups := tmpl.OfType("AWS::ElasticLoadBalancingV2::TargetGroup")
		equal(t, "target groups", len(groups), 2)
		for _, group := range groups {
			equal(t, "health check", group.Properties["HealthCheckPath"], s.WithDefaults().Container.HealthCheckPath)
			equal(t, "port", group.Properties["Port"], s.WithDefaults().Container.Port)
			equal(t, "targets", group.Properties["TargetType"], "ip")
		}
	})
}

// Without alarms, the owner pays for none, and neither CodeDeploy nor ECS waits for one.
func TestNoAlarms(t *testing.T) {
	for _, name := range []string{"store-service", "search-service"} {
		if n := len(changedApp().templates[name].OfType("AWS::CloudWatch::Alarm")); n != 0 {
			t.Errorf("%s has %d alarms, want none", name, n)
		}
	}
	tmpl := changedApp().templates["store-service"]
	group := only(t, tmpl, "AWS::CodeDeploy::DeploymentGroup")
	equal(t, "CodeDeploy's rollback", at(t, tmpl, group, "AutoRollbackConfiguration"), map[string]any{
		"Enabled": true, "Events": []any{"DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_REQUEST"},
	})
	equal(t, "CodeDeploy's alarms", group["AlarmConfiguration"], map[string]any{"Enabled": false})
	tmpl = changedApp().templates["search-service"]
	equal(t, "ECS's alarms", at(t, tmpl, only(t, tmpl, "AWS::ECS::Service"), "DeploymentConfiguration", "Alarms"), map[string]any{
		"AlarmNames": []any{}, "Enable": false, "Rollback": false,
	})
}

func TestErrorAlarms(t *testing.T) {
	eachFargate(t, func(t *testing.T, s props.FargateService, tmpl *assembly.Template) {
		watched := map[any]bool{}
		for _, alarm := range tmpl.OfType("AWS::CloudWatch::Alarm") {
			metrics, ok := at(t, tmpl, alarm.Properties, "Metrics").([]any)
			if !ok {
				continue // that of the hook
			}
			equal(t, "missing data", alarm.Properties["TreatMissingData"], "notBreaching")
			equal(t, "percent", alarm.Properties["Threshold"], cmp.Or(s.MaxErrorPercent, 5))
			for _, m := range metrics {
				metric := m.(map[string]any)
				if metric["Id"] != "errors" {
					continue
				}
				equal(t, "metric", at(t, tmpl, metric, "MetricStat", "Metric", "MetricName"), "HTTPCode_Target_5XX_Count")
				for _, d := range at(t, tmpl, metric, "MetricStat", "Metric", "Dimensions").([]any) {
					if d := d.(map[string]any); d["Name"] == "TargetGroup" {
						watched[d["Value"]] = true
					}
				}
			}
		}
		for _, group := range tmpl.OfType("AWS::ElasticLoadBalancingV2::TargetGroup") {
			name := at(t, tmpl, map[string]any{"Fn::GetAtt": []any{group.ID, "TargetGroupFullName"}})
			if !watched[name] {
				t.Errorf("no alarm watches %s", group.ID)
			}
		}
	})
}
