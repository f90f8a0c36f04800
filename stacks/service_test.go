package stacks

import (
	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/stacks/props"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/rehearse/assembly"
)

const (
	storeSecret = "arn:aws:secretsmanager:ap-northeast-1:" + account + ":secret:"
	storeKey    = "arn:aws:kms:ap-northeast-1:" + account + ":key/" + uuid
)

// The services that are made from nothing. Between them they set every prop.
var (
	api = props.FargateService{
		Name:          "api",
		Source:        props.GitHubConnection{Owner: "kzmorita", Repo: "api", ConnectionARN: connectionARN},
		Hook:          props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E2QWRUHAPOMQZL"}}},
		Notifications: props.Notifications{Emails: []string{"me@api.dev"}},
	}
	// store is deployed by CodeDeploy as well, with all that has a default.
	store = props.FargateService{
		Name: "store", Account: account, Region: "ap-northeast-1",
		Source: props.GitHubConnection{Owner: "kzmorita", Repo: "store", ConnectionARN: connectionARN, FullClone: true},
		Build:  props.ImageBuild{ComputeType: props.ComputeTypeLarge, Timeout: time.Hour, LogRetentionDays: 7},
		Container: props.Container{
			Port: 8080, HealthCheckPath: "/healthz", CPU: 1024, MemoryMiB: 3072,
			Environment: map[string]string{"LOG_LEVEL": "info"},
			Secrets: map[string]string{
				"API_TOKEN": "/store/token",
				"DATABASE":  storeSecret + "store-AbCdEf",
				"PASSWORD":  storeSecret + "rds!cluster-" + uuid + "-AbCdEf:password::",
				"USER":      storeSecret + "rds!cluster-" + uuid + "-AbCdEf:user name::" + uuid,
				"PREVIOUS":  storeSecret + "prod/a_b+c=d.e@f-g-AbCdEf:key:AWSPREVIOUS:",
				"WHOLE":     storeSecret + "prod/db-secret::AWSCURRENT:",
			},
			FormerSecrets: []string{"/store/old-token", storeSecret + "old-AbCdEf", storeSecret + "store-AbCdEf:old::"},
			SecretKeyARNs: []string{storeKey},
			Architecture:  props.ArchitectureX86_64, Dockerfile: "docker/store.Dockerfile", Context: "services/store",
			InitialImage: "public.ecr.aws/kzmorita/store:1", LogRetentionDays: 14,
		},
		DesiredCount: 3, Scaling: props.Scaling{MaxTasks: 6, CPUPercent: 60}, StartTime: 3 * time.Minute,
		VPC: props.NewVPC{CIDR: "10.20.0.0/20", NATGateways: 2},
		LoadBalancer: props.LoadBalancer{
			CertificateARN:     "arn:aws:acm:ap-northeast-1:" + account + ":certificate/" + uuid,
			OriginPrefixListID: "pl-58a04531", TestPort: 9443, TestFrom: []string{"198.51.100.7/32"},
		},
		Controller: props.ControllerCodeDeploy, Shift: props.ShiftCanary, KeepOld: time.Hour, MaxErrorPercent: 10, AlarmNames: []string{"store-latency"},
		Hook:          props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E2QWRUHAPOMQZM"}}, Events: []props.HookEvent{props.HookEventAfterAllowTestTraffic, props.HookEventAfterAllowTraffic}, OnFailure: props.OnFailureFail},
		Notifications: props.Notifications{TopicARN: "arn:aws:sns:ap-northeast-1:" + account + ":alerts"},
		ExecutionMode: props.ExecutionModeQueued,
	}
	docs = props.FargateService{
		Name:   "docs",
		Source: props.GitHubToken{Owner: "kzmorita", Repo: "docs", SecretName: "github"},
		VPC: props.ExistingVPC{
			ID: "vpc-0a1b2c3d4e5f67890", CIDR: "172.31.0.0/16", AvailabilityZones: []string{"us-east-1a", "us-east-1b"},
			PublicSubnets:  []string{"subnet-0a1b2c3d4e5f67890", "subnet-0a1b2c3d4e5f67891"},
			PrivateSubnets: []string{"subnet-0a1b2c3d4e5f67892", "subnet-0a1b2c3d4e5f67893"},
		},
		Controller: props.ControllerECS,
		Hook:       props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E2QWRUHAPOMQZN"}}},
	}
	// search is deployed by ECS as well, to a named account and region.
	search = props.FargateService{
		Name: "search", Account: account, Region: "us-west-2",
		Source:       props.GitHubConnection{Owner: "kzmorita", Repo: "search", ConnectionARN: connectionARN},
		Container:    props.Container{InitialImage: "public.ecr.aws/docker/library/httpd:2.4.65"},
		LoadBalancer: props.LoadBalancer{AllowFrom: []string{"192.0.2.0/24", "203.0.113.0/24"}},
		Controller:   props.ControllerECS, Shift: props.ShiftLinear, KeepOld: 10 * time.Minute, AlarmNames: []string{"search-latency"},
		Scaling: props.Scaling{MinTasks: 3, MaxTasks: 12, CPUPercent: 50, RequestsPerTask: 1000},
		Hook: props.Hook{
			Invalidations: []props.Invalidation{{DistributionID: "E2QWRUHAPOMQZP", Paths: []string{"/search/*"}}},
			Events:        []props.HookEvent{props.HookEventPreProductionTrafficShift, props.HookEventProductionTrafficShift}, Deadline: 20 * time.Minute,
		},
	}
	// cheap costs what is needed, and no more.
	cheap = props.FargateService{
		Name: "cheap", Account: account, Region: "us-east-1",
		Source:       props.GitHubConnection{Owner: "kzmorita", Repo: "cheap", ConnectionARN: connectionARN},
		VPC:          props.NewVPC{CIDR: "10.0.0.0/24", AvailabilityZones: []string{"us-east-1b", "us-east-1d"}, PublicTasks: true},
		LoadBalancer: props.LoadBalancer{Internal: true, OriginPrefixListID: "pl-3b927c52"},
		Hook:         props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E2QWRUHAPOMQZT"}}},
	}
	// inner is in a network without public subnets.
	inner = props.FargateService{
		Name:   "inner",
		Source: props.GitHubConnection{Owner: "kzmorita", Repo: "inner", ConnectionARN: connectionARN},
		VPC: props.ExistingVPC{
			ID: "vpc-0a1b2c3d4e5f67890", CIDR: "172.31.0.0/16", AvailabilityZones: []string{"us-east-1a", "us-east-1b"},
			PrivateSubnets: []string{"subnet-0a1b2c3d4e5f67892", "subnet-0a1b2c3d4e5f67893"},
		},
		Container: props.Container{InitialImage: account + ".dkr.ecr.us-east-1.amazonaws.com/team/first@sha256:" + strings.Repeat("0a", 32)},
		Cluster:   "production",
		LoadBalancer: props.LoadBalancer{
			Internal: true, CertificateARN: "arn:aws:acm:us-east-1:" + account + ":certificate/" + uuid,
			AllowFrom: []string{"10.0.0.0/8"}, OriginPrefixListID: "pl-3b927c52",
		},
		Controller: props.ControllerECS,
		Hook:       props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E2QWRUHAPOMQZV"}}},
	}
	// secretive has as many secrets as a role has room for.
	secretive = props.FargateService{
		Name: "secretive", Account: account, Region: "ap-northeast-1",
		Source: props.GitHubConnection{Owner: "kzmorita", Repo: "secretive", ConnectionARN: connectionARN},
		Container: props.Container{
			Environment:   map[string]string{"FORMAT": "${AWS::Region} ${level} ${!x} ${ $5"},
			FormerSecrets: append(several(42, storeSecret+x(85)+"%02d-AbCdEf"), several(42, "/"+x(85)+"%02d")...),
			SecretKeyARNs: several(10, storeKey+"%d"),
		},
		Hook: props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E2QWRUHAPOMQZW"}}},
	}
	// shared is in a network and a cluster that are there.
	shared = props.FargateService{
		Name:   "shared",
		Source: props.GitHubConnection{Owner: "kzmorita", Repo: "shared", ConnectionARN: connectionARN},
		VPC: props.ExistingVPC{
			ID: "vpc-0a1b2c3d4e5f67890", CIDR: "172.31.0.0/16", AvailabilityZones: []string{"us-east-1a", "us-east-1b"},
			PublicSubnets: []string{"subnet-0a1b2c3d4e5f67890", "subnet-0a1b2c3d4e5f67891"}, PublicTasks: true,
		},
		Cluster: "production",
		Hook:    props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E2QWRUHAPOMQZU"}}},
	}
)

