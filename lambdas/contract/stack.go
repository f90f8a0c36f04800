package contract

import "strings"

// StackKind is the last part of a stack's name.
type StackKind string

// The kinds of stacks that a blog or a service may have.
const (
	// StackPipeline is a blog's delivery.
	StackPipeline StackKind = "pipeline"
	// StackSite is a blog's bucket and distribution.
	StackSite StackKind = "site"
	// StackCertificate is the certificate of a blog's Site.
	StackCertificate StackKind = "certificate"
	// StackLogs is the access logs of a blog's Site.
	StackLogs StackKind = "logs"
	// StackHook is the hook of an existing service.
	StackHook StackKind = "hook"
	// StackService is a service that the app makes, with its hook.
	StackService StackKind = "service"
)

// StackName returns the name of a stack of the blog or service called name.
func StackName(name string, kind StackKind) string { return name + "-" + string(kind) }

// CutStackName returns the name of the blog or service that a stack belongs to, and
// false if the stack is of another kind.
func CutStackName(stack string, kind StackKind) (name string, ok bool) {
	return strings.CutSuffix(stack, "-"+string(kind))
}

// ExampleAccount is the account in AWS's documentation, to which stacks with example values are
// bound. Nobody has credentials for it.
const ExampleAccount = "111122223333"

// The outputs of stacks that the rehearsal reads and messages name.
const (
	// OutputAppSpec is the AppSpec of an existing service that CodeDeploy deploys.
	OutputAppSpec = "AppSpec"
	// OutputLifecycleHooks are the hooks of an existing service that ECS deploys.
	OutputLifecycleHooks = "LifecycleHooks"
	// OutputRoleTrust and OutputRolePermissions are the policies of the role that
	// [EnvRoleARN] names.
	OutputRoleTrust       = "RoleTrust"
	OutputRolePermissions = "RolePermissions"
)

// HookFunctionPrefix allows CodeDeploy to call the function with the narrower of its
// managed policies, too: AWSCodeDeployRoleForECSLimited.
const HookFunctionPrefix = "CodeDeployHook_"

// HookFunctionName returns the name of the function that clears the cache of the service
// called name.
func HookFunctionName(name string) string { return HookFunctionPrefix + name }
