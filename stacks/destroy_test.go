package stacks

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/stacks/internal/fixtures"
)

// graph has, for each resource of a template, the resources that it names or depends on. CloudFormation
// makes these before it and deletes them after it.
type graph map[string][]string

func graphOf(tmpl *assembly.Template) graph {
	g := graph{}
	for id, resource := range tmpl.Resources {
		for other := range tmpl.Resources {
			if slices.Contains(resource.DependsOn, other) || refersTo(resource.Properties, map[string]bool{other: true}) {
				g[id] = append(g[id], other)
			}
		}
	}
	return g
}

// outlives reports whether CloudFormation keeps later until first is gone.
func (g graph) outlives(later, first string) bool {
	seen := map[string]bool{}
	var reach func(string) bool
	reach = func(id string) bool {
		for _, next := range g[id] {
			if next == later {
				return true
			}
			if !seen[next] {
				seen[next] = true
				if reach(next) {
					return true
				}
			}
		}
		return false
	}
	return reach(first)
}

// TestOrderOfDestruction checks the order in which CloudFormation deletes resources: AWS refuses to delete
// some while others exist. CodeDeploy leaves the production listener with either target group, or with
// both, whatever the template says.
func TestOrderOfDestruction(t *testing.T) {
	const elb = "AWS::ElasticLoadBalancingV2::"
	all := maps.Clone(allApp().templates)
	for id, tmpl := range changedApp().templates {
		all[id+" changed"] = tmpl
	}
	for name, tmpl := range all {
		if len(tmpl.OfType("AWS::ECS::Service")) == 0 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			g := graphOf(tmpl)
			pairs := 0
			before := func(first, later string) {
				t.Helper()
				for _, a := range tmpl.OfType(first) {
					for _, b := range tmpl.OfType(later) {
						pairs++
						if !g.outlives(b.ID, a.ID) {
							t.Errorf("%s may still be there when CloudFormation deletes %s", a.ID, b.ID)
						}
					}
				}
			}
			before(elb+"Listener", elb+"TargetGroup")
			before(elb+"ListenerRule", elb+"TargetGroup")
			before(elb+"LoadBalancer", elb+"TargetGroup")
			before("AWS::ECS::Service", elb+"TargetGroup")
			before("AWS::ECS::Service", elb+"ListenerRule")
			before("AWS::ECS::Service", "AWS::ECS::Cluster")
			before("AWS::CodeDeploy::DeploymentGroup", "AWS::ECS::Service")
			before("AWS::ApplicationAutoScaling::ScalableTarget", "AWS::ECS::Service")
			before("AWS::CloudFront::VpcOrigin", "AWS::ECS::Service")
			for _, serves := range []string{elb + "LoadBalancer", elb + "Listener", elb + "ListenerRule", "AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress"} {
				before("AWS::CloudFront::VpcOrigin", serves)
			}
			// An internet gateway cannot be detached while public addresses use it.
			for _, holds := range []string{elb + "LoadBalancer", "AWS::ECS::Service"} {
				before(holds, "AWS::EC2::VPC")
				if tmpl.Resources[tmpl.OfType(elb + "LoadBalancer")[0].ID].Properties["Scheme"] == "internet-facing" {
					before(holds, "AWS::EC2::VPCGatewayAttachment")
				}
			}
			before("AWS::ECS::Service", "AWS::EC2::Subnet")
			before("AWS::EC2::NatGateway", "AWS::EC2::VPCGatewayAttachment")
			// ECS needs this role to remove tasks from the load balancer and to stop them.
			for _, role := range []string{"ExecutionRole", "TrafficRole", "HookInvoker", "DeploymentRole"} {
				by := "AWS::ECS::Service"
				if role == "DeploymentRole" {
					by = "AWS::CodeDeploy::DeploymentGroup"
				}
				for id := range tmpl.Resources {
					if short := hashPattern.ReplaceAllString(id, ""); short == role || short == role+"DefaultPolicy" {
						pairs++
						if !g.outlives(id, tmpl.OfType(by)[0].ID) {
							t.Errorf("CloudFormation may delete %s while %s needs it", id, by)
						}
					}
				}
			}
			if pairs < 12 {
				t.Errorf("only %d pairs were looked at", pairs)
			}
			for id := range g {
				if g.outlives(id, id) {
					t.Errorf("%s waits for itself", id)
				}
			}
			// They are not empty.
			equal(t, "images", only(t, tmpl, "AWS::ECR::Repository")["EmptyOnDelete"], true)
			for _, bucket := range tmpl.OfType("AWS::S3::Bucket") {
				if !strings.HasPrefix(bucket.DeletionPolicy, "Retain") {
					t.Errorf("CloudFormation would fail to delete %s, which is not empty", bucket.ID)
				}
			}
		})
	}
	// A bucket is emptied before it is deleted, by a function that still has the permission.
	tmpl := siteTemplate(t, fixtures.Complete)
	g := graphOf(tmpl)
	emptied := tmpl.OfType("Custom::S3AutoDeleteObjects")
	if len(emptied) != 1 {
		t.Fatalf("%s empties %d buckets, want 1", tmpl.Name, len(emptied))
	}
	policies := 0
	for _, policy := range tmpl.OfType("AWS::S3::BucketPolicy") {
		if bucket := siteBucket(t, tmpl).ID; refersTo(policy.Properties["Bucket"], map[string]bool{bucket: true}) {
			policies++
			if !g.outlives(bucket, emptied[0].ID) || !g.outlives(policy.ID, emptied[0].ID) {
				t.Errorf("%s may go before its bucket is empty", policy.ID)
			}
		}
	}
	equal(t, "policies of the bucket", policies, 1)
}
