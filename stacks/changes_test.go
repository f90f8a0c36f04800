package stacks

import (
	"blog-deploy-pipeline/stacks/props"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/rehearse/assembly"
)

// A service moves a listener's and a rule's actions after its first deployment, and ECS
// runs another revision than the template names. So whenever CloudFormation updates one of
// these, it undoes what a deployment did; under CodeDeploy it cannot update the service at
// all. The tables in this file change every prop alone, and say which of these the update
// reaches, and which other resources it replaces or removes, with all that they hold.

// change is an owner's change of mind after the first deployment.
type change[T any] struct {
	// prop is what changes, by its type: "Container.CPU"; how tells several rows apart.
	prop, how string
	// before is what is set beforehand, or nil.
	before func(*T)
	after  func(*T)
	// effects are what the update does to what must not be touched, and what it replaces
	// and removes, by who deploys (blogs have ""). "" is none of that; an … at the end
	// stands for more.
	effects map[props.Controller]string
	// says is what the prop's comment tells of these effects: parts of it, with … between.
	says string
}

// Parts of comments that several rows have.
const (
	// never is said of what cannot be changed, for the reason that the effects show.
	never = "cannot be changed"
	// deploys is said of what is in the service that ECS deploys: its update has ECS deploy
	// the newest version once more.
	deploys = "ECS, a change is a deployment"
	// begins is said of what is in the service that CodeDeploy deploys, too.
	begins = "only what the service begins with"
	// stays is said of where a stack is.
	stays = "and the first stays"
	// toBlue is said of what is in the production listener, which CodeDeploy moves; ECS moves
	// a rule of it.
	toBlue = "With CodeDeploy, a change points production at the target group Blue…With ECS, visitors stay where they are"
)

// unseen is the effect of what only Validate looks at.
const unseen = "nothing at all"

// both are the effects under each controller.
func both(effects string) map[props.Controller]string {
	return map[props.Controller]string{props.ControllerCodeDeploy: effects, props.ControllerECS: effects}
}

// changedService is what the changes of a service begin with.
func changedService(by props.Controller) props.FargateService {
	return props.FargateService{
		Name: "api", Controller: by,
		Source: props.GitHubConnection{Owner: "kzmorita", Repo: "api", ConnectionARN: connectionARN},
		Hook:   props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E2QWRUHAPOMQZL"}}},
	}
}

func serviceSource[S props.Source](change func(*S)) func(*props.FargateService) {
	return func(s *props.FargateService) {
		source := s.Source.(S)
		change(&source)
		s.Source = source
	}
}

func serviceVPC[V props.VPC](change func(*V)) func(*props.FargateService) {
	return func(s *props.FargateService) {
		vpc, _ := s.VPC.(V)
		change(&vpc)
		s.VPC = vpc
	}
}

func byToken(s *props.FargateService) {
	s.Source = props.GitHubToken{Owner: "kzmorita", Repo: "api", SecretName: "github"}
}

func byParameter(s *props.FargateService) {
	s.Source = props.GitHubToken{Owner: "kzmorita", Repo: "api", ParameterName: "/api/token"}
}

func inExistingVPC(s *props.FargateService) {
	s.VPC = props.ExistingVPC{
		ID: "vpc-0a1b2c3d4e5f67890", CIDR: "172.31.0.0/16", AvailabilityZones: []string{"us-east-1a", "us-east-1b"},
		PublicSubnets:  []string{"subnet-0a1b2c3d4e5f67890", "subnet-0a1b2c3d4e5f67891"},
		PrivateSubnets: []string{"subnet-0a1b2c3d4e5f67892", "subnet-0a1b2c3d4e5f67893"},
	}
}

func scaled(s *props.FargateService) { s.Scaling = props.Scaling{MaxTasks: 10, CPUPercent: 60} }

func withSecret(s *props.FargateService) {
	s.Container.Secrets = map[string]string{"TOKEN": "/api/token"}
}

func forCloudFront(s *props.FargateService) {
	s.Region, s.VPC = "us-west-1", props.NewVPC{AvailabilityZones: []string{"us-west-1a", "us-west-1c"}}
	s.LoadBalancer.OriginPrefixListID = "pl-4ea04527"
}

func internal(s *props.FargateService) {
	forCloudFront(s)
	s.LoadBalancer.Internal = true
}

const serviceCertificate = "arn:aws:acm:us-east-1:" + account + ":certificate/" + uuid

func withCertificate(s *props.FargateService) { s.LoadBalancer.CertificateARN = serviceCertificate }

