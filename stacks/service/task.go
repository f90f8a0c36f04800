package service

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecr"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsssm"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/internal/tasksecret"
	"blog-deploy-pipeline/stacks/props"
)

// task is what the service runs. Its two families of task definitions keep CloudFormation and the
// pipeline out of each other's way.
//
// CloudFormation registers the template's family, which never runs. Each build copies the newest
// revision of it, and each deployment registers a revision of the service's family, of which only
// the first is CloudFormation's. So a change of Container reaches production with the next
// deployment, together with that one's image; and a change of the service by CloudFormation leaves
// both the image and these settings as they are.
//
// The newest active revision of the service's family is that of the last deployment that succeeded.
// With ECS, a deployment that fails deregisters its own revision (buildspec/ecs.yml). With
// CodeDeploy the revision stays, but there CloudFormation cannot change the service.
type task struct {
	first, template        awsecs.FargateTaskDefinition
	family, templateFamily string
	// execution is the role that ECS starts a task with, and role the one of the code in it.
	execution, role awsiam.Role
}

const (
	tasksService = "ecs-tasks.amazonaws.com"
	// The permissions to fetch a secret and a parameter.
	fetchSecret    = "secretsmanager:GetSecretValue"
	fetchParameter = "ssm:GetParameters"
	// firstCPU is the CPU of the first tasks, the smallest that Fargate offers. It must not change.
	firstCPU = 256
	// placeholderImage stands in the task definition where a build writes the name of the image.
	placeholderImage = "put-here-by-the-build"
)

// newTask makes both task definitions, and the roles and the log that they share.
func newTask(scope constructs.Construct, family string, c props.Container, repository awsecr.IRepository) task {
	log := cdk.NewLogGroup(scope, "ContainerLog", c.LogRetentionDays)
	execution := cdk.NewServiceRole(scope, "ExecutionRole", tasksService, "Starts the service's tasks: fetches the image and the secrets, opens the log")
	log.GrantWrite(execution)
	repository.GrantPull(execution)
	if arn := c.InitialRepository(); arn != "" {
		cdk.Allow(execution, []string{"ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"}, arn)
	}
	secrets := newSecrets(scope, c, execution)
	cdk.JustifyWildcards(execution, "ecr:GetAuthorizationToken has no resource to name.")
	made := task{
		family: family, templateFamily: family + "-template",
		execution: execution,
		// The owner decides what the service's own code may do.
		role: cdk.NewServiceRole(scope, "TaskRole", tasksService, "What the service's code may do: nothing yet"),
	}

	architecture := awsecs.CpuArchitecture_ARM64()
	if c.Architecture == props.ArchitectureX86_64 {
		architecture = awsecs.CpuArchitecture_X86_64()
	}
	define := func(id, family string, cpu, memory int, image string, options awsecs.ContainerDefinitionOptions) awsecs.FargateTaskDefinition {
		definition := awsecs.NewFargateTaskDefinition(scope, jsii.String(id), &awsecs.FargateTaskDefinitionProps{
			Family:         jsii.String(family),
			Cpu:            jsii.Number(cpu),
			MemoryLimitMiB: jsii.Number(memory),
			TaskRole:       made.role,
			// Without the CDK's own grants, which allow more.
			ExecutionRole: execution.WithoutPolicyUpdates(&awsiam.WithoutPolicyUpdatesOptions{}),
			RuntimePlatform: &awsecs.RuntimePlatform{
				CpuArchitecture:       architecture,
				OperatingSystemFamily: awsecs.OperatingSystemFamily_LINUX(),
			},
		})
		options.ContainerName = jsii.String(props.ContainerName)
		options.Image = awsecs.ContainerImage_FromRegistry(jsii.String(image), nil)
		options.PortMappings = &[]*awsecs.PortMapping{{ContainerPort: jsii.Number(c.Port)}}
		options.Logging = awsecs.LogDriver_AwsLogs(&awsecs.AwsLogDriverProps{LogGroup: log, StreamPrefix: jsii.String(props.ContainerName)})
		definition.AddContainer(jsii.String(props.ContainerName), &options)
		return definition
	}
	// The first task definition must never change: another revision would be the family's newest,
	// and bring the initial image back into production. So it has nothing that an owner, or a newer
	// version of this project, may change.
	made.first = define("FirstTask", made.family, firstCPU, 2*firstCPU, cmp.Or(c.InitialImage, props.DefaultInitialImage), awsecs.ContainerDefinitionOptions{})
	awscdk.Annotations_Of(made.first).AcknowledgeWarning(jsii.String("@aws-cdk/aws-ecs:ecrImageRequiresPolicy"), jsii.String("The execution role may pull it"))
	// If it is replaced all the same, production may still run it, or be rolled back to it.
	options := made.first.Node().DefaultChild().(awsecs.CfnTaskDefinition).CfnOptions()
	options.SetUpdateReplacePolicy(awscdk.CfnDeletionPolicy_RETAIN)
	options.SetDeletionPolicy(awscdk.CfnDeletionPolicy_DELETE)

	variables := map[string]*string{}
	for name, value := range c.Environment {
		variables[name] = literal(value)
	}
	made.template = define("Task", made.templateFamily, c.CPU, c.MemoryMiB, placeholderImage, awsecs.ContainerDefinitionOptions{Environment: &variables, Secrets: &secrets})
	if len(c.Environment) > 0 {
		cdk.Justify(made.template, cdk.Justification{Rule: "AwsSolutions-ECS2", Reason: "Container.Environment is documented to be no place for secrets; those have Container.Secrets."})
	}
	return made
}

