package props_test

import (
	"strings"
	"testing"

	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

// TestExistingServiceRefuses makes one mistake at a time.
func TestExistingServiceRefuses(t *testing.T) {
	group := func(change func(*props.CodeDeployGroup)) func(*props.ExistingService) {
		return func(s *props.ExistingService) {
			by := fixtures.Shop.DeployedBy.(props.CodeDeployGroup)
			change(&by)
			s.DeployedBy = by
		}
	}
	native := func(change func(*props.ExistingService)) func(*props.ExistingService) {
		return func(s *props.ExistingService) {
			*s = fixtures.News
			change(s)
		}
	}
	tests := []struct {
		name   string
		change func(*props.ExistingService)
		want   string
	}{
		{"no name", func(s *props.ExistingService) { s.Name = "" }, `service "": Name is "": must start with a letter`},
		{"name too long", func(s *props.ExistingService) { s.Name = strings.Repeat("x", 50) }, "at most 49"},
		{"name with an underscore", func(s *props.ExistingService) { s.Name = "my_shop" }, `Name is "my_shop"`},
		{"account", func(s *props.ExistingService) { s.Account = "1234" }, `service "shop": Account is "1234"`},
		{"region of China", func(s *props.ExistingService) { s.Region = "cn-north-1" }, "commercial regions"},
		{"nobody deploys", func(s *props.ExistingService) { s.DeployedBy = nil }, `DeployedBy is missing: must be a props.CodeDeployGroup{…} or a props.ECSService{…}`},
		{"deployed by a pointer", func(s *props.ExistingService) { s.DeployedBy = (*props.ECSService)(nil) }, `DeployedBy is a *props.ECSService`},
		{"no application", group(func(g *props.CodeDeployGroup) { g.Application = "" }), `DeployedBy.Application is "": must be the name of a CodeDeploy application`},
		{"application as ARN", group(func(g *props.CodeDeployGroup) {
			g.Application = "arn:aws:codedeploy:us-east-1:123456789012:application:shop"
		}), "DeployedBy.Application"},
		{"every application", group(func(g *props.CodeDeployGroup) { g.Application = "*" }), `DeployedBy.Application is "*"`},
		{"no group", group(func(g *props.CodeDeployGroup) { g.DeploymentGroup = "" }), `DeployedBy.DeploymentGroup is "": must be the name of a deployment group`},
		{"every group", group(func(g *props.CodeDeployGroup) { g.DeploymentGroup = "shop-*" }), `DeployedBy.DeploymentGroup is "shop-*"`},
		{"no container", group(func(g *props.CodeDeployGroup) { g.Container = "" }), `DeployedBy.Container is "": must be the container's name in the task definition`},
		{"container as image", group(func(g *props.CodeDeployGroup) { g.Container = "nginx:1" }), `DeployedBy.Container is "nginx:1"`},
		{"no port", group(func(g *props.CodeDeployGroup) { g.Port = 0 }), "DeployedBy.Port is 0: must be the container's port"},
		{"port too high", group(func(g *props.CodeDeployGroup) { g.Port = 65536 }), "from 1 to 65535"},
		{"no cluster", native(func(s *props.ExistingService) { s.DeployedBy = props.ECSService{Service: "news"} }), `DeployedBy.Cluster is "": must be a cluster's name`},
		{"cluster as ARN", native(func(s *props.ExistingService) {
			s.DeployedBy = props.ECSService{Cluster: "arn:aws:ecs:us-east-1:123456789012:cluster/c", Service: "news"}
		}), "DeployedBy.Cluster"},
		{"no service", native(func(s *props.ExistingService) { s.DeployedBy = props.ECSService{Cluster: "production"} }), `DeployedBy.Service is "": must be a service's name`},
		{"address", func(s *props.ExistingService) { s.Notifications.Emails = []string{"me"} }, `Notifications.Emails[0] is "me"`},
		{"topic of another region", func(s *props.ExistingService) {
			*s = fixtures.Checkout
			s.Notifications.TopicARN = "arn:aws:sns:us-east-1:" + fixtures.Account + ":alerts"
		}, "must be in the service's Region, ap-northeast-1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			given := fixtures.Shop
			tt.change(&given)
			wantProblem(t, given.Validate(), tt.want)
		})
	}
}

func TestServicesShareNames(t *testing.T) {
	twin := fixtures.News
	twin.Name = "Shop"
	if err := props.Validate(nil, []props.Service{fixtures.Shop, twin}); err == nil || !strings.Contains(err.Error(), `service "Shop": Name is "Shop": another service has this name`) {
		t.Errorf("two services with one name: %v", err)
	}
	twin.Name = fixtures.Modern.Name
	if err := props.Validate([]props.Blog{fixtures.Modern}, []props.Service{twin}); err == nil || !strings.Contains(err.Error(), "another blog has this name") {
		t.Errorf("a blog and a service with one name: %v", err)
	}
	if err := props.Validate([]props.Blog{fixtures.Modern}, []props.Service{fixtures.Shop, nil}); err == nil || !strings.Contains(err.Error(), "services[1] is nil: remove it") {
		t.Errorf("no service: %v", err)
	}
}