var serviceChanges = []change[props.FargateService]{
	{prop: "FargateService.Name", effects: both("leaves the stack api-service"), says: "must not change", after: func(s *props.FargateService) { s.Name = "api2" }},
	{prop: "FargateService.Account", effects: both("leaves the stack api-service"), says: stays, after: func(s *props.FargateService) { s.Account = "999999999999" }},
	{prop: "FargateService.Region", effects: both("leaves the stack api-service"), says: stays, after: func(s *props.FargateService) { s.Region = "eu-west-1" }},
	{prop: "FargateService.Source", after: byToken},
	{prop: "FargateService.DesiredCount", effects: both("updates Service"), says: begins + "…With ECS, each `make deploy` that changes the service sets the number again", after: func(s *props.FargateService) { s.DesiredCount = 3 }},
	{prop: "Scaling.MinTasks", before: scaled, after: func(s *props.FargateService) { s.Scaling.MinTasks = 3 }},
	{prop: "Scaling.MaxTasks", before: scaled, after: func(s *props.FargateService) { s.Scaling.MaxTasks = 20 }},
	{prop: "Scaling.CPUPercent", before: scaled, after: func(s *props.FargateService) { s.Scaling.CPUPercent = 80 }},
	{prop: "Scaling.RequestsPerTask", before: scaled, after: func(s *props.FargateService) { s.Scaling.RequestsPerTask = 1000 }},
	{prop: "Scaling.MaxTasks", how: "is new", effects: map[props.Controller]string{props.ControllerECS: "updates Service"}, says: deploys, after: scaled},
	{prop: "FargateService.StartTime", effects: both("updates Service"), says: begins + "…" + deploys, after: func(s *props.FargateService) { s.StartTime = 3 * time.Minute }},
	{prop: "FargateService.VPC", effects: both("replaces Blue, replaces Green, replaces LoadBalancerAccess, …"), says: never, after: inExistingVPC},
	{prop: "FargateService.Cluster", effects: both("removes Cluster, replaces Service"), says: never, after: func(s *props.FargateService) { s.Cluster = "production" }},
	{prop: "FargateService.Controller", effects: map[props.Controller]string{props.ControllerCodeDeploy: "removes Application, removes Deployments, updates LoadBalancerProduction, updates LoadBalancerTest, adds ProductionRule, replaces Service, adds TestRule", props.ControllerECS: "removes Deploy, removes DeployLog, updates LoadBalancerProduction, updates LoadBalancerTest, removes ProductionRule, replaces Service, removes TestRule"}, says: never, after: func(s *props.FargateService) {
		if s.Controller == props.ControllerECS {
			s.Controller = props.ControllerCodeDeploy
		} else {
			s.Controller = props.ControllerECS
		}
	}},
	{prop: "FargateService.Shift", effects: map[props.Controller]string{props.ControllerECS: "updates Service"}, says: deploys, after: func(s *props.FargateService) { s.Shift = props.ShiftLinear }},
	{prop: "FargateService.KeepOld", effects: map[props.Controller]string{props.ControllerECS: "updates Service"}, says: deploys, after: func(s *props.FargateService) { s.KeepOld = time.Hour }},
	{prop: "FargateService.MaxErrorPercent", how: "is another", after: func(s *props.FargateService) { s.MaxErrorPercent = 50 }},
	{prop: "FargateService.MaxErrorPercent", how: "is 100", effects: map[props.Controller]string{props.ControllerECS: "updates Service"}, says: deploys, after: func(s *props.FargateService) { s.MaxErrorPercent = 100 }},
	{prop: "FargateService.AlarmNames", effects: map[props.Controller]string{props.ControllerECS: "updates Service"}, says: deploys, after: func(s *props.FargateService) { s.AlarmNames = []string{"api-latency"} }},
	{prop: "FargateService.Tagged", effects: both(unseen), after: func(s *props.FargateService) { s.Tagged = true }},
	{prop: "FargateService.ExecutionMode", after: func(s *props.FargateService) { s.ExecutionMode = props.ExecutionModeQueued }},

	{prop: "GitHubConnection.Owner", after: serviceSource(func(s *props.GitHubConnection) { s.Owner = "another" })},
	{prop: "GitHubConnection.Repo", after: serviceSource(func(s *props.GitHubConnection) { s.Repo = "api2" })},
	{prop: "GitHubConnection.Branch", after: serviceSource(func(s *props.GitHubConnection) { s.Branch = "trunk" })},
	{prop: "GitHubConnection.ConnectionARN", after: serviceSource(func(s *props.GitHubConnection) {
		s.ConnectionARN = strings.Replace(connectionARN, uuid, strings.Replace(uuid, "0", "f", 1), 1)
	})},
	{prop: "GitHubConnection.FullClone", after: serviceSource(func(s *props.GitHubConnection) { s.FullClone = true })},
	{prop: "Trigger.Branches", after: serviceSource(func(s *props.GitHubConnection) { s.Trigger.Branches = []string{"hotfix/*"} })},
	{prop: "Trigger.Paths", after: serviceSource(func(s *props.GitHubConnection) { s.Trigger.Paths = []string{"api/**"} })},
	{prop: "Trigger.IgnorePaths", after: serviceSource(func(s *props.GitHubConnection) { s.Trigger.IgnorePaths = []string{"docs/**"} })},
	{prop: "Trigger.Tags", after: serviceSource(func(s *props.GitHubConnection) { s.Trigger.Tags = []string{"v*"} })},
	{prop: "GitHubToken.Owner", before: byToken, after: serviceSource(func(s *props.GitHubToken) { s.Owner = "another" })},
	{prop: "GitHubToken.Repo", before: byToken, after: serviceSource(func(s *props.GitHubToken) { s.Repo = "api2" })},
	{prop: "GitHubToken.Branch", before: byToken, after: serviceSource(func(s *props.GitHubToken) { s.Branch = "trunk" })},
	{prop: "GitHubToken.SecretName", before: byToken, after: serviceSource(func(s *props.GitHubToken) { s.SecretName = "another" })},
	{prop: "GitHubToken.SecretField", before: byToken, after: serviceSource(func(s *props.GitHubToken) { s.SecretField = "token" })},
	{prop: "GitHubToken.SecretVersion", before: byToken, after: serviceSource(func(s *props.GitHubToken) { s.SecretVersion = uuid })},
	{prop: "GitHubToken.ParameterName", before: byParameter, after: serviceSource(func(s *props.GitHubToken) { s.ParameterName = "/api/token2" })},
	{prop: "GitHubToken.Trigger", before: byToken, after: serviceSource(func(s *props.GitHubToken) { s.Trigger = props.TokenTriggerPoll })},

	{prop: "ImageBuild.ComputeType", after: func(s *props.FargateService) { s.Build.ComputeType = props.ComputeTypeLarge }},
	{prop: "ImageBuild.Timeout", after: func(s *props.FargateService) { s.Build.Timeout = time.Hour }},
	{prop: "ImageBuild.LogRetentionDays", after: func(s *props.FargateService) { s.Build.LogRetentionDays = 7 }},

	{prop: "Container.Port", effects: map[props.Controller]string{props.ControllerCodeDeploy: "replaces Blue, replaces FirstTask, replaces Green, updates LoadBalancerProduction, updates LoadBalancerTest, updates Service", props.ControllerECS: "replaces Blue, replaces FirstTask, replaces Green, updates ProductionRule, updates Service, updates TestRule"}, says: never, before: func(s *props.FargateService) { s.Container.InitialImage = props.DefaultInitialImage }, after: func(s *props.FargateService) { s.Container.Port = 8080 }},
	{prop: "Container.HealthCheckPath", before: func(s *props.FargateService) { s.Container.InitialImage = props.DefaultInitialImage }, after: func(s *props.FargateService) { s.Container.HealthCheckPath = "/healthz" }},
	{prop: "Container.CPU", after: func(s *props.FargateService) { s.Container.CPU = 512 }},
	{prop: "Container.MemoryMiB", after: func(s *props.FargateService) { s.Container.MemoryMiB = 1024 }},
	{prop: "Container.Environment", after: func(s *props.FargateService) { s.Container.Environment = map[string]string{"LOG_LEVEL": "info"} }},
	{prop: "Container.Secrets", after: withSecret},
	{prop: "Container.SecretKeyARNs", before: withSecret, after: func(s *props.FargateService) {
		s.Container.SecretKeyARNs = []string{"arn:aws:kms:us-east-1:" + account + ":key/" + uuid}
	}},
	{prop: "Container.FormerSecrets", after: func(s *props.FargateService) { s.Container.FormerSecrets = []string{"/api/old-token"} }},
	{prop: "Container.Architecture", effects: both("replaces FirstTask"), says: never, after: func(s *props.FargateService) { s.Container.Architecture = props.ArchitectureX86_64 }},
	{prop: "Container.Dockerfile", after: func(s *props.FargateService) { s.Container.Dockerfile = "docker/Dockerfile" }},
	{prop: "Container.Context", after: func(s *props.FargateService) { s.Container.Context = "services/api" }},
	{prop: "Container.InitialImage", effects: both("replaces FirstTask"), says: never, after: func(s *props.FargateService) { s.Container.InitialImage = "public.ecr.aws/docker/library/httpd:2.4.65" }},
	{prop: "Container.LogRetentionDays", after: func(s *props.FargateService) { s.Container.LogRetentionDays = 7 }},

	{prop: "NewVPC.CIDR", effects: both("replaces Blue, replaces Green, replaces LoadBalancerAccess, …"), says: never, after: serviceVPC(func(v *props.NewVPC) { v.CIDR = "10.20.0.0/16" })},
	{prop: "NewVPC.NATGateways", after: serviceVPC(func(v *props.NewVPC) { v.NATGateways = 2 })},
	{prop: "NewVPC.AvailabilityZones", effects: both("replaces NetworkPrivateSubnet1RouteTableAssociation, replaces NetworkPrivateSubnet1Subnet, …"), says: never, after: serviceVPC(func(v *props.NewVPC) { v.AvailabilityZones = []string{"us-east-1a", "us-east-1b"} })},
	{prop: "NewVPC.PublicTasks", effects: both("removes NetworkPrivateSubnet1DefaultRoute, removes NetworkPrivateSubnet2DefaultRoute, removes NetworkPublicSubnet1EIP, removes NetworkPublicSubnet1NATGateway, updates Service"), says: never + "…" + deploys, after: serviceVPC(func(v *props.NewVPC) { v.PublicTasks = true })},
	{prop: "ExistingVPC.PublicTasks", effects: both("updates Service"), says: never + "…" + deploys, before: inExistingVPC, after: serviceVPC(func(v *props.ExistingVPC) { v.PublicTasks, v.PrivateSubnets = true, nil })},
	{prop: "ExistingVPC.ID", effects: both("replaces Blue, replaces Green, replaces LoadBalancerAccess, …"), says: never, before: inExistingVPC, after: serviceVPC(func(v *props.ExistingVPC) { v.ID = "vpc-1a1b2c3d4e5f67890" })},
	{prop: "ExistingVPC.CIDR", before: inExistingVPC, after: serviceVPC(func(v *props.ExistingVPC) { v.CIDR = "172.30.0.0/16" })},
	{prop: "ExistingVPC.AvailabilityZones", effects: both(unseen), before: inExistingVPC, after: serviceVPC(func(v *props.ExistingVPC) { v.AvailabilityZones = []string{"us-east-1c", "us-east-1d"} })},
	{prop: "ExistingVPC.PublicSubnets", before: inExistingVPC, after: serviceVPC(func(v *props.ExistingVPC) {
		v.PublicSubnets = []string{"subnet-1a1b2c3d4e5f67890", "subnet-1a1b2c3d4e5f67891"}
	})},
	{prop: "ExistingVPC.PrivateSubnets", effects: both("updates Service"), says: never + "…" + deploys, before: inExistingVPC, after: serviceVPC(func(v *props.ExistingVPC) {
		v.PrivateSubnets = []string{"subnet-1a1b2c3d4e5f67892", "subnet-1a1b2c3d4e5f67893"}
	})},

	{prop: "LoadBalancer.CertificateARN", how: "is added", effects: both("updates LoadBalancerProduction, adds LoadBalancerRedirect, updates LoadBalancerTest, cannot be undone"), says: "could not undo an update that fails…" + toBlue, after: withCertificate},
	{prop: "LoadBalancer.CertificateARN", how: "is added without the redirect", effects: both("updates LoadBalancerProduction, updates LoadBalancerTest"), says: "set NoRedirect, too…" + toBlue, after: func(s *props.FargateService) {
		withCertificate(s)
		s.LoadBalancer.NoRedirect = true
	}},
	{prop: "LoadBalancer.CertificateARN", how: "is another", effects: both("updates LoadBalancerProduction, updates LoadBalancerTest"), says: toBlue, before: withCertificate, after: func(s *props.FargateService) {
		s.LoadBalancer.CertificateARN = strings.Replace(serviceCertificate, uuid, strings.Replace(uuid, "0", "f", 1), 1)
	}},
	{prop: "LoadBalancer.CertificateARN", how: "is added to an internal one", effects: both("removes HTTPOrigin, adds HTTPSOrigin, updates LoadBalancerProduction, adds LoadBalancerRedirect, updates LoadBalancerTest, cannot be undone"), says: toBlue, before: internal, after: func(s *props.FargateService) {
		s.LoadBalancer.CertificateARN = strings.Replace(serviceCertificate, "us-east-1", "us-west-1", 1)
	}},
	{prop: "LoadBalancer.CertificateARN", how: "is taken away", effects: both("updates LoadBalancerProduction, removes LoadBalancerRedirect, updates LoadBalancerTest, wants port 80 too early"), says: "To take it away, set NoRedirect first", before: withCertificate, after: func(s *props.FargateService) {
		s.LoadBalancer.CertificateARN = ""
	}},
	{prop: "LoadBalancer.CertificateARN", how: "is taken away after the redirect", effects: both("updates LoadBalancerProduction, updates LoadBalancerTest"), says: toBlue, before: func(s *props.FargateService) {
		withCertificate(s)
		s.LoadBalancer.NoRedirect = true
	}, after: func(s *props.FargateService) { s.LoadBalancer = props.LoadBalancer{} }},
	{prop: "LoadBalancer.NoRedirect", effects: both("removes LoadBalancerRedirect"), says: "leaves port 80 closed", before: withCertificate, after: func(s *props.FargateService) { s.LoadBalancer.NoRedirect = true }},
	{prop: "LoadBalancer.NoRedirect", how: "is taken away", effects: both("adds LoadBalancerRedirect"), says: "leaves port 80 closed", before: func(s *props.FargateService) {
		withCertificate(s)
		s.LoadBalancer.NoRedirect = true
	}, after: func(s *props.FargateService) { s.LoadBalancer.NoRedirect = false }},
	{prop: "LoadBalancer.Internal", effects: map[props.Controller]string{
		props.ControllerCodeDeploy: "adds HTTPOrigin, replaces LoadBalancer, replaces LoadBalancerProduction, replaces LoadBalancerTest",
		props.ControllerECS:        "adds HTTPOrigin, replaces LoadBalancer, replaces LoadBalancerProduction, replaces LoadBalancerTest, replaces ProductionRule, updates Service, replaces TestRule",
	}, says: never, before: forCloudFront, after: internal},
	{prop: "LoadBalancer.AllowFrom", after: func(s *props.FargateService) { s.LoadBalancer.AllowFrom = []string{"192.0.2.0/24"} }},
	{prop: "LoadBalancer.OriginPrefixListID", after: func(s *props.FargateService) { s.LoadBalancer.OriginPrefixListID = "pl-3b927c52" }},
	{prop: "LoadBalancer.TestPort", effects: both("updates LoadBalancerTest"), says: "Change it while no deployment is under way", after: func(s *props.FargateService) { s.LoadBalancer.TestPort = 9443 }},
	{prop: "LoadBalancer.TestFrom", after: func(s *props.FargateService) { s.LoadBalancer.TestFrom = []string{"198.51.100.7/32"} }},

	{prop: "Hook.Invalidations", after: func(s *props.FargateService) {
		s.Hook.Invalidations = append(s.Hook.Invalidations, props.Invalidation{DistributionID: "E2QWRUHAPOMQZM"})
	}},
	{prop: "Invalidation.DistributionID", after: func(s *props.FargateService) { s.Hook.Invalidations[0].DistributionID = "E2QWRUHAPOMQZM" }},
	{prop: "Invalidation.Paths", after: func(s *props.FargateService) { s.Hook.Invalidations[0].Paths = []string{"/api/*"} }},
	{prop: "Hook.Events", effects: map[props.Controller]string{props.ControllerECS: "updates Service"}, says: deploys, after: func(s *props.FargateService) { s.Hook.Events = s.WithDefaults().Controller.Events()[1:2] }},
	{prop: "Hook.RoleARN", after: func(s *props.FargateService) { s.Hook.RoleARN = "arn:aws:iam::999999999999:role/clear-cache" }},
	{prop: "Hook.OnFailure", after: func(s *props.FargateService) { s.Hook.OnFailure = props.OnFailureFail }},
	{prop: "Hook.Deadline", after: func(s *props.FargateService) { s.Hook.Deadline = 5 * time.Minute }},
	{prop: "Hook.NoWait", after: func(s *props.FargateService) { s.Hook.NoWait = true }},
	{prop: "Hook.LogRetentionDays", after: func(s *props.FargateService) { s.Hook.LogRetentionDays = 7 }},

	{prop: "Notifications.Emails", after: func(s *props.FargateService) { s.Notifications.Emails = []string{"me@api.dev"} }},
	{prop: "Notifications.TopicARN", after: func(s *props.FargateService) {
		s.Notifications.TopicARN = "arn:aws:sns:us-east-1:" + account + ":alerts"
	}},
}

