package buildspec

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// awsCalls are the calls that the recipes may make.
var awsCalls = map[string]struct {
	known map[string]int
	run   func(c cloud, o options) error
}{
	"ecr get-login-password":           {map[string]int{"!--region": 1}, getLoginPassword},
	"ecs describe-task-definition":     {map[string]int{"!--task-definition": 1, "--output": 1}, describeTaskDefinition},
	"ecs register-task-definition":     {map[string]int{"--cli-input-json": 1, "--generate-cli-skeleton": 1, "--output": 1}, registerTaskDefinition},
	"ecs deregister-task-definition":   {map[string]int{"!--task-definition": 1, "--output": 1}, deregisterTaskDefinition},
	"ecs update-service":               {map[string]int{"--cluster": 1, "!--service": 1, "--task-definition": 1, "--output": 1}, updateService},
	"ecs list-service-deployments":     {map[string]int{"--cluster": 1, "!--service": 1, "--created-at": 1, "--output": 1}, listServiceDeployments},
	"ecs describe-service-revisions":   {map[string]int{"!--service-revision-arns": 20, "--output": 1}, describeServiceRevisions},
	"ecs describe-service-deployments": {map[string]int{"!--service-deployment-arns": 20, "--output": 1}, describeServiceDeployments},
}

func fakeAWS(c cloud, args []string) error {
	if len(args) < 2 {
		return exit{252, "aws: want a service and an operation"}
	}
	call, ok := awsCalls[args[0]+" "+args[1]]
	if !ok {
		return exit{252, "argument operation: Invalid choice: " + args[0] + " " + args[1]}
	}
	o, rest, err := parseOptions(args[2:], call.known)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return exit{252, fmt.Sprintf("Unknown options: %q", rest)}
	}
	// Without it, the format is the one that the machine is configured for.
	if _, ok := call.known["--output"]; ok && o["--generate-cli-skeleton"] == nil && o.get("--output") != "json" {
		return exit{252, fmt.Sprintf("output is %q, want json", o.get("--output"))}
	}
	return call.run(c, o)
}

// awsError returns an error of a service, as the AWS CLI prints it.
func awsError(code, operation, message string) error {
	return exit{254, fmt.Sprintf("\nAn error occurred (%s) when calling the %s operation: %s", code, operation, message)}
}

func getLoginPassword(c cloud, o options) error {
	if o.get("--region") != c.Region {
		fmt.Fprintln(os.Stdout, "the password of another region") //nolint:errcheck // docker refuses either
		return nil
	}
	_, err := fmt.Fprintln(os.Stdout, password)
	return err
}

func describeTaskDefinition(c cloud, o options) error {
	if o.get("--task-definition") != c.Family {
		return awsError("ClientException", "DescribeTaskDefinition", "Unable to describe task definition.")
	}
	return printJSON(map[string]any{"taskDefinition": c.TaskDefinition, "tags": []any{}})
}

// registrable are the fields of RegisterTaskDefinition's input.
//
// AWS source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html
var registrable = []string{
	"family", "taskRoleArn", "executionRoleArn", "networkMode", "containerDefinitions", "volumes",
	"placementConstraints", "requiresCompatibilities", "cpu", "memory", "tags", "pidMode", "ipcMode",
	"proxyConfiguration", "inferenceAccelerators", "ephemeralStorage", "runtimePlatform", "enableFaultInjection",
}

// newRevision returns the ARN of the revision that the build registers.
func (c cloud) newRevision() string {
	return ecsARN("task-definition/" + c.Family + ":" + strconv.Itoa(c.Revision+1))
}

func ecsARN(resource string) string { return "arn:aws:ecs:eu-west-1:111122223333:" + resource }

func registerTaskDefinition(c cloud, o options) error {
	if o["--generate-cli-skeleton"] != nil {
		if o.get("--generate-cli-skeleton") != "input" {
			return exit{252, "argument --generate-cli-skeleton: want input"}
		}
		skeleton := make(map[string]any)
		for _, name := range registrable {
			skeleton[name] = ""
		}
		return printJSON(skeleton)
	}
	path, ok := strings.CutPrefix(o.get("--cli-input-json"), "file://")
	if !ok {
		return exit{252, "--cli-input-json names no file"}
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return exit{252, "Error parsing parameter 'cli-input-json': " + err.Error()}
	}
	var input map[string]any
	if err := json.Unmarshal(content, &input); err != nil {
		return exit{252, "Error parsing parameter 'cli-input-json': Invalid JSON received."}
	}
	for name := range input {
		if !slices.Contains(registrable, name) {
			return exit{252, "Parameter validation failed:\nUnknown parameter in input: " + name}
		}
	}
	if input["family"] != c.Family {
		return awsError("ClientException", "RegisterTaskDefinition", "another family")
	}
	if err := c.note("registered.json", string(content)); err != nil {
		return err
	}
	return printJSON(map[string]any{"taskDefinition": map[string]any{"taskDefinitionArn": c.newRevision(), "revision": c.Revision + 1}})
}

