package stacks

import (
	"strings"
	"time"

	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

// changedService returns the new service that each change begins with.
func changedService(by props.Controller) props.FargateService {
	return props.FargateService{
		Name: "api", Controller: by,
		Source: props.GitHubConnection{Owner: "kzmorita", Repo: "api", ConnectionARN: fixtures.ConnectionARN},
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

const serviceCertificate = "arn:aws:acm:us-east-1:" + fixtures.Account + ":certificate/" + fixtures.UUID

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
		s.ConnectionARN = strings.Replace(fixtures.ConnectionARN, fixtures.UUID, strings.Replace(fixtures.UUID, "0", "f", 1), 1)
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
	{prop: "GitHubToken.SecretVersion", before: byToken, after: serviceSource(func(s *props.GitHubToken) { s.SecretVersion = fixtures.UUID })},
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
		s.Container.SecretKeyARNs = []string{"arn:aws:kms:us-east-1:" + fixtures.Account + ":key/" + fixtures.UUID}
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
		s.LoadBalancer.CertificateARN = strings.Replace(serviceCertificate, fixtures.UUID, strings.Replace(fixtures.UUID, "0", "f", 1), 1)
	}},
	{prop: "LoadBalancer.CertificateARN", how: "is added to an internal one", effects: both("removes HTTPOrigin, adds HTTPSOrigin, updates LoadBalancerProduction, adds LoadBalancerRedirect, updates LoadBalancerTest, cannot be undone"), says: toBlue, before: internal, after: func(s *props.FargateService) {
		s.LoadBalancer.CertificateARN = strings.Replace(serviceCertificate, "us-east-1", "us-west-1", 1)
	}},
	{prop: "LoadBalancer.CertificateARN", how: "is removed", effects: both("updates LoadBalancerProduction, removes LoadBalancerRedirect, updates LoadBalancerTest, wants port 80 too early"), says: "To remove it, set NoRedirect first", before: withCertificate, after: func(s *props.FargateService) {
		s.LoadBalancer.CertificateARN = ""
	}},
	{prop: "LoadBalancer.CertificateARN", how: "is removed after the redirect", effects: both("updates LoadBalancerProduction, updates LoadBalancerTest"), says: toBlue, before: func(s *props.FargateService) {
		withCertificate(s)
		s.LoadBalancer.NoRedirect = true
	}, after: func(s *props.FargateService) { s.LoadBalancer = props.LoadBalancer{} }},
	{prop: "LoadBalancer.NoRedirect", effects: both("removes LoadBalancerRedirect"), says: "leaves port 80 closed", before: withCertificate, after: func(s *props.FargateService) { s.LoadBalancer.NoRedirect = true }},
	{prop: "LoadBalancer.NoRedirect", how: "is removed", effects: both("adds LoadBalancerRedirect"), says: "leaves port 80 closed", before: func(s *props.FargateService) {
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
		s.Notifications.TopicARN = "arn:aws:sns:us-east-1:" + fixtures.Account + ":alerts"
	}},
	{prop: "Notifications.OnSuccess", before: func(s *props.FargateService) { s.Notifications.Emails = []string{"me@api.dev"} }, after: func(s *props.FargateService) { s.Notifications.OnSuccess = true }},
}

// changedExisting returns the existing service that each change begins with.
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
		s.Notifications.TopicARN = "arn:aws:sns:us-east-1:" + fixtures.Account + ":alerts"
	}},
	{prop: "Notifications.OnSuccess", refused: "the one that deploys this service is not made here", before: func(s *props.ExistingService) { s.Notifications.Emails = []string{"me@shop.dev"} }, after: func(s *props.ExistingService) { s.Notifications.OnSuccess = true }},
}