// changedExisting is what the changes of a service that is there begin with.
func changedExisting() props.ExistingService {
	return props.ExistingService{
		Name:       "shop",
		DeployedBy: props.CodeDeployGroup{Application: "shop", DeploymentGroup: "shop-blue-green", Container: "web", Port: 80},
		Hook:       props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E2QWRUHAPOMQZL"}}},
	}
}

func deployedBy[D props.Deployer](change func(*D)) func(*props.ExistingService) {
	return func(s *props.ExistingService) {
		by := s.DeployedBy.(D)
		change(&by)
		s.DeployedBy = by
	}
}

func byECSService(s *props.ExistingService) {
	s.DeployedBy = props.ECSService{Cluster: "production", Service: "shop"}
}

var existingChanges = []change[props.ExistingService]{
	{prop: "ExistingService.Name", effects: map[props.Controller]string{"": "leaves the stack shop-hook"}, says: "must not change", after: func(s *props.ExistingService) { s.Name = "shop2" }},
	{prop: "ExistingService.Account", effects: map[props.Controller]string{"": "leaves the stack shop-hook"}, says: stays, after: func(s *props.ExistingService) { s.Account = "999999999999" }},
	{prop: "ExistingService.Region", effects: map[props.Controller]string{"": "leaves the stack shop-hook"}, says: stays, after: func(s *props.ExistingService) { s.Region = "eu-west-1" }},
	{prop: "ExistingService.DeployedBy", after: byECSService},
	{prop: "CodeDeployGroup.Application", after: deployedBy(func(g *props.CodeDeployGroup) { g.Application = "shop2" })},
	{prop: "CodeDeployGroup.DeploymentGroup", after: deployedBy(func(g *props.CodeDeployGroup) { g.DeploymentGroup = "shop2" })},
	{prop: "CodeDeployGroup.Container", after: deployedBy(func(g *props.CodeDeployGroup) { g.Container = "app" })},
	{prop: "CodeDeployGroup.Port", after: deployedBy(func(g *props.CodeDeployGroup) { g.Port = 8080 })},
	{prop: "ECSService.Cluster", before: byECSService, after: deployedBy(func(s *props.ECSService) { s.Cluster = "staging" })},
	{prop: "ECSService.Service", before: byECSService, after: deployedBy(func(s *props.ECSService) { s.Service = "shop2" })},
	{prop: "Hook.Invalidations", after: func(s *props.ExistingService) {
		s.Hook.Invalidations = append(s.Hook.Invalidations, props.Invalidation{DistributionID: "E2QWRUHAPOMQZM"})
	}},
	{prop: "Invalidation.DistributionID", after: func(s *props.ExistingService) { s.Hook.Invalidations[0].DistributionID = "E2QWRUHAPOMQZM" }},
	{prop: "Invalidation.Paths", after: func(s *props.ExistingService) { s.Hook.Invalidations[0].Paths = []string{"/shop/*"} }},
	{prop: "Hook.Events", after: func(s *props.ExistingService) { s.Hook.Events = props.ControllerCodeDeploy.Events()[1:2] }},
	{prop: "Hook.RoleARN", after: func(s *props.ExistingService) { s.Hook.RoleARN = "arn:aws:iam::999999999999:role/clear-cache" }},
	{prop: "Hook.OnFailure", after: func(s *props.ExistingService) { s.Hook.OnFailure = props.OnFailureFail }},
	{prop: "Hook.Deadline", after: func(s *props.ExistingService) { s.Hook.Deadline = 5 * time.Minute }},
	{prop: "Hook.NoWait", after: func(s *props.ExistingService) { s.Hook.NoWait = true }},
	{prop: "Hook.LogRetentionDays", after: func(s *props.ExistingService) { s.Hook.LogRetentionDays = 7 }},
	{prop: "Notifications.Emails", after: func(s *props.ExistingService) { s.Notifications.Emails = []string{"me@shop.dev"} }},
	{prop: "Notifications.TopicARN", after: func(s *props.ExistingService) {
		s.Notifications.TopicARN = "arn:aws:sns:us-east-1:" + account + ":alerts"
	}},
}

