package props_test

import (
	"strings"

	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

// existingValues has the values of an existing service's fields.
var existingValues = []values[props.ExistingService]{
	// An existing service has no bucket.
	{"Name", func(s *props.ExistingService, v string) { s.Name = v }, []string{"xn--shop", "sthree-shop", strings.Repeat("s", 49)}, map[string]string{strings.Repeat("s", 50): "at most 49", "a_b": "at most 49"}},
	// An existing service has no pipeline.
	{"Region", func(s *props.ExistingService, v string) { *s = fixtures.Shop; s.Region = v }, []string{"ca-west-1", "mx-central-1"}, map[string]string{"ca-west-2": "must be a region of AWS", "cn-north-1": "commercial regions"}},
	{"DeployedBy.Application", func(s *props.ExistingService, v string) {
		by := s.DeployedBy.(props.CodeDeployGroup)
		by.Application = v
		s.DeployedBy = by
	}, []string{"a", "a.b_c+d=e,f@g-h", strings.Repeat("a", 100)}, map[string]string{"": "must be the name", "a b": "must be the name", "a/b": "must be the name", strings.Repeat("a", 101): "must be the name"}},
	{"DeployedBy.Cluster", func(s *props.ExistingService, v string) {
		*s = fixtures.News
		s.DeployedBy = props.ECSService{Cluster: v, Service: "news"}
	}, []string{"a-b_C", strings.Repeat("a", 255)}, map[string]string{"": "must be a cluster's name", "a.b": "must be a cluster's name", strings.Repeat("a", 256): "must be a cluster's name"}},
	{"Hook.RoleARN", func(s *props.ExistingService, v string) { s.Hook.RoleARN = v }, []string{"", fixtures.RoleARN}, map[string]string{"clear-cache": "must be a role's ARN", "arn:aws:sts::" + fixtures.EdgeAccount + ":assumed-role/clear-cache/s": "must be a role's ARN"}},
	{"Hook.Invalidations[0].Paths[0]", func(s *props.ExistingService, v string) {
		s.Hook.Invalidations = []props.Invalidation{{DistributionID: "E2QWRUHAPOMQZL", Paths: []string{v}}}
	}, []string{"/", "/*", "#tag"}, map[string]string{"": "must start with /", "/a b": "URL-encoded", "https://shop.dev/": "must start with /"}},
}

// serviceValues has the values of a new service's fields.
var serviceValues = []values[props.FargateService]{
	{"Name", func(s *props.FargateService, v string) { s.Name = v }, []string{"internal-api", "aws-api", "a-", strings.Repeat("s", 49)}, map[string]string{"xn--api": "S3 reserves such names", "sthree-api": "S3 reserves such names"}},
	{"Region", func(s *props.FargateService, v string) { *s = fixtures.API; s.Region = v }, []string{"ap-southeast-7"}, map[string]string{"mx-central-1": "CodeBuild projects", "us-west-3": "must be a region"}},
	{`Container.Secrets["TOKEN"]`, func(s *props.FargateService, v string) { s.Container.Secrets = map[string]string{"TOKEN": v} }, []string{
		"/api/token", "token", "arn:aws:secretsmanager:ap-northeast-1:" + fixtures.Account + ":secret:api-AbCdEf", "arn:aws:secretsmanager:ap-northeast-1:" + fixtures.Account + ":secret:rds!db-" + fixtures.UUID + "-AbCdEf",
		"arn:aws:secretsmanager:ap-northeast-1:" + fixtures.Account + ":secret:api-AbCdEf:password::", "arn:aws:secretsmanager:ap-northeast-1:" + fixtures.Account + ":secret:api-AbCdEf::AWSPREVIOUS:",
		"arn:aws:secretsmanager:ap-northeast-1:" + fixtures.Account + ":secret:api-AbCdEf:::" + fixtures.UUID, "arn:aws:secretsmanager:ap-northeast-1:" + fixtures.Account + ":secret:api-AbCdEf:パスワード::" + fixtures.UUID,
		"arn:aws:secretsmanager:ap-northeast-1:" + fixtures.Account + ":secret:prod/db-secret:a:AWSCURRENT:", "arn:aws:secretsmanager:ap-northeast-1:" + fixtures.Account + ":secret:prod/db-1b2c3d",
	}, map[string]string{
		"/aws/x": "must not start with aws or ssm", "api/token": "must be a parameter's name", "/api/token:1": "must be a parameter's name", "/api/token/": "must be a parameter's name", "": "must be a parameter's name",
		"arn:aws:secretsmanager:us-east-1:" + fixtures.Account + ":secret:api-AbCdEf": "must be in the service's Region", "arn:aws:secretsmanager:ap-northeast-1:999999999999:secret:api-AbCdEf": "must be in the service's Account",
		"arn:aws:ssm:ap-northeast-1:" + fixtures.Account + ":parameter/api": "or a secret's full ARN", "arn:aws:secretsmanager:ap-northeast-1:" + fixtures.Account + ":secret:api": "or a secret's full ARN",
		"arn:aws:secretsmanager:ap-northeast-1:" + fixtures.Account + ":secret:api-AbCdEf:password": "or a secret's full ARN", "arn:aws:secretsmanager:ap-northeast-1:" + fixtures.Account + ":secret:api-AbCdEf:a::2": "or a secret's full ARN",
		"arn:aws:secretsmanager:us-east-1:" + fixtures.Account + ":secret:api-AbCdEf:a::": "must be in the service's Region", "arn:aws:secretsmanager:ap-northeast-1:999999999999:secret:api-AbCdEf:::" + fixtures.UUID: "must be in the service's Account",
		"arn:aws:secretsmanager:ap-northeast-1:" + fixtures.Account + ":secret:api-AbCdEf:a:b:c:d": "or a secret's full ARN", "arn:aws:secretsmanager:ap-northeast-1:" + fixtures.Account + ":secret:api-AbCdEf:a\n::": "or a secret's full ARN",
		"arn:aws:secretsmanager:ap-northeast-1:" + fixtures.Account + ":secret:prod/db-secret": "looks like a part of the secret's ARN", "arn:aws:secretsmanager:ap-northeast-1:" + fixtures.Account + ":secret:prod/db-user01:a::": "looks like a part of the secret's ARN",
	}},
	{"Container.SecretKeyARNs[0]", func(s *props.FargateService, v string) {
		s.Container.Secrets, s.Container.SecretKeyARNs = map[string]string{"A": "/a"}, []string{v}
	}, []string{"arn:aws:kms:ap-northeast-1:" + fixtures.Account + ":key/" + fixtures.UUID, "arn:aws:kms:ap-northeast-1:999999999999:key/mrk-0123456789abcdef0123456789abcdef"}, map[string]string{
		"": "must be a KMS key's ARN", "alias/aws/ssm": "must be a KMS key's ARN", fixtures.UUID: "must be a KMS key's ARN", "arn:aws:kms:ap-northeast-1:" + fixtures.Account + ":alias/store": "must be a KMS key's ARN",
		"arn:aws:kms:us-east-1:" + fixtures.Account + ":key/" + fixtures.UUID: "must be in the service's Region, ap-northeast-1",
	}},
	{"Container.Environment", func(s *props.FargateService, v string) { s.Container.Environment = map[string]string{"X": v} }, []string{"", "a\nb", strings.Repeat("x", 60000)}, map[string]string{
		"a\x00b": "must be text in UTF-8", "\xff": "must be text in UTF-8", strings.Repeat("x", 64000): "bytes of the task definition, as JSON, which has room for 63488",
	}},
	{"Container.Dockerfile", func(s *props.FargateService, v string) { s.Container.Dockerfile = v }, []string{"", "Dockerfile.prod", "a b/Dockerfile"}, map[string]string{
		"Dockerfile ": "must be a path inside", `docker\Dockerfile`: "must be a path inside", "/Dockerfile": "must be a path", "-": "must be a path", "a\nb": "must be a path",
	}},
	{"Container.Context", func(s *props.FargateService, v string) { s.Container.Context = v }, []string{"", ".", "a/b", "a-b"}, map[string]string{
		"-": "must be a folder", "-f": "must be a folder", "a/": "must be a folder", `a\b`: "must be a folder", "..": "must be a folder", " a": "must be a folder",
	}},
	{"Container.InitialImage", func(s *props.FargateService, v string) { s.Container.InitialImage = v }, []string{
		"nginx", "public.ecr.aws/docker/library/httpd:2.4.65", "999999999999.dkr.ecr.eu-west-1.amazonaws.com/a/b_c:1",
	}, map[string]string{
		"https://public.ecr.aws/docker/library/httpd:2.4.65": "must be an image's name", fixtures.Account + ".dkr-ecr.us-east-1.on.aws/x": "must be public", fixtures.Account + ".DKR.ECR.us-east-1.amazonaws.com/x": "must be public",
		strings.Repeat("n", 256): "must be an image's name", "nginx ": "must be an image's name",
	}},
	{"Container.HealthCheckPath", func(s *props.FargateService, v string) { s.Container.HealthCheckPath = v }, []string{"/", "/a?b=c", "/" + strings.Repeat("a", 1023)}, map[string]string{
		"a": "must be a path", "/" + strings.Repeat("a", 1024): "at most 1024", "/é": "must be a path", "http://x/": "must be a path",
	}},
	{"AlarmNames[0]", func(s *props.FargateService, v string) { s.AlarmNames = []string{v} }, []string{"latency", "a b: c/d", "日本語", strings.Repeat("あ", 255), "arn"}, map[string]string{
		"arn:aws:cloudwatch:ap-northeast-1:" + fixtures.Account + ":alarm:latency": "must be the alarm's name alone", "arn:aws:s3:::b": "must be the alarm's name alone", "": "1 to 255 characters", strings.Repeat("a", 256): "1 to 255 characters", "a*": "without *", "\xff": "1 to 255",
	}},
	{"VPC.ID", existingVPC(func(v *props.ExistingVPC, text string) { v.ID = text }), []string{"vpc-01234567", "vpc-0123456789abcdef0"}, map[string]string{"vpc-0123": "must be a VPC's id", "VPC-01234567": "must be a VPC's id", "subnet-01234567": "must be a VPC's id"}},
	{"VPC.AvailabilityZones[1]", existingVPC(func(v *props.ExistingVPC, text string) {
		v.AvailabilityZones = []string{"us-east-1a", text}
	}), []string{"us-east-1f", "us-east-1-bos-1a"}, map[string]string{
		"us-east-1": "must be a zone's name", "us-west-2a": "must be in the same region as the others, us-east-1", "us-east-9a": "must be a zone's name", "use1-az2": "must be a zone's name", "us-east-1a": "is listed twice",
	}},
	{"VPC.CIDR", existingVPC(func(v *props.ExistingVPC, text string) { v.CIDR = text }), []string{"10.0.0.0/16", "10.0.0.0/28", "100.64.0.0/16"}, map[string]string{
		"": "must be a range", "0.0.0.0/0": "from 16 to 28 bits", "10.0.0.0/29": "from 16 to 28 bits", "10.0.0.0/8": "from 16 to 28 bits", "10.0.0.1/28": "that starts with its first address",
	}},
	{"VPC.CIDR", func(s *props.FargateService, v string) { s.VPC = props.NewVPC{CIDR: v} }, []string{"", "10.0.0.0/16", "192.168.0.0/24", "172.16.0.0/20"}, map[string]string{
		"10.0.0.0/15": "from 16 to 24 bits", "192.168.0.0/25": "from 16 to 24 bits", "10.0.0.1/16": "that starts with its first address", "172.32.0.0/16": "must be private", "10.0.0.0/16 ": "that starts with its first address", "::/16": "IPv4",
	}},
	{"LoadBalancer.CertificateARN", func(s *props.FargateService, v string) { s.LoadBalancer.CertificateARN = v }, []string{""}, map[string]string{
		fixtures.SiteCertificate: "must be in the service's Region", "arn:aws:iam::" + fixtures.Account + ":server-certificate/x": "must be a certificate's ARN",
	}},
	{"LoadBalancer.OriginPrefixListID", func(s *props.FargateService, v string) { s.LoadBalancer.OriginPrefixListID = v }, []string{"", "pl-0123456789abcdef0"}, map[string]string{"pl-xyz": "must be a prefix list's id"}},
}

func existingVPC(set func(*props.ExistingVPC, string)) func(*props.FargateService, string) {
	return func(s *props.FargateService, value string) {
		vpc := fixtures.Docs.VPC.(props.ExistingVPC)
		set(&vpc, value)
		*s = fixtures.Docs
		s.VPC = vpc
	}
}
