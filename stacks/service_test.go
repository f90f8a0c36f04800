package stacks

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/buildspec"
	"blog-deploy-pipeline/rehearse/assembly"
)

// The services that are made from nothing. Between them they set every prop.
var (
	api = FargateService{
		Name:          "api",
		Source:        GitHubConnection{Owner: "kzmorita", Repo: "api", ConnectionARN: connectionARN},
		Hook:          Hook{Distributions: []Distribution{{ID: "E2QWRUHAPOMQZL"}}},
		Notifications: Notifications{Emails: []string{"me@api.dev"}},
	}
	// store is deployed by CodeDeploy as well, with all that has a default.
	store = FargateService{
		Name: "store", Account: account, Region: "ap-northeast-1",
		Source: GitHubConnection{Owner: "kzmorita", Repo: "store", ConnectionARN: connectionARN, FullClone: true},
		Build:  ImageBuild{ComputeType: Large, Timeout: time.Hour, LogRetention: 7},
		Container: Container{
			Port: 8080, HealthCheckPath: "/healthz", CPU: 1024, MemoryMiB: 3072,
			Environment:   map[string]string{"LOG_LEVEL": "info"},
			Secrets:       map[string]string{"API_TOKEN": "/store/token", "DATABASE": "arn:aws:secretsmanager:ap-northeast-1:" + account + ":secret:store-AbCdEf"},
			FormerSecrets: []string{"/store/old-token", "arn:aws:secretsmanager:ap-northeast-1:" + account + ":secret:old-AbCdEf"},
			Architecture:  X86, Dockerfile: "docker/store.Dockerfile", Context: "services/store",
			InitialImage: "public.ecr.aws/kzmorita/store:1", LogRetention: 14,
		},
		DesiredCount: 3, StartTime: 3 * time.Minute,
		VPC: NewVPC{CIDR: "10.20.0.0/20", NATGateways: 2},
		LoadBalancer: LoadBalancer{
			CertificateARN:     "arn:aws:acm:ap-northeast-1:" + account + ":certificate/" + uuid,
			OriginPrefixListID: "pl-58a04531", TestPort: 9443, TestFrom: []string{"198.51.100.7/32"},
		},
		Controller: CodeDeploy, Shift: Canary, KeepOld: time.Hour, MaxErrorPercent: 10, AlarmNames: []string{"store-latency"},
		Hook:          Hook{Distributions: []Distribution{{ID: "E2QWRUHAPOMQZM"}}, Events: []HookEvent{AfterAllowTestTraffic, AfterAllowTraffic}, OnFailure: RollBack},
		Notifications: Notifications{TopicARN: "arn:aws:sns:ap-northeast-1:" + account + ":alerts"},
		ExecutionMode: Queued,
	}
	docs = FargateService{
		Name:   "docs",
		Source: GitHubToken{Owner: "kzmorita", Repo: "docs", SecretName: "github"},
		VPC: ExistingVPC{
			ID: "vpc-0a1b2c3d4e5f67890", CIDR: "172.31.0.0/16", AvailabilityZones: []string{"us-east-1a", "us-east-1b"},
			PublicSubnets:  []string{"subnet-0a1b2c3d4e5f67890", "subnet-0a1b2c3d4e5f67891"},
			PrivateSubnets: []string{"subnet-0a1b2c3d4e5f67892", "subnet-0a1b2c3d4e5f67893"},
		},
		Controller: ECS,
		Hook:       Hook{Distributions: []Distribution{{ID: "E2QWRUHAPOMQZN"}}},
	}
	// search is deployed by ECS as well, to a named account and region.
	search = FargateService{
		Name: "search", Account: account, Region: "us-west-2",
		Source:       GitHubConnection{Owner: "kzmorita", Repo: "search", ConnectionARN: connectionARN},
		Container:    Container{InitialImage: "public.ecr.aws/docker/library/httpd:2.4.65"},
		LoadBalancer: LoadBalancer{AllowFrom: []string{"192.0.2.0/24", "203.0.113.0/24"}},
		Controller:   ECS, Shift: Linear, KeepOld: 10 * time.Minute, AlarmNames: []string{"search-latency"},
		Hook: Hook{
			Distributions: []Distribution{{ID: "E2QWRUHAPOMQZP", Paths: []string{"/search/*"}}},
			Events:        []HookEvent{PreProductionTrafficShift, ProductionTrafficShift}, Deadline: 20 * time.Minute,
		},
	}
)

// changedFixtures are services from above whose owners have changed all that can be
// changed, or taken it away.
var changedFixtures = []Service{
	FargateService{
		Name:   "api",
		Source: GitHubConnection{Owner: "another", Repo: "api2", ConnectionARN: connectionARN, FullClone: true},
		Build:  ImageBuild{ComputeType: Large, Timeout: time.Hour, LogRetention: 7},
		Container: Container{
			HealthCheckPath: "/healthz", CPU: 1024, MemoryMiB: 3072,
			Environment: map[string]string{"LOG_LEVEL": "info"}, Secrets: map[string]string{"API_TOKEN": "/api/token"},
			Dockerfile: "docker/api.Dockerfile", Context: "services/api",
			InitialImage: defaultInitialImage, LogRetention: 14, // the image as it was, by its name
		},
		LoadBalancer: LoadBalancer{
			CertificateARN: "arn:aws:acm:us-east-1:" + account + ":certificate/" + uuid,
			AllowFrom:      []string{"192.0.2.0/24"}, OriginPrefixListID: "pl-3b927c52", TestPort: 9443, TestFrom: []string{"198.51.100.7/32"},
		},
		Shift: Linear, KeepOld: time.Hour, MaxErrorPercent: 50, AlarmNames: []string{"api-latency", "api-memory"},
		Hook: Hook{
			Distributions: []Distribution{{ID: "E2QWRUHAPOMQZR", Paths: []string{"/api/*"}}},
			Events:        []HookEvent{AfterAllowTestTraffic, AfterAllowTraffic}, OnFailure: RollBack,
			Deadline: 5 * time.Minute, NoWait: true, LogRetention: 7,
		},
		Notifications: Notifications{Emails: []string{"you@api.dev"}, TopicARN: "arn:aws:sns:us-east-1:" + account + ":alerts"},
		ExecutionMode: Queued,
	},
	func() Service {
		s := store
		s.Build, s.LoadBalancer, s.Shift, s.KeepOld = ImageBuild{}, LoadBalancer{}, "", 0
		s.AlarmNames, s.MaxErrorPercent = nil, 100
		s.Container = Container{Port: 8080, HealthCheckPath: "/healthz", Architecture: X86, InitialImage: store.Container.InitialImage}
		s.Hook, s.Notifications, s.ExecutionMode = Hook{Distributions: []Distribution{{ID: "E2QWRUHAPOMQZS"}}}, Notifications{}, ""
		return s
	}(),
	func() Service {
		s := search
		s.AlarmNames, s.MaxErrorPercent = nil, 100
		s.Container.CPU, s.Container.Environment = 512, map[string]string{"LOG_LEVEL": "info"}
		return s
	}(),
}