// changedBlog is what the changes of a blog begin with: one with a Site.
func changedBlog() props.Blog {
	return props.Blog{
		Name: "blog", Region: "ap-northeast-1",
		Source: props.GitHubConnection{Owner: "kzmorita", Repo: "blog", ConnectionARN: connectionARN},
		Site: &props.Site{
			Domain: "blog.kzmorita.dev", RedirectFrom: []string{"www.blog.kzmorita.dev"},
			HostedZone: props.HostedZone{ID: "Z0123456789ABCDEFGHIJ", Name: "kzmorita.dev"},
		},
		Notifications: props.Notifications{Emails: []string{"me@blog.dev"}},
	}
}

func blogSource[S props.Source](change func(*S)) func(*props.Blog) {
	return func(b *props.Blog) {
		source := b.Source.(S)
		change(&source)
		b.Source = source
	}
}

func inSite(change func(*props.Site)) func(*props.Blog) {
	return func(b *props.Blog) { change(b.Site) }
}

func blogByToken(b *props.Blog) {
	b.Source = props.GitHubToken{Owner: "kzmorita", Repo: "blog", SecretName: "github"}
}

func blogByParameter(b *props.Blog) {
	b.Source = props.GitHubToken{Owner: "kzmorita", Repo: "blog", ParameterName: "/blog/token"}
}

