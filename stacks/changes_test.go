package stacks

import (
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
	effects map[Controller]string
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
func both(effects string) map[Controller]string {
	return map[Controller]string{CodeDeploy: effects, ECS: effects}
}

// changedService is what the changes of a service begin with.
func changedService(by Controller) FargateService {
	return FargateService{
		Name: "api", Controller: by,
		Source: GitHubConnection{Owner: "kzmorita", Repo: "api", ConnectionARN: connectionARN},
		Hook:   Hook{Distributions: []Distribution{{ID: "E2QWRUHAPOMQZL"}}},
	}
}

func serviceSource[S Source](change func(*S)) func(*FargateService) {
	return func(s *FargateService) {
		source := s.Source.(S)
		change(&source)
		s.Source = source
	}
}

func serviceVPC[V VPC](change func(*V)) func(*FargateService) {
	return func(s *FargateService) {
		vpc, _ := s.VPC.(V)
		change(&vpc)
		s.VPC = vpc
	}
}

func byToken(s *FargateService) {
	s.Source = GitHubToken{Owner: "kzmorita", Repo: "api", SecretName: "github"}
}

func byParameter(s *FargateService) {
	s.Source = GitHubToken{Owner: "kzmorita", Repo: "api", ParameterName: "/api/token"}
}

func inExistingVPC(s *FargateService) {
	s.VPC = ExistingVPC{
		ID: "vpc-0a1b2c3d4e5f67890", CIDR: "172.31.0.0/16", AvailabilityZones: []string{"us-east-1a", "us-east-1b"},
		PublicSubnets:  []string{"subnet-0a1b2c3d4e5f67890", "subnet-0a1b2c3d4e5f67891"},
		PrivateSubnets: []string{"subnet-0a1b2c3d4e5f67892", "subnet-0a1b2c3d4e5f67893"},
	}
}

func scaled(s *FargateService) { s.Scaling = Scaling{MaxTasks: 10, CPUPercent: 60} }

func withSecret(s *FargateService) { s.Container.Secrets = map[string]string{"TOKEN": "/api/token"} }

func forCloudFront(s *FargateService) {
	s.Region, s.VPC = "us-west-1", NewVPC{AvailabilityZones: []string{"us-west-1a", "us-west-1c"}}
	s.LoadBalancer.OriginPrefixListID = "pl-4ea04527"
}

func internal(s *FargateService) {
	forCloudFront(s)
	s.LoadBalancer.Internal = true
}

const serviceCertificate = "arn:aws:acm:us-east-1:" + account + ":certificate/" + uuid

func withCertificate(s *FargateService) { s.LoadBalancer.CertificateARN = serviceCertificate }

var serviceChanges = []change[FargateService]{
	{prop: "FargateService.Name", effects: both("leaves the stack api-service"), says: "must not change", after: func(s *FargateService) { s.Name = "api2" }},
	{prop: "FargateService.Account", effects: both("leaves the stack api-service"), says: stays, after: func(s *FargateService) { s.Account = "999999999999" }},
	{prop: "FargateService.Region", effects: both("leaves the stack api-service"), says: stays, after: func(s *FargateService) { s.Region = "eu-west-1" }},
	{prop: "FargateService.Source", after: byToken},
	{prop: "FargateService.DesiredCount", effects: both("updates Service"), says: begins + "…With ECS, each `make deploy` that changes the service sets the number again", after: func(s *FargateService) { s.DesiredCount = 3 }},
	{prop: "Scaling.MinTasks", before: scaled, after: func(s *FargateService) { s.Scaling.MinTasks = 3 }},
	{prop: "Scaling.MaxTasks", before: scaled, after: func(s *FargateService) { s.Scaling.MaxTasks = 20 }},
	{prop: "Scaling.CPUPercent", before: scaled, after: func(s *FargateService) { s.Scaling.CPUPercent = 80 }},
	{prop: "Scaling.RequestsPerTask", before: scaled, after: func(s *FargateService) { s.Scaling.RequestsPerTask = 1000 }},
	{prop: "Scaling.MaxTasks", how: "is new", effects: map[Controller]string{ECS: "updates Service"}, says: deploys, after: scaled},
	{prop: "FargateService.StartTime", effects: both("updates Service"), says: begins + "…" + deploys, after: func(s *FargateService) { s.StartTime = 3 * time.Minute }},
	{prop: "FargateService.VPC", effects: both("replaces Blue, replaces Green, replaces LoadBalancerAccess, …"), says: never, after: inExistingVPC},
	{prop: "FargateService.Cluster", effects: both("removes Cluster, replaces Service"), says: never, after: func(s *FargateService) { s.Cluster = "production" }},
	{prop: "FargateService.Controller", effects: map[Controller]string{CodeDeploy: "removes Application, removes Deployments, updates LoadBalancerProduction, updates LoadBalancerTest, adds ProductionRule, replaces Service, adds TestRule", ECS: "removes Deploy, removes DeployLog, updates LoadBalancerProduction, updates LoadBalancerTest, removes ProductionRule, replaces Service, removes TestRule"}, says: never, after: func(s *FargateService) {
		if s.Controller == ECS {
			s.Controller = CodeDeploy
		} else {
			s.Controller = ECS
		}
	}},
	{prop: "FargateService.Shift", effects: map[Controller]string{ECS: "updates Service"}, says: deploys, after: func(s *FargateService) { s.Shift = Linear }},
	{prop: "FargateService.KeepOld", effects: map[Controller]string{ECS: "updates Service"}, says: deploys, after: func(s *FargateService) { s.KeepOld = time.Hour }},
	{prop: "FargateService.MaxErrorPercent", how: "is another", after: func(s *FargateService) { s.MaxErrorPercent = 50 }},
	{prop: "FargateService.MaxErrorPercent", how: "is 100", effects: map[Controller]string{ECS: "updates Service"}, says: deploys, after: func(s *FargateService) { s.MaxErrorPercent = 100 }},
	{prop: "FargateService.AlarmNames", effects: map[Controller]string{ECS: "updates Service"}, says: deploys, after: func(s *FargateService) { s.AlarmNames = []string{"api-latency"} }},
	{prop: "FargateService.Tagged", effects: both(unseen), after: func(s *FargateService) { s.Tagged = true }},
	{prop: "FargateService.ExecutionMode", after: func(s *FargateService) { s.ExecutionMode = Queued }},

	{prop: "GitHubConnection.Owner", after: serviceSource(func(s *GitHubConnection) { s.Owner = "another" })},
	{prop: "GitHubConnection.Repo", after: serviceSource(func(s *GitHubConnection) { s.Repo = "api2" })},
	{prop: "GitHubConnection.Branch", after: serviceSource(func(s *GitHubConnection) { s.Branch = "trunk" })},
	{prop: "GitHubConnection.ConnectionARN", after: serviceSource(func(s *GitHubConnection) {
		s.ConnectionARN = strings.Replace(connectionARN, uuid, strings.Replace(uuid, "0", "f", 1), 1)
	})},
	{prop: "GitHubConnection.FullClone", after: serviceSource(func(s *GitHubConnection) { s.FullClone = true })},
	{prop: "Trigger.Branches", after: serviceSource(func(s *GitHubConnection) { s.Trigger.Branches = []string{"hotfix/*"} })},
	{prop: "Trigger.Paths", after: serviceSource(func(s *GitHubConnection) { s.Trigger.Paths = []string{"api/**"} })},
	{prop: "Trigger.IgnorePaths", after: serviceSource(func(s *GitHubConnection) { s.Trigger.IgnorePaths = []string{"docs/**"} })},
	{prop: "Trigger.Tags", after: serviceSource(func(s *GitHubConnection) { s.Trigger.Tags = []string{"v*"} })},
	{prop: "GitHubToken.Owner", before: byToken, after: serviceSource(func(s *GitHubToken) { s.Owner = "another" })},
	{prop: "GitHubToken.Repo", before: byToken, after: serviceSource(func(s *GitHubToken) { s.Repo = "api2" })},
	{prop: "GitHubToken.Branch", before: byToken, after: serviceSource(func(s *GitHubToken) { s.Branch = "trunk" })},
	{prop: "GitHubToken.SecretName", before: byToken, after: serviceSource(func(s *GitHubToken) { s.SecretName = "another" })},
	{prop: "GitHubToken.SecretField", before: byToken, after: serviceSource(func(s *GitHubToken) { s.SecretField = "token" })},
	{prop: "GitHubToken.SecretVersion", before: byToken, after: serviceSource(func(s *GitHubToken) { s.SecretVersion = uuid })},
	{prop: "GitHubToken.ParameterName", before: byParameter, after: serviceSource(func(s *GitHubToken) { s.ParameterName = "/api/token2" })},
	{prop: "GitHubToken.Trigger", before: byToken, after: serviceSource(func(s *GitHubToken) { s.Trigger = Poll })},

	{prop: "ImageBuild.ComputeType", after: func(s *FargateService) { s.Build.ComputeType = Large }},
	{prop: "ImageBuild.Timeout", after: func(s *FargateService) { s.Build.Timeout = time.Hour }},
	{prop: "ImageBuild.LogRetention", after: func(s *FargateService) { s.Build.LogRetention = 7 }},

	{prop: "Container.Port", effects: map[Controller]string{CodeDeploy: "replaces Blue, replaces FirstTask, replaces Green, updates LoadBalancerProduction, updates LoadBalancerTest, updates Service", ECS: "replaces Blue, replaces FirstTask, replaces Green, updates ProductionRule, updates Service, updates TestRule"}, says: never, before: func(s *FargateService) { s.Container.InitialImage = defaultInitialImage }, after: func(s *FargateService) { s.Container.Port = 8080 }},
	{prop: "Container.HealthCheckPath", before: func(s *FargateService) { s.Container.InitialImage = defaultInitialImage }, after: func(s *FargateService) { s.Container.HealthCheckPath = "/healthz" }},
	{prop: "Container.CPU", after: func(s *FargateService) { s.Container.CPU = 512 }},
	{prop: "Container.MemoryMiB", after: func(s *FargateService) { s.Container.MemoryMiB = 1024 }},
	{prop: "Container.Environment", after: func(s *FargateService) { s.Container.Environment = map[string]string{"LOG_LEVEL": "info"} }},
	{prop: "Container.Secrets", after: withSecret},
	{prop: "Container.SecretKeyARNs", before: withSecret, after: func(s *FargateService) {
		s.Container.SecretKeyARNs = []string{"arn:aws:kms:us-east-1:" + account + ":key/" + uuid}
	}},
	{prop: "Container.FormerSecrets", after: func(s *FargateService) { s.Container.FormerSecrets = []string{"/api/old-token"} }},
	{prop: "Container.Architecture", effects: both("replaces FirstTask"), says: never, after: func(s *FargateService) { s.Container.Architecture = X86 }},
	{prop: "Container.Dockerfile", after: func(s *FargateService) { s.Container.Dockerfile = "docker/Dockerfile" }},
	{prop: "Container.Context", after: func(s *FargateService) { s.Container.Context = "services/api" }},
	{prop: "Container.InitialImage", effects: both("replaces FirstTask"), says: never, after: func(s *FargateService) { s.Container.InitialImage = "public.ecr.aws/docker/library/httpd:2.4.65" }},
	{prop: "Container.LogRetention", after: func(s *FargateService) { s.Container.LogRetention = 7 }},

	{prop: "NewVPC.CIDR", effects: both("replaces Blue, replaces Green, replaces LoadBalancerAccess, …"), says: never, after: serviceVPC(func(v *NewVPC) { v.CIDR = "10.20.0.0/16" })},
	{prop: "NewVPC.NATGateways", after: serviceVPC(func(v *NewVPC) { v.NATGateways = 2 })},
	{prop: "NewVPC.AvailabilityZones", effects: both("replaces NetworkPrivateSubnet1RouteTableAssociation, replaces NetworkPrivateSubnet1Subnet, …"), says: never, after: serviceVPC(func(v *NewVPC) { v.AvailabilityZones = []string{"us-east-1a", "us-east-1b"} })},
	{prop: "NewVPC.PublicTasks", effects: both("removes NetworkPrivateSubnet1DefaultRoute, removes NetworkPrivateSubnet2DefaultRoute, removes NetworkPublicSubnet1EIP, removes NetworkPublicSubnet1NATGateway, updates Service"), says: never + "…" + deploys, after: serviceVPC(func(v *NewVPC) { v.PublicTasks = true })},
	{prop: "ExistingVPC.PublicTasks", effects: both("updates Service"), says: never + "…" + deploys, before: inExistingVPC, after: serviceVPC(func(v *ExistingVPC) { v.PublicTasks, v.PrivateSubnets = true, nil })},
	{prop: "ExistingVPC.ID", effects: both("replaces Blue, replaces Green, replaces LoadBalancerAccess, …"), says: never, before: inExistingVPC, after: serviceVPC(func(v *ExistingVPC) { v.ID = "vpc-1a1b2c3d4e5f67890" })},
	{prop: "ExistingVPC.CIDR", before: inExistingVPC, after: serviceVPC(func(v *ExistingVPC) { v.CIDR = "172.30.0.0/16" })},
	{prop: "ExistingVPC.AvailabilityZones", effects: both(unseen), before: inExistingVPC, after: serviceVPC(func(v *ExistingVPC) { v.AvailabilityZones = []string{"us-east-1c", "us-east-1d"} })},
	{prop: "ExistingVPC.PublicSubnets", before: inExistingVPC, after: serviceVPC(func(v *ExistingVPC) {
		v.PublicSubnets = []string{"subnet-1a1b2c3d4e5f67890", "subnet-1a1b2c3d4e5f67891"}
	})},
	{prop: "ExistingVPC.PrivateSubnets", effects: both("updates Service"), says: never + "…" + deploys, before: inExistingVPC, after: serviceVPC(func(v *ExistingVPC) {
		v.PrivateSubnets = []string{"subnet-1a1b2c3d4e5f67892", "subnet-1a1b2c3d4e5f67893"}
	})},

	{prop: "LoadBalancer.CertificateARN", how: "is added", effects: both("updates LoadBalancerProduction, adds LoadBalancerRedirect, updates LoadBalancerTest, cannot be undone"), says: "could not undo an update that fails…" + toBlue, after: withCertificate},
	{prop: "LoadBalancer.CertificateARN", how: "is added without the redirect", effects: both("updates LoadBalancerProduction, updates LoadBalancerTest"), says: "set NoRedirect, too…" + toBlue, after: func(s *FargateService) {
		withCertificate(s)
		s.LoadBalancer.NoRedirect = true
	}},
	{prop: "LoadBalancer.CertificateARN", how: "is another", effects: both("updates LoadBalancerProduction, updates LoadBalancerTest"), says: toBlue, before: withCertificate, after: func(s *FargateService) {
		s.LoadBalancer.CertificateARN = strings.Replace(serviceCertificate, uuid, strings.Replace(uuid, "0", "f", 1), 1)
	}},
	{prop: "LoadBalancer.CertificateARN", how: "is added to an internal one", effects: both("removes HTTPOrigin, adds HTTPSOrigin, updates LoadBalancerProduction, adds LoadBalancerRedirect, updates LoadBalancerTest, cannot be undone"), says: toBlue, before: internal, after: func(s *FargateService) {
		s.LoadBalancer.CertificateARN = strings.Replace(serviceCertificate, "us-east-1", "us-west-1", 1)
	}},
	{prop: "LoadBalancer.CertificateARN", how: "is taken away", effects: both("updates LoadBalancerProduction, removes LoadBalancerRedirect, updates LoadBalancerTest, wants port 80 too early"), says: "To take it away, set NoRedirect first", before: withCertificate, after: func(s *FargateService) {
		s.LoadBalancer.CertificateARN = ""
	}},
	{prop: "LoadBalancer.CertificateARN", how: "is taken away after the redirect", effects: both("updates LoadBalancerProduction, updates LoadBalancerTest"), says: toBlue, before: func(s *FargateService) {
		withCertificate(s)
		s.LoadBalancer.NoRedirect = true
	}, after: func(s *FargateService) { s.LoadBalancer = LoadBalancer{} }},
	{prop: "LoadBalancer.NoRedirect", effects: both("removes LoadBalancerRedirect"), says: "leaves port 80 closed", before: withCertificate, after: func(s *FargateService) { s.LoadBalancer.NoRedirect = true }},
	{prop: "LoadBalancer.NoRedirect", how: "is taken away", effects: both("adds LoadBalancerRedirect"), says: "leaves port 80 closed", before: func(s *FargateService) {
		withCertificate(s)
		s.LoadBalancer.NoRedirect = true
	}, after: func(s *FargateService) { s.LoadBalancer.NoRedirect = false }},
	{prop: "LoadBalancer.Internal", effects: map[Controller]string{
		CodeDeploy: "adds HTTPOrigin, replaces LoadBalancer, replaces LoadBalancerProduction, replaces LoadBalancerTest",
		ECS:        "adds HTTPOrigin, replaces LoadBalancer, replaces LoadBalancerProduction, replaces LoadBalancerTest, replaces ProductionRule, updates Service, replaces TestRule",
	}, says: never, before: forCloudFront, after: internal},
	{prop: "LoadBalancer.AllowFrom", after: func(s *FargateService) { s.LoadBalancer.AllowFrom = []string{"192.0.2.0/24"} }},
	{prop: "LoadBalancer.OriginPrefixListID", after: func(s *FargateService) { s.LoadBalancer.OriginPrefixListID = "pl-3b927c52" }},
	{prop: "LoadBalancer.TestPort", effects: both("updates LoadBalancerTest"), says: "Change it while no deployment is under way", after: func(s *FargateService) { s.LoadBalancer.TestPort = 9443 }},
	{prop: "LoadBalancer.TestFrom", after: func(s *FargateService) { s.LoadBalancer.TestFrom = []string{"198.51.100.7/32"} }},

	{prop: "Hook.Distributions", after: func(s *FargateService) {
		s.Hook.Distributions = append(s.Hook.Distributions, Distribution{ID: "E2QWRUHAPOMQZM"})
	}},
	{prop: "Distribution.ID", after: func(s *FargateService) { s.Hook.Distributions[0].ID = "E2QWRUHAPOMQZM" }},
	{prop: "Distribution.Paths", after: func(s *FargateService) { s.Hook.Distributions[0].Paths = []string{"/api/*"} }},
	{prop: "Hook.Events", effects: map[Controller]string{ECS: "updates Service"}, says: deploys, after: func(s *FargateService) { s.Hook.Events = s.WithDefaults().Controller.events()[1:2] }},
	{prop: "Hook.RoleARN", after: func(s *FargateService) { s.Hook.RoleARN = "arn:aws:iam::999999999999:role/clear-cache" }},
	{prop: "Hook.OnFailure", after: func(s *FargateService) { s.Hook.OnFailure = RollBack }},
	{prop: "Hook.Deadline", after: func(s *FargateService) { s.Hook.Deadline = 5 * time.Minute }},
	{prop: "Hook.NoWait", after: func(s *FargateService) { s.Hook.NoWait = true }},
	{prop: "Hook.LogRetention", after: func(s *FargateService) { s.Hook.LogRetention = 7 }},

	{prop: "Notifications.Emails", after: func(s *FargateService) { s.Notifications.Emails = []string{"me@api.dev"} }},
	{prop: "Notifications.TopicARN", after: func(s *FargateService) {
		s.Notifications.TopicARN = "arn:aws:sns:us-east-1:" + account + ":alerts"
	}},
}

// changedExisting is what the changes of a service that is there begin with.
func changedExisting() ExistingService {
	return ExistingService{
		Name:       "shop",
		DeployedBy: CodeDeployGroup{Application: "shop", DeploymentGroup: "shop-blue-green", Container: "web", Port: 80},
		Hook:       Hook{Distributions: []Distribution{{ID: "E2QWRUHAPOMQZL"}}},
	}
}

func deployedBy[D Deployer](change func(*D)) func(*ExistingService) {
	return func(s *ExistingService) {
		by := s.DeployedBy.(D)
		change(&by)
		s.DeployedBy = by
	}
}

func byECSService(s *ExistingService) {
	s.DeployedBy = ECSService{Cluster: "production", Service: "shop"}
}

var existingChanges = []change[ExistingService]{
	{prop: "ExistingService.Name", effects: map[Controller]string{"": "leaves the stack shop-hook"}, says: "must not change", after: func(s *ExistingService) { s.Name = "shop2" }},
	{prop: "ExistingService.Account", effects: map[Controller]string{"": "leaves the stack shop-hook"}, says: stays, after: func(s *ExistingService) { s.Account = "999999999999" }},
	{prop: "ExistingService.Region", effects: map[Controller]string{"": "leaves the stack shop-hook"}, says: stays, after: func(s *ExistingService) { s.Region = "eu-west-1" }},
	{prop: "ExistingService.DeployedBy", after: byECSService},
	{prop: "CodeDeployGroup.Application", after: deployedBy(func(g *CodeDeployGroup) { g.Application = "shop2" })},
	{prop: "CodeDeployGroup.DeploymentGroup", after: deployedBy(func(g *CodeDeployGroup) { g.DeploymentGroup = "shop2" })},
	{prop: "CodeDeployGroup.Container", after: deployedBy(func(g *CodeDeployGroup) { g.Container = "app" })},
	{prop: "CodeDeployGroup.Port", after: deployedBy(func(g *CodeDeployGroup) { g.Port = 8080 })},
	{prop: "ECSService.Cluster", before: byECSService, after: deployedBy(func(s *ECSService) { s.Cluster = "staging" })},
	{prop: "ECSService.Service", before: byECSService, after: deployedBy(func(s *ECSService) { s.Service = "shop2" })},
	{prop: "Hook.Distributions", after: func(s *ExistingService) {
		s.Hook.Distributions = append(s.Hook.Distributions, Distribution{ID: "E2QWRUHAPOMQZM"})
	}},
	{prop: "Distribution.ID", after: func(s *ExistingService) { s.Hook.Distributions[0].ID = "E2QWRUHAPOMQZM" }},
	{prop: "Distribution.Paths", after: func(s *ExistingService) { s.Hook.Distributions[0].Paths = []string{"/shop/*"} }},
	{prop: "Hook.Events", after: func(s *ExistingService) { s.Hook.Events = CodeDeploy.events()[1:2] }},
	{prop: "Hook.RoleARN", after: func(s *ExistingService) { s.Hook.RoleARN = "arn:aws:iam::999999999999:role/clear-cache" }},
	{prop: "Hook.OnFailure", after: func(s *ExistingService) { s.Hook.OnFailure = RollBack }},
	{prop: "Hook.Deadline", after: func(s *ExistingService) { s.Hook.Deadline = 5 * time.Minute }},
	{prop: "Hook.NoWait", after: func(s *ExistingService) { s.Hook.NoWait = true }},
	{prop: "Hook.LogRetention", after: func(s *ExistingService) { s.Hook.LogRetention = 7 }},
	{prop: "Notifications.Emails", after: func(s *ExistingService) { s.Notifications.Emails = []string{"me@shop.dev"} }},
	{prop: "Notifications.TopicARN", after: func(s *ExistingService) {
		s.Notifications.TopicARN = "arn:aws:sns:us-east-1:" + account + ":alerts"
	}},
}

// changedBlog is what the changes of a blog begin with: one with a Site.
func changedBlog() BlogProps {
	return BlogProps{
		Name: "blog", Region: "ap-northeast-1",
		Source: GitHubConnection{Owner: "kzmorita", Repo: "blog", ConnectionARN: connectionARN},
		Site: &Site{
			Domain: "blog.kzmorita.dev", RedirectFrom: []string{"www.blog.kzmorita.dev"},
			HostedZone: HostedZone{ID: "Z0123456789ABCDEFGHIJ", Name: "kzmorita.dev"},
		},
		Notifications: Notifications{Emails: []string{"me@blog.dev"}},
	}
}

func blogSource[S Source](change func(*S)) func(*BlogProps) {
	return func(b *BlogProps) {
		source := b.Source.(S)
		change(&source)
		b.Source = source
	}
}

func inSite(change func(*Site)) func(*BlogProps) {
	return func(b *BlogProps) { change(b.Site) }
}

func blogByToken(b *BlogProps) {
	b.Source = GitHubToken{Owner: "kzmorita", Repo: "blog", SecretName: "github"}
}

func blogByParameter(b *BlogProps) {
	b.Source = GitHubToken{Owner: "kzmorita", Repo: "blog", ParameterName: "/blog/token"}
}

func withoutSite(b *BlogProps) {
	b.Site, b.Deploy.Bucket, b.Invalidate.DistributionID = nil, "kzmorita-blog", "E2QWRUHAPOMQZL"
}

func withLogs(b *BlogProps) { b.Site.AccessLogDays = 30 }

func ownBuildspec(b *BlogProps) { b.Build.Buildspec = "buildspec.yml" }

var blogChanges = []change[BlogProps]{
	{prop: "BlogProps.Name", effects: map[Controller]string{"": "leaves the stack blog-certificate, leaves the stack blog-pipeline, leaves the stack blog-site"}, says: "must not change", after: func(b *BlogProps) { b.Name = "blog2" }},
	{prop: "BlogProps.Account", effects: map[Controller]string{"": "leaves the stack blog-certificate, leaves the stack blog-pipeline, leaves the stack blog-site"}, says: stays, after: func(b *BlogProps) { b.Account = account[:11] + "3" }},
	{prop: "BlogProps.Region", effects: map[Controller]string{"": "leaves the stack blog-pipeline, leaves the stack blog-site"}, says: stays, after: func(b *BlogProps) { b.Region = "eu-west-1" }},
	{prop: "BlogProps.Source", after: blogByToken},
	{prop: "BlogProps.Site", effects: map[Controller]string{"": "leaves the stack blog-certificate, leaves the stack blog-logs, leaves the stack blog-site"}, says: "its stacks stay in AWS", before: withLogs, after: withoutSite},
	{prop: "BlogProps.PipelineType", after: func(b *BlogProps) { b.PipelineType = V1 }},
	{prop: "BlogProps.ExecutionMode", after: func(b *BlogProps) { b.ExecutionMode = Queued }},

	{prop: "GitHubConnection.Owner", after: blogSource(func(s *GitHubConnection) { s.Owner = "another" })},
	{prop: "GitHubConnection.Repo", after: blogSource(func(s *GitHubConnection) { s.Repo = "blog2" })},
	{prop: "GitHubConnection.Branch", after: blogSource(func(s *GitHubConnection) { s.Branch = "trunk" })},
	{prop: "GitHubConnection.ConnectionARN", after: blogSource(func(s *GitHubConnection) {
		s.ConnectionARN = strings.Replace(connectionARN, uuid, strings.Replace(uuid, "0", "f", 1), 1)
	})},
	{prop: "GitHubConnection.FullClone", after: blogSource(func(s *GitHubConnection) { s.FullClone = true })},
	{prop: "Trigger.Branches", after: blogSource(func(s *GitHubConnection) { s.Trigger.Branches = []string{"hotfix/*"} })},
	{prop: "Trigger.Paths", after: blogSource(func(s *GitHubConnection) { s.Trigger.Paths = []string{"content/**"} })},
	{prop: "Trigger.IgnorePaths", after: blogSource(func(s *GitHubConnection) { s.Trigger.IgnorePaths = []string{"docs/**"} })},
	{prop: "Trigger.Tags", after: blogSource(func(s *GitHubConnection) { s.Trigger.Tags = []string{"v*"} })},
	{prop: "GitHubToken.Owner", before: blogByToken, after: blogSource(func(s *GitHubToken) { s.Owner = "another" })},
	{prop: "GitHubToken.Repo", before: blogByToken, after: blogSource(func(s *GitHubToken) { s.Repo = "blog2" })},
	{prop: "GitHubToken.Branch", before: blogByToken, after: blogSource(func(s *GitHubToken) { s.Branch = "trunk" })},
	{prop: "GitHubToken.SecretName", before: blogByToken, after: blogSource(func(s *GitHubToken) { s.SecretName = "another" })},
	{prop: "GitHubToken.SecretField", before: blogByToken, after: blogSource(func(s *GitHubToken) { s.SecretField = "token" })},
	{prop: "GitHubToken.SecretVersion", before: blogByToken, after: blogSource(func(s *GitHubToken) { s.SecretVersion = uuid })},
	{prop: "GitHubToken.ParameterName", before: blogByParameter, after: blogSource(func(s *GitHubToken) { s.ParameterName = "/blog/token2" })},
	{prop: "GitHubToken.Trigger", before: blogByToken, after: blogSource(func(s *GitHubToken) { s.Trigger = Poll })},

	{prop: "Build.Buildspec", after: ownBuildspec},
	{prop: "Build.RootDirectory", after: func(b *BlogProps) { b.Build.RootDirectory = "site" }},
	{prop: "Build.HugoVersion", after: func(b *BlogProps) { b.Build.HugoVersion = "0.150.0" }},
	{prop: "Build.HugoExtended", after: func(b *BlogProps) { b.Build.HugoExtended = true }},
	{prop: "Build.AssetScript", after: func(b *BlogProps) { b.Build.AssetScript = "build:css" }},
	{prop: "Build.AfterHugo", after: func(b *BlogProps) { b.Build.AfterHugo = "npx pagefind --site public" }},
	{prop: "Build.NodeVersion", after: func(b *BlogProps) { b.Build.NodeVersion = "22" }},
	{prop: "Build.Environment", after: func(b *BlogProps) { b.Build.Environment = map[string]string{"HUGO_FLAGS": "--gc"} }},
	{prop: "Build.ComputeType", after: func(b *BlogProps) { b.Build.ComputeType = Large }},
	{prop: "Build.Image", before: ownBuildspec, after: func(b *BlogProps) { b.Build.Image = "public.ecr.aws/docker/library/node:24" }},
	{prop: "Build.Timeout", after: func(b *BlogProps) { b.Build.Timeout = time.Hour }},
	{prop: "Build.NoCache", after: func(b *BlogProps) { b.Build.NoCache = true }},
	{prop: "Build.LogRetention", after: func(b *BlogProps) { b.Build.LogRetention = 7 }},

	{prop: "Site.Domain", effects: map[Controller]string{"": "removes AAAAblogkzmoritadev, removes Ablogkzmoritadev"}, says: "the old name goes from DNS", after: inSite(func(s *Site) { s.Domain = "notes.kzmorita.dev" })},
	{prop: "Site.RedirectFrom", effects: map[Controller]string{"": "removes AAAAwwwblogkzmoritadev, removes Awwwblogkzmoritadev"}, says: "What is taken out goes from DNS", after: inSite(func(s *Site) { s.RedirectFrom = nil })},
	{prop: "HostedZone.ID", effects: map[Controller]string{"": "replaces AAAAblogkzmoritadev, replaces AAAAwwwblogkzmoritadev, replaces Ablogkzmoritadev, replaces Awwwblogkzmoritadev"}, says: "the records move to another one", after: inSite(func(s *Site) { s.HostedZone.ID = "Z1123456789ABCDEFGHIJ" })},
	{prop: "HostedZone.Name", effects: map[Controller]string{"": unseen}, after: inSite(func(s *Site) { s.HostedZone.Name = "blog.kzmorita.dev" })},
	{prop: "Site.CertificateARN", effects: map[Controller]string{"": "leaves the stack blog-certificate"}, says: "stays in AWS until you remove its stack there", after: inSite(func(s *Site) { s.CertificateARN = siteCertificate })},
	{prop: "Site.MissingSlash", after: inSite(func(s *Site) { s.MissingSlash = Rewrite })},
	{prop: "Site.NotFoundPage", after: inSite(func(s *Site) { s.NotFoundPage = "/en/404.html" })},
	{prop: "Site.PriceClass", after: inSite(func(s *Site) { s.PriceClass = FewestEdges })},
	{prop: "HSTS.MaxAge", after: inSite(func(s *Site) { s.Headers.HSTS.MaxAge = time.Hour })},
	{prop: "HSTS.IncludeSubDomains", after: inSite(func(s *Site) { s.Headers.HSTS.IncludeSubDomains = true })},
	{prop: "HSTS.Preload", before: inSite(func(s *Site) { s.Headers.HSTS.IncludeSubDomains = true }), after: inSite(func(s *Site) { s.Headers.HSTS.Preload = true })},
	{prop: "Headers.Frames", after: inSite(func(s *Site) { s.Headers.Frames = NoFrames })},
	{prop: "Headers.Referrer", after: inSite(func(s *Site) { s.Headers.Referrer = NoReferrer })},
	{prop: "Headers.ContentSecurityPolicy", after: inSite(func(s *Site) { s.Headers.ContentSecurityPolicy = NoHeader })},
	{prop: "Headers.Others", after: inSite(func(s *Site) { s.Headers.Others = map[string]string{"X-A": "b"} })},
	{prop: "Caching.Immutable", after: inSite(func(s *Site) { s.Caching.Immutable = []string{"/assets/*"} })},
	{prop: "Caching.Feeds", after: inSite(func(s *Site) { s.Caching.Feeds = []string{} })},
	{prop: "Caching.FeedsFor", after: inSite(func(s *Site) { s.Caching.FeedsFor = time.Hour })},
	{prop: "Caching.PagesFor", after: inSite(func(s *Site) { s.Caching.PagesFor = time.Minute })},
	{prop: "Site.WebACLARN", after: inSite(func(s *Site) { s.WebACLARN = "arn:aws:wafv2:us-east-1:" + account + ":global/webacl/blog/" + uuid })},
	{prop: "Site.AccessLogDays", how: "is another", before: withLogs, after: inSite(func(s *Site) { s.AccessLogDays = 7 })},
	{prop: "Site.AccessLogDays", how: "is 0", effects: map[Controller]string{"": "leaves the stack blog-logs, leaves AccessLogs"}, says: "The bucket stays when logging ends", before: withLogs, after: inSite(func(s *Site) { s.AccessLogDays = 0 })},
	{prop: "Site.MonthlyBudget", after: inSite(func(s *Site) { s.MonthlyBudget = 10 })},
	{prop: "Site.BucketRemoval", how: "is DeleteBucket", after: inSite(func(s *Site) { s.BucketRemoval = DeleteBucket })},
	{prop: "Site.BucketRemoval", how: "is KeepBucket", effects: map[Controller]string{"": "removes BucketAutoDeleteObjectsCustomResource, removes CustomS3AutoDeleteObjectsCustomResourceProviderHandler"}, says: "what was deployed last counts", before: inSite(func(s *Site) { s.BucketRemoval = DeleteBucket }), after: inSite(func(s *Site) { s.BucketRemoval = KeepBucket })},

	{prop: "Deploy.Bucket", before: withoutSite, after: func(b *BlogProps) { b.Deploy.Bucket = "kzmorita-blog2" }},
	{prop: "Deploy.KeyPrefix", before: withoutSite, after: func(b *BlogProps) { b.Deploy.KeyPrefix = "ja" }},
	{prop: "Deploy.CacheControl", after: func(b *BlogProps) { b.Deploy.CacheControl = "no-cache" }},
	{prop: "Deploy.EncryptionKeyARN", before: withoutSite, after: func(b *BlogProps) {
		b.Deploy.EncryptionKeyARN = "arn:aws:kms:ap-northeast-1:" + account + ":key/" + uuid
	}},
	{prop: "Invalidate.DistributionID", before: withoutSite, after: func(b *BlogProps) { b.Invalidate.DistributionID = "E2QWRUHAPOMQZM" }},
	{prop: "Invalidate.RoleARN", before: withoutSite, after: func(b *BlogProps) { b.Invalidate.RoleARN = "arn:aws:iam::999999999999:role/clear-cache" }},
	{prop: "Invalidate.Paths", after: func(b *BlogProps) { b.Invalidate.Paths = []string{"/posts/*"} }},
	{prop: "Invalidate.Deadline", after: func(b *BlogProps) { b.Invalidate.Deadline = time.Hour }},
	{prop: "Invalidate.AfterDeadline", after: func(b *BlogProps) { b.Invalidate.AfterDeadline = Warn }},
	{prop: "Invalidate.PollFor", after: func(b *BlogProps) { b.Invalidate.PollFor = time.Minute }},
	{prop: "Invalidate.LogRetention", after: func(b *BlogProps) { b.Invalidate.LogRetention = 7 }},
	{prop: "Schedule.Expression", after: func(b *BlogProps) { b.Schedule.Expression = "cron(0 6 * * ? *)" }},
	{prop: "Schedule.TimeZone", before: func(b *BlogProps) { b.Schedule.Expression = "cron(0 6 * * ? *)" }, after: func(b *BlogProps) { b.Schedule.TimeZone = "Asia/Tokyo" }},
	{prop: "Notifications.Emails", before: inSite(func(s *Site) { s.MonthlyBudget = 10 }), after: func(b *BlogProps) { b.Notifications.Emails = []string{"you@blog.dev"} }},
	{prop: "Notifications.TopicARN", after: func(b *BlogProps) {
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

func tag(on constructs.IConstruct, props *awscdk.TagProps) {
	awscdk.Tags_Of(on).Add(jsii.String("team"), jsii.String("web"), props)
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
func taggedService(by Controller) FargateService {
	s := changedService(by)
	internal(&s)
	s.LoadBalancer.CertificateARN = strings.Replace(serviceCertificate, "us-east-1", "us-west-1", 1)
	return s
}

func taggedBlog() BlogProps {
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
	reflect.TypeFor[Source]():   {reflect.TypeFor[GitHubConnection](), reflect.TypeFor[GitHubToken]()},
	reflect.TypeFor[VPC]():      {reflect.TypeFor[NewVPC](), reflect.TypeFor[ExistingVPC]()},
	reflect.TypeFor[Deployer](): {reflect.TypeFor[CodeDeployGroup](), reflect.TypeFor[ECSService]()},
}

// propsOf returns the props of a struct, and of the structs in it, as "Type.Field".
func propsOf(t *testing.T, of reflect.Type) []string {
	t.Helper()
	var props []string
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
				props = append(props, of.Name()+"."+field.Name)
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
	slices.Sort(props)
	return slices.Compact(props)
}

// TestChangesNameEveryProp: who adds a prop says what a change of it does.
func TestChangesNameEveryProp(t *testing.T) {
	named := func(t *testing.T, of reflect.Type, rows []string) {
		t.Helper()
		props := propsOf(t, of)
		for _, prop := range props {
			if !slices.Contains(rows, prop) {
				t.Errorf("%s has the prop %s, and no row in changes_test.go changes it: add one, with what its change does to a stack that is there", of.Name(), prop)
			}
		}
		for _, row := range rows {
			if !slices.Contains(props, row) {
				t.Errorf("a row changes %s, which %s does not have", row, of.Name())
			}
		}
	}
	named(t, reflect.TypeFor[FargateService](), names(serviceChanges))
	named(t, reflect.TypeFor[ExistingService](), names(existingChanges))
	named(t, reflect.TypeFor[BlogProps](), names(blogChanges))

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
	dir := func(props any, tagging int) string {
		for _, v := range all { // most rows have the same template before
			if v.tagging == tagging && reflect.DeepEqual(v.props, props) {
				return v.dir
			}
		}
		v := variant{strconv.Itoa(len(all)), props, tagging}
		all = append(all, v)
		return v.dir
	}
	for _, by := range []Controller{CodeDeploy, ECS} {
		for _, c := range serviceChanges {
			before, after := c.apply(func() FargateService { return changedService(by) })
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

func (c change[T]) row(of Controller) string {
	return strings.TrimSpace(fmt.Sprintf("%s %s %s", of, c.prop, c.how))
}

func (how tagging) row(of Controller) string { return fmt.Sprintf("%s with a tag %s", of, how.name) }

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
		switch props := v.props.(type) {
		case BlogProps:
			how.tag(app, NewBlogStack(app, props))
		case Service:
			how.tag(app, NewServiceStack(app, props))
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
		for _, by := range []Controller{CodeDeploy, ECS} {
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
		for _, of := range []Controller{CodeDeploy, ECS, "blog"} {
			row := how.row(of)
			t.Run(row, func(t *testing.T) {
				want := "" // It reaches something, and nothing that must not be touched.
				switch {
				case of != "blog" && how.refused:
					wantRefusal(t, filepath.Join(dir, rows[row][1]+refusal))
					return
				case how.refused:
					want = unseen // by the template
				case of == CodeDeploy && how.kept:
					want = "updates LoadBalancerProduction, updates LoadBalancerRedirect, updates LoadBalancerTest, updates Service"
				case of == ECS && how.kept:
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
