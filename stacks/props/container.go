package props

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"blog-deploy-pipeline/buildspec"
	"blog-deploy-pipeline/lambdas/contract"
)

// Container describes the container of a service: its image, which the pipeline builds, and its part of a
// machine.
type Container struct {
	// Port is the port that the container listens on, by HTTP. It cannot be changed: the load balancer would
	// send requests to the new port before an image listens there. Default: 80. Example: 8080.
	Port int

	// HealthCheckPath is a path that answers with 200 as long as the container works. The load balancer asks
	// for it every 10 seconds. A change takes effect at once, also for the tasks in production: their image
	// must answer at the new path before. Default: "/". Example: "/healthz".
	HealthCheckPath string

	// CPU is the CPU of a task, in 1/1024 of a vCPU: 256, 512, 1024, 2048, 4096, 8192 or 16384. Default: 256.
	CPU int

	// MemoryMiB is the memory of a task, one of the values that Fargate offers with CPU. Default: the smallest,
	// twice CPU. A task with 256 and 512 MiB costs about 7 USD a month on Arm.
	MemoryMiB int

	// Environment has the container's variables. Everybody who can see the console or the template can read
	// them, so they must not contain secrets. Default: none. Example: map[string]string{"LOG_LEVEL": "info"}.
	Environment map[string]string

	// Secrets has variables whose values ECS fetches when a task starts: from a parameter in the Parameter
	// Store, by its name, or from a secret in Secrets Manager, by its full ARN. Both must be in the service's
	// account and region. A full ARN ends with a hyphen and six random characters: aws secretsmanager
	// describe-secret --secret-id NAME --query ARN shows it. An ARN that ends like a word or a number, as one
	// of 60 does, is refused, unless it names a version. One field of a secret that is JSON is ARN:password::,
	// with the label of a version ARN:password:AWSPREVIOUS:, and with the id of a version ARN:password::ID. A
	// new value reaches only the tasks that start after it was stored. A value that is encrypted with a key
	// of your own needs SecretKeyARNs. A secret costs 0.40 USD a month, a parameter nothing. Before you remove
	// one from here, move it to FormerSecrets. Default: none. Example: map[string]string{"API_TOKEN":
	// "/api/token"}.
	// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html
	Secrets map[string]string

	// FormerSecrets are parameters and secrets that were in Secrets, and that the version in production still
	// needs: without the permission to fetch them, ECS could start no more tasks of it. Move a secret here, run
	// `make deploy`, and release the pipeline (console: Release change). When that has succeeded, remove it
	// here, and run `make deploy` again. The permission is for all fields and versions of a secret. Default:
	// none. Example: []string{"/api/old-token"}.
	FormerSecrets []string

	// SecretKeyARNs are KMS keys of your own that Secrets and FormerSecrets are encrypted with, at most 10.
	// AWS's keys, aws/secretsmanager and aws/ssm, need not be named. Tasks may use these keys for nothing but
	// to decrypt those secrets when they start. The keys must be in the service's region, and their policies
	// must delegate access to IAM, as the policies of new keys do. A change takes effect at once: remove a key
	// only when production needs nothing that is encrypted with it. A key costs 1 USD a month. Default: none.
	// Example: []string{"arn:aws:kms:us-east-1:123456789012:key/01234567-…"}.
	SecretKeyARNs []string

	// Architecture is the processor of the tasks, and of the machine that builds the image. It cannot be
	// changed: for another one, create a service with another Name. CodeBuild does not have Arm in every region.
	// Default: ArchitectureARM64, which costs a fifth less.
	Architecture Architecture

	// Dockerfile is the path of the Dockerfile in the repository. Default: "Dockerfile". Example:
	// "docker/api.Dockerfile".
	Dockerfile string

	// Context is the folder of the repository that Docker builds the image from. Default: the repository's
	// root. Example: "services/api".
	Context string

	// InitialImage is the image that runs until the pipeline has delivered the first push. It must be for
	// Architecture, and answer on Port at HealthCheckPath, with 0.25 vCPU, 512 MiB and no variables. It must
	// be public, or in a private repository of ECR, from which the tasks may then pull it; a repository of
	// another account must allow this, too. Tasks that reach ECR only by VPC endpoints cannot reach a public
	// image, so push one to ECR first. It cannot be changed: CloudFormation would make another image the
	// newest version, and it would go into production. Default: nginx's welcome page, if Port is 80 and
	// HealthCheckPath is "/"; otherwise required. Example: "public.ecr.aws/docker/library/httpd:2.4.65".
	InitialImage string

	// LogRetentionDays is the number of days for which the container's log is kept. Default: 30.
	LogRetentionDays int
}

// Architecture is a family of processors.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-arm64.html
type Architecture string

// The families that Fargate has.
const (
	ArchitectureARM64  Architecture = "ARM64"
	ArchitectureX86_64 Architecture = "X86_64"
)

const (
	// ContainerName is the name of the container in every task, which has only one.
	ContainerName          = "web"
	defaultPort            = 80
	defaultHealthCheckPath = "/"
	maxHealthCheckPath     = 1024
	// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
	maxImage = 255
	// maxVariables leaves 2 of the 64 KiB of a task definition, as JSON, to everything else in it.
	// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html
	maxVariables = 62 * 1024
	// defaultCPU is the smallest task that Fargate offers.
	defaultCPU = 256
	// DefaultInitialImage must not change, not even to a newer nginx: the next `make deploy` of every service
	// that ECS deploys and that was created with this image would bring the new one into production.
	DefaultInitialImage = "public.ecr.aws/docker/library/nginx:1.28.0-alpine"
)