func withoutSite(b *props.Blog) {
	b.Site, b.Deploy.Bucket, b.Invalidate.DistributionID = nil, "kzmorita-blog", "E2QWRUHAPOMQZL"
}

func withLogs(b *props.Blog) { b.Site.AccessLogRetentionDays = 30 }

func ownBuildspec(b *props.Blog) { b.Build.Buildspec = "buildspec.yml" }

var blogChanges = []change[props.Blog]{
	{prop: "Blog.Name", effects: map[props.Controller]string{"": "leaves the stack blog-certificate, leaves the stack blog-pipeline, leaves the stack blog-site"}, says: "must not change", after: func(b *props.Blog) { b.Name = "blog2" }},
	{prop: "Blog.Account", effects: map[props.Controller]string{"": "leaves the stack blog-certificate, leaves the stack blog-pipeline, leaves the stack blog-site"}, says: stays, after: func(b *props.Blog) { b.Account = account[:11] + "3" }},
	{prop: "Blog.Region", effects: map[props.Controller]string{"": "leaves the stack blog-pipeline, leaves the stack blog-site"}, says: stays, after: func(b *props.Blog) { b.Region = "eu-west-1" }},
	{prop: "Blog.Source", after: blogByToken},
	{prop: "Blog.Site", effects: map[props.Controller]string{"": "leaves the stack blog-certificate, leaves the stack blog-logs, leaves the stack blog-site"}, says: "its stacks stay in AWS", before: withLogs, after: withoutSite},
	{prop: "Blog.PipelineType", after: func(b *props.Blog) { b.PipelineType = props.PipelineTypeV1 }},
	{prop: "Blog.ExecutionMode", after: func(b *props.Blog) { b.ExecutionMode = props.ExecutionModeQueued }},

	{prop: "GitHubConnection.Owner", after: blogSource(func(s *props.GitHubConnection) { s.Owner = "another" })},
	{prop: "GitHubConnection.Repo", after: blogSource(func(s *props.GitHubConnection) { s.Repo = "blog2" })},
	{prop: "GitHubConnection.Branch", after: blogSource(func(s *props.GitHubConnection) { s.Branch = "trunk" })},
	{prop: "GitHubConnection.ConnectionARN", after: blogSource(func(s *props.GitHubConnection) {
		s.ConnectionARN = strings.Replace(connectionARN, uuid, strings.Replace(uuid, "0", "f", 1), 1)
	})},
	{prop: "GitHubConnection.FullClone", after: blogSource(func(s *props.GitHubConnection) { s.FullClone = true })},
	{prop: "Trigger.Branches", after: blogSource(func(s *props.GitHubConnection) { s.Trigger.Branches = []string{"hotfix/*"} })},
	{prop: "Trigger.Paths", after: blogSource(func(s *props.GitHubConnection) { s.Trigger.Paths = []string{"content/**"} })},
	{prop: "Trigger.IgnorePaths", after: blogSource(func(s *props.GitHubConnection) { s.Trigger.IgnorePaths = []string{"docs/**"} })},
	{prop: "Trigger.Tags", after: blogSource(func(s *props.GitHubConnection) { s.Trigger.Tags = []string{"v*"} })},
	{prop: "GitHubToken.Owner", before: blogByToken, after: blogSource(func(s *props.GitHubToken) { s.Owner = "another" })},
	{prop: "GitHubToken.Repo", before: blogByToken, after: blogSource(func(s *props.GitHubToken) { s.Repo = "blog2" })},
	{prop: "GitHubToken.Branch", before: blogByToken, after: blogSource(func(s *props.GitHubToken) { s.Branch = "trunk" })},
	{prop: "GitHubToken.SecretName", before: blogByToken, after: blogSource(func(s *props.GitHubToken) { s.SecretName = "another" })},
	{prop: "GitHubToken.SecretField", before: blogByToken, after: blogSource(func(s *props.GitHubToken) { s.SecretField = "token" })},
	{prop: "GitHubToken.SecretVersion", before: blogByToken, after: blogSource(func(s *props.GitHubToken) { s.SecretVersion = uuid })},
	{prop: "GitHubToken.ParameterName", before: blogByParameter, after: blogSource(func(s *props.GitHubToken) { s.ParameterName = "/blog/token2" })},
	{prop: "GitHubToken.Trigger", before: blogByToken, after: blogSource(func(s *props.GitHubToken) { s.Trigger = props.TokenTriggerPoll })},

	{prop: "Build.Buildspec", after: ownBuildspec},
	{prop: "Build.RootDirectory", after: func(b *props.Blog) { b.Build.RootDirectory = "site" }},
	{prop: "Build.HugoVersion", after: func(b *props.Blog) { b.Build.HugoVersion = "0.150.0" }},
	{prop: "Build.HugoExtended", after: func(b *props.Blog) { b.Build.HugoExtended = true }},
	{prop: "Build.AssetScript", after: func(b *props.Blog) { b.Build.AssetScript = "build:css" }},
	{prop: "Build.AfterHugo", after: func(b *props.Blog) { b.Build.AfterHugo = "npx pagefind --site public" }},
	{prop: "Build.NodeVersion", after: func(b *props.Blog) { b.Build.NodeVersion = "22" }},
	{prop: "Build.Environment", after: func(b *props.Blog) { b.Build.Environment = map[string]string{"HUGO_FLAGS": "--gc"} }},
	{prop: "Build.ComputeType", after: func(b *props.Blog) { b.Build.ComputeType = props.ComputeTypeLarge }},
	{prop: "Build.Image", before: ownBuildspec, after: func(b *props.Blog) { b.Build.Image = "public.ecr.aws/docker/library/node:24" }},
	{prop: "Build.Timeout", after: func(b *props.Blog) { b.Build.Timeout = time.Hour }},
	{prop: "Build.NoCache", after: func(b *props.Blog) { b.Build.NoCache = true }},
	{prop: "Build.LogRetentionDays", after: func(b *props.Blog) { b.Build.LogRetentionDays = 7 }},

	{prop: "Site.Domain", effects: map[props.Controller]string{"": "removes AAAAblogkzmoritadev, removes Ablogkzmoritadev"}, says: "the old name goes from DNS", after: inSite(func(s *props.Site) { s.Domain = "notes.kzmorita.dev" })},
	{prop: "Site.RedirectFrom", effects: map[props.Controller]string{"": "removes AAAAwwwblogkzmoritadev, removes Awwwblogkzmoritadev"}, says: "What is taken out goes from DNS", after: inSite(func(s *props.Site) { s.RedirectFrom = nil })},
	{prop: "HostedZone.ID", effects: map[props.Controller]string{"": "replaces AAAAblogkzmoritadev, replaces AAAAwwwblogkzmoritadev, replaces Ablogkzmoritadev, replaces Awwwblogkzmoritadev"}, says: "the records move to another one", after: inSite(func(s *props.Site) { s.HostedZone.ID = "Z1123456789ABCDEFGHIJ" })},
	{prop: "HostedZone.Name", effects: map[props.Controller]string{"": unseen}, after: inSite(func(s *props.Site) { s.HostedZone.Name = "blog.kzmorita.dev" })},
	{prop: "Site.CertificateARN", effects: map[props.Controller]string{"": "leaves the stack blog-certificate"}, says: "stays in AWS until you remove its stack there", after: inSite(func(s *props.Site) { s.CertificateARN = siteCertificate })},
	{prop: "Site.MissingSlash", after: inSite(func(s *props.Site) { s.MissingSlash = props.MissingSlashRewrite })},
	{prop: "Site.NotFoundPage", after: inSite(func(s *props.Site) { s.NotFoundPage = "/en/404.html" })},
	{prop: "Site.PriceClass", after: inSite(func(s *props.Site) { s.PriceClass = props.PriceClass100 })},
	{prop: "HSTS.MaxAge", after: inSite(func(s *props.Site) { s.Headers.HSTS.MaxAge = time.Hour })},
	{prop: "HSTS.IncludeSubDomains", after: inSite(func(s *props.Site) { s.Headers.HSTS.IncludeSubDomains = true })},
	{prop: "HSTS.Preload", before: inSite(func(s *props.Site) { s.Headers.HSTS.IncludeSubDomains = true }), after: inSite(func(s *props.Site) { s.Headers.HSTS.Preload = true })},
	{prop: "Headers.Frames", after: inSite(func(s *props.Site) { s.Headers.Frames = props.FramesDeny })},
	{prop: "Headers.Referrer", after: inSite(func(s *props.Site) { s.Headers.Referrer = props.ReferrerNone })},
	{prop: "Headers.ContentSecurityPolicy", after: inSite(func(s *props.Site) { s.Headers.ContentSecurityPolicy = props.NoHeader })},
	{prop: "Headers.Others", after: inSite(func(s *props.Site) { s.Headers.Others = map[string]string{"X-A": "b"} })},
	{prop: "Caching.Immutable", after: inSite(func(s *props.Site) { s.Caching.Immutable = []string{"/assets/*"} })},
	{prop: "Caching.Feeds", after: inSite(func(s *props.Site) { s.Caching.Feeds = []string{} })},
	{prop: "Caching.FeedsFor", after: inSite(func(s *props.Site) { s.Caching.FeedsFor = time.Hour })},
	{prop: "Caching.PagesFor", after: inSite(func(s *props.Site) { s.Caching.PagesFor = time.Minute })},
	{prop: "Site.WebACLARN", after: inSite(func(s *props.Site) {
		s.WebACLARN = "arn:aws:wafv2:us-east-1:" + account + ":global/webacl/blog/" + uuid
	})},
	{prop: "Site.AccessLogRetentionDays", how: "is another", before: withLogs, after: inSite(func(s *props.Site) { s.AccessLogRetentionDays = 7 })},
	{prop: "Site.AccessLogRetentionDays", how: "is 0", effects: map[props.Controller]string{"": "leaves the stack blog-logs, leaves AccessLogs"}, says: "The bucket stays when logging ends", before: withLogs, after: inSite(func(s *props.Site) { s.AccessLogRetentionDays = 0 })},
	{prop: "Site.MonthlyBudget", after: inSite(func(s *props.Site) { s.MonthlyBudget = 10 })},
	{prop: "Site.BucketRemoval", how: "is DeleteBucket", after: inSite(func(s *props.Site) { s.BucketRemoval = props.BucketRemovalDelete })},
	{prop: "Site.BucketRemoval", how: "is KeepBucket", effects: map[props.Controller]string{"": "removes BucketAutoDeleteObjectsCustomResource, removes CustomS3AutoDeleteObjectsCustomResourceProviderHandler"}, says: "what was deployed last counts", before: inSite(func(s *props.Site) { s.BucketRemoval = props.BucketRemovalDelete }), after: inSite(func(s *props.Site) { s.BucketRemoval = props.BucketRemovalKeep })},

	{prop: "Deploy.Bucket", before: withoutSite, after: func(b *props.Blog) { b.Deploy.Bucket = "kzmorita-blog2" }},
	{prop: "Deploy.KeyPrefix", before: withoutSite, after: func(b *props.Blog) { b.Deploy.KeyPrefix = "ja" }},
	{prop: "Deploy.CacheControl", after: func(b *props.Blog) { b.Deploy.CacheControl = "no-cache" }},
	{prop: "Deploy.EncryptionKeyARN", before: withoutSite, after: func(b *props.Blog) {
		b.Deploy.EncryptionKeyARN = "arn:aws:kms:ap-northeast-1:" + account + ":key/" + uuid
	}},
	{prop: "Invalidate.DistributionID", before: withoutSite, after: func(b *props.Blog) { b.Invalidate.DistributionID = "E2QWRUHAPOMQZM" }},
	{prop: "Invalidate.RoleARN", before: withoutSite, after: func(b *props.Blog) { b.Invalidate.RoleARN = "arn:aws:iam::999999999999:role/clear-cache" }},
	{prop: "Invalidate.Paths", after: func(b *props.Blog) { b.Invalidate.Paths = []string{"/posts/*"} }},
	{prop: "Invalidate.Deadline", after: func(b *props.Blog) { b.Invalidate.Deadline = time.Hour }},
	{prop: "Invalidate.OnFailure", after: func(b *props.Blog) { b.Invalidate.OnFailure = props.OnFailureProceed }},
	{prop: "Invalidate.PollFor", after: func(b *props.Blog) { b.Invalidate.PollFor = time.Minute }},
	{prop: "Invalidate.LogRetentionDays", after: func(b *props.Blog) { b.Invalidate.LogRetentionDays = 7 }},
	{prop: "Schedule.Expression", after: func(b *props.Blog) { b.Schedule.Expression = "cron(0 6 * * ? *)" }},
	{prop: "Schedule.TimeZone", before: func(b *props.Blog) { b.Schedule.Expression = "cron(0 6 * * ? *)" }, after: func(b *props.Blog) { b.Schedule.TimeZone = "Asia/Tokyo" }},
	{prop: "Notifications.Emails", before: inSite(func(s *props.Site) { s.MonthlyBudget = 10 }), after: func(b *props.Blog) { b.Notifications.Emails = []string{"you@blog.dev"} }},
	{prop: "Notifications.TopicARN", after: func(b *props.Blog) {
		b.Notifications.TopicARN = "arn:aws:sns:ap-northeast-1:" + account + ":alerts"
	}},
}