// changedFixtures are services from above whose owners have changed all that can be
// changed, or taken it away.
var changedFixtures = []props.Service{
	props.FargateService{
		Name:   "api",
		Source: props.GitHubConnection{Owner: "another", Repo: "api2", ConnectionARN: connectionARN, FullClone: true},
		Build:  props.ImageBuild{ComputeType: props.ComputeTypeLarge, Timeout: time.Hour, LogRetentionDays: 7},
		Container: props.Container{
			HealthCheckPath: "/healthz", CPU: 1024, MemoryMiB: 3072,
			Environment: map[string]string{"LOG_LEVEL": "info"}, Secrets: map[string]string{"API_TOKEN": "/api/token"},
			Dockerfile: "docker/api.Dockerfile", Context: "services/api",
			InitialImage: props.DefaultInitialImage, LogRetentionDays: 14, // the image as it was, by its name
		},
		LoadBalancer: props.LoadBalancer{
			CertificateARN: "arn:aws:acm:us-east-1:" + account + ":certificate/" + uuid,
			AllowFrom:      []string{"192.0.2.0/24"}, OriginPrefixListID: "pl-3b927c52", TestPort: 9443, TestFrom: []string{"198.51.100.7/32"},
		},
		Scaling: props.Scaling{MinTasks: 4, MaxTasks: 4, RequestsPerTask: 600},
		Shift:   props.ShiftLinear, KeepOld: time.Hour, MaxErrorPercent: 50, AlarmNames: []string{"api-latency", "api-memory"},
		Hook: props.Hook{
			Invalidations: []props.Invalidation{{DistributionID: "E2QWRUHAPOMQZR", Paths: []string{"/api/*"}}},
			Events:        []props.HookEvent{props.HookEventAfterAllowTestTraffic, props.HookEventAfterAllowTraffic}, OnFailure: props.OnFailureFail,
			Deadline: 5 * time.Minute, NoWait: true, LogRetentionDays: 7,
		},
		Notifications: props.Notifications{Emails: []string{"you@api.dev"}, TopicARN: "arn:aws:sns:us-east-1:" + account + ":alerts"},
		ExecutionMode: props.ExecutionModeQueued,
	},
	func() props.Service {
		s := store
		s.Build, s.LoadBalancer, s.Shift, s.KeepOld = props.ImageBuild{}, props.LoadBalancer{}, "", 0
		s.AlarmNames, s.MaxErrorPercent, s.Scaling = nil, 100, props.Scaling{}
		s.Container = props.Container{Port: 8080, HealthCheckPath: "/healthz", Architecture: props.ArchitectureX86_64, InitialImage: store.Container.InitialImage}
		s.Hook, s.Notifications, s.ExecutionMode = props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E2QWRUHAPOMQZS"}}}, props.Notifications{}, ""
		return s
	}(),
	func() props.Service {
		s := search
		s.AlarmNames, s.MaxErrorPercent, s.Scaling = nil, 100, props.Scaling{}
		s.Container.CPU, s.Container.Environment = 512, map[string]string{"LOG_LEVEL": "info"}
		return s
	}(),
}

var fargateFixtures = []props.Service{api, store, docs, search, cheap, inner, shared}

// TestVariablesAreLiteral: CloudFormation gives the task what the owner has written.
func TestVariablesAreLiteral(t *testing.T) {
	tmpl := changedTemplates[secretive.StackName()]
	for _, task := range tmpl.OfType("AWS::ECS::TaskDefinition") {
		if variables := at(t, tmpl, task.Properties, "ContainerDefinitions", 0, "Environment"); variables != nil {
			equal(t, "variables", variables, []any{map[string]any{"Name": "FORMAT", "Value": secretive.Container.Environment["FORMAT"]}})
			return
		}
	}
	t.Error("no task has the variable")
}

// TestPoliciesFit holds what CDK divides the grants of a role into against IAM's limits.
func TestPoliciesFit(t *testing.T) {
	if n := secretive.Container.GrantsSize(); n < props.MaxGrants-1000 || n > props.MaxGrants {
		t.Errorf("secretive's grants are %d characters, want nearly %d", n, props.MaxGrants)
	}
	all := maps.Clone(templates)
	maps.Copy(all, changedTemplates)
	for name, tmpl := range all {
		for _, kind := range []struct {
			cfnType     string
			size, count int
		}{{"AWS::IAM::Policy", 10240, 1}, {"AWS::IAM::ManagedPolicy", 6144, 10}} {
			count := map[string]int{}
			for _, policy := range tmpl.OfType(kind.cfnType) {
				resolved, err := tmpl.Resolve(policy.Properties["PolicyDocument"])
				if err != nil {
					t.Fatal(err)
				}
				if n := len(contract.JSON(resolved)); n > kind.size {
					t.Errorf("%s: %s has %d characters, and IAM takes %d", name, policy.ID, n, kind.size)
				}
				role := fmt.Sprint(policy.Properties["Roles"])
				if count[role]++; count[role] > kind.count {
					t.Errorf("%s: %s has more than %d of %s", name, role, kind.count, kind.cfnType)
				}
			}
		}
	}
}

func fargateTemplate(t *testing.T, s props.FargateService) *assembly.Template {
	t.Helper()
	return stackTemplate(t, s.StackName())
}

// eachFargate runs check on the template of every service that is made from nothing.
func eachFargate(t *testing.T, check func(t *testing.T, s props.FargateService, tmpl *assembly.Template)) {
	t.Helper()
	for _, s := range fargateFixtures {
		s := s.(props.FargateService)
		t.Run(s.Name, func(t *testing.T) { check(t, s, fargateTemplate(t, s)) })
	}
}

