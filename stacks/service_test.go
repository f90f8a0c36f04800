package stacks

import (
	"time"
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
			Environment:  map[string]string{"LOG_LEVEL": "info"},
			Secrets:      map[string]string{"API_TOKEN": "/store/token", "DATABASE": "arn:aws:secretsmanager:ap-northeast-1:" + account + ":secret:store-AbCdEf"},
			Architecture: X8664, Dockerfile: "docker/store.Dockerfile", Context: "services/store",
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

var fargateFixtures = []Service{api, store, docs, search}