// tagging is a way to set a tag.
type tagging struct {
	name string
	tag  func(app awscdk.App, stack awscdk.Stack)
	// refused is set where the tag would be one of a service's whole stack, kept where
	// the service is Tagged.
	refused, kept bool
}

func tag(on constructs.IConstruct, given *awscdk.TagProps) {
	awscdk.Tags_Of(on).Add(jsii.String("team"), jsii.String("web"), given)
}

var taggings = []tagging{
	{name: "no tag", tag: func(awscdk.App, awscdk.Stack) {}},
	{name: "on the app", tag: func(app awscdk.App, _ awscdk.Stack) { tag(app, nil) }},
	{name: "on the app of a service that keeps it", tag: func(app awscdk.App, _ awscdk.Stack) { tag(app, nil) }, kept: true},
	{name: "on the stack", tag: func(_ awscdk.App, stack awscdk.Stack) { tag(stack, nil) }},
	{name: "on each resource", tag: func(_ awscdk.App, stack awscdk.Stack) {
		for _, child := range *stack.Node().FindAll("") {
			tag(child, &awscdk.TagProps{Priority: jsii.Number(1000)})
		}
	}},
	{name: "of the stack", tag: func(_ awscdk.App, stack awscdk.Stack) { stack.AddStackTag(jsii.String("team"), jsii.String("web")) }, refused: true},
	{name: "of the stack by the app", tag: func(app awscdk.App, _ awscdk.Stack) {
		tag(app, &awscdk.TagProps{IncludeResourceTypes: jsii.Strings("aws:cdk:stack")})
	}, refused: true},
}

