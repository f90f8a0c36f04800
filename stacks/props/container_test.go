package props_test

import (
	"strings"
	"testing"

	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

func TestContainerRefuses(t *testing.T) {
	container := func(change func(*props.Container)) func(*props.FargateService) {
		return func(s *props.FargateService) { change(&s.Container) }
	}
	secret := func(at string) func(*props.FargateService) {
		return container(func(c *props.Container) { c.Secrets = map[string]string{"TOKEN": at} })
	}
	wantRefusals(t, fixtures.API, []refusal[props.FargateService]{
		{"port", container(func(c *props.Container) { c.Port, c.InitialImage = 65536, "nginx" }), "Container.Port is 65536: must be the port"},
		{"negative port", container(func(c *props.Container) { c.Port, c.InitialImage = -1, "nginx" }), "Container.Port is -1"},
		{"health check without slash", container(func(c *props.Container) { c.HealthCheckPath, c.InitialImage = "healthz", "nginx" }), `Container.HealthCheckPath is "healthz": must be a path`},
		{"health check with a space", container(func(c *props.Container) { c.HealthCheckPath, c.InitialImage = "/a b", "nginx" }), "Container.HealthCheckPath"},
		{"health check too long", container(func(c *props.Container) { c.HealthCheckPath, c.InitialImage = "/"+strings.Repeat("a", 1024), "nginx" }), "at most 1024 characters"},
		{"CPU", container(func(c *props.Container) { c.CPU = 100 }), "Container.CPU is 100: must be one of [256 512 1024 2048 4096 8192 16384]"},
		{"memory between steps", container(func(c *props.Container) { c.MemoryMiB = 1536 }), "Container.MemoryMiB is 1536: must be 512, 1024 or 2048, which Fargate offers with CPU 256"},
		{"too little memory", container(func(c *props.Container) { c.CPU, c.MemoryMiB = 1024, 1024 }), "must be from 2048 to 8192 in steps of 1024, which Fargate offers with CPU 1024"},
		{"too much memory", container(func(c *props.Container) { c.CPU, c.MemoryMiB = 4096, 31744 }), "from 8192 to 30720"},
		{"memory off the step", container(func(c *props.Container) { c.CPU, c.MemoryMiB = 8192, 17408 }), "in steps of 4096"},
		{"variable", container(func(c *props.Container) { c.Environment = map[string]string{"A-B": ""} }), `Container.Environment is "A-B"`},
		{"key of AWS", container(func(c *props.Container) { c.Environment = map[string]string{"AWS_ACCESS_KEY_ID": "x"} }), "AWS gives a role to what runs here"},
		{"token as variable", container(func(c *props.Container) { c.Environment = map[string]string{"T": secretToken} }), "revoke it"},
		{"secret's variable", container(func(c *props.Container) { c.Secrets = map[string]string{"A-B": "/a"} }), `Container.Secrets is "A-B"`},
		{"secret twice", container(func(c *props.Container) {
			c.Secrets, c.Environment = map[string]string{"A": "/a"}, map[string]string{"A": "b"}
		}), "is in Environment too"},
		{"token as secret", secret(secretToken), `Container.Secrets["TOKEN"] is a token or key (hidden): revoke it`},
		{"part of a secret's ARN", secret("arn:aws:secretsmanager:us-east-1:" + fixtures.Account + ":secret:api"), "or a secret's full ARN"},
		{"secret of another account", func(s *props.FargateService) {
			s.Account, s.Container.Secrets = fixtures.Account, map[string]string{"A": "arn:aws:secretsmanager:us-east-1:999999999999:secret:api-AbCdEf"}
		}, "must be in the service's Account"},
		{"parameter", secret("/a b"), "must be a parameter's name"},
		{"label and id of a version", secret("arn:aws:secretsmanager:us-east-1:" + fixtures.Account + ":secret:api-AbCdEf:a:AWSPREVIOUS:" + fixtures.UUID), "or :password:: and the id of a version"},
		{"part of an ARN that ends like one", secret("arn:aws:secretsmanager:us-east-1:" + fixtures.Account + ":secret:prod/db-secret"),
			"--secret-id prod/db-secret --query ARN shows it). If this is the full one, name a version, too: arn:aws:secretsmanager:us-east-1:" + fixtures.Account + ":secret:prod/db-secret::AWSCURRENT:"},
		{"field behind such a part", secret("arn:aws:secretsmanager:us-east-1:" + fixtures.Account + ":secret:prod/db-Secret:password::"), ":secret:prod/db-Secret:password:AWSCURRENT:"},
		{"former secret that ends like a full ARN", container(func(c *props.Container) {
			c.FormerSecrets = []string{"arn:aws:secretsmanager:us-east-1:" + fixtures.Account + ":secret:api-202401"}
		}), "Container.FormerSecrets[0] is"},
		{"former secret", container(func(c *props.Container) { c.FormerSecrets = []string{"a/b"} }), `Container.FormerSecrets[0] is "a/b": must be a parameter's name`},
		{"key without a secret", container(func(c *props.Container) {
			c.SecretKeyARNs = []string{"arn:aws:kms:us-east-1:" + fixtures.Account + ":key/" + fixtures.UUID}
		}), "Container.SecretKeyARNs is \"1 key\": must be empty"},
		{"key twice", container(func(c *props.Container) {
			key := "arn:aws:kms:us-east-1:" + fixtures.Account + ":key/" + fixtures.UUID
			c.Secrets, c.SecretKeyARNs = map[string]string{"A": "/a"}, []string{key, key}
		}), "Container.SecretKeyARNs[1] is"},
		{"too many keys", container(func(c *props.Container) {
			c.Secrets, c.SecretKeyARNs = map[string]string{"A": "/a"}, fixtures.Several(11, "arn:aws:kms:us-east-1:123456789012:key/%d")
		}), "must be at most 10"},
		{"more secrets than a role has room for", container(func(c *props.Container) {
			c.FormerSecrets = fixtures.Several(900, "/api/%d")
		}), `Container.Secrets is "0 secrets": with FormerSecrets and SecretKeyARNs, the grants of all are`},
		{"more variables than a task definition has room for", container(func(c *props.Container) {
			c.Environment = map[string]string{}
			for _, name := range fixtures.Several(1200, "VARIABLE_OF_THE_SERVICE_%d") {
				c.Environment[name] = "1"
			}
		}), `Container.Environment is "1200 variables": with Secrets, variables are`},
		{"former secret twice", container(func(c *props.Container) { c.FormerSecrets = []string{"/a", "/a"} }), `Container.FormerSecrets[1] is "/a": is listed twice: list it once`},
		{"former secret that is none", container(func(c *props.Container) {
			c.Secrets, c.FormerSecrets = map[string]string{"A": "/a"}, []string{"/a"}
		}), "is in Secrets too: remove one of them"},
		{"token as former secret", container(func(c *props.Container) { c.FormerSecrets = []string{secretToken} }), "Container.FormerSecrets[0] is a token or key (hidden)"},
		{"architecture", container(func(c *props.Container) { c.Architecture = "RISCV" }), `Container.Architecture is "RISCV": must be one of "ARM64", "X86_64"`},
		{"Dockerfile outside", container(func(c *props.Container) { c.Dockerfile = "../Dockerfile" }), "Container.Dockerfile"},
		{"Dockerfile is a folder", container(func(c *props.Container) { c.Dockerfile = "." }), `Container.Dockerfile is "."`},
		{"context outside", container(func(c *props.Container) { c.Context = ".." }), `Container.Context is ".."`},
		{"context from the root", container(func(c *props.Container) { c.Context = "/src" }), "Container.Context"},
		{"no initial image for the port", container(func(c *props.Container) { c.Port = 8080 }), `Container.InitialImage is "": must be an image that answers on port 8080 at /: the default one answers on port 80 at /`},
		{"no initial image for the path", container(func(c *props.Container) { c.HealthCheckPath = "/healthz" }), "on port 80 at /healthz"},
		{"initial image", container(func(c *props.Container) { c.InitialImage = "-x" }), "Container.InitialImage"},
		{"initial image of no region", container(func(c *props.Container) { c.InitialImage = fixtures.Account + ".dkr.ecr.us-east-9.amazonaws.com/api:1" }), "must be public, or in ECR as"},
		{"initial image of another kind of address", container(func(c *props.Container) { c.InitialImage = fixtures.Account + ".dkr-ecr.us-east-1.on.aws/api:1" }), "must be public, or in ECR as"},
		{"container's days of log", container(func(c *props.Container) { c.LogRetentionDays = 2 }), "Container.LogRetentionDays is 2"},
	})
}

// The fixture with the most secrets nearly fills the policies of a role. TestPoliciesFit of package stacks
// compares the policies that the CDK makes of it with IAM's limits.
func TestGrantsAreNearlyTheMost(t *testing.T) {
	if n := fixtures.Secretive.Container.GrantsSize(); n < props.MaxGrants-1000 || n > props.MaxGrants {
		t.Errorf("secretive's grants are %d characters, want nearly %d", n, props.MaxGrants)
	}
}