// literal returns a text that may have ${x} in it. The CDK's check of the template would read that
// as a reference of CloudFormation.
func literal(text string) *string {
	if !strings.Contains(text, "${") {
		return &text
	}
	return awscdk.Fn_Sub(jsii.String(strings.ReplaceAll(text, "${", "${Dollar}{")), &map[string]*string{"Dollar": jsii.String("$")})
}

// newSecrets returns the variables that ECS sets from secrets. It lets the role fetch exactly these,
// and the former ones that production may still use.
func newSecrets(scope constructs.Construct, c props.Container, role awsiam.Role) map[string]awsecs.Secret {
	variables := map[string]awsecs.Secret{}
	fetched := map[string][]string{} // by the action that fetches them
	fetch := func(id, at string) awsecs.Secret {
		variable, action, arn := secret(scope, id, at)
		cdk.Allow(role, []string{action}, arn)
		if !slices.Contains(fetched[action], arn) {
			fetched[action] = append(fetched[action], arn)
		}
		return variable
	}
	for i, name := range slices.Sorted(maps.Keys(c.Secrets)) {
		variables[name] = fetch("Secret"+strconv.Itoa(i), c.Secrets[name])
	}
	for i, at := range c.FormerSecrets {
		fetch("FormerSecret"+strconv.Itoa(i), at)
	}
	if len(c.SecretKeyARNs) > 0 {
		allowDecrypting(scope, c, role, "secretsmanager", "SecretARN", fetched[fetchSecret])
		allowDecrypting(scope, c, role, "ssm", "PARAMETER_ARN", fetched[fetchParameter])
	}
	return variables
}

// secret returns the variable for a parameter or secret, and the action and the ARN that fetching it
// needs permission for.
func secret(scope constructs.Construct, id, at string) (variable awsecs.Secret, action, arn string) {
	if !strings.HasPrefix(at, "arn:") {
		parameter := awsssm.StringParameter_FromSecureStringParameterAttributes(scope, jsii.String(id), &awsssm.SecureStringParameterAttributes{ParameterName: jsii.String(at)})
		return awsecs.Secret_FromSsmParameter(parameter), fetchParameter, *parameter.ParameterArn()
	}
	arn, key, label, version := tasksecret.Parts(at)
	found := awssecretsmanager.Secret_FromSecretCompleteArn(scope, jsii.String(id), &arn)
	if key+label+version == "" {
		return awsecs.Secret_FromSecretsManager(found, nil), fetchSecret, arn
	}
	return awsecs.Secret_FromSecretsManagerVersion(found, &awsecs.SecretVersionInfo{VersionStage: &label, VersionId: &version}, &key), fetchSecret, arn
}

// allowDecrypting lets the role decrypt the secrets at arns with the owner's keys, but only through
// the AWS service that keeps them, which tells KMS the ARN of the secret as the encryption context.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
// https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html
func allowDecrypting(scope constructs.Construct, c props.Container, role awsiam.Role, service, context string, arns []string) {
	for some := range slices.Chunk(arns, tasksecret.InGrant) {
		role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Actions:   jsii.Strings("kms:Decrypt"),
			Resources: jsii.Strings(c.SecretKeyARNs...),
			Conditions: &map[string]any{"StringEquals": map[string]any{
				"kms:ViaService":                   service + "." + *awscdk.Stack_Of(scope).Region() + ".amazonaws.com",
				"kms:EncryptionContext:" + context: some,
			}},
		}))
	}
}

// allowPassing lets a role pass the task's two roles to ECS, and only for tasks.
func (t task) allowPassing(role awsiam.Role) {
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions:    jsii.Strings("iam:PassRole"),
		Resources:  &[]*string{t.execution.RoleArn(), t.role.RoleArn()},
		Conditions: &map[string]any{"StringEquals": map[string]string{"iam:PassedToService": tasksService}},
	}))
}

// allowRegistering lets a role register revisions of the service's family.
func (t task) allowRegistering(scope constructs.Construct, role awsiam.Role) {
	cdk.Allow(role, []string{"ecs:RegisterTaskDefinition"}, cdk.ARN(scope, "ecs", "task-definition/"+t.family+":*"))
}