// taggedService has all that no tag may reach.
func taggedService(by props.Controller) props.FargateService {
	s := changedService(by)
	internal(&s)
	s.LoadBalancer.CertificateARN = strings.Replace(serviceCertificate, "us-east-1", "us-west-1", 1)
	return s
}

func taggedBlog() props.Blog {
	b := changedBlog()
	withLogs(&b)
	b.Site.MonthlyBudget, b.Schedule.Expression = 10, "rate(1 day)"
	return b
}

// guarded are the types of which an update must not touch a resource.
var guarded = []string{"AWS::ElasticLoadBalancingV2::Listener", "AWS::ElasticLoadBalancingV2::ListenerRule", "AWS::ECS::Service", "AWS::CloudFront::VpcOrigin"}

// passing are types that hold nothing: their resources may come and go.
var passing = []string{
	"AWS::Budgets::Budget", "AWS::CertificateManager::Certificate", "AWS::CloudFront::ResponseHeadersPolicy", "AWS::CloudWatch::Alarm", "AWS::CodePipeline::Webhook", "AWS::EC2::SecurityGroupEgress", "AWS::EC2::SecurityGroupIngress", "AWS::Events::Rule", "AWS::IAM::Policy", "AWS::IAM::Role",
	"AWS::Lambda::EventInvokeConfig", "AWS::Lambda::Permission", "AWS::S3::BucketPolicy", "AWS::SNS::Subscription", "AWS::SNS::TopicPolicy",
}

// kinds are the types that stand for an interface.
var kinds = map[reflect.Type][]reflect.Type{
	reflect.TypeFor[props.Source]():   {reflect.TypeFor[props.GitHubConnection](), reflect.TypeFor[props.GitHubToken]()},
	reflect.TypeFor[props.VPC]():      {reflect.TypeFor[props.NewVPC](), reflect.TypeFor[props.ExistingVPC]()},
	reflect.TypeFor[props.Deployer](): {reflect.TypeFor[props.CodeDeployGroup](), reflect.TypeFor[props.ECSService]()},
}

// propsOf returns the props of a struct, and of the structs in it, as "Type.Field".
func propsOf(t *testing.T, of reflect.Type) []string {
	t.Helper()
	var given []string
	var walk func(reflect.Type)
	walk = func(of reflect.Type) {
		for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
			of = of.Elem()
		}
		if of.Kind() != reflect.Struct {
			return
		}
		for field := range of.Fields() {
			if field.Type.Kind() != reflect.Struct { // that one is changed by its fields
				given = append(given, of.Name()+"."+field.Name)
			}
			if field.Type.Kind() == reflect.Interface {
				if kinds[field.Type] == nil {
					t.Errorf("%s.%s: name the types that stand for %s in kinds", of.Name(), field.Name, field.Type)
				}
				for _, kind := range kinds[field.Type] {
					walk(kind)
				}
			}
			walk(field.Type)
		}
	}
	walk(of)
	slices.Sort(given)
	return slices.Compact(given)
}

// TestChangesNameEveryProp: who adds a prop says what a change of it does.
func TestChangesNameEveryProp(t *testing.T) {
	named := func(t *testing.T, of reflect.Type, rows []string) {
		t.Helper()
		given := propsOf(t, of)
		for _, prop := range given {
			if !slices.Contains(rows, prop) {
				t.Errorf("%s has the prop %s, and no row in changes_test.go changes it: add one, with what its change does to a stack that is there", of.Name(), prop)
			}
		}
		for _, row := range rows {
			if !slices.Contains(given, row) {
				t.Errorf("a row changes %s, which %s does not have", row, of.Name())
			}
		}
	}
	named(t, reflect.TypeFor[props.FargateService](), names(serviceChanges))
	named(t, reflect.TypeFor[props.ExistingService](), names(existingChanges))
	named(t, reflect.TypeFor[props.Blog](), names(blogChanges))

	// A new kind of network or source has props, too.
	methods := methodsByType(t)
	for kind, known := range kinds {
		var want []string
		for method := range kind.Methods() {
			want = append(want, method.Name)
		}
		for name, has := range methods {
			if !slices.ContainsFunc(want, func(method string) bool { return !slices.Contains(has, method) }) &&
				!slices.ContainsFunc(known, func(k reflect.Type) bool { return k.Name() == name }) {
				t.Errorf("%s stands for %s: name it in kinds", name, kind)
			}
		}
	}
}

func names[T any](changes []change[T]) []string {
	var all []string
	for _, c := range changes {
		all = append(all, c.prop)
	}
	return all
}

// variant is one app that the tables need.
type variant struct {
	dir     string
	props   any // BlogProps or a Service
	tagging int // of taggings
}

