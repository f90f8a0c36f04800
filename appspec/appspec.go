// Package appspec renders the AppSpec file of a service that CodeDeploy deploys to ECS. The
// file names the container that gets the traffic and the functions that CodeDeploy calls.
//
// https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-resources.html
package appspec

import (
	_ "embed"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"blog-deploy-pipeline/lambdas/contract"
)

// Events are the five events at which a deployment to ECS calls functions, in their order.
var Events = []string{"BeforeInstall", "AfterInstall", "AfterAllowTestTraffic", "BeforeAllowTraffic", "AfterAllowTraffic"}

// Spec is the content of an AppSpec file that differs between ECS services.
type Spec struct {
	// Container is the name of the container in the task definition. Required. Example:
	// "web".
	Container string

	// Port is the port of the container that the load balancer sends requests to.
	// Required. Example: 80.
	Port int

	// Hooks are the functions to call, at most one at each of [Events]. Default: none.
	Hooks []Hook
}

// Hook is a Lambda function that CodeDeploy calls at an event. CodeDeploy waits for the
// function's report.
type Hook struct {
	// Event is one of [Events]. Required. Example: "AfterAllowTraffic".
	Event string

	// Function is the name or ARN of a function in the account and region of the
	// deployment. Required. Example: "clear-cache".
	Function string
}

var (
	// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
	containerPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`)
	// https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html
	functionPattern = regexp.MustCompile(`^(arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:)?[A-Za-z0-9_-]{1,64}(:[A-Za-z0-9_$-]{1,128})?$`)
)

//go:embed appspec.yaml
var text string

var file = template.Must(template.New("appspec.yaml").Funcs(template.FuncMap{"quote": strconv.Quote}).Parse(text))

// Validate returns all that is wrong with the spec, or nil.
func (s Spec) Validate() error {
	var errs []error
	bad := func(field string, got any, want string) {
		if text, ok := got.(string); ok {
			got = strconv.Quote(text)
		}
		errs = append(errs, fmt.Errorf("AppSpec: %s is %v: %s", field, got, want))
	}
	if !containerPattern.MatchString(s.Container) {
		bad("Container", s.Container, "must be the container's name in the task definition: 1 to 255 letters, digits, hyphens and underscores")
	}
	if s.Port < 1 || s.Port > 65535 {
		bad("Port", s.Port, "must be the container's port, from 1 to 65535")
	}
	called := map[string]bool{}
	for i, hook := range s.Hooks {
		switch event := fmt.Sprintf("Hooks[%d].Event", i); {
		case !slices.Contains(Events, hook.Event):
			bad(event, hook.Event, "must be one of "+strings.Join(Events, ", "))
		case called[hook.Event]:
			bad(event, hook.Event, "has a function already; CodeDeploy calls one function for each event")
		}
		called[hook.Event] = true
		if !functionPattern.MatchString(hook.Function) {
			bad(fmt.Sprintf("Hooks[%d].Function", i), hook.Function, "must be a Lambda function's name or ARN, such as "+contract.HookFunctionName("shop"))
		}
	}
	return errors.Join(errs...)
}

// Render returns the AppSpec file, or all that is wrong with the spec.
func Render(spec Spec) (string, error) {
	if err := spec.Validate(); err != nil {
		return "", err
	}
	var out strings.Builder
	if err := file.Execute(&out, spec); err != nil {
		return "", fmt.Errorf("render the AppSpec: %w", err)
	}
	return out.String(), nil
}