// deregisterTaskDefinition accepts only the revision that the build has registered, and
// only while no deployment of it is under way.
func deregisterTaskDefinition(c cloud, o options) error {
	const operation = "DeregisterTaskDefinition"
	if c.noted("registered.json") == "" || o.get("--task-definition") != c.newRevision() {
		return awsError("ClientException", operation, "The specified task definition does not exist.")
	}
	if c.noted("deregistered") != "" {
		return awsError("InvalidParameterException", operation, "The specified task definition is inactive.")
	}
	if c.noted("updated") != "" {
		polls, err := c.calls("aws|ecs|describe-service-deployments")
		if err != nil {
			return err
		}
		if polls == 0 {
			return awsError("ClientException", operation, "nobody has seen how the deployment ended")
		}
		switch status := c.Polls[min(polls, len(c.Polls))-1]["status"]; status {
		case "STOPPED", "FAILED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED":
		default:
			return awsError("ClientException", operation, fmt.Sprintf("the deployment is %v", status))
		}
	}
	if err := c.note("deregistered", c.newRevision()); err != nil {
		return err
	}
	return printJSON(map[string]any{"taskDefinition": map[string]any{"taskDefinitionArn": c.newRevision(), "status": "INACTIVE"}})
}

func updateService(c cloud, o options) error {
	if err := c.wantService(o, "UpdateService"); err != nil {
		return err
	}
	if c.noted("registered.json") == "" || o.get("--task-definition") != c.newRevision() {
		return awsError("ClientException", "UpdateService", "TaskDefinition not found.")
	}
	if err := c.note("updated", strconv.FormatInt(c.now(), 10)); err != nil {
		return err
	}
	return printJSON(map[string]any{"service": map[string]any{"serviceName": c.Service, "taskDefinition": c.newRevision()}})
}

func (c cloud) wantService(o options, operation string) error {
	if o.get("--cluster") != c.Cluster {
		return awsError("ClusterNotFoundException", operation, "Cluster not found.")
	}
	if o.get("--service") != c.Service {
		return awsError("ServiceNotFoundException", operation, "Service not found.")
	}
	return nil
}

// ours names the deployment that the build starts.
const ours = "ours"

func deploymentARN(name string) string { return ecsARN("service-deployment/c/s/" + name) }

func revisionARN(name string) string { return ecsARN("service-revision/c/s/" + name) }

func listServiceDeployments(c cloud, o options) error {
	if err := c.wantService(o, "ListServiceDeployments"); err != nil {
		return err
	}
	after, err := strconv.ParseInt(strings.TrimPrefix(o.get("--created-at"), "after="), 10, 64)
	if err != nil || !strings.HasPrefix(o.get("--created-at"), "after=") {
		return exit{252, "Error parsing parameter '--created-at'"}
	}
	n, err := c.calls("aws|ecs|list-service-deployments")
	if err != nil {
		return err
	}
	all := slices.Clone(c.Others)
	if c.Listed > 0 && n >= c.Listed && c.noted("updated") != "" {
		all = append(all, deployment{Name: ours})
	}
	listed := []any{}
	for _, d := range all {
		if created := start - d.Age; created >= after {
			listed = append(listed, map[string]any{
				"serviceDeploymentArn":     deploymentARN(d.Name),
				"targetServiceRevisionArn": revisionARN(d.Name),
				"createdAt":                created,
				"status":                   "IN_PROGRESS",
			})
		}
	}
	return printJSON(map[string]any{"serviceDeployments": listed})
}

func describeServiceRevisions(c cloud, o options) error {
	revisions, failures := []any{}, []any{}
	for _, arn := range o["--service-revision-arns"] {
		i := slices.IndexFunc(c.Others, func(d deployment) bool { return revisionARN(d.Name) == arn })
		switch {
		case arn == revisionARN(ours):
			revisions = append(revisions, map[string]any{"serviceRevisionArn": arn, "taskDefinition": c.newRevision()})
		case i >= 0 && c.Others[i].TaskDefinition == "":
			revisions = append(revisions, map[string]any{"serviceRevisionArn": arn, "taskDefinition": c.newRevision()})
		case i >= 0:
			revisions = append(revisions, map[string]any{"serviceRevisionArn": arn, "taskDefinition": c.Others[i].TaskDefinition})
		default:
			failures = append(failures, map[string]any{"arn": arn, "reason": "MISSING"})
		}
	}
	return printJSON(map[string]any{"serviceRevisions": revisions, "failures": failures})
}

func describeServiceDeployments(c cloud, o options) error {
	if got, want := o["--service-deployment-arns"], []string{deploymentARN(ours)}; !slices.Equal(got, want) {
		return awsError("InvalidParameterException", "DescribeServiceDeployments", fmt.Sprintf("got %q, want %q", got, want))
	}
	n, err := c.calls("aws|ecs|describe-service-deployments")
	if err != nil {
		return err
	}
	poll := c.Polls[min(n, len(c.Polls))-1]
	if poll == nil {
		return printJSON(map[string]any{"serviceDeployments": []any{}, "failures": []any{map[string]any{"reason": "MISSING"}}})
	}
	return printJSON(map[string]any{"serviceDeployments": []any{poll}, "failures": []any{}})
}