// variants returns the templates before and after each change, of all tables, and where
// they are.
func variants() (all []variant, of map[string][2]string) {
	of = map[string][2]string{}
	dir := func(given any, tagging int) string {
		for _, v := range all { // most rows have the same template before
			if v.tagging == tagging && reflect.DeepEqual(v.props, given) {
				return v.dir
			}
		}
		v := variant{strconv.Itoa(len(all)), given, tagging}
		all = append(all, v)
		return v.dir
	}
	for _, by := range []props.Controller{props.ControllerCodeDeploy, props.ControllerECS} {
		for _, c := range serviceChanges {
			before, after := c.apply(func() props.FargateService { return changedService(by) })
			of[c.row(by)] = [2]string{dir(before, 0), dir(after, 0)}
		}
		for i, how := range taggings {
			after := taggedService(by)
			after.Tagged = how.kept
			of[how.row(by)] = [2]string{dir(taggedService(by), 0), dir(after, i)}
		}
	}
	for _, c := range existingChanges {
		before, after := c.apply(changedExisting)
		of[c.row("existing")] = [2]string{dir(before, 0), dir(after, 0)}
	}
	for _, c := range blogChanges {
		before, after := c.apply(changedBlog)
		of[c.row("blog")] = [2]string{dir(before, 0), dir(after, 0)}
	}
	for i, how := range taggings {
		of[how.row("blog")] = [2]string{dir(taggedBlog(), 0), dir(taggedBlog(), i)}
	}
	return all, of
}

func (c change[T]) row(of props.Controller) string {
	return strings.TrimSpace(fmt.Sprintf("%s %s %s", of, c.prop, c.how))
}

func (how tagging) row(of props.Controller) string {
	return fmt.Sprintf("%s with a tag %s", of, how.name)
}

// apply returns the props before and after. Each is made anew: they share no list.
func (c change[T]) apply(from func() T) (before, after T) {
	before, after = from(), from()
	if c.before != nil {
		c.before(&before)
		c.before(&after)
	}
	c.after(&after)
	return before, after
}

// refusal is the end of a file's name that has what synth ended with.
const refusal = ".refused"

// synthVariants makes the templates of all variants, each in an app of its own, below a
// folder.
func synthVariants(newApp func(string) awscdk.App, dir string) {
	all, _ := variants()
	for _, v := range all {
		app, how := newApp(filepath.Join(dir, v.dir)), taggings[v.tagging]
		switch given := v.props.(type) {
		case props.Blog:
			how.tag(app, NewBlogStack(app, given))
		case props.Service:
			how.tag(app, NewServiceStack(app, given))
			if how.refused {
				check(os.WriteFile(filepath.Join(dir, v.dir+refusal), []byte(panicOf(func() { app.Synth(nil) })), 0o600))
				continue
			}
		}
		app.Synth(nil)
	}
}

func panicOf(do func()) (cause string) {
	defer func() { cause = fmt.Sprint(recover()) }()
	do()
	return ""
}

// TestChanges makes each change, and compares what it does with what the tables say, and
// that with the props' comments.
func TestChanges(t *testing.T) {
	t.Parallel() // it waits for another process
	dir := t.TempDir()
	synthElsewhere(t, dir)
	_, rows := variants()
	comments, spec := propComments(t), readSpec(t)
	load := func(name string) map[string]*assembly.Template {
		loaded, err := assembly.Load(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		stacks := map[string]*assembly.Template{}
		for _, tmpl := range loaded {
			stacks[tmpl.Name] = tmpl
		}
		return stacks
	}
	check := func(t *testing.T, row, prop, want, says string) {
		t.Helper()
		got := effectsOf(load(rows[row][0]), load(rows[row][1]), spec)
		if start, more := strings.CutSuffix(want, "…"); got != want && (!more || !strings.HasPrefix(got, start)) {
			t.Errorf("a change of %s does:\n%q\nwant\n%q\nKeep the change from doing so. Only if it must: say in the prop's comment what then happens and what to do, and here which words say so", row, got, want)
		}
		if want != "" && want != unseen && says == "" {
			t.Errorf("%s: the row's says is empty: which words of the comment of %s tell what a change does?", row, prop)
		}
		of, _, _ := strings.Cut(prop, ".")
		for part := range strings.SplitSeq(says, "…") {
			if !strings.Contains(comments[of]+"\n"+comments[prop], part) {
				t.Errorf("the comment of %s is\n%s\nwant %q in it, or in that of %s: what a change does is to be said there; if other words say it, put them into the row", prop, comments[prop], part, of)
			}
		}
		if (want == "" || want == unseen) && strings.Contains(comments[prop], never) {
			t.Errorf("the comment of %s says that it %s, and its change does no harm", prop, never)
		}
	}
	for _, c := range serviceChanges {
		for _, by := range []props.Controller{props.ControllerCodeDeploy, props.ControllerECS} {
			t.Run(c.row(by), func(t *testing.T) { check(t, c.row(by), c.prop, c.effects[by], c.says) })
		}
	}
	for _, c := range existingChanges {
		t.Run(c.row("existing"), func(t *testing.T) { check(t, c.row("existing"), c.prop, c.effects[""], c.says) })
	}
	for _, c := range blogChanges {
		t.Run(c.row("blog"), func(t *testing.T) { check(t, c.row("blog"), c.prop, c.effects[""], c.says) })
	}
	for _, how := range taggings[1:] {
		for _, of := range []props.Controller{props.ControllerCodeDeploy, props.ControllerECS, "blog"} {
			row := how.row(of)
			t.Run(row, func(t *testing.T) {
				want := "" // It reaches something, and nothing that must not be touched.
				switch {
				case of != "blog" && how.refused:
					wantRefusal(t, filepath.Join(dir, rows[row][1]+refusal))
					return
				case how.refused:
					want = unseen // by the template
				case of == props.ControllerCodeDeploy && how.kept:
					want = "updates LoadBalancerProduction, updates LoadBalancerRedirect, updates LoadBalancerTest, updates Service"
				case of == props.ControllerECS && how.kept:
					want = "updates LoadBalancerProduction, updates LoadBalancerRedirect, updates LoadBalancerTest, updates ProductionRule, updates Service, updates TestRule"
				}
				if got := effectsOf(load(rows[row][0]), load(rows[row][1]), spec); got != want {
					t.Errorf("a tag does:\n%q\nwant\n%q\nwithoutTags keeps tags off what deployments change", got, want)
				}
			})
		}
	}
}

// wantRefusal looks at what synth ended with.
func wantRefusal(t *testing.T, path string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := `service "api": its stack has the tags ["team"]: CloudFormation would put them on the listeners`; !strings.Contains(string(got), want) {
		t.Errorf("synth with a tag of the whole stack ends with %q, want %q in it", got, want)
	}
}
