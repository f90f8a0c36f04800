package props

import (
	"blog-deploy-pipeline/buildspec"
	"blog-deploy-pipeline/lambdas/contract"
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Container is what runs: the image that the pipeline builds, and how much of a
// machine it gets.
type Container struct {
	// Port that the container listens on, by HTTP. It cannot be changed: the load
	// balancer would send requests to the new one before an image listens there.
	// Default: 80. Example: 8080.
	Port int

	// HealthCheckPath answers with 200 as long as all is well; the load balancer asks
	// every 10 seconds. A change takes effect at once, for the tasks in production,
	// too: the image there must answer at the new path before. Default: "/". Example:
	// "/healthz".
	HealthCheckPath string

	// CPU of one task, in 1/1024 of a vCPU: 256, 512, 1024, 2048, 4096, 8192 or
	// 16384. Default: 256.
	CPU int

	// MemoryMiB of one task, as Fargate pairs it with CPU. Default: the least, twice
	// CPU. A task of 256 and 512 MiB costs about 7 USD a month on Arm.
	MemoryMiB int

	// Environment holds the container's variables. Default: none. Example:
	// map[string]string{"LOG_LEVEL": "info"}. They are readable in the console and in
	// the template, so no secret belongs here.
	Environment map[string]string

	// Secrets holds variables whose values ECS fetches when a task starts: by the
	// name of a parameter in the Parameter Store, or by the full ARN of a secret in
	// Secrets Manager, of the service's account and region. A full ARN ends in a hyphen
	// and six characters that are not the name's: aws secretsmanager describe-secret
	// --secret-id NAME --query ARN shows it. One that ends like a word or a number, as one
	// in 60 does, is refused, unless it names a version. Behind it may be ":password::", for
	// one field of a secret that is JSON, and a version's label (":password:AWSPREVIOUS:",
	// "::AWSPREVIOUS:") or its id in the last place. Only tasks that start later get a new
	// value. What is encrypted with a key of your own needs SecretKeyARNs. A secret costs
	// 0.40 USD a month, a parameter nothing. What you take away from here goes to
	// FormerSecrets first. Default: none. Example: map[string]string{"API_TOKEN": "/api/token"}.
	// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html
	Secrets map[string]string

	// FormerSecrets are parameters and secrets that Secrets named before: without the
	// right to fetch them, ECS could start no more tasks of the version in production.
	// Move them here, `make deploy`, release the pipeline (console: Release change);
	// when that has succeeded, take them out and `make deploy` again. Of one secret, the
	// right is for all its fields and versions. Default: none. Example:
	// []string{"/api/old-token"}.
	FormerSecrets []string

	// SecretKeyARNs are the KMS keys of your own that Secrets and FormerSecrets are
	// encrypted with, at most 10; AWS's keys, aws/secretsmanager and aws/ssm, are not
	// named. Starting tasks may use them to decrypt what is named there, and for nothing
	// else. They must be in the service's region, and their policies must leave access to
	// IAM, as new keys' policies do. A change takes effect at once: take a key away when
	// nothing that production names is encrypted with it. A key costs 1 USD a month.
	// Default: none. Example: []string{"arn:aws:kms:us-east-1:123456789012:key/01234567-…"}.
	SecretKeyARNs []string

	// Architecture of the tasks and of the machine that builds the image. It cannot be
	// changed: a service with another one has another Name. Default: ARM64, which
	// costs a fifth less. CodeBuild has Arm not in every region.
	Architecture Architecture

	// Dockerfile is its path in the repository. Default: "Dockerfile". Example:
	// "docker/api.Dockerfile".
	Dockerfile string

	// Context is the folder that the image is built from. Default: the repository's
	// root. Example: "services/api".
	Context string

	// InitialImage runs until the pipeline has delivered the first push: an image for
	// Architecture that answers on Port at HealthCheckPath, with 0.25 vCPU, 512 MiB and
	// no variables. It is public, or in a private repository of ECR, which the tasks may
	// then pull from (one of another account must allow it, too): tasks that reach ECR by
	// VPC endpoints alone reach no public image, so push one there before. It cannot be
	// changed: another one would become the version that CloudFormation finds newest, and
	// go into production. Default: nginx's welcome page, where Port is 80 and
	// HealthCheckPath is "/"; else Required. Example:
	// "public.ecr.aws/docker/library/httpd:2.4.65".
	InitialImage string

	// LogRetentionDays is how long the container's log is kept, in days. Default: 30.
	LogRetentionDays int
}

// Architecture is a family of processors.
type Architecture string

// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-arm64.html
const (
	ArchitectureARM64  Architecture = "ARM64"
	ArchitectureX86_64 Architecture = "X86_64"
)

const (
	TasksService = "ecs-tasks.amazonaws.com"
	// containerName is the same everywhere, as there is one container in a task.
	ContainerName          = "web"
	defaultPort            = 80
	defaultHealthCheckPath = "/"
	maxHealthCheckPath     = 1024
	// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
	maxImage = 255
	// maxVariables leaves 2 KiB of the 64 that a task definition has, as JSON, to the rest.
	// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html
	maxVariables = 62 * 1024
	DefaultCPU   = 256
	// placeholderImage is where a build puts the image's name.
	PlaceholderImage = "put-here-by-the-build"
	// defaultInitialImage is frozen: with another one, a newer nginx for example, the
	// next `make deploy` would bring it into production of every service that ECS
	// deploys and that was made with this one.
	DefaultInitialImage = "public.ecr.aws/docker/library/nginx:1.28.0-alpine"
)

// memories are, for each CPU, the most MiB and the step up to there from the least,
// twice CPU.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
var Memories = map[int]struct{ Most, step int }{
	256:   {2048, 512}, // and not 1536
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
	// taskSecretPattern is a secret's full ARN, and maybe a field of JSON and the label or
	// the id of a version behind it.
	// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html
	taskSecretPattern = arnPattern("secretsmanager", fullSecret+`(:[^:[:cntrl:]]*:([^:[:cntrl:]]{0,256}:|:[A-Za-z0-9_.-]{32,64}))?`)
)

const (
	// Four secrets, of 1,011 characters at most, and ten keys leave room in one policy.
	SecretsInGrant, maxSecretKeys = 4, 10
	// maxGrants is how many characters the grants of all secrets may have. A role has
	// policies of its own with 10,240, of which some are for other grants, and ten more of
	// 6,144, which CDK does not fill.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
	MaxGrants = 50_000
)

// WithDefaults returns these props with every default in its field.
func (c Container) WithDefaults() Container {
	c.Port = cmp.Or(c.Port, defaultPort)
	c.HealthCheckPath = cmp.Or(c.HealthCheckPath, defaultHealthCheckPath)
	c.CPU = cmp.Or(c.CPU, DefaultCPU)
	c.MemoryMiB = cmp.Or(c.MemoryMiB, 2*c.CPU)
	c.Architecture = cmp.Or(c.Architecture, ArchitectureARM64)
	c.Dockerfile = cmp.Or(c.Dockerfile, buildspec.DefaultDockerfile)
	c.Context = cmp.Or(c.Context, buildspec.DefaultContext)
	c.LogRetentionDays = logDaysWithDefault(c.LogRetentionDays)
	return c
}

func (c Container) validate(p *Problems) {
	before := len(p.errs)
	if port := c.Port; port < 1 || port > 65535 {
		p.add("Container.Port", c.Port, "must be the port that the container listens on, from 1 to 65535")
	}
	if at := c.HealthCheckPath; len(at) > maxHealthCheckPath || !healthCheckPattern.MatchString(at) {
		p.add("Container.HealthCheckPath", at, fmt.Sprintf("must be a path such as /healthz, without spaces, of at most %d characters", maxHealthCheckPath))
	}
	answers := len(p.errs) == before
	if pair, ok := Memories[c.CPU]; !ok {
		p.add("Container.CPU", c.CPU, fmt.Sprintf("must be one of %v", slices.Sorted(maps.Keys(Memories))))
	} else if m := c.MemoryMiB; c.CPU == 256 && m != 512 && m != 1024 && m != 2048 {
		p.add("Container.MemoryMiB", c.MemoryMiB, "with CPU 256, Fargate takes 512, 1024 or 2048")
	} else if least := 2 * c.CPU; m < least || m > pair.Most || m%pair.step != 0 {
		p.add("Container.MemoryMiB", c.MemoryMiB, fmt.Sprintf("with CPU %d, Fargate takes from %d to %d by steps of %d", c.CPU, least, pair.Most, pair.step))
	}
	validateVariables(p, "Container.Environment", c.Environment, func(string) string { return "" })
	for _, name := range slices.Sorted(maps.Keys(c.Secrets)) {
		at := c.Secrets[name]
		switch _, both := c.Environment[name]; {
		case !variablePattern.MatchString(name):
			p.addReference("Container.Secrets", name, "must be a name of letters, digits and underscores")
		case both:
			p.add("Container.Secrets", name, "is in Environment too; keep one of them")
		default:
			validateSecret(p, fmt.Sprintf("Container.Secrets[%q]", name), at)
		}
	}
	for i, at := range c.FormerSecrets {
		field := fmt.Sprintf("Container.FormerSecrets[%d]", i)
		switch {
		case slices.Contains(c.FormerSecrets[:i], at):
			p.addReference(field, at, "is there twice; name it once")
		case slices.Contains(slices.Collect(maps.Values(c.Secrets)), at):
			p.addReference(field, at, "is in Secrets too; keep one of them")
		default:
			validateSecret(p, field, at)
		}
	}
	c.validateSecretKeys(p)
	if n := c.variablesSize(); n > maxVariables {
		p.add("Container.Environment", fmt.Sprintf("%d variables", len(c.Environment)+len(c.Secrets)), fmt.Sprintf("with Secrets they are %d bytes of the task definition, as JSON, which has room for %d", n, maxVariables))
	}
	if n := c.GrantsSize(); n > MaxGrants {
		p.add("Container.Secrets", fmt.Sprintf("%d secrets", len(c.Secrets)), fmt.Sprintf("with FormerSecrets and SecretKeyARNs, the grants of all are %d characters long, and a role has room for %d; put several values into one secret, as fields of JSON, which needs one grant", n, MaxGrants))
	}
	oneOf(p, "Container.Architecture", c.Architecture, ArchitectureARM64, ArchitectureX86_64)
	if c.Dockerfile != "" && !isFileInside(c.Dockerfile) {
		p.add("Container.Dockerfile", c.Dockerfile, "must be a path inside the repository, such as docker/api.Dockerfile")
	}
	if c.Context != "" && !isInside(c.Context) {
		p.add("Container.Context", c.Context, "must be a folder inside the repository, such as services/api")
	}
	switch {
	case c.InitialImage == "" && answers && (c.Port != defaultPort || c.HealthCheckPath != defaultHealthCheckPath):
		p.add("Container.InitialImage", "", fmt.Sprintf("must be an image that answers on port %d at %s: the default one does on 80 at /, and a service whose first tasks are not healthy is not created. If this service is there already, it stays %s", c.Port, c.HealthCheckPath, DefaultInitialImage))
	case c.InitialImage == "":
	case len(c.InitialImage) > maxImage || !imagePattern.MatchString(c.InitialImage):
		p.add("Container.InitialImage", c.InitialImage, "must be an image's name, such as "+DefaultInitialImage)
	case privateImagePattern.MatchString(c.InitialImage) && InitialRepository(c.InitialImage) == "":
		p.add("Container.InitialImage", c.InitialImage, "must be public, or in ECR as 123456789012.dkr.ecr.us-east-1.amazonaws.com/web:1 is")
	}
	validateLogDays(p, "Container.LogRetentionDays", c.LogRetentionDays)
}

// variablesSize is how many bytes the variables are in a task definition.
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

// grantsSize is how many characters the grants of all secrets have, each of which has one.
func (c Container) GrantsSize() int {
	granted := map[string]bool{}
	for _, at := range slices.Concat(slices.Collect(maps.Values(c.Secrets)), c.FormerSecrets) {
		parts := strings.SplitN(fullARN(at), ":", 8)
		granted[strings.Join(parts[:min(7, len(parts))], ":")] = true
	}
	size := len(contract.JSON(slices.Collect(maps.Keys(granted))))
	if len(c.SecretKeyARNs) == 0 {
		return size
	}
	const rest = 300 // of a statement that names secrets and keys
	return 2*size + (len(granted)/SecretsInGrant+1)*(len(contract.JSON(c.SecretKeyARNs))+rest)
}

// fullARN returns the ARN of a parameter whose name it is given, in a region with as long a
// name as any.
func fullARN(at string) string {
	if strings.HasPrefix(at, "arn:") {
		return at
	}
	return "arn:aws:ssm:ap-northeast-1:123456789012:parameter/" + at
}

// initialRepository returns the ARN of the private repository that an image is in, or ""
// of any other image.
func InitialRepository(image string) string {
	parts := ecrImagePattern.FindStringSubmatch(image)
	if parts == nil || !isRegion(parts[2]) {
		return ""
	}
	return fmt.Sprintf("arn:aws:ecr:%s:%s:repository/%s", parts[2], parts[1], parts[3])
}

// validateSecret reports what names neither a parameter nor a secret that the tasks
// can fetch.
func validateSecret(p *Problems, field, at string) {
	const show = "aws secretsmanager describe-secret --secret-id %s --query ARN shows it"
	want := "must be a parameter's name, such as /api/token, or a secret's full ARN (" + fmt.Sprintf(show, "NAME") + "), such as arn:aws:secretsmanager:us-east-1:123456789012:secret:api-AbCdEf, with :password:: behind it for one field, :password:AWSPREVIOUS: for the label of a version or :password:: and the id of one"
	switch {
	case isToken(at): // one may look like a parameter's name
		p.add(field, at, "must name a parameter or secret")
		return
	case parameterPattern.MatchString(at):
		validateParameterName(p, field, at)
		return
	case !strings.HasPrefix(at, "arn:"):
		p.addReference(field, at, want)
		return
	case !p.arn(field, at, taskSecretPattern, want):
		return
	}
	arn, key, label, version := SecretParts(at)
	if nameLikePattern.MatchString(arn) && label+version == "" {
		p.add(field, at, fmt.Sprintf("looks like a part of the secret's ARN, which Secrets Manager would take for the full one: that has a hyphen and six random characters behind the name ("+show+"). If it is the full one, name a version, too: %s:%s:AWSCURRENT:", arn[strings.LastIndex(arn, ":")+1:], arn, key))
	}
	p.sameAccount(field, at)
	p.sameRegion(field, at)
}

func (c Container) validateSecretKeys(p *Problems) {
	const field = "Container.SecretKeyARNs"
	switch n := len(c.SecretKeyARNs); {
	case n > maxSecretKeys:
		p.add(field, fmt.Sprintf("%d keys", n), fmt.Sprintf("must be at most %d, so that they fit into the role's policy", maxSecretKeys))
	case n > 0 && len(c.Secrets)+len(c.FormerSecrets) == 0:
		p.add(field, fmt.Sprintf("%d keys", n), "must be empty, because Secrets names nothing that they could have encrypted")
	}
	for i, key := range c.SecretKeyARNs {
		field := fmt.Sprintf("%s[%d]", field, i)
		if slices.Contains(c.SecretKeyARNs[:i], key) {
			p.add(field, key, "is there twice; name it once")
		} else {
			validateKey(p, field, key)
		}
	}
}

const FetchSecret, FetchParameter = "secretsmanager:GetSecretValue", "ssm:GetParameters"

// secretParts cuts a secret's ARN from what ECS takes behind it: a key of JSON, and a
// version's label or id.
func SecretParts(at string) (arn, key, label, version string) {
	parts := append(strings.Split(at, ":"), "", "", "")
	return strings.Join(parts[:7], ":"), parts[7], parts[8], parts[9]
}