// TestServiceRefuses breaks one thing at a time, as TestValidateRefuses does.
func TestServiceRefuses(t *testing.T) {
	container := func(change func(*props.Container)) func(*props.FargateService) {
		return func(s *props.FargateService) { change(&s.Container) }
	}
	balancer := func(change func(*props.LoadBalancer)) func(*props.FargateService) {
		return func(s *props.FargateService) { change(&s.LoadBalancer) }
	}
	existing := func(change func(*props.ExistingVPC)) func(*props.FargateService) {
		return func(s *props.FargateService) {
			vpc := docs.VPC.(props.ExistingVPC)
			vpc.AvailabilityZones = slices.Clone(vpc.AvailabilityZones)
			vpc.PublicSubnets = slices.Clone(vpc.PublicSubnets)
			vpc.PrivateSubnets = slices.Clone(vpc.PrivateSubnets)
			change(&vpc)
			s.VPC = vpc
		}
	}
	secret := func(at string) func(*props.FargateService) {
		return container(func(c *props.Container) { c.Secrets = map[string]string{"TOKEN": at} })
	}
	const token = "ghp_0123456789abcdef0123456789abcdef0123"
	tests := []struct {
		name   string
		change func(*props.FargateService)
		want   string
	}{
		{"no name", func(s *props.FargateService) { s.Name = "" }, `service "": Name is ""`},
		{"name too long", func(s *props.FargateService) { s.Name = strings.Repeat("x", 50) }, "at most 49"},
		{"account", func(s *props.FargateService) { s.Account = "1" }, `service "api": Account is "1"`},
		{"region of China", func(s *props.FargateService) { s.Region = "cn-north-1" }, "commercial regions"},
		{"no source", func(s *props.FargateService) { s.Source = nil }, "Source is"},
		{"no owner", func(s *props.FargateService) {
			s.Source = props.GitHubConnection{Repo: "api", ConnectionARN: connectionARN}
		}, "Source.Owner"},

		{"build's machine", func(s *props.FargateService) { s.Build.ComputeType = "HUGE" }, `Build.ComputeType is "HUGE"`},
		{"build's timeout", func(s *props.FargateService) { s.Build.Timeout = time.Minute }, "Build.Timeout is 1m0s"},
		{"build's days of log", func(s *props.FargateService) { s.Build.LogRetentionDays = 2 }, "Build.LogRetentionDays is 2"},

		{"port", container(func(c *props.Container) { c.Port, c.InitialImage = 65536, "nginx" }), "Container.Port is 65536: must be the port"},
		{"negative port", container(func(c *props.Container) { c.Port, c.InitialImage = -1, "nginx" }), "Container.Port is -1"},
		{"health check without slash", container(func(c *props.Container) { c.HealthCheckPath, c.InitialImage = "healthz", "nginx" }), `Container.HealthCheckPath is "healthz": must be a path`},
		{"health check with a space", container(func(c *props.Container) { c.HealthCheckPath, c.InitialImage = "/a b", "nginx" }), "Container.HealthCheckPath"},
		{"health check too long", container(func(c *props.Container) { c.HealthCheckPath, c.InitialImage = "/"+strings.Repeat("a", 1024), "nginx" }), "at most 1024 characters"},
		{"CPU", container(func(c *props.Container) { c.CPU = 100 }), "Container.CPU is 100: must be one of [256 512 1024 2048 4096 8192 16384]"},
		{"memory between steps", container(func(c *props.Container) { c.MemoryMiB = 1536 }), "Container.MemoryMiB is 1536: with CPU 256, Fargate takes 512, 1024 or 2048"},
		{"too little memory", container(func(c *props.Container) { c.CPU, c.MemoryMiB = 1024, 1024 }), "with CPU 1024, Fargate takes from 2048 to 8192 by steps of 1024"},
		{"too much memory", container(func(c *props.Container) { c.CPU, c.MemoryMiB = 4096, 31744 }), "from 8192 to 30720"},
		{"memory off the step", container(func(c *props.Container) { c.CPU, c.MemoryMiB = 8192, 17408 }), "by steps of 4096"},
		{"variable", container(func(c *props.Container) { c.Environment = map[string]string{"A-B": ""} }), `Container.Environment is "A-B"`},
		{"key of AWS", container(func(c *props.Container) { c.Environment = map[string]string{"AWS_ACCESS_KEY_ID": "x"} }), "it has a role"},
		{"token as variable", container(func(c *props.Container) { c.Environment = map[string]string{"T": token} }), "revoke it"},
		{"secret's variable", container(func(c *props.Container) { c.Secrets = map[string]string{"A-B": "/a"} }), `Container.Secrets is "A-B"`},
		{"secret twice", container(func(c *props.Container) {
			c.Secrets, c.Environment = map[string]string{"A": "/a"}, map[string]string{"A": "b"}
		}), "is in Environment too"},
		{"token as secret", secret(token), `Container.Secrets["TOKEN"] is a token or key (hidden): revoke it`},
		{"part of a secret's ARN", secret("arn:aws:secretsmanager:us-east-1:" + account + ":secret:api"), "or a secret's full ARN"},
		{"secret of another account", func(s *props.FargateService) {
			s.Account, s.Container.Secrets = account, map[string]string{"A": "arn:aws:secretsmanager:us-east-1:999999999999:secret:api-AbCdEf"}
		}, "must be in the service's Account"},
		{"parameter", secret("/a b"), "must be a parameter's name"},
		{"label and id of a version", secret("arn:aws:secretsmanager:us-east-1:" + account + ":secret:api-AbCdEf:a:AWSPREVIOUS:" + uuid), "or :password:: and the id of one"},
		{"part of an ARN that ends like one", secret("arn:aws:secretsmanager:us-east-1:" + account + ":secret:prod/db-secret"),
			"--secret-id prod/db-secret --query ARN shows it). If it is the full one, name a version, too: arn:aws:secretsmanager:us-east-1:" + account + ":secret:prod/db-secret::AWSCURRENT:"},
		{"field behind such a part", secret("arn:aws:secretsmanager:us-east-1:" + account + ":secret:prod/db-Secret:password::"), ":secret:prod/db-Secret:password:AWSCURRENT:"},
		{"former secret that ends like a full ARN", container(func(c *props.Container) {
			c.FormerSecrets = []string{"arn:aws:secretsmanager:us-east-1:" + account + ":secret:api-202401"}
		}), "Container.FormerSecrets[0] is"},
		{"former secret", container(func(c *props.Container) { c.FormerSecrets = []string{"a/b"} }), `Container.FormerSecrets[0] is "a/b": must be a parameter's name`},
		{"key without a secret", container(func(c *props.Container) {
			c.SecretKeyARNs = []string{"arn:aws:kms:us-east-1:" + account + ":key/" + uuid}
		}), "Container.SecretKeyARNs is \"1 keys\": must be empty"},
		{"key twice", container(func(c *props.Container) {
			key := "arn:aws:kms:us-east-1:" + account + ":key/" + uuid
			c.Secrets, c.SecretKeyARNs = map[string]string{"A": "/a"}, []string{key, key}
		}), "Container.SecretKeyARNs[1] is"},
		{"too many keys", container(func(c *props.Container) {
			c.Secrets, c.SecretKeyARNs = map[string]string{"A": "/a"}, several(11, "arn:aws:kms:us-east-1:123456789012:key/%d")
		}), "must be at most 10"},
		{"more secrets than a role has room for", container(func(c *props.Container) {
			c.FormerSecrets = several(900, "/api/%d")
		}), `Container.Secrets is "0 secrets": with FormerSecrets and SecretKeyARNs, the grants of all are`},
		{"more variables than a task definition has room for", container(func(c *props.Container) {
			c.Environment = map[string]string{}
			for _, name := range several(1200, "VARIABLE_OF_THE_SERVICE_%d") {
				c.Environment[name] = "1"
			}
		}), `Container.Environment is "1200 variables": with Secrets they are`},
		{"former secret twice", container(func(c *props.Container) { c.FormerSecrets = []string{"/a", "/a"} }), `Container.FormerSecrets[1] is "/a": is there twice; name it once`},
		{"former secret that is none", container(func(c *props.Container) {
			c.Secrets, c.FormerSecrets = map[string]string{"A": "/a"}, []string{"/a"}
		}), "is in Secrets too; keep one of them"},
		{"token as former secret", container(func(c *props.Container) { c.FormerSecrets = []string{token} }), "Container.FormerSecrets[0] is a token or key (hidden)"},
		{"architecture", container(func(c *props.Container) { c.Architecture = "RISCV" }), `Container.Architecture is "RISCV": must be one of "ARM64", "X86_64"`},
		{"Dockerfile outside", container(func(c *props.Container) { c.Dockerfile = "../Dockerfile" }), "Container.Dockerfile"},
		{"Dockerfile is a folder", container(func(c *props.Container) { c.Dockerfile = "." }), `Container.Dockerfile is "."`},
		{"context outside", container(func(c *props.Container) { c.Context = ".." }), `Container.Context is ".."`},
		{"context from the root", container(func(c *props.Container) { c.Context = "/src" }), "Container.Context"},
		{"no initial image for the port", container(func(c *props.Container) { c.Port = 8080 }), `Container.InitialImage is "": must be an image that answers on port 8080 at /: the default one does on 80 at /`},
		{"no initial image for the path", container(func(c *props.Container) { c.HealthCheckPath = "/healthz" }), "on port 80 at /healthz"},
		{"initial image", container(func(c *props.Container) { c.InitialImage = "-x" }), "Container.InitialImage"},
		{"initial image of no region", container(func(c *props.Container) { c.InitialImage = account + ".dkr.ecr.us-east-9.amazonaws.com/api:1" }), "must be public, or in ECR as"},
		{"initial image of another kind of address", container(func(c *props.Container) { c.InitialImage = account + ".dkr-ecr.us-east-1.on.aws/api:1" }), "must be public, or in ECR as"},
		{"container's days of log", container(func(c *props.Container) { c.LogRetentionDays = 2 }), "Container.LogRetentionDays is 2"},

		{"negative tasks", func(s *props.FargateService) { s.DesiredCount = -1 }, "DesiredCount is -1: must be from 1 to 100"},
		{"too many tasks", func(s *props.FargateService) { s.DesiredCount = 101 }, "DesiredCount is 101"},
		{"tasks that scaling sets", func(s *props.FargateService) {
			s.Controller, s.DesiredCount, s.Scaling = props.ControllerECS, 3, props.Scaling{MaxTasks: 6, CPUPercent: 60}
		}, "DesiredCount is 3: must be left out: with Scaling, AWS sets the number, from Scaling.MinTasks to Scaling.MaxTasks"},
		{"scaling without most", func(s *props.FargateService) { s.Scaling = props.Scaling{CPUPercent: 60} }, "Scaling.MaxTasks is 0: must be from 2, the least, to 100 tasks"},
		{"scaling without target", func(s *props.FargateService) { s.Scaling = props.Scaling{MinTasks: 2, MaxTasks: 6} }, "Scaling.CPUPercent is 0: must be set, such as to 60, or RequestsPerTask must"},
		{"negative least", func(s *props.FargateService) { s.Scaling = props.Scaling{MinTasks: -1, MaxTasks: 6, CPUPercent: 60} }, "Scaling.MinTasks is -1: must be from 1 to 100"},
		{"least above 100", func(s *props.FargateService) { s.Scaling = props.Scaling{MinTasks: 101, MaxTasks: 100, CPUPercent: 60} }, "Scaling.MinTasks is 101: must be from 1 to 100"},
		{"most below the least", func(s *props.FargateService) { s.Scaling = props.Scaling{MinTasks: 4, MaxTasks: 3, CPUPercent: 60} }, "Scaling.MaxTasks is 3: must be from 4, the least, to 100 tasks"},
		{"most below the default least", func(s *props.FargateService) { s.Scaling = props.Scaling{MaxTasks: 1, CPUPercent: 60} }, "Scaling.MaxTasks is 1: must be from 2, the least"},
		{"most above 100", func(s *props.FargateService) { s.Scaling = props.Scaling{MaxTasks: 101, CPUPercent: 60} }, "Scaling.MaxTasks is 101"},
		{"all of the CPU", func(s *props.FargateService) { s.Scaling = props.Scaling{MaxTasks: 6, CPUPercent: 100} }, "Scaling.CPUPercent is 100: must be from 1 to 99 percent"},
		{"negative CPU", func(s *props.FargateService) { s.Scaling = props.Scaling{MaxTasks: 6, CPUPercent: -1} }, "Scaling.CPUPercent is -1"},
		{"negative requests", func(s *props.FargateService) { s.Scaling = props.Scaling{MaxTasks: 6, RequestsPerTask: -1} }, "Scaling.RequestsPerTask is -1: must be 1 or more requests a minute"},

		{"start time", func(s *props.FargateService) { s.StartTime = time.Hour }, "StartTime is 1h0m0s: must be whole seconds, from 10 seconds to 15 minutes"},
		{"start time by half seconds", func(s *props.FargateService) { s.StartTime = 10500 * time.Millisecond }, "StartTime is 10.5s"},

		{"network by pointer", func(s *props.FargateService) { s.VPC = &props.NewVPC{} }, `VPC is a *props.NewVPC: must be a props.NewVPC{…} or a props.ExistingVPC{…}`},
		{"no range", func(s *props.FargateService) { s.VPC = props.NewVPC{CIDR: "10.0.0.0"} }, `VPC.CIDR is "10.0.0.0": must be a range of IPv4 addresses`},
		{"range not from its start", func(s *props.FargateService) { s.VPC = props.NewVPC{CIDR: "10.0.0.1/16"} }, "by its first one"},
		{"range of IPv6", func(s *props.FargateService) { s.VPC = props.NewVPC{CIDR: "fd00::/16"} }, "IPv4"},
		{"range too wide", func(s *props.FargateService) { s.VPC = props.NewVPC{CIDR: "10.0.0.0/8"} }, "from 16 to 24 bits"},
		{"range too narrow", func(s *props.FargateService) { s.VPC = props.NewVPC{CIDR: "10.0.0.0/25"} }, "from 16 to 24 bits"},
		{"public range", func(s *props.FargateService) { s.VPC = props.NewVPC{CIDR: "8.8.0.0/16"} }, "must be private"},
		{"gateways", func(s *props.FargateService) { s.VPC = props.NewVPC{NATGateways: 3} }, "VPC.NATGateways is 3: must be 1 or 2"},
		{"no gateways", func(s *props.FargateService) { s.VPC = props.NewVPC{NATGateways: -1} }, "Without any, PublicTasks gives the tasks public addresses"},
		{"gateways nobody needs", func(s *props.FargateService) { s.VPC = props.NewVPC{NATGateways: 1, PublicTasks: true} }, "VPC.NATGateways is 1: must be left out: with PublicTasks"},
		{"too little room", func(s *props.FargateService) { s.VPC, s.DesiredCount = props.NewVPC{CIDR: "10.0.0.0/24"}, 59 }, `VPC.CIDR is "10.0.0.0/24": has 59 addresses for tasks in each zone, and a deployment of 59 takes 60 there; use a wider range, of 23 bits`},
		{"too little room for the most tasks", func(s *props.FargateService) {
			s.VPC, s.Scaling = props.NewVPC{CIDR: "10.0.0.0/24"}, props.Scaling{MaxTasks: 60, CPUPercent: 60}
		}, "a deployment of 60 takes 60 there"},
		{"too little room beside the load balancer", func(s *props.FargateService) {
			s.VPC, s.DesiredCount = props.NewVPC{CIDR: "10.0.0.0/24", PublicTasks: true}, 50
		}, "has 49 addresses for tasks in each zone"},
		{"too little room beside an internal load balancer", func(s *props.FargateService) {
			*s = cheap
			s.VPC, s.DesiredCount = props.NewVPC{CIDR: "10.0.0.0/24", AvailabilityZones: cheap.VPC.(props.NewVPC).AvailabilityZones}, 50
		}, "has 49 addresses for tasks in each zone"},
		{"cluster's ARN", func(s *props.FargateService) { s.Cluster = "arn:aws:ecs:us-east-1:" + account + ":cluster/production" }, "must be a cluster's name (not its ARN)"},
		{"cluster's name too long", func(s *props.FargateService) { s.Cluster = strings.Repeat("c", 256) }, "Cluster is"},
		{"network's id", existing(func(v *props.ExistingVPC) { v.ID = "default" }), `VPC.ID is "default": must be a VPC's id`},
		{"network's range", existing(func(v *props.ExistingVPC) { v.CIDR = "" }), `VPC.CIDR is ""`},
		{"one zone", existing(func(v *props.ExistingVPC) {
			v.AvailabilityZones, v.PublicSubnets, v.PrivateSubnets = v.AvailabilityZones[:1], v.PublicSubnets[:1], v.PrivateSubnets[:1]
		}), "must be 2 or more"},
		{"zone's id", existing(func(v *props.ExistingVPC) { v.AvailabilityZones[0] = "use1-az1" }), `VPC.AvailabilityZones[0] is "use1-az1": must be a zone's name`},
		{"zone of another region", func(s *props.FargateService) {
			s.Region, s.VPC = "us-east-2", docs.VPC
			vpc := docs.VPC.(props.ExistingVPC)
			vpc.AvailabilityZones = []string{"us-east-2a", "us-east-1b"}
			s.VPC = vpc
		}, `VPC.AvailabilityZones[1] is "us-east-1b": must be in the service's Region, us-east-2`},
		{"zone twice", existing(func(v *props.ExistingVPC) { v.AvailabilityZones[1] = v.AvailabilityZones[0] }), "is there twice"},
		{"too few subnets", existing(func(v *props.ExistingVPC) { v.PrivateSubnets = v.PrivateSubnets[:1] }), `VPC.PrivateSubnets is "1 subnets": must be one for each of the 2 AvailabilityZones`},
		{"subnet", existing(func(v *props.ExistingVPC) { v.PublicSubnets[1] = "public" }), `VPC.PublicSubnets[1] is "public": must be a subnet's id`},
		{"private subnets with public tasks", existing(func(v *props.ExistingVPC) { v.PublicTasks = true }), `VPC.PrivateSubnets is "2 subnets": must be left out: with PublicTasks the tasks are in PublicSubnets`},
		{"no public subnets", existing(func(v *props.ExistingVPC) { v.PublicTasks, v.PublicSubnets, v.PrivateSubnets = true, nil, nil }), `VPC.PublicSubnets is "0 subnets": must be one for each of the 2`},
		{"public subnets nobody uses", func(s *props.FargateService) {
			s.VPC, s.LoadBalancer = docs.VPC, cheap.LoadBalancer
		}, `VPC.PublicSubnets is "2 subnets": must be left out: with LoadBalancer.Internal the load balancer is in PrivateSubnets`},
		{"no private subnets for the load balancer", func(s *props.FargateService) {
			s.VPC, s.LoadBalancer = shared.VPC, cheap.LoadBalancer
		}, `VPC.PrivateSubnets is "0 subnets": must be one for each of the 2`},
		{"one zone of two", func(s *props.FargateService) { s.VPC = props.NewVPC{AvailabilityZones: []string{"us-east-1a"}} }, `VPC.AvailabilityZones is "1 zones": must be two, or left out`},
		{"zone that is none", func(s *props.FargateService) {
			s.VPC = props.NewVPC{AvailabilityZones: []string{"use1-az1", "us-east-1a"}}
		}, `VPC.AvailabilityZones[0] is "use1-az1": must be a zone's name`},
		{"zones that CloudFront may not reach", func(s *props.FargateService) { s.Region, s.LoadBalancer = "us-east-1", cheap.LoadBalancer }, `VPC.AvailabilityZones is "": must name two zones: with LoadBalancer.Internal, they must not be use1-az3,`},
		{"zones of a region that is not known", func(s *props.FargateService) { s.LoadBalancer = cheap.LoadBalancer }, "they must not be any of apne1-az3, apne2-az1, cac1-az3, use1-az3, usw1-az2,"},
		{"subnet for both", existing(func(v *props.ExistingVPC) { v.PrivateSubnets[0] = v.PublicSubnets[0] }), "is there twice; a subnet is in one zone, and either public or private"},

		{"certificate's domain", balancer(func(l *props.LoadBalancer) { l.CertificateARN = "api.example.com" }), "LoadBalancer.CertificateARN"},
		{"CloudFront's certificate", func(s *props.FargateService) {
			*s = store
			s.LoadBalancer.CertificateARN = strings.Replace(s.LoadBalancer.CertificateARN, "ap-northeast-1", "us-east-1", 1)
		}, "must be in the service's Region, ap-northeast-1"},
		{"certificate of another account", func(s *props.FargateService) {
			*s = store
			s.LoadBalancer.CertificateARN = strings.Replace(s.LoadBalancer.CertificateARN, account, "999999999999", 1)
		}, "must be in the service's Account"},
		{"no redirect without a certificate", balancer(func(l *props.LoadBalancer) { l.NoRedirect = true }), "LoadBalancer.NoRedirect is true: belongs to a LoadBalancer.CertificateARN"},
		{"allowed address", balancer(func(l *props.LoadBalancer) { l.AllowFrom = []string{"192.0.2.1"} }), `LoadBalancer.AllowFrom[0] is "192.0.2.1"`},
		{"allowed twice", balancer(func(l *props.LoadBalancer) { l.AllowFrom = []string{"192.0.2.0/24", "192.0.2.0/24"} }), `LoadBalancer.AllowFrom[1] is "192.0.2.0/24": is there twice`},
		{"prefix list's name", balancer(func(l *props.LoadBalancer) { l.OriginPrefixListID = "com.amazonaws.global.cloudfront.origin-facing" }), "LoadBalancer.OriginPrefixListID"},
		{"internal without CloudFront", func(s *props.FargateService) {
			s.VPC, s.LoadBalancer = cheap.VPC, props.LoadBalancer{Internal: true}
		}, `LoadBalancer.OriginPrefixListID is "": must be the id of com.amazonaws.global.cloudfront.origin-facing`},
		{"internal for all", func(s *props.FargateService) {
			*s = cheap
			s.LoadBalancer.AllowFrom = []string{"10.0.0.0/8", "0.0.0.0/0"}
		}, `LoadBalancer.AllowFrom[1] is "0.0.0.0/0": must be a private range`},
		{"internal for a tester outside", func(s *props.FargateService) {
			*s = cheap
			s.LoadBalancer.TestFrom = []string{"198.51.100.7/32"}
		}, `LoadBalancer.TestFrom[0] is "198.51.100.7/32": must be a private range`},
		{"too many rules", balancer(func(l *props.LoadBalancer) { l.AllowFrom = several(60, "192.0.2.%d/32") }), `LoadBalancer.AllowFrom is "60 ranges": makes 61 rules with the others, and a security group takes 60`},
		{"test port of production", balancer(func(l *props.LoadBalancer) { l.TestPort = 443 }), "LoadBalancer.TestPort is 443: is a port of production"},
		{"test port", balancer(func(l *props.LoadBalancer) { l.TestPort = 70000 }), "from 1 to 65535"},
		{"tester", balancer(func(l *props.LoadBalancer) { l.TestFrom = []string{"me"} }), `LoadBalancer.TestFrom[0] is "me"`},

		{"controller", func(s *props.FargateService) { s.Controller = "EXTERNAL" }, `Controller is "EXTERNAL": must be one of "CODE_DEPLOY", "ECS"`},
		{"shift", func(s *props.FargateService) { s.Shift = "slowly" }, `Shift is "slowly": must be one of "all-at-once", "canary", "linear"`},
		{"old version too short", func(s *props.FargateService) { s.KeepOld = time.Second }, "KeepOld is 1s: must be whole minutes, from 1 minute to 24 hours"},
		{"old version too long", func(s *props.FargateService) { s.KeepOld = 25 * time.Hour }, "KeepOld is 25h0m0s"},
		{"percent", func(s *props.FargateService) { s.MaxErrorPercent = 101 }, "MaxErrorPercent is 101: must be from 1 to 100"},
		{"too many alarms", func(s *props.FargateService) { s.AlarmNames = strings.Split("abcdefghi", "") }, `AlarmNames is "9 alarms": must be at most 8`},
		{"alarm twice", func(s *props.FargateService) { s.AlarmNames = []string{"a", "b", "a"} }, `AlarmNames[2] is "a": is there twice; name it once`},
		{"alarm", func(s *props.FargateService) { s.AlarmNames = []string{"api-*"} }, `AlarmNames[0] is "api-*"`},
		{"no distribution", func(s *props.FargateService) { s.Hook = props.Hook{} }, `Hook.Invalidations is "0 distributions"`},
		{"event of ECS", func(s *props.FargateService) {
			s.Hook.Events = []props.HookEvent{props.HookEventProductionTrafficShift}
		}, `Hook.Events[0] is "PRODUCTION_TRAFFIC_SHIFT"`},
		{"event of CodeDeploy", func(s *props.FargateService) {
			s.Controller, s.Hook.Events = props.ControllerECS, []props.HookEvent{props.HookEventAfterAllowTraffic}
		}, `Hook.Events[0] is "AfterAllowTraffic"`},
		{"address", func(s *props.FargateService) { s.Notifications.Emails = []string{"me"} }, `Notifications.Emails[0] is "me"`},
		{"mode", func(s *props.FargateService) { s.ExecutionMode = "PARALLEL" }, `ExecutionMode is "PARALLEL"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			given := api
			tt.change(&given)
			err := given.Validate()
			wantProblem(t, err, tt.want)
			if strings.Contains(err.Error(), token) {
				t.Errorf("the error shows the token: %v", err)
			}
		})
	}
}

func TestServiceAccepts(t *testing.T) {
	for _, s := range fargateFixtures {
		if err := s.Validate(); err != nil {
			t.Error(err)
		}
	}
	// Ranges that an internal load balancer can be reached from, and regions whose zones
	// CloudFront reaches all.
	given := search
	given.LoadBalancer = props.LoadBalancer{
		Internal: true, OriginPrefixListID: "pl-82a045eb",
		AllowFrom: []string{"172.16.0.0/12", "192.168.1.0/24", "100.64.0.0/10"}, TestFrom: []string{"10.1.2.3/32"},
	}
	if err := given.Validate(); err != nil {
		t.Error(err)
	}
	// Public tasks have their subnets for themselves then.
	given = cheap
	given.DesiredCount = 58
	if err := given.Validate(); err != nil {
		t.Error(err)
	}
	vpc := inner.VPC.(props.ExistingVPC)
	vpc.CIDR = "172.40.0.0/16"
	given = inner
	given.VPC, given.LoadBalancer.AllowFrom = vpc, []string{"172.40.3.0/24"}
	if err := given.Validate(); err != nil {
		t.Error(err)
	}
	// Names that only look as if they led outside.
	given = api
	given.Container.Dockerfile, given.Container.Context = "..x/Dockerfile", "..x"
	if err := given.Validate(); err != nil {
		t.Error(err)
	}
	given.Container.Context = "."
	if err := given.Validate(); err != nil {
		t.Error(err)
	}
	for cpu, pair := range props.Memories {
		for _, memory := range []int{0, 2 * cpu, pair.Most} {
			given := api
			given.Container.CPU, given.Container.MemoryMiB = cpu, memory
			if err := given.Validate(); err != nil {
				t.Errorf("CPU %d, memory %d: %v", cpu, memory, err)
			}
		}
	}
}

// An owner changes the count by hand, by these names. A cluster that is there is named,
// and none is made beside it.
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
		// An execution starts as soon as the pipeline is there.
		function := tmpl.OfType("AWS::Lambda::Function")[0].ID
		if after := tmpl.OfType("AWS::CodePipeline::Pipeline")[0].DependsOn; !slices.Contains(after, function) {
			t.Errorf("the pipeline depends on %v, want the hook's function among them", after)
		}
	})
}

func TestServiceRoles(t *testing.T) {
	const us = "us-east-1:" + account + ":"
	ref := func(t *testing.T, tmpl *assembly.Template, cfnType string, i int) string {
		t.Helper()
		return at(t, tmpl, map[string]any{"Ref": tmpl.OfType(cfnType)[i].ID}).(string)
	}
	role := func(t *testing.T, tmpl *assembly.Template, id string) string {
		return arnOf(t, tmpl, roleID(t, tmpl, id))
	}
	repository := func(t *testing.T, tmpl *assembly.Template) string {
		return arnOf(t, tmpl, tmpl.OfType("AWS::ECR::Repository")[0].ID)
	}
	// part names something that ECS makes for the service.
	part := func(t *testing.T, tmpl *assembly.Template, kind string) string {
		return strings.Replace(ref(t, tmpl, "AWS::ECS::Service", 0), ":service/", ":"+kind+"/", 1) + "/1234567890"
	}
	tests := []struct {
		name  string
		props props.FargateService
		role  string
		calls func(t *testing.T, tmpl *assembly.Template) []call
	}{
		{"image build", api, "BuildRole", func(t *testing.T, tmpl *assembly.Template) []call {
			return []call{
				{"ecr:GetAuthorizationToken", "*", true},
				{"ecs:DescribeTaskDefinition", "*", true},
				{"ecr:BatchCheckLayerAvailability", repository(t, tmpl), true},
				{"ecr:InitiateLayerUpload", repository(t, tmpl), true},
				{"ecr:UploadLayerPart", repository(t, tmpl), true},
				{"ecr:CompleteLayerUpload", repository(t, tmpl), true},
				{"ecr:PutImage", repository(t, tmpl), true},
				{"ecr:BatchGetImage", repository(t, tmpl), true},
				{"ecr:BatchGetImage", repository(t, tmpl) + "-of-somebody-else", false},
				{"ecr:PutImage", repository(t, tmpl) + "-of-somebody-else", false},
				{"ecr:BatchDeleteImage", repository(t, tmpl), false},
				{"ecr:SetRepositoryPolicy", repository(t, tmpl), false},
				{"s3:GetObject", artifacts(t, tmpl) + "/source.zip", true},
				{"s3:PutObject", artifacts(t, tmpl) + "/image.zip", true},
				{"s3:DeleteObject", artifacts(t, tmpl) + "/image.zip", false},
				{"logs:PutLogEvents", log(t, tmpl, "BuildLog"), true},
				{"logs:PutLogEvents", log(t, tmpl, "ContainerLog"), false},
				{"ecs:UpdateService", ref(t, tmpl, "AWS::ECS::Service", 0), false},
				{"iam:PassRole", role(t, tmpl, "TaskRole"), false},
				{"codeconnections:UseConnection", connectionARN, false},
			}
		}},
		{"image build that clones", store, "BuildRole", func(*testing.T, *assembly.Template) []call {
			return []call{{"codeconnections:UseConnection", connectionARN, true}}
		}},
		{"start of a task", store, "ExecutionRole", func(t *testing.T, tmpl *assembly.Template) []call {
			return []call{
				{"ecr:GetAuthorizationToken", "*", true},
				{"ecr:BatchGetImage", repository(t, tmpl), true},
				{"ecr:GetDownloadUrlForLayer", repository(t, tmpl), true},
				{"ecr:BatchGetImage", repository(t, tmpl) + "2", false},
				{"ecr:PutImage", repository(t, tmpl), false},
				{"logs:CreateLogStream", log(t, tmpl, "ContainerLog"), true},
				{"logs:PutLogEvents", log(t, tmpl, "ContainerLog"), true},
				{"logs:PutLogEvents", log(t, tmpl, "HookLog"), false},
				{"ssm:GetParameters", "arn:aws:ssm:ap-northeast-1:" + account + ":parameter/store/token", true},
				{"ssm:GetParameters", "arn:aws:ssm:ap-northeast-1:" + account + ":parameter/store/token2", false},
				{"ssm:GetParameters", "arn:aws:ssm:ap-northeast-1:" + account + ":parameter/store/old-token", true},
				{"ssm:GetParameter", "arn:aws:ssm:ap-northeast-1:" + account + ":parameter/store/token", false},
				{"ssm:GetParameterHistory", "arn:aws:ssm:ap-northeast-1:" + account + ":parameter/store/token", false},
				{"secretsmanager:DescribeSecret", store.Container.Secrets["DATABASE"], false},
				{"secretsmanager:GetSecretValue", store.Container.Secrets["DATABASE"], true},
				{"secretsmanager:GetSecretValue", storeSecret + "old-AbCdEf", true},
				{"secretsmanager:GetSecretValue", storeSecret + "rds!cluster-" + uuid + "-AbCdEf", true},
				{"secretsmanager:GetSecretValue", storeSecret + "prod/a_b+c=d.e@f-g-AbCdEf", true},
				{"secretsmanager:GetSecretValue", storeSecret + "prod/db-secret", true},
				{"secretsmanager:GetSecretValue", storeSecret + "prod/db-secret-AbCdEf", false},
				{"secretsmanager:GetSecretValue", storeSecret + "store-AbCdEg", false},
				{"secretsmanager:GetSecretValue", storeSecret + "store-AbCdEf-AbCdEf", false},
				{"secretsmanager:GetSecretValue", storeSecret + "other-AbCdEf", false},
			}
		}},
		{"start of a private image", inner, "ExecutionRole", func(t *testing.T, tmpl *assembly.Template) []call {
			const first = "arn:aws:ecr:" + us + "repository/team/first"
			return []call{
				{"ecr:BatchCheckLayerAvailability", first, true},
				{"ecr:GetDownloadUrlForLayer", first, true},
				{"ecr:BatchGetImage", first, true},
				{"ecr:BatchGetImage", first + "2", false},
				{"ecr:PutImage", first, false},
				{"ecr:BatchGetImage", repository(t, tmpl), true},
			}
		}},
		{"task", store, "TaskRole", func(t *testing.T, tmpl *assembly.Template) []call {
			return []call{
				{"logs:PutLogEvents", log(t, tmpl, "ContainerLog"), false},
				{"secretsmanager:GetSecretValue", store.Container.Secrets["DATABASE"], false},
				{"s3:GetObject", artifacts(t, tmpl) + "/source.zip", false},
			}
		}},
		{"CodeDeploy", api, "DeploymentRole", func(t *testing.T, tmpl *assembly.Template) []call {
			const listener = "AWS::ElasticLoadBalancingV2::Listener"
			rule := strings.Replace(ref(t, tmpl, listener, 0), ":listener/", ":listener-rule/", 1) + "/1234567890abcdef"
			return append(invoking("arn:aws:lambda:"+us+"function:"+contract.HookFunctionName("api")), []call{
				{"ecs:DescribeServices", ref(t, tmpl, "AWS::ECS::Service", 0), true},
				{"ecs:UpdateServicePrimaryTaskSet", ref(t, tmpl, "AWS::ECS::Service", 0), true},
				{"ecs:CreateTaskSet", part(t, tmpl, "task-set"), true},
				{"ecs:DeleteTaskSet", part(t, tmpl, "task-set"), true},
				{"ecs:DeleteTaskSet", "arn:aws:ecs:" + us + "task-set/production/shop/1234567890", false},
				{"ecs:UpdateServicePrimaryTaskSet", ref(t, tmpl, "AWS::ECS::Service", 0) + "2", false},
				{"ecs:DeleteService", ref(t, tmpl, "AWS::ECS::Service", 0), false},
				{"elasticloadbalancing:DescribeTargetGroups", "*", true},
				{"elasticloadbalancing:DescribeListeners", "*", true},
				{"elasticloadbalancing:DescribeRules", "*", true},
				{"elasticloadbalancing:ModifyListener", ref(t, tmpl, listener, 0), true},
				{"elasticloadbalancing:ModifyListener", ref(t, tmpl, listener, 1), true},
				{"elasticloadbalancing:ModifyListener", "arn:aws:elasticloadbalancing:" + us + "listener/app/other/0123456789abcdef/0123456789abcdef", false},
				{"elasticloadbalancing:ModifyRule", rule, true},
				{"elasticloadbalancing:DeleteListener", ref(t, tmpl, listener, 0), false},
				{"lambda:InvokeFunction", "arn:aws:lambda:" + us + "function:" + contract.HookFunctionName("store"), false},
				{"cloudwatch:DescribeAlarms", "arn:aws:cloudwatch:" + us + "alarm:api-latency", true},
				{"cloudwatch:PutMetricAlarm", "arn:aws:cloudwatch:" + us + "alarm:api-latency", false},
				{"s3:GetObject", artifacts(t, tmpl) + "/image.zip", true},
				{"s3:PutObject", artifacts(t, tmpl) + "/image.zip", false},
				{"sns:Publish", "arn:aws:sns:" + us + "alerts", false},
			}...)
		}},
		{"CodeDeploy in a shared cluster", shared, "DeploymentRole", func(t *testing.T, tmpl *assembly.Template) []call {
			made := "arn:aws:ecs:" + us + "service/production/" + at(t, tmpl, tmpl.Outputs["ServiceName"].Value).(string)
			return []call{
				{"ecs:UpdateServicePrimaryTaskSet", made, true},
				{"ecs:UpdateServicePrimaryTaskSet", "arn:aws:ecs:" + us + "service/production/another", false},
				{"ecs:DeleteTaskSet", strings.Replace(made, ":service/", ":task-set/", 1) + "/1234567890", true},
				{"ecs:DeleteTaskSet", "arn:aws:ecs:" + us + "task-set/production/another/1234567890", false},
			}
		}},
		{"deploy by CodeDeploy", api, "DeployRole", func(t *testing.T, tmpl *assembly.Template) []call {
			application, group := ref(t, tmpl, "AWS::CodeDeploy::Application", 0), ref(t, tmpl, "AWS::CodeDeploy::DeploymentGroup", 0)
			const deploy = "arn:aws:codedeploy:" + us
			return []call{
				{"codedeploy:GetApplication", deploy + "application:" + application, true},
				{"codedeploy:GetApplicationRevision", deploy + "application:" + application, true},
				{"codedeploy:RegisterApplicationRevision", deploy + "application:" + application, true},
				{"codedeploy:RegisterApplicationRevision", deploy + "application:another", false},
				{"codedeploy:CreateDeployment", deploy + "deploymentgroup:" + application + "/" + group, true},
				{"codedeploy:GetDeployment", deploy + "deploymentgroup:" + application + "/" + group, true},
				{"codedeploy:CreateDeployment", deploy + "deploymentgroup:" + application + "/another", false},
				{"codedeploy:GetDeploymentConfig", deploy + "deploymentconfig:CodeDeployDefault.ECSAllAtOnce", true},
				{"codedeploy:DeleteDeploymentGroup", deploy + "deploymentgroup:" + application + "/" + group, false},
				{"ecs:RegisterTaskDefinition", "arn:aws:ecs:" + us + "task-definition/api-service:7", true},
				{"ecs:RegisterTaskDefinition", "arn:aws:ecs:" + us + "task-definition/another:7", false},
				{"ecs:UpdateService", ref(t, tmpl, "AWS::ECS::Service", 0), false},
				{"s3:GetObject", artifacts(t, tmpl) + "/image.zip", true},
				{"s3:PutObject", artifacts(t, tmpl) + "/image.zip", false},
			}
		}},
		{"deploy by ECS", docs, "DeployRole", func(t *testing.T, tmpl *assembly.Template) []call {
			made := ref(t, tmpl, "AWS::ECS::Service", 0)
			return []call{
				{"ecs:RegisterTaskDefinition", "arn:aws:ecs:" + us + "task-definition/docs-service:7", true},
				{"ecs:RegisterTaskDefinition", "arn:aws:ecs:" + us + "task-definition/docs-service-template:7", false},
				{"ecs:DeregisterTaskDefinition", "*", true},
				{"ecs:DeleteTaskDefinitions", "arn:aws:ecs:" + us + "task-definition/docs-service:7", false},
				{"ecs:UpdateService", made, true},
				{"ecs:UpdateService", made + "2", false},
				{"ecs:ListServiceDeployments", made, true},
				{"ecs:DescribeServiceDeployments", part(t, tmpl, "service-deployment"), true},
				{"ecs:DescribeServiceRevisions", part(t, tmpl, "service-revision"), true},
				{"ecs:DescribeServiceRevisions", "arn:aws:ecs:" + us + "service-revision/production/shop/1234567890", false},
				{"ecs:DeleteService", made, false},
				{"s3:GetObject", artifacts(t, tmpl) + "/image.zip", true},
				{"s3:PutObject", artifacts(t, tmpl) + "/image.zip", false},
				{"logs:PutLogEvents", log(t, tmpl, "DeployLog"), true},
				{"logs:PutLogEvents", log(t, tmpl, "BuildLog"), false},
				{"ecr:PutImage", repository(t, tmpl), false},
			}
		}},
		{"ECS's traffic", docs, "TrafficRole", func(t *testing.T, tmpl *assembly.Template) []call {
			const (
				listener = "AWS::ElasticLoadBalancingV2::Listener"
				rule     = listener + "Rule"
				group    = "AWS::ElasticLoadBalancingV2::TargetGroup"
			)
			return []call{
				{"elasticloadbalancing:DescribeListeners", "*", true},
				{"elasticloadbalancing:DescribeRules", "*", true},
				{"elasticloadbalancing:DescribeTargetGroups", "*", true},
				{"elasticloadbalancing:DescribeTargetHealth", "*", true},
				{"elasticloadbalancing:RegisterTargets", ref(t, tmpl, group, 0), true},
				{"elasticloadbalancing:DeregisterTargets", ref(t, tmpl, group, 1), true},
				{"elasticloadbalancing:RegisterTargets", "arn:aws:elasticloadbalancing:" + us + "targetgroup/other/0123456789abcdef", false},
				{"elasticloadbalancing:ModifyRule", ref(t, tmpl, rule, 0), true},
				{"elasticloadbalancing:ModifyRule", ref(t, tmpl, rule, 1), true},
				{"elasticloadbalancing:ModifyRule", ref(t, tmpl, rule, 0) + "0", false},
				{"elasticloadbalancing:ModifyListener", ref(t, tmpl, listener, 0), true},
				{"elasticloadbalancing:DeleteRule", ref(t, tmpl, rule, 0), false},
			}
		}},
		{"ECS's hook", docs, "HookInvoker", func(t *testing.T, tmpl *assembly.Template) []call {
			return invoking(arnOf(t, tmpl, tmpl.OfType("AWS::Lambda::Function")[0].ID))
		}},
		{"hook", store, "HookRole", func(t *testing.T, tmpl *assembly.Template) []call {
			group := "arn:aws:codedeploy:ap-northeast-1:" + account + ":deploymentgroup:" +
				ref(t, tmpl, "AWS::CodeDeploy::Application", 0) + "/" + ref(t, tmpl, "AWS::CodeDeploy::DeploymentGroup", 0)
			return []call{
				{"codedeploy:PutLifecycleEventHookExecutionStatus", group, true},
				{"codedeploy:PutLifecycleEventHookExecutionStatus", group + "2", false},
				{"cloudfront:CreateInvalidation", edge + "E2QWRUHAPOMQZM", true},
				{"cloudfront:CreateInvalidation", edge + "E2QWRUHAPOMQZL", false},
				{"logs:PutLogEvents", log(t, tmpl, "HookLog"), true},
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tmpl := fargateTemplate(t, tt.props)
			checkCalls(t, tmpl, tt.role, tt.calls(t, tmpl))
		})
	}
}

// Roles go to the tasks of ECS, and only the two that are theirs.
func TestPassedRoles(t *testing.T) {
	eachFargate(t, func(t *testing.T, _ props.FargateService, tmpl *assembly.Template) {
		want := []any{arnOf(t, tmpl, roleID(t, tmpl, "ExecutionRole")), arnOf(t, tmpl, roleID(t, tmpl, "TaskRole"))}
		passing := 0
		for _, policy := range tmpl.OfType("AWS::IAM::Policy") {
			for _, s := range at(t, tmpl, policy.Properties, "PolicyDocument", "Statement").([]any) {
				statement := s.(map[string]any)
				if !strings.Contains(fmt.Sprint(statement["Action"]), "iam:") {
					continue
				}
				passing++
				equal(t, policy.ID+"'s action", statement["Action"], "iam:PassRole")
				equal(t, policy.ID+"'s roles", statement["Resource"], want)
				equal(t, policy.ID+"'s condition", statement["Condition"], map[string]any{"StringEquals": map[string]any{"iam:PassedToService": "ecs-tasks.amazonaws.com"}})
			}
		}
		if passing == 0 {
			t.Error("nobody may hand the roles over")
		}
	})
}

func TestServiceExampleValues(t *testing.T) {
	for _, s := range fargateFixtures {
		if got := props.ExampleValues(s.(props.FargateService)); len(got) != 0 {
			t.Errorf("%s has no example values, got %v", s.Identity(), got)
		}
	}
	given := props.FargateService{
		Account:      "111122223333",
		Source:       props.GitHubConnection{Owner: "example", ConnectionARN: connectionARN},
		VPC:          props.ExistingVPC{ID: "vpc-1234567890abcdef0"},
		LoadBalancer: props.LoadBalancer{CertificateARN: "arn:aws:acm:us-east-1:111122223333:certificate/" + uuid},
		Hook:         props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E2QWRUHAPOMQZL"}, {DistributionID: "EDFDVBD6EXAMPLE"}}},
	}
	equal(t, "fields", props.ExampleValues(given), []string{"Account", "Source.Owner", "VPC.ID", "LoadBalancer.CertificateARN", "Hook.Invalidations[1].DistributionID"})
}
