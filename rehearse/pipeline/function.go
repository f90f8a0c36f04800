package pipeline

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/amount"
	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/rehearse/iam"
	"blog-deploy-pipeline/rehearse/lambdaruntime"
)

// Function is a Lambda function.
type Function struct {
	ID, Name, ARN string
	// Asset is the folder that it is made of.
	Asset    string
	Env      map[string]string
	Timeout  time.Duration
	MemoryMB int
	// Retries is the number of times that Lambda retries an asynchronous invocation that failed.
	Retries  int
	Role     *iam.Role
	LogGroup string
	// Assumes is the role that the function assumes to clear distributions of another account; nil if it clears them by
	// its own.
	Assumes *iam.Role
}

// lookAtLog names where the function's log is.
func (f *Function) lookAtLog() string {
	return "the log of the function " + f.ID + ", shown by `make rehearse VERBOSE=1`; on AWS in the log group " + f.LogGroup
}

// lookAtEnd names the function, and says how its last invocation failed, if it did.
func (f *Function) lookAtEnd(attempts []lambdaruntime.Result) string {
	if last := attempts[len(attempts)-1].Err; last != nil {
		return fmt.Sprintf("the function %s: it was invoked %s, and ended with %v", f.ID, amount.Count(len(attempts), "time"), last)
	}
	return "the function " + f.ID
}

// functions reads the functions of a template, each once.
type functions struct {
	*assembly.Inspection

	roles *iam.Roles
	all   []*Function // that were read
}

// named returns the function whose name or ARN is name; nil if the template has none.
func (i *functions) named(what, name string) *Function {
	resource, ok := i.Named(what, "AWS::Lambda::Function", name)
	if !ok {
		return nil
	}
	for _, f := range i.all {
		if f.ID == resource.ID {
			return f
		}
	}
	f := i.function(what, resource)
	i.all = append(i.all, f)
	return f
}

func (i *functions) function(what string, resource assembly.NamedResource) *Function {
	p := resource.Properties
	f := &Function{ID: resource.ID, Name: i.Ref(resource.ID), ARN: i.ARN(resource.ID), Env: map[string]string{}, Retries: 2}
	if runtime := i.Text(what, p["Runtime"]); !strings.HasPrefix(runtime, "provided.") {
		i.Problem("%s: the function %s runs on %s: only a compiled one (provided.al2023) can be rehearsed", what, f.Name, cmp.Or(runtime, "an image"))
		return f
	}
	i.Ignored("the function "+resource.ID, p, "VpcConfig", "Layers", "ReservedConcurrentExecutions", "FileSystemConfigs")
	var err error
	if f.Asset, err = i.Template.FunctionAssetDir(resource.ID); err != nil {
		i.Problem("%s: %w", what, err)
	}
	for name, value := range assembly.Object(i.Resolve(what, assembly.Object(p["Environment"])["Variables"])) {
		f.Env[name] = assembly.Text(value)
	}
	if arn := f.Env[contract.EnvRoleARN]; arn != "" {
		f.Assumes = i.assumedRole(f, arn)
	}
	f.Timeout = time.Duration(i.Number(what+": Timeout", p["Timeout"], 3)) * time.Second
	f.MemoryMB = i.Number(what+": MemorySize", p["MemorySize"], 128)
	f.Role = i.roles.Read(what+": Role", p["Role"])
	f.LogGroup = cmp.Or(i.Text(what, assembly.Object(p["LoggingConfig"])["LogGroup"]), "/aws/lambda/"+f.Name)
	for _, config := range i.Template.OfType("AWS::Lambda::EventInvokeConfig") {
		if of := i.Text(config.ID, config.Properties["FunctionName"]); of == f.Name || of == f.ARN {
			f.Retries = i.Number(config.ID+": MaximumRetryAttempts", config.Properties["MaximumRetryAttempts"], 2)
		}
	}
	return f
}

var roleARN = regexp.MustCompile(`^arn:aws[a-z-]*:iam::\d{12}:role/.+$`)

// assumedRole returns a role in another account, as the owner of that account makes it from the stack's outputs.
func (i *functions) assumedRole(f *Function, arn string) *iam.Role {
	if !roleARN.MatchString(arn) {
		i.Problem("the function %s: %s is %q: want a role's ARN", f.ID, contract.EnvRoleARN, arn)
		return nil
	}
	role := iam.Named(arn)
	role.Look = fmt.Sprintf("the stack's outputs %s and %s, from which the role %s is made", contract.OutputRoleTrust, contract.OutputRolePermissions, arn)
	policy := func(output string) json.RawMessage {
		text := i.Text("output "+output, i.Template.Outputs[output].Value)
		if !json.Valid([]byte(text)) {
			i.Problem("the function %s assumes the role %s, and the stack's output %s is no policy for it: %q", f.ID, arn, output, text)
		}
		return json.RawMessage(text)
	}
	role.Trust, role.Policies = policy(contract.OutputRoleTrust), []json.RawMessage{policy(contract.OutputRolePermissions)}
	i.Note("the role %s is in another account: it is assumed to be there, with the policies that are the stack's outputs %s and %s", arn, contract.OutputRoleTrust, contract.OutputRolePermissions)
	return role
}