// memories has for each CPU the most MiB that Fargate offers, and the steps from the least, twice CPU.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
var memories = map[int]struct{ most, step int }{
	256:   {2048, 512}, // without 1536
	512:   {4096, 1024},
	1024:  {8192, 1024},
	2048:  {16384, 1024},
	4096:  {30720, 1024},
	8192:  {61440, 4096},
	16384: {122880, 8192},
}

var (
	// https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html
	ecrImagePattern    = regexp.MustCompile(`^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com/([^:@]+)`)
	healthCheckPattern = regexp.MustCompile(`^/[!-~]*$`)
)

// withDefaults returns these props with every default in its field.
func (c Container) withDefaults() Container {
	c.Port = cmp.Or(c.Port, defaultPort)
	c.HealthCheckPath = cmp.Or(c.HealthCheckPath, defaultHealthCheckPath)
	c.CPU = cmp.Or(c.CPU, defaultCPU)
	c.MemoryMiB = cmp.Or(c.MemoryMiB, 2*c.CPU)
	c.Architecture = cmp.Or(c.Architecture, ArchitectureARM64)
	c.Dockerfile = cmp.Or(c.Dockerfile, buildspec.DefaultDockerfile)
	c.Context = cmp.Or(c.Context, buildspec.DefaultContext)
	c.LogRetentionDays = logDaysWithDefault(c.LogRetentionDays)
	return c
}

func (c Container) taskSecrets() taskSecrets {
	return taskSecrets{c.Environment, c.Secrets, c.FormerSecrets, c.SecretKeyARNs}
}

func (c Container) validate(p *problems) {
	before := len(p.errs)
	if port := c.Port; port < 1 || port > 65535 {
		p.add("Container.Port", c.Port, "must be the port that the container listens on, from 1 to 65535")
	}
	if at := c.HealthCheckPath; len(at) > maxHealthCheckPath || !healthCheckPattern.MatchString(at) {
		p.add("Container.HealthCheckPath", at, fmt.Sprintf("must be a path such as /healthz, without spaces, of at most %d characters", maxHealthCheckPath))
	}
	answers := len(p.errs) == before
	c.validateSize(p)
	validateVariables(p, "Container.Environment", c.Environment, func(string) string { return "" })
	c.taskSecrets().validate(p)
	if n := c.variablesSize(); n > maxVariables {
		p.add("Container.Environment", count(len(c.Environment)+len(c.Secrets), "variable"), fmt.Sprintf("with Secrets, variables are %d bytes of the task definition, as JSON, which has room for %d: use fewer or shorter ones", n, maxVariables))
	}
	oneOf(p, "Container.Architecture", c.Architecture, ArchitectureARM64, ArchitectureX86_64)
	if c.Dockerfile != "" && !isFileInside(c.Dockerfile) {
		p.add("Container.Dockerfile", c.Dockerfile, "must be a path inside the repository, such as docker/api.Dockerfile")
	}
	if c.Context != "" && !isInside(c.Context) {
		p.add("Container.Context", c.Context, "must be a folder inside the repository, such as services/api")
	}
	c.validateInitialImage(p, answers)
	validateLogDays(p, "Container.LogRetentionDays", c.LogRetentionDays)
}

// validateSize checks CPU and MemoryMiB, which Fargate offers in pairs.
func (c Container) validateSize(p *problems) {
	pair, known := memories[c.CPU]
	if !known {
		p.add("Container.CPU", c.CPU, fmt.Sprintf("must be one of %v", slices.Sorted(maps.Keys(memories))))
		return
	}
	switch m, least := c.MemoryMiB, 2*c.CPU; {
	case c.CPU == 256 && m != 512 && m != 1024 && m != 2048:
		p.add("Container.MemoryMiB", m, "must be 512, 1024 or 2048, which Fargate offers with CPU 256")
	case m < least || m > pair.most || m%pair.step != 0:
		p.add("Container.MemoryMiB", m, fmt.Sprintf("must be from %d to %d in steps of %d, which Fargate offers with CPU %d", least, pair.most, pair.step, c.CPU))
	}
}

// validateInitialImage checks InitialImage. answers is whether Port and HealthCheckPath are valid.
func (c Container) validateInitialImage(p *problems, answers bool) {
	switch image := c.InitialImage; {
	case image == "" && answers && (c.Port != defaultPort || c.HealthCheckPath != defaultHealthCheckPath):
		p.add("Container.InitialImage", "", fmt.Sprintf("must be an image that answers on port %d at %s: the default one answers on port 80 at /, and a service whose first tasks are not healthy is not created. If this service exists already, it must be %s", c.Port, c.HealthCheckPath, DefaultInitialImage))
	case image == "":
	case len(image) > maxImage || !imagePattern.MatchString(image):
		p.add("Container.InitialImage", image, "must be an image's name, such as "+DefaultInitialImage)
	case privateImagePattern.MatchString(image) && c.InitialRepository() == "":
		p.add("Container.InitialImage", image, "must be public, or in ECR as 123456789012.dkr.ecr.us-east-1.amazonaws.com/web:1 is")
	}
}

// variablesSize returns the size of the variables in a task definition, in bytes.
func (c Container) variablesSize() int {
	type variable struct{ Name, ValueFrom string }
	var all []variable
	for name, value := range c.Environment {
		all = append(all, variable{name, value})
	}
	for name, at := range c.Secrets {
		all = append(all, variable{name, fullARN(at)})
	}
	return len(contract.JSON(all))
}

// InitialRepository returns the ARN of the private repository of InitialImage, or "" if that is public.
func (c Container) InitialRepository() string {
	parts := ecrImagePattern.FindStringSubmatch(c.InitialImage)
	if parts == nil || !isRegion(parts[2]) {
		return ""
	}
	return fmt.Sprintf("arn:aws:ecr:%s:%s:repository/%s", parts[2], parts[1], parts[3])
}