var fargateFixtures = []Service{api, store, docs, search}

func fargateTemplate(t *testing.T, s FargateService) *assembly.Template {
	t.Helper()
	return stackTemplate(t, ServiceStackID(s))
}

// eachFargate runs check on the template of every service that is made from nothing.
func eachFargate(t *testing.T, check func(t *testing.T, s FargateService, tmpl *assembly.Template)) {
	t.Helper()
	for _, s := range fargateFixtures {
		s := s.(FargateService)
		t.Run(s.Name, func(t *testing.T) { check(t, s, fargateTemplate(t, s)) })
	}
}

// TestServiceRefuses breaks one thing at a time, as TestValidateRefuses does.
func TestServiceRefuses(t *testing.T) {
	container := func(change func(*Container)) func(*FargateService) {
		return func(s *FargateService) { change(&s.Container) }
	}
	balancer := func(change func(*LoadBalancer)) func(*FargateService) {
		return func(s *FargateService) { change(&s.LoadBalancer) }
	}
	existing := func(change func(*ExistingVPC)) func(*FargateService) {
		return func(s *FargateService) {
			vpc := docs.VPC.(ExistingVPC)
			vpc.AvailabilityZones = slices.Clone(vpc.AvailabilityZones)
			vpc.PublicSubnets = slices.Clone(vpc.PublicSubnets)
			vpc.PrivateSubnets = slices.Clone(vpc.PrivateSubnets)
			change(&vpc)
			s.VPC = vpc
		}
	}
	secret := func(at string) func(*FargateService) {
		return container(func(c *Container) { c.Secrets = map[string]string{"TOKEN": at} })
	}
	const token = "ghp_0123456789abcdef0123456789abcdef0123"
	tests := []struct {
		name   string
		change func(*FargateService)
		want   string
	}{
		{"no name", func(s *FargateService) { s.Name = "" }, `service "": Name is ""`},
		{"name too long", func(s *FargateService) { s.Name = strings.Repeat("x", 50) }, "at most 49"},
		{"account", func(s *FargateService) { s.Account = "1" }, `service "api": Account is "1"`},
		{"region of China", func(s *FargateService) { s.Region = "cn-north-1" }, "commercial regions"},
		{"no source", func(s *FargateService) { s.Source = nil }, "Source is"},
		{"no owner", func(s *FargateService) { s.Source = GitHubConnection{Repo: "api", ConnectionARN: connectionARN} }, "Source.Owner"},

		{"build's machine", func(s *FargateService) { s.Build.ComputeType = "HUGE" }, `Build.ComputeType is "HUGE"`},
		{"build's timeout", func(s *FargateService) { s.Build.Timeout = time.Minute }, "Build.Timeout is 1m0s"},
		{"build's days of log", func(s *FargateService) { s.Build.LogRetention = 2 }, "Build.LogRetention is 2"},

		{"port", container(func(c *Container) { c.Port, c.InitialImage = 65536, "nginx" }), "Container.Port is 65536: must be the port"},
		{"negative port", container(func(c *Container) { c.Port, c.InitialImage = -1, "nginx" }), "Container.Port is -1"},
		{"health check without slash", container(func(c *Container) { c.HealthCheckPath, c.InitialImage = "healthz", "nginx" }), `Container.HealthCheckPath is "healthz": must be a path`},
		{"health check with a space", container(func(c *Container) { c.HealthCheckPath, c.InitialImage = "/a b", "nginx" }), "Container.HealthCheckPath"},
		{"health check too long", container(func(c *Container) { c.HealthCheckPath, c.InitialImage = "/"+strings.Repeat("a", 1024), "nginx" }), "at most 1024 characters"},
		{"CPU", container(func(c *Container) { c.CPU = 100 }), "Container.CPU is 100: must be one of [256 512 1024 2048 4096 8192 16384]"},
		{"memory between steps", container(func(c *Container) { c.MemoryMiB = 1536 }), "Container.MemoryMiB is 1536: with CPU 256, Fargate takes 512, 1024 or 2048"},
		{"too little memory", container(func(c *Container) { c.CPU, c.MemoryMiB = 1024, 1024 }), "with CPU 1024, Fargate takes from 2048 to 8192 by steps of 1024"},
		{"too much memory", container(func(c *Container) { c.CPU, c.MemoryMiB = 4096, 31744 }), "from 8192 to 30720"},
		{"memory off the step", container(func(c *Container) { c.CPU, c.MemoryMiB = 8192, 17408 }), "by steps of 4096"},
		{"variable", container(func(c *Container) { c.Environment = map[string]string{"A-B": ""} }), `Container.Environment is "A-B"`},
		{"key of AWS", container(func(c *Container) { c.Environment = map[string]string{"AWS_ACCESS_KEY_ID": "x"} }), "it has a role"},
		{"token as variable", container(func(c *Container) { c.Environment = map[string]string{"T": token} }), "revoke it"},
		{"secret's variable", container(func(c *Container) { c.Secrets = map[string]string{"A-B": "/a"} }), `Container.Secrets is "A-B"`},
		{"secret twice", container(func(c *Container) {
			c.Secrets, c.Environment = map[string]string{"A": "/a"}, map[string]string{"A": "b"}
		}), "is in Environment too"},
		{"token as secret", secret(token), "holds a token itself; revoke it"},
		{"part of a secret's ARN", secret("arn:aws:secretsmanager:us-east-1:" + account + ":secret:api"), "must be a secret's full ARN"},
		{"secret of another account", func(s *FargateService) {
			s.Account, s.Container.Secrets = account, map[string]string{"A": "arn:aws:secretsmanager:us-east-1:999999999999:secret:api-AbCdEf"}
		}, "must be in the service's Account"},
		{"parameter", secret("/a b"), "must be a parameter's name"},
		{"former secret", container(func(c *Container) { c.FormerSecrets = []string{"/a b"} }), `Container.FormerSecrets[0] is "/a b": must be a parameter's name`},
		{"former secret twice", container(func(c *Container) { c.FormerSecrets = []string{"/a", "/a"} }), `Container.FormerSecrets[1] is "/a": is there twice; name it once`},
		{"former secret that is none", container(func(c *Container) {
			c.Secrets, c.FormerSecrets = map[string]string{"A": "/a"}, []string{"/a"}
		}), "is in Secrets too; keep one of them"},
		{"token as former secret", container(func(c *Container) { c.FormerSecrets = []string{token} }), "Container.FormerSecrets[0] is a GitHub token (hidden)"},
		{"architecture", container(func(c *Container) { c.Architecture = "RISCV" }), `Container.Architecture is "RISCV": must be one of "ARM64", "X86_64"`},
		{"Dockerfile outside", container(func(c *Container) { c.Dockerfile = "../Dockerfile" }), "Container.Dockerfile"},
		{"Dockerfile is a folder", container(func(c *Container) { c.Dockerfile = "." }), `Container.Dockerfile is "."`},
		{"context outside", container(func(c *Container) { c.Context = ".." }), `Container.Context is ".."`},
		{"context from the root", container(func(c *Container) { c.Context = "/src" }), "Container.Context"},
		{"no initial image for the port", container(func(c *Container) { c.Port = 8080 }), `Container.InitialImage is "": must be a public image that answers on port 8080 at /: the default one does on 80 at /`},
		{"no initial image for the path", container(func(c *Container) { c.HealthCheckPath = "/healthz" }), "on port 80 at /healthz"},
		{"initial image", container(func(c *Container) { c.InitialImage = "-x" }), "Container.InitialImage"},
		{"private initial image", container(func(c *Container) { c.InitialImage = account + ".dkr.ecr.us-east-1.amazonaws.com/api:1" }), "must be public"},
		{"container's days of log", container(func(c *Container) { c.LogRetention = 2 }), "Container.LogRetention is 2"},

		{"negative tasks", func(s *FargateService) { s.DesiredCount = -1 }, "DesiredCount is -1: must be from 1 to 100"},
		{"too many tasks", func(s *FargateService) { s.DesiredCount = 101 }, "DesiredCount is 101"},
		{"start time", func(s *FargateService) { s.StartTime = time.Hour }, "StartTime is 1h0m0s: must be whole seconds, from 10 seconds to 15 minutes"},
		{"start time by half seconds", func(s *FargateService) { s.StartTime = 10500 * time.Millisecond }, "StartTime is 10.5s"},

		{"network by pointer", func(s *FargateService) { s.VPC = &NewVPC{} }, `VPC is a *stacks.NewVPC: must be a stacks.NewVPC{…} or a stacks.ExistingVPC{…}`},
		{"no range", func(s *FargateService) { s.VPC = NewVPC{CIDR: "10.0.0.0"} }, `VPC.CIDR is "10.0.0.0": must be a range of IPv4 addresses`},
		{"range not from its start", func(s *FargateService) { s.VPC = NewVPC{CIDR: "10.0.0.1/16"} }, "by its first one"},
		{"range of IPv6", func(s *FargateService) { s.VPC = NewVPC{CIDR: "fd00::/16"} }, "IPv4"},
		{"range too wide", func(s *FargateService) { s.VPC = NewVPC{CIDR: "10.0.0.0/8"} }, "from 16 to 24 bits"},
		{"range too narrow", func(s *FargateService) { s.VPC = NewVPC{CIDR: "10.0.0.0/25"} }, "from 16 to 24 bits"},
		{"public range", func(s *FargateService) { s.VPC = NewVPC{CIDR: "8.8.0.0/16"} }, "must be private"},
		{"gateways", func(s *FargateService) { s.VPC = NewVPC{NATGateways: 3} }, "VPC.NATGateways is 3: must be 1 or 2"},
		{"network's id", existing(func(v *ExistingVPC) { v.ID = "default" }), `VPC.ID is "default": must be a VPC's id`},
		{"network's range", existing(func(v *ExistingVPC) { v.CIDR = "" }), `VPC.CIDR is ""`},
		{"one zone", existing(func(v *ExistingVPC) {
			v.AvailabilityZones, v.PublicSubnets, v.PrivateSubnets = v.AvailabilityZones[:1], v.PublicSubnets[:1], v.PrivateSubnets[:1]
		}), "must be 2 or more"},
		{"zone's id", existing(func(v *ExistingVPC) { v.AvailabilityZones[0] = "use1-az1" }), `VPC.AvailabilityZones[0] is "use1-az1": must be a zone's name`},
		{"zone of another region", func(s *FargateService) {
			s.Region, s.VPC = "us-east-2", docs.VPC
			vpc := docs.VPC.(ExistingVPC)
			vpc.AvailabilityZones = []string{"us-east-2a", "us-east-1b"}
			s.VPC = vpc
		}, `VPC.AvailabilityZones[1] is "us-east-1b": must be in the service's Region, us-east-2`},
		{"zone twice", existing(func(v *ExistingVPC) { v.AvailabilityZones[1] = v.AvailabilityZones[0] }), "is there twice"},
		{"too few subnets", existing(func(v *ExistingVPC) { v.PrivateSubnets = v.PrivateSubnets[:1] }), `VPC.PrivateSubnets is "1 subnets": must be one for each of the 2 AvailabilityZones`},
		{"subnet", existing(func(v *ExistingVPC) { v.PublicSubnets[1] = "public" }), `VPC.PublicSubnets[1] is "public": must be a subnet's id`},
		{"subnet for both", existing(func(v *ExistingVPC) { v.PrivateSubnets[0] = v.PublicSubnets[0] }), "the tasks' subnets are not the load balancer's"},

		{"certificate's domain", balancer(func(l *LoadBalancer) { l.CertificateARN = "api.example.com" }), "LoadBalancer.CertificateARN"},
		{"CloudFront's certificate", func(s *FargateService) {
			*s = store
			s.LoadBalancer.CertificateARN = strings.Replace(s.LoadBalancer.CertificateARN, "ap-northeast-1", "us-east-1", 1)
		}, "must be in the service's Region, ap-northeast-1"},
		{"certificate of another account", func(s *FargateService) {
			*s = store
			s.LoadBalancer.CertificateARN = strings.Replace(s.LoadBalancer.CertificateARN, account, "999999999999", 1)
		}, "must be in the service's Account"},
		{"allowed address", balancer(func(l *LoadBalancer) { l.AllowFrom = []string{"192.0.2.1"} }), `LoadBalancer.AllowFrom[0] is "192.0.2.1"`},
		{"allowed twice", balancer(func(l *LoadBalancer) { l.AllowFrom = []string{"192.0.2.0/24", "192.0.2.0/24"} }), `LoadBalancer.AllowFrom[1] is "192.0.2.0/24": is there twice`},
		{"prefix list's name", balancer(func(l *LoadBalancer) { l.OriginPrefixListID = "com.amazonaws.global.cloudfront.origin-facing" }), "LoadBalancer.OriginPrefixListID"},
		{"too many rules", balancer(func(l *LoadBalancer) {
			l.OriginPrefixListID, l.AllowFrom = "pl-3b927c52", []string{"192.0.2.0/27", "192.0.2.32/27", "192.0.2.64/27", "192.0.2.96/27", "192.0.2.128/27"}
		}), `LoadBalancer.AllowFrom is "5 ranges": makes 61 rules with the others, and a security group takes 60`},
		{"test port of production", balancer(func(l *LoadBalancer) { l.TestPort = 443 }), "LoadBalancer.TestPort is 443: is a port of production"},
		{"test port", balancer(func(l *LoadBalancer) { l.TestPort = 70000 }), "from 1 to 65535"},
		{"tester", balancer(func(l *LoadBalancer) { l.TestFrom = []string{"me"} }), `LoadBalancer.TestFrom[0] is "me"`},

		{"controller", func(s *FargateService) { s.Controller = "EXTERNAL" }, `Controller is "EXTERNAL": must be one of "CODE_DEPLOY", "ECS"`},
		{"shift", func(s *FargateService) { s.Shift = "slowly" }, `Shift is "slowly": must be one of "all-at-once", "canary", "linear"`},
		{"old version too short", func(s *FargateService) { s.KeepOld = time.Second }, "KeepOld is 1s: must be whole minutes, from 1 minute to 24 hours"},
		{"old version too long", func(s *FargateService) { s.KeepOld = 25 * time.Hour }, "KeepOld is 25h0m0s"},
		{"percent", func(s *FargateService) { s.MaxErrorPercent = 101 }, "MaxErrorPercent is 101: must be from 1 to 100"},
		{"too many alarms", func(s *FargateService) { s.AlarmNames = strings.Split("abcdefghi", "") }, `AlarmNames is "9 alarms": must be at most 8`},
		{"alarm twice", func(s *FargateService) { s.AlarmNames = []string{"a", "b", "a"} }, `AlarmNames[2] is "a": is there twice; name it once`},
		{"alarm", func(s *FargateService) { s.AlarmNames = []string{"api-*"} }, `AlarmNames[0] is "api-*"`},
		{"no distribution", func(s *FargateService) { s.Hook = Hook{} }, `Hook.Distributions is "0 distributions"`},
		{"event of ECS", func(s *FargateService) { s.Hook.Events = []HookEvent{ProductionTrafficShift} }, `Hook.Events[0] is "PRODUCTION_TRAFFIC_SHIFT"`},
		{"event of CodeDeploy", func(s *FargateService) { s.Controller, s.Hook.Events = ECS, []HookEvent{AfterAllowTraffic} }, `Hook.Events[0] is "AfterAllowTraffic"`},
		{"address", func(s *FargateService) { s.Notifications.Emails = []string{"me"} }, `Notifications.Emails[0] is "me"`},
		{"mode", func(s *FargateService) { s.ExecutionMode = "PARALLEL" }, `ExecutionMode is "PARALLEL"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			props := api
			tt.change(&props)
			err := props.Validate()
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
	// Names that only look as if they led outside.
	props := api
	props.Container.Dockerfile, props.Container.Context = "..x/Dockerfile", "..x"
	if err := props.Validate(); err != nil {
		t.Error(err)
	}
	props.Container.Context = "."
	if err := props.Validate(); err != nil {
		t.Error(err)
	}
	for cpu, pair := range memories {
		for _, memory := range []int{0, 2 * cpu, pair.most} {
			props := api
			props.Container.CPU, props.Container.MemoryMiB = cpu, memory
			if err := props.Validate(); err != nil {
				t.Errorf("CPU %d, memory %d: %v", cpu, memory, err)
			}
		}
	}
}

// Nothing is asked of AWS at synth, whether or not the service says where it goes.
func TestNothingIsLookedUp(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(assemblyDir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var manifest map[string]any
	if err := json.Unmarshal(raw, &manifest); err != nil {
		t.Fatal(err)
	}
	if missing := manifest["missing"]; missing != nil {
		t.Errorf("the CLI would look up %v", missing)
	}
	for _, s := range []FargateService{api, store, search} {
		for i, subnet := range fargateTemplate(t, s).OfType("AWS::EC2::Subnet") {
			equal(t, subnet.ID+"'s zone", subnet.Properties["AvailabilityZone"], map[string]any{"Fn::Select": []any{i % 2, map[string]any{"Fn::GetAZs": ""}}})
		}
	}
}

func TestTasksArePrivate(t *testing.T) {
	eachFargate(t, func(t *testing.T, s FargateService, tmpl *assembly.Template) {
		service := only(t, tmpl, "AWS::ECS::Service")
		network := at(t, tmpl, service, "NetworkConfiguration", "AwsvpcConfiguration").(map[string]any)
		equal(t, "public address", network["AssignPublicIp"], "DISABLED")
		equal(t, "way in for people", service["EnableExecuteCommand"], false)
		equal(t, "tasks", service["DesiredCount"], or(s.DesiredCount, 2))
		balancer := at(t, tmpl, only(t, tmpl, "AWS::ElasticLoadBalancingV2::LoadBalancer"), "Subnets").([]any)
		subnets := network["Subnets"].([]any)
		if len(subnets) != 2 || len(balancer) != 2 {
			t.Errorf("tasks are in %v, the balancer in %v, want two each", subnets, balancer)
		}
		for _, subnet := range subnets {
			if slices.Contains(balancer, subnet) {
				t.Errorf("tasks and balancer share %v", subnet)
			}
		}
		if vpc, ok := s.VPC.(ExistingVPC); ok {
			equal(t, "tasks' subnets", subnets, vpc.PrivateSubnets)
			equal(t, "balancer's subnets", balancer, vpc.PublicSubnets)
			return
		}
		// From a new network's private subnets the way out is a NAT gateway.
		equal(t, "NAT gateways", len(tmpl.OfType("AWS::EC2::NatGateway")), or(s.network().(NewVPC).NATGateways, 1))
		for _, route := range tmpl.OfType("AWS::EC2::Route") {
			private := strings.Contains(route.ID, "Private")
			if _, nat := route.Properties["NatGatewayId"]; nat != private {
				t.Errorf("%s goes through a NAT gateway: %v, want %v", route.ID, nat, private)
			}
			if private && !slices.Contains(tmpl.Resources[tmpl.OfType("AWS::ECS::Service")[0].ID].DependsOn, route.ID) {
				t.Errorf("the first tasks may start before %s is there", route.ID)
			}
		}
		for _, subnet := range tmpl.OfType("AWS::EC2::Subnet") {
			equal(t, subnet.ID+" gives out public addresses", subnet.Properties["MapPublicIpOnLaunch"], false)
		}
	})
}

// Who may send what: the production ports to whom the owner says, the test port to the
// network itself unless the owner says more.
func TestWhoReachesTheLoadBalancer(t *testing.T) {
	for _, tt := range []struct {
		props FargateService
		want  []string
	}{
		{api, []string{"0.0.0.0/0:80", "10.0.0.0/16:8080"}},
		{store, []string{"198.51.100.7/32:9443", "pl-58a04531:443"}},
		{docs, []string{"0.0.0.0/0:80", "172.31.0.0/16:8080"}},
		{search, []string{"10.0.0.0/16:8080", "192.0.2.0/24:80", "203.0.113.0/24:80"}},
	} {
		tmpl := fargateTemplate(t, tt.props)
		groups := at(t, tmpl, only(t, tmpl, "AWS::ElasticLoadBalancingV2::LoadBalancer"), "SecurityGroups").([]any)
		var got []string
		add := func(rule map[string]any) {
			equal(t, "last port", rule["ToPort"], rule["FromPort"])
			from := rule["CidrIp"]
			if from == nil {
				from = rule["SourcePrefixListId"]
			}
			got = append(got, fmt.Sprintf("%v:%v", from, rule["FromPort"]))
		}
		for _, group := range tmpl.OfType("AWS::EC2::SecurityGroup") {
			if at(t, tmpl, map[string]any{"Ref": group.ID}) != groups[0] {
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
			if resolved["GroupId"] == groups[0] {
				add(resolved)
				continue
			}
			equal(t, tt.props.Name+"'s tasks take requests from", resolved["SourceSecurityGroupId"], groups[0])
			equal(t, tt.props.Name+"'s tasks' port", resolved["FromPort"], tt.props.Container.port())
		}
		slices.Sort(got)
		equal(t, tt.props.Name+"'s rules", got, tt.want)
	}
}

func TestListeners(t *testing.T) {
	for _, tt := range []struct {
		props FargateService
		want  map[int]string // protocol by port
	}{
		{api, map[int]string{80: "HTTP", 8080: "HTTP"}},
		{store, map[int]string{443: "HTTPS", 80: "HTTP", 9443: "HTTPS"}},
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
	eachFargate(t, func(t *testing.T, s FargateService, tmpl *assembly.Template) {
		attributes := fmt.Sprint(only(t, tmpl, "AWS::ElasticLoadBalancingV2::LoadBalancer")["LoadBalancerAttributes"])
		if !strings.Contains(attributes, "map[Key:routing.http.drop_invalid_header_fields.enabled Value:true]") {
			t.Errorf("invalid headers get through: %s", attributes)
		}
		groups := tmpl.OfType("AWS::ElasticLoadBalancingV2::TargetGroup")
		equal(t, "target groups", len(groups), 2)
		for _, group := range groups {
			equal(t, "health check", group.Properties["HealthCheckPath"], s.Container.healthCheckPath())
			equal(t, "port", group.Properties["Port"], s.Container.port())
			equal(t, "targets", group.Properties["TargetType"], "ip")
		}
	})
}

// taskDefinition returns one of the two, by the end of its family.
func taskDefinition(t *testing.T, tmpl *assembly.Template, family string) assembly.NamedResource {
	t.Helper()
	for _, task := range tmpl.OfType("AWS::ECS::TaskDefinition") {
		if task.Properties["Family"] == family {
			return task
		}
	}
	t.Fatalf("%s has no task definition %s", tmpl.Name, family)
	return assembly.NamedResource{}
}

// CloudFormation and the pipeline keep out of each other's way: what CloudFormation
// finds newest of the service's family is what the pipeline has deployed last with
// success.
func TestTaskDefinitions(t *testing.T) {
	eachFargate(t, func(t *testing.T, s FargateService, tmpl *assembly.Template) {
		family := s.Name + "-service"
		first, template := taskDefinition(t, tmpl, family), taskDefinition(t, tmpl, family+"-template")
		service := tmpl.OfType("AWS::ECS::Service")[0]
		equal(t, "service's task definition, as written", service.Properties["TaskDefinition"], family)
		for _, id := range []string{first.ID, roleID(t, tmpl, "ExecutionRole")} {
			if !slices.Contains(service.DependsOn, id) {
				t.Errorf("the service depends on %v, want %s among them", service.DependsOn, id)
			}
		}
		variables := buildVariables(t, tmpl, "Build")
		equal(t, "build's template", variables["TASK_FAMILY"], family+"-template")
		equal(t, "family to register", variables["SERVICE_FAMILY"], family)
		if after := tmpl.OfType("AWS::CodePipeline::Pipeline")[0].DependsOn; !slices.Contains(after, template.ID) {
			t.Errorf("the pipeline depends on %v, want %s among them", after, template.ID)
		}

		for _, task := range []assembly.NamedResource{first, template} {
			container := at(t, tmpl, task.Properties, "ContainerDefinitions", 0).(map[string]any)
			equal(t, "container", container["Name"], "web")
			equal(t, "log", at(t, tmpl, container, "LogConfiguration", "LogDriver"), "awslogs")
			equal(t, "port", at(t, tmpl, container, "PortMappings", 0, "ContainerPort"), s.Container.port())
			equal(t, "architecture", at(t, tmpl, task.Properties, "RuntimePlatform", "CpuArchitecture"), or(s.Container.Architecture, ARM64))
			equal(t, "role", at(t, tmpl, task.Properties, "TaskRoleArn"), arnOf(t, tmpl, roleID(t, tmpl, "TaskRole")))
		}
		// A change of these must not make a new first revision.
		container := at(t, tmpl, first.Properties, "ContainerDefinitions", 0).(map[string]any)
		equal(t, "first image", container["Image"], or(s.Container.InitialImage, defaultInitialImage))
		equal(t, "first variables", container["Environment"], nil)
		equal(t, "first secrets", container["Secrets"], nil)
		equal(t, "first CPU", first.Properties["Cpu"], "256")
		equal(t, "first memory", first.Properties["Memory"], "512")
	})
	tmpl := fargateTemplate(t, store)
	task := taskDefinition(t, tmpl, "store-service-template").Properties
	equal(t, "CPU", task["Cpu"], "1024")
	equal(t, "memory", task["Memory"], "3072")
	equal(t, "variables", at(t, tmpl, task, "ContainerDefinitions", 0, "Environment"), []any{map[string]any{"Name": "LOG_LEVEL", "Value": "info"}})
	equal(t, "secrets", at(t, tmpl, task, "ContainerDefinitions", 0, "Secrets"), []any{
		map[string]any{"Name": "API_TOKEN", "ValueFrom": "arn:aws:ssm:ap-northeast-1:" + account + ":parameter/store/token"},
		map[string]any{"Name": "DATABASE", "ValueFrom": store.Container.Secrets["DATABASE"]},
	})
}

// A change of these task definitions would bring the initial image back into
// production: each revision of a service's family that CloudFormation registers is its
// newest, and ECS deploys that with the next change of the service. So whatever an
// owner changes leaves the first one as it is, and so must whatever this project
// changes: if this test fails, for a new version of CDK for example, put back what was.
func TestFirstTaskNeverChanges(t *testing.T) {
	for _, s := range changedFixtures {
		before, after := taskDefinition(t, stackTemplate(t, ServiceStackID(s)), ServiceStackID(s)), taskDefinition(t, changedTemplates[ServiceStackID(s)], ServiceStackID(s))
		equal(t, s.owner().name+"'s first task", after, before)
	}
	tmpl := fargateTemplate(t, api)
	first := taskDefinition(t, tmpl, "api-service")
	got, err := json.MarshalIndent(first.Properties, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	const want = `{
  "ContainerDefinitions": [
    {
      "Essential": true,
      "Image": "public.ecr.aws/docker/library/nginx:1.28.0-alpine",
      "LogConfiguration": {
        "LogDriver": "awslogs",
        "Options": {
          "awslogs-group": {
            "Ref": "ContainerLog8B5CF49E"
          },
          "awslogs-region": {
            "Ref": "AWS::Region"
          },
          "awslogs-stream-prefix": "web"
        }
      },
      "Name": "web",
      "PortMappings": [
        {
          "ContainerPort": 80,
          "Protocol": "tcp"
        }
      ]
    }
  ],
  "Cpu": "256",
  "ExecutionRoleArn": {
    "Fn::GetAtt": [
      "ExecutionRole605A040B",
      "Arn"
    ]
  },
  "Family": "api-service",
  "Memory": "512",
  "NetworkMode": "awsvpc",
  "RequiresCompatibilities": [
    "FARGATE"
  ],
  "RuntimePlatform": {
    "CpuArchitecture": "ARM64",
    "OperatingSystemFamily": "LINUX"
  },
  "TaskRoleArn": {
    "Fn::GetAtt": [
      "TaskRole30FC0FBB",
      "Arn"
    ]
  }
}`
	if first.ID != "FirstTask37F2BBE2" || string(got) != want {
		t.Errorf("the first task is %s\n%s\nwant it as it was on the day the first service was made:\n%s", first.ID, got, want)
	}
}

// CloudFormation cannot change a service that CodeDeploy deploys: it names all of the
// service's properties, and ECS refuses those that are CodeDeploy's. The stack's update
// would fail, and so would its rollback.
func TestServiceOfCodeDeployStaysAsItIs(t *testing.T) {
	for _, s := range changedFixtures {
		s := s.(FargateService)
		if s.controller() != CodeDeploy {
			continue
		}
		const service = "AWS::ECS::Service"
		before, after := fargateTemplate(t, s).OfType(service)[0], changedTemplates[ServiceStackID(s)].OfType(service)[0]
		equal(t, s.Name+"'s id", after.ID, before.ID)
		equal(t, s.Name+"'s service", after.Properties, before.Properties)
	}
}

// Who wants no alarms pays for none, and neither CodeDeploy nor ECS waits for any.
func TestNoAlarms(t *testing.T) {
	for _, name := range []string{"store-service", "search-service"} {
		if n := len(changedTemplates[name].OfType("AWS::CloudWatch::Alarm")); n != 0 {
			t.Errorf("%s has %d alarms, want none", name, n)
		}
	}
	tmpl := changedTemplates["store-service"]
	group := only(t, tmpl, "AWS::CodeDeploy::DeploymentGroup")
	equal(t, "CodeDeploy's rollback", at(t, tmpl, group, "AutoRollbackConfiguration"), map[string]any{
		"Enabled": true, "Events": []any{"DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_REQUEST"},
	})
	equal(t, "CodeDeploy's alarms", group["AlarmConfiguration"], map[string]any{"Enabled": false})
	tmpl = changedTemplates["search-service"]
	equal(t, "ECS's alarms", at(t, tmpl, only(t, tmpl, "AWS::ECS::Service"), "DeploymentConfiguration", "Alarms"), map[string]any{
		"AlarmNames": []any{}, "Enable": false, "Rollback": false,
	})
}

// An owner changes the count by hand, by these names.
func TestServiceOutputs(t *testing.T) {
	eachFargate(t, func(t *testing.T, _ FargateService, tmpl *assembly.Template) {
		service := tmpl.OfType("AWS::ECS::Service")[0]
		equal(t, "cluster", at(t, tmpl, tmpl.Outputs["ClusterName"].Value), at(t, tmpl, service.Properties, "Cluster"))
		equal(t, "service", at(t, tmpl, tmpl.Outputs["ServiceName"].Value), at(t, tmpl, map[string]any{"Fn::GetAtt": []any{service.ID, "Name"}}))
	})
}

func TestRepository(t *testing.T) {
	eachFargate(t, func(t *testing.T, s FargateService, tmpl *assembly.Template) {
		repository := tmpl.OfType("AWS::ECR::Repository")[0]
		equal(t, "tags", repository.Properties["ImageTagMutability"], "IMMUTABLE")
		equal(t, "scan", at(t, tmpl, repository.Properties, "ImageScanningConfiguration", "ScanOnPush"), true)
		equal(t, "emptied when it goes", repository.Properties["EmptyOnDelete"], true)
		if text := at(t, tmpl, repository.Properties, "LifecyclePolicy", "LifecyclePolicyText").(string); !strings.Contains(text, `"countNumber":100`) {
			t.Errorf("images expire by %s, want 100 kept", text)
		}
		uri := at(t, tmpl, map[string]any{"Fn::GetAtt": []any{repository.ID, "RepositoryUri"}})
		equal(t, "repository of the build", buildVariables(t, tmpl, "Build")["REPOSITORY_URI"], uri)
		equal(t, "output", at(t, tmpl, tmpl.Outputs["RepositoryURI"].Value), uri)
		balancer := tmpl.OfType("AWS::ElasticLoadBalancingV2::LoadBalancer")[0].ID
		equal(t, "origin", tmpl.Outputs["Origin"].Value, map[string]any{"Fn::GetAtt": []any{balancer, "DNSName"}})
	})
}

// buildVariables returns the variables of a build project, named by the start of its
// logical id.
func buildVariables(t *testing.T, tmpl *assembly.Template, id string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, v := range at(t, tmpl, project(t, tmpl, id), "Environment", "EnvironmentVariables").([]any) {
		out[v.(map[string]any)["Name"].(string)] = v.(map[string]any)["Value"].(string)
	}
	return out
}

func project(t *testing.T, tmpl *assembly.Template, id string) map[string]any {
	t.Helper()
	for _, p := range tmpl.OfType("AWS::CodeBuild::Project") {
		if strings.HasPrefix(p.ID, id) {
			return p.Properties
		}
	}
	t.Fatalf("%s has no project %s", tmpl.Name, id)
	return nil
}

func TestImageBuild(t *testing.T) {
	for _, tt := range []struct {
		props                     FargateService
		kind, size, file, context string
		minutes                   int
	}{
		{api, "ARM_CONTAINER", "BUILD_GENERAL1_SMALL", "Dockerfile", ".", 15},
		{store, "LINUX_CONTAINER", "BUILD_GENERAL1_LARGE", "docker/store.Dockerfile", "services/store", 60},
	} {
		tmpl := fargateTemplate(t, tt.props)
		built := project(t, tmpl, "Build")
		// Of the tasks' architecture, or they could not run what it builds.
		equal(t, "machine", at(t, tmpl, built, "Environment", "Type"), tt.kind)
		equal(t, "size", at(t, tmpl, built, "Environment", "ComputeType"), tt.size)
		equal(t, "privileged", at(t, tmpl, built, "Environment", "PrivilegedMode"), true)
		equal(t, "minutes", built["TimeoutInMinutes"], tt.minutes)
		equal(t, "recipe", at(t, tmpl, built, "Source", "BuildSpec"), buildspec.Container)
		variables := buildVariables(t, tmpl, "Build")
		equal(t, "container", variables["CONTAINER_NAME"], "web")
		equal(t, "Dockerfile", variables["DOCKERFILE"], tt.file)
		equal(t, "context", variables["CONTEXT"], tt.context)
	}
}

func TestServiceStages(t *testing.T) {
	eachFargate(t, func(t *testing.T, s FargateService, tmpl *assembly.Template) {
		pipeline := only(t, tmpl, "AWS::CodePipeline::Pipeline")
		var names []string
		for _, stage := range pipeline["Stages"].([]any) {
			names = append(names, stage.(map[string]any)["Name"].(string))
		}
		equal(t, "stages", names, []string{"Source", "Build", "Deploy"})
		equal(t, "name", pipeline["Name"], s.Name)
		equal(t, "type", pipeline["PipelineType"], "V2")
		equal(t, "mode", pipeline["ExecutionMode"], or(s.ExecutionMode, Superseded))
		source, build, deploy := action(t, tmpl, stageSource), action(t, tmpl, stageBuild), action(t, tmpl, stageDeploy)
		equal(t, "build's input", build["InputArtifacts"], source["OutputArtifacts"])
		equal(t, "deploy's input", deploy["InputArtifacts"], build["OutputArtifacts"])
		provider := "CodeDeployToECS"
		if s.controller() == ECS {
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

func TestDeploymentByCodeDeploy(t *testing.T) {
	for _, tt := range []struct {
		props    FargateService
		config   string
		keep     int
		alarms   int
		appSpecs []string
	}{
		{api, "CodeDeployDefault.ECSAllAtOnce", 5, 2, []string{"ContainerPort: 80\n", `- AfterAllowTraffic: "CodeDeployHook_api"`}},
		{store, "CodeDeployDefault.ECSCanary10Percent5Minutes", 60, 3, []string{"ContainerPort: 8080\n", `- AfterAllowTestTraffic: "CodeDeployHook_store"`, `- AfterAllowTraffic: "CodeDeployHook_store"`}},
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
			equal(t, "production's port", listener("ProdTrafficRoute")["Port"], tt.props.LoadBalancer.productionPorts()[0])
			equal(t, "test port", listener("TestTrafficRoute")["Port"], tt.props.LoadBalancer.testPort())

			variables := buildVariables(t, tmpl, "Build")
			for _, want := range tt.appSpecs {
				if !strings.Contains(variables["APPSPEC"], want) {
					t.Errorf("the AppSpec is\n%s\nwant %q in it", variables["APPSPEC"], want)
				}
			}
			printed, err := AppSpec(nil, []Service{tt.props}, tt.props.Name)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "AppSpec of the build", variables["APPSPEC"], printed)
			equal(t, "function", only(t, tmpl, "AWS::Lambda::Function")["FunctionName"], "CodeDeployHook_"+tt.props.Name)

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

func TestDeploymentByECS(t *testing.T) {
	for _, tt := range []struct {
		props  FargateService
		want   map[string]any // of the deployment configuration
		stages []any
		alarms int
		wait   string
	}{
		{docs, map[string]any{"Strategy": "BLUE_GREEN", "BakeTimeInMinutes": 5}, []any{"PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT"}, 2, "55"},
		{search, map[string]any{
			"Strategy": "LINEAR", "BakeTimeInMinutes": 10,
			"LinearConfiguration": map[string]any{"StepPercent": 10, "StepBakeTimeInMinutes": 1},
		}, []any{"PRE_PRODUCTION_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT"}, 3, "270"},
	} {
		t.Run(tt.props.Name, func(t *testing.T) {
			tmpl := fargateTemplate(t, tt.props)
			service := tmpl.OfType("AWS::ECS::Service")[0]
			equal(t, "controller", at(t, tmpl, service.Properties, "DeploymentController", "Type"), "ECS")
			configuration := at(t, tmpl, service.Properties, "DeploymentConfiguration").(map[string]any)
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
				if !slices.Contains(service.DependsOn, roleID(t, tmpl, role)) {
					t.Errorf("the service may be there before its %s", role)
				}
			}

			// Two rules lead to the group in production, and ECS can lead them to the other.
			balancer := at(t, tmpl, service.Properties, "LoadBalancers", 0).(map[string]any)
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
			equal(t, "variables", buildVariables(t, tmpl, "Deploy"), map[string]string{
				"CLUSTER":                at(t, tmpl, service.Properties, "Cluster").(string),
				"SERVICE":                at(t, tmpl, map[string]any{"Fn::GetAtt": []any{service.ID, "Name"}}).(string),
				"DEPLOY_TIMEOUT_MINUTES": tt.wait,
			})
			if wait, err := strconv.Atoi(tt.wait); err != nil || deploy["TimeoutInMinutes"].(float64) <= float64(wait) {
				t.Errorf("the build ends after %v minutes, want it to outlast the %s that it waits", deploy["TimeoutInMinutes"], tt.wait)
			}
			if text, set := buildVariables(t, tmpl, "Build")["APPSPEC"]; set {
				t.Errorf("the build makes an AppSpec, which nobody reads: %s", text)
			}
			if _, err := AppSpec(nil, []Service{tt.props}, tt.props.Name); err == nil || !strings.Contains(err.Error(), "deployed by ECS itself, which takes no AppSpec: its stack "+tt.props.Name+"-service wires the hook in") {
				t.Errorf("AppSpec: %v", err)
			}
		})
	}
}

// A deployment is watched for as long as it may take, and for as long as a build may.
func TestDeployTimeIsBounded(t *testing.T) {
	props := search
	props.Hook.Events, props.Hook.Deadline, props.KeepOld = ECS.events(), 23*time.Hour, 24*time.Hour
	if err := props.Validate(); err != nil {
		t.Fatal(err)
	}
	if got := props.deployTime(); got != 35*time.Hour {
		t.Errorf("deployTime is %v, want the longest, 35 hours", got)
	}
	props = docs
	props.Hook.Deadline = 90 * time.Second
	if got := props.deployTime(); got != 38*time.Minute {
		t.Errorf("deployTime is %v, want 30 + 5 + 2 times 1.5 minutes", got)
	}
	props.Shift = Canary
	if got := props.deployTime(); got != 50*time.Minute {
		t.Errorf("deployTime of a canary is %v, want 30 + 2 times 5 + 5 + 3 times 1.5 minutes, in whole ones", got)
	}
}

func TestErrorAlarms(t *testing.T) {
	eachFargate(t, func(t *testing.T, s FargateService, tmpl *assembly.Template) {
		watched := map[any]bool{}
		for _, alarm := range tmpl.OfType("AWS::CloudWatch::Alarm") {
			metrics, ok := at(t, tmpl, alarm.Properties, "Metrics").([]any)
			if !ok {
				continue // that of the hook
			}
			equal(t, "missing data", alarm.Properties["TreatMissingData"], "notBreaching")
			equal(t, "percent", alarm.Properties["Threshold"], or(s.MaxErrorPercent, 5))
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
		props FargateService
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
				{"secretsmanager:GetSecretValue", "arn:aws:secretsmanager:ap-northeast-1:" + account + ":secret:old-AbCdEf", true},
				{"ssm:GetParameterHistory", "arn:aws:ssm:ap-northeast-1:" + account + ":parameter/store/token", false},
				{"secretsmanager:DescribeSecret", store.Container.Secrets["DATABASE"], false},
				{"secretsmanager:GetSecretValue", store.Container.Secrets["DATABASE"], true},
				{"secretsmanager:GetSecretValue", "arn:aws:secretsmanager:ap-northeast-1:" + account + ":secret:other-AbCdEf", false},
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
			return []call{
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
				{"lambda:InvokeFunction", "arn:aws:lambda:" + us + "function:CodeDeployHook_api", true},
				{"lambda:InvokeFunction", "arn:aws:lambda:" + us + "function:CodeDeployHook_store", false},
				{"cloudwatch:DescribeAlarms", "arn:aws:cloudwatch:" + us + "alarm:api-latency", true},
				{"cloudwatch:PutMetricAlarm", "arn:aws:cloudwatch:" + us + "alarm:api-latency", false},
				{"s3:GetObject", artifacts(t, tmpl) + "/image.zip", true},
				{"s3:PutObject", artifacts(t, tmpl) + "/image.zip", false},
				{"sns:Publish", "arn:aws:sns:" + us + "alerts", false},
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
			service := ref(t, tmpl, "AWS::ECS::Service", 0)
			return []call{
				{"ecs:RegisterTaskDefinition", "arn:aws:ecs:" + us + "task-definition/docs-service:7", true},
				{"ecs:RegisterTaskDefinition", "arn:aws:ecs:" + us + "task-definition/docs-service-template:7", false},
				{"ecs:DeregisterTaskDefinition", "*", true},
				{"ecs:DeleteTaskDefinitions", "arn:aws:ecs:" + us + "task-definition/docs-service:7", false},
				{"ecs:UpdateService", service, true},
				{"ecs:UpdateService", service + "2", false},
				{"ecs:ListServiceDeployments", service, true},
				{"ecs:DescribeServiceDeployments", part(t, tmpl, "service-deployment"), true},
				{"ecs:DescribeServiceRevisions", part(t, tmpl, "service-revision"), true},
				{"ecs:DescribeServiceRevisions", "arn:aws:ecs:" + us + "service-revision/production/shop/1234567890", false},
				{"ecs:DeleteService", service, false},
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
			function := arnOf(t, tmpl, tmpl.OfType("AWS::Lambda::Function")[0].ID)
			return []call{{"lambda:InvokeFunction", function, true}, {"lambda:InvokeFunction", function + "2", false}}
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
	eachFargate(t, func(t *testing.T, _ FargateService, tmpl *assembly.Template) {
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
		if got := s.(FargateService).exampleValues(); len(got) != 0 {
			t.Errorf("%s has no example values, got %v", s.owner(), got)
		}
	}
	props := FargateService{
		Account:      "111122223333",
		Source:       GitHubConnection{Owner: "example", ConnectionARN: connectionARN},
		VPC:          ExistingVPC{ID: "vpc-1234567890abcdef0"},
		LoadBalancer: LoadBalancer{CertificateARN: "arn:aws:acm:us-east-1:111122223333:certificate/" + uuid},
		Hook:         Hook{Distributions: []Distribution{{ID: "E2QWRUHAPOMQZL"}, {ID: "EDFDVBD6EXAMPLE"}}},
	}
	equal(t, "fields", props.exampleValues(), []string{"Account", "Source.Owner", "VPC.ID", "LoadBalancer.CertificateARN", "Hook.Distributions[1].ID"})
}
